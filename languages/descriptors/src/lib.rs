//! manifold-descriptors: being built.
