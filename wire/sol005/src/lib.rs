//! manifold-wire-sol005: being built.
