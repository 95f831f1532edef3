//! `cargo xtask`: the commands of those who work on the repository.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use std::process::Command;
use xtask::repository::Repository;
use xtask::{campaign, conformance, golden, tidy};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tools for those who work on Manifold")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that CI runs: scripts/test
    Ci,
    /// What no compiler refuses: files that nothing compiles, files that are too long, left-over notes, sleeps in tests
    Tidy,
    /// Writes docs/conformance.md from ../shared/spec/checklist.jsonl and the `proves:` comments of the tests
    Conformance,
    /// Kills the control plane, the agent and both at random moments of a service's life, any number of times
    Chaos {
        /// How often
        #[arg(long, default_value_t = 20)]
        kills: u32,
        /// Of an earlier run, to repeat it
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Breaks kernel objects by hand and looks for what mends them
    Drift,
    /// Takes the whole kernel state away, and looks for what comes back
    Reboot,
    /// Writes every golden file anew; read the difference before you commit it
    Golden,
}

fn main() -> anyhow::Result<()> {
    let repository = Repository::here();
    match Arguments::parse().task {
        Task::Ci => {
            let status = Command::new(repository.root().join("scripts/test"))
                .current_dir(repository.root())
                .status()
                .context("scripts/test cannot be started")?;
            if !status.success() {
                bail!("scripts/test failed: {status}");
            }
        }
        Task::Tidy => {
            let faults = tidy::run(&repository)?;
            for fault in &faults {
                eprintln!("{fault}");
            }
            if !faults.is_empty() {
                bail!("{} faults", faults.len());
            }
        }
        Task::Conformance => {
            let written = conformance::write(&repository)?;
            println!(
                "docs/conformance.md: {} of {} statements are proven by tests",
                written.proven(),
                written.count()
            );
        }
        Task::Chaos { kills, seed } => {
            let mut arguments = vec!["chaos".to_owned(), "--kills".to_owned(), kills.to_string()];
            arguments.extend(
                seed.into_iter()
                    .flat_map(|seed| ["--seed".to_owned(), seed.to_string()]),
            );
            campaign::run(&repository, &arguments)?;
        }
        Task::Drift => campaign::run(&repository, &["drift".to_owned()])?,
        Task::Reboot => campaign::run(&repository, &["reboot".to_owned()])?,
        Task::Golden => {
            golden::write(&repository)?;
            conformance::write(&repository)?;
        }
    }
    Ok(())
}
