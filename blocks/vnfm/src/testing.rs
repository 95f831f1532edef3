//! Neighbours for tests.
