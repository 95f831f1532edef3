//! manifold-vim: being built.
