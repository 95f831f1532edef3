//! Planning: which addresses, which identifiers, which hosts. Pure: the same question always has the same answer, and the caller
//! keeps what was chosen.
//!
//! ```text
//!   address    subnet ─< pool ─< address      chosen lowest first; what is taken or reserved is left alone
//!   overlap    routing domain ─< subnet       no two may overlap; the check names both
//!   number     segment identifiers, MAC addresses: the lowest that is free, or the one that a seed gives
//!   placement  demand ──> host                by hard constraints; what fits nowhere is told host by host
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

pub mod address;
pub mod number;
pub mod overlap;
pub mod placement;
