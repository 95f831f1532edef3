//! The language server of NEMO: what an editor asks about a script, answered over the Language Server Protocol.
//!
//! ```text
//! editor <──frames──> transport ── serve ──> server ─┬─ documents ── text, tree, script, index     (one keystroke, one piece)
//!                                             ^      ├─ index     ── names over all documents
//!                                             │      └─ answers   ── completion, hover, rename, …   (pure)
//!                                           checks ── worker: descriptors, manifold_nemo            (may wait)
//! ```
//! What is kept: the texts that the editor has open. What is made anew at will: everything else. Nothing is written to the disk; all
//! edits are the editor's.
//!
//! A document is checked together with the documents that it takes models from: the nearest in the workspace's folders. So a folder may
//! hold any number of services that have nothing to do with each other.

mod address;
mod answers;
mod checks;
mod client;
mod closure;
mod descriptor;
mod dispatch;
mod documents;
mod explain;
mod folders;
mod index;
mod pending;
mod position;
mod serve;
mod server;
mod transport;

pub use checks::LeafSources;
pub use serve::{Ending, serve};
