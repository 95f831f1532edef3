//! manifold-nfvo-interface: being built.
