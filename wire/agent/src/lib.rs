//! Nf-Vi over the agent's Unix socket: [`serve`] offers an [`Infrastructure`], [`AgentClient`] is one.
//!
//! ```text
//!   AgentClient ── Hello{protocol, role} ──> server: is this role configured for the peer's uid (SO_PEERCRED)?
//!               <── Welcome | Goodbye{error}
//!               ── Call{id, context, ask} ─>  any number at once, up to CALLS_MAX
//!               ── Cancel{id} ────────────>  when the caller's future is dropped
//!               <── Answer{id, outcome} ──    in the order in which they end
//! ```
//!
//! A frame is a length (four bytes, big-endian) and that many bytes of JSON, at most [`frame::FRAME_BYTES_MAX`].
//!
//! Guarantees: an answer reaches the call that asked; a call ends at its deadline on both ends, a little earlier at the inner
//! one; a connection that ends fails its calls with `Unavailable`, and their effects may have happened (wishes are repeated,
//! so nothing is lost). A peer that reads too slowly is cut off instead of being remembered without bound.

pub mod frame;

mod client;
mod connection;
mod listener;
mod server;

pub use client::AgentClient;
pub use listener::{AgentListener, BindError};
pub use server::{Allowed, serve};

#[doc(no_inline)]
pub use manifold_nfvi_interface::Infrastructure;
