//! manifold-planning: being built.
