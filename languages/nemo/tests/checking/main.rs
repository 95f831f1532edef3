//! The check of scripts: what is told, where, with which fix; and what service comes of them.
#![allow(clippy::unwrap_used)]

mod codes;
mod connections;
mod editors;
mod golden;
mod incremental;
mod inline;
mod models;
mod opened;
mod parameters;
mod random;
mod rules;
mod seed;
mod services;
mod statements;
mod world;
