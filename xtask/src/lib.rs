//! The repository's own tools, as functions: the program `xtask` and the tests of the workspace call the same ones.
//!
//! ```text
//!   repository ──> source (code and comments apart) ──┬──> tidy         what no compiler refuses
//!                                                     └──> claims ──> conformance   which test proves what
//! ```

pub mod campaign;
pub mod claims;
pub mod conformance;
pub mod golden;
pub mod repository;
pub mod source;
pub mod tidy;
