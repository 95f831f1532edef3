//! NEMO as text: from bytes to a lossless tree, and from the tree to what the script says.
//!
//! ```text
//! text ──lexer──> tokens ──parser──> tree (every byte of the text is in it) ──┬──lower──> Script
//!                              │                                             └──format──> text
//!                              └──> diagnostics, each with its place and, where one is known, a fix
//! ```
//! Pure: text in, trees, scripts and diagnostics out. What names mean is the business of `manifold-nemo`.
//!
//! The language is that of draft-xia-sdnrg-nemo-language as OpenDaylight executes it, with the VNFD extension of
//! draft-aranda-nfvrg-recursive-vnf-03.

pub mod codes;
pub mod diagnostic;
mod edit;
mod format;
pub mod keyword;
pub mod kind;
pub mod lexer;
mod lower;
mod parse;
mod parser;
pub mod script;
pub mod tree;

pub use format::format;
pub use parse::{Parse, TEXT_BYTES_MAX, parse};
pub use parser::ParseOptions;
