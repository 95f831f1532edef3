//! manifold-http: being built.
