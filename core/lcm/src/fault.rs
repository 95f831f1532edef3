//! The generic fault matrix: every step of every operation, struck by every fault.
