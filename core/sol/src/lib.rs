//! manifold-sol: being built.
