//! manifold-lcm: being built.
