//! manifold-wire-agent: being built.
