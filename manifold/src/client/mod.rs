//! What the client commands have in common: how they reach the control plane, show progress, and print.

pub mod follow;
pub mod login;
pub mod print;

pub use login::{Login, Session};
