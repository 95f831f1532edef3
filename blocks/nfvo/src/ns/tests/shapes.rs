//! Services of any shape.
