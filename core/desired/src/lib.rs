//! Desired state: what a manager of outside objects (a VIM, a WIM) shall have made, kept in documents, and the loop that makes
//! the outside so.
//!
//! ```text
//!   call ─> plan (pure, over all documents) ─> one commit ─> wishes(documents) − known ─> remove, ensure ─> answer
//!                                                 │                                          │ failed
//!            crash here: the next start           │                                          v
//!            realises what was committed          └───────── documents put back <─ removed <─┘
//!
//!   changes outside, a slow safety pass, the start ─> observe ─> what is lacking is wished again, what nobody wishes goes
//! ```
//!
//! What it keeps: the documents (in the store, and all of them in memory). What it rebuilds: `known`, the wishes that were
//! realised last. Guarantees: an answer is given only when everything that the call wished for is there, or when it is all taken
//! back; a document that leaves holds what it reserved until its objects are gone; calls that come at the same time share one
//! commit and one `ensure`; at most one request is outside at a time, so objects never go back to an older wish. Assumes that
//! one process writes the documents of a realm.

mod documents;
mod handle;
mod near;
mod outside;
mod pending;
mod planning;
mod realm;
mod worker;

pub use documents::{Documents, Held, Phase};
pub use handle::{Change, Decision, Desired, Done};
pub use realm::{News, Realm, Verdict, Wished};
