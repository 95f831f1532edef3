//! manifold-host: being built.
