//! manifold-lab: being built.
