//! See the crate's documentation.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    manifold_benches::main(Path::new(env!("CARGO_TARGET_TMPDIR")))
}
