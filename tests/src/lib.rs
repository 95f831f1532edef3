//! Tests of the repository as a whole: what no crate can say of itself alone.
