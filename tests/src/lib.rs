//! manifold-tests: being built.
