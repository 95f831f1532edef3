//! manifold-wim-interface: being built.
