//! NEMO as text: from bytes to a lossless tree, and from the tree to what the script says.
//!
//! ```text
//! text ──lexer──> tokens ──parser──> tree (every byte of the text is in it) ──┬──lower──> Script
//!                              │                                             └──format──> text
//!                              └──> diagnostics, each with its place and, where one is known, a fix
//! ```
//! Pure: text in, trees, scripts and diagnostics out. What names mean is the business of `manifold-nemo`.
//!
//! ```
//! use manifold_nemo_syntax::{ParseOptions, format, parse};
//!
//! let mut parse = parse("CREATE Node edge type firewall", ParseOptions::default());
//! let codes: Vec<_> = parse.diagnostics().iter().map(|told| told.code.0).collect();
//! assert_eq!(codes, ["L-CASE", "E-SEMI"]);
//! parse.edit(30..30, ";");
//! assert_eq!(format(&parse), "CREATE Node edge Type firewall;\n");
//! assert_eq!(parse.script().statements.len(), 1);
//! ```
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
