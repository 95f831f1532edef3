//! manifold-vnfm: being built.
