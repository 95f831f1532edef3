//! `manifold`: a complete ETSI NFV-MANO in one program.
//!
//! ```text
//!   manifold up ── control plane: NFVO, VNFM, WIM, one VIM for each NFVI-PoP, their APIs, one store
//!        │  Nf-Vi (Unix socket)
//!   manifold agent ── privileged: every namespace, link, machine
//!
//!   manifold apply|script|ns|vnf|op|package|lab|topology|trace ── clients of the APIs
//!   manifold nemo|import ── scripts and descriptors on this machine
//!   manifold demo ── `up` on a throw-away folder, and a script that is its client
//! ```

#![allow(
    unreachable_pub,
    reason = "a program has no outside; `pub` says what a module offers to the others"
)]

mod client;
mod commands;
mod config;
mod control;
mod demo;

use clap::Parser;
use std::process::ExitCode;

/// Documents and syntax trees are many small objects, and the C library takes a fifth of the time for them. Without huge pages: with
/// them, an idle program holds half as much memory again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    // Only one provider of cryptography is linked; installing it twice is the only way to fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manifold: {error:#}");
            ExitCode::from(commands::exit_code(&error))
        }
    }
}
