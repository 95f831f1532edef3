//! The server as an editor meets it: a process that is spoken with over its standard streams.
#![allow(clippy::unwrap_used)]

mod client;
mod editing;
mod faults;
mod features;
