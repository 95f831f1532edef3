//! See the crate's documentation.

use std::path::Path;
use std::process::ExitCode;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    manifold_benches::main(Path::new(env!("CARGO_TARGET_TMPDIR")))
}
