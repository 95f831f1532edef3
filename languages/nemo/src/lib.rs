//! NEMO as meaning: names looked up, leaves read from their VNF descriptors, composites put together, and compiled.
//!
//! ```text
//! Script(s) ──resolve──> models ──elaborate──> Service ──┬──compile──> NSDs (nested) | one flat VNFD | OpenMANO scenario
//!                 ^                                      ├──expand───> Graph (every instance) ──> svg, dot, mermaid, json
//!            LeafSource (descriptors: catalogue, file,   └──difference──> what an apply changes
//!            https where policy allows)
//! ```
//! Pure but for what a [`leaf::LeafSource`] does. All faults of a script come at once, with fixes where one is known.

mod body;
pub mod check;
mod code;
pub mod compile;
pub mod condition;
mod demand;
mod elaborate;
pub mod expand;
pub mod explain;
pub mod fix;
pub mod graph;
pub mod index;
pub mod inline;
mod interface;
pub mod leaf;
mod nearest;
mod nets;
pub mod render;
mod report;
mod rules;
pub mod service;
mod signature;
mod statements;
mod values;

pub use code::ALL as CODES;
pub use elaborate::{COMPOSITES_MAX, VNFS_MAX};
