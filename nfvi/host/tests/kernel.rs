//! The agent on the real kernel. Every test has a kernel's namespaces of its own, and ends with the leak census.

#[path = "kernel/bench.rs"]
mod bench;
#[path = "kernel/drift.rs"]
mod drift;
#[path = "kernel/lab.rs"]
mod lab;
#[path = "kernel/life.rs"]
mod life;
#[path = "kernel/paths.rs"]
mod paths;
#[path = "kernel/reach.rs"]
mod reach;
#[path = "kernel/rules.rs"]
mod rules;
#[path = "kernel/shape.rs"]
mod shape;
#[path = "kernel/traffic.rs"]
mod traffic;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "agent-service") {
        return match manifold_host::service::main(&arguments[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let tests = [
        reach::TESTS,
        rules::TESTS,
        shape::TESTS,
        drift::TESTS,
        life::TESTS,
        bench::TESTS,
        paths::TESTS,
        traffic::TESTS,
    ]
    .concat();
    manifold_kernel_test::main(&tests)
}
