//! manifold-wim: being built.
