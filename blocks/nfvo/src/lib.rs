//! manifold-nfvo: being built.
