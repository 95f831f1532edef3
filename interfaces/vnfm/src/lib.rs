//! manifold-vnfm-interface: being built.
