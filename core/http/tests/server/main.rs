//! The kit against a listening server: by our own client, and by clients that others wrote.
#![allow(clippy::unwrap_used)]

mod client;
mod protocol;
mod site;
