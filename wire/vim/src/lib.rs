//! manifold-wire-vim: being built.
