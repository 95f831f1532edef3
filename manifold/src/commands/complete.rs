//! Shell completions and man pages, made from the same definition as `--help`.

use super::Cli;
use anyhow::Context as _;
use clap::{Args, CommandFactory};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// Which shell
    shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct ManArguments {
    /// Where to: `manifold.1`, `manifold-up.1`, …
    folder: PathBuf,
}

pub fn completion(arguments: CompletionArguments) -> anyhow::Result<()> {
    clap_complete::generate(arguments.shell, &mut offered(), "manifold", &mut std::io::stdout());
    Ok(())
}

/// Without what users do not call: shells would offer hidden commands, too.
fn offered() -> clap::Command {
    let whole = Cli::command();
    let commands = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .cloned();
    clap::Command::new("manifold")
        .version(env!("CARGO_PKG_VERSION"))
        .args(whole.get_arguments().cloned())
        .subcommands(commands.collect::<Vec<_>>())
}

pub fn man(arguments: ManArguments) -> anyhow::Result<()> {
    std::fs::create_dir_all(&arguments.folder).with_context(|| format!("making {}", arguments.folder.display()))?;
    clap_mangen::generate_to(Cli::command(), &arguments.folder)
        .with_context(|| format!("writing into {}", arguments.folder.display()))
}
