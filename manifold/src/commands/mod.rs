//! The commands.

mod agent;
mod apply;
mod complete;
mod doctor;
mod import;
mod lab;
mod nemo;
mod ns;
mod op;
mod package;
mod script;
mod topology;
mod trace;
mod up;
mod vnf;

pub use ns::pnf_data;
pub use package::push;
pub use topology::text as topology_text;

use crate::config::{Config, Globals};
use clap::{Parser, Subcommand};
use manifold_call::{CallError, ErrorKind};
use std::future::Future;
use tracing_subscriber::EnvFilter;

/// A complete ETSI NFV-MANO in one program: NFVO, VNFM, VIM and WIM, with the Linux kernel as its embedded infrastructure.
#[derive(Debug, Parser)]
#[command(name = "manifold", version, propagate_version = true, max_term_width = 120)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 no such object; 4 conflict or busy; 5 not permitted; 6 not reachable."
)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what this machine can do, and how to mend what it lacks
    Doctor,
    /// Instantiate, prove, show and remove a network service over two sites
    Demo(crate::demo::Arguments),
    /// Run the control plane; starts the host agent if none runs
    Up(up::Arguments),
    /// Run the privileged host agent
    Agent(agent::Arguments),
    /// Serve HTTP in a node of the lab: the agent runs this for physical functions
    #[command(hide = true)]
    AgentService(agent::ServiceArguments),
    /// Create, show or destroy the embedded infrastructure
    #[command(subcommand)]
    Lab(lab::Command),
    /// Build, check and on-board VNF, NS and PNF packages
    #[command(subcommand)]
    Package(package::Command),
    /// Make a network service equal to a NEMO script: what is new comes, what is gone goes, the rest stays
    Apply(apply::Arguments),
    /// Scripts that were applied
    #[command(subcommand)]
    Script(script::Command),
    /// NEMO scripts on this machine: check, mend, compile, draw, edit
    #[command(subcommand)]
    Nemo(nemo::Command),
    /// Make a NEMO script, and packages, of descriptors of other systems
    Import(import::Arguments),
    /// Network services
    #[command(subcommand)]
    Ns(ns::Command),
    /// VNF instances
    #[command(subcommand)]
    Vnf(vnf::Command),
    /// Lifecycle operations
    #[command(subcommand)]
    Op(op::Command),
    /// Show a network service as a graph, with live addresses and states
    Topology(topology::Arguments),
    /// Show who called whom during an operation
    Trace(trace::Arguments),
    /// Print a shell completion script
    Completion(complete::CompletionArguments),
    /// Write man pages into a folder
    Man(complete::ManArguments),
}

/// Runs one.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let globals = cli.globals;
    let config = Config::load(&globals)?;
    let json = globals.json;
    match cli.command {
        Command::Doctor => doctor::run(&config, json),
        Command::Demo(arguments) => client(crate::demo::run(config, arguments, json)),
        Command::Up(arguments) => up::run(config, arguments),
        Command::Agent(arguments) => agent::run(config, arguments),
        Command::AgentService(arguments) => agent::service(arguments),
        Command::Lab(command) => client(lab::run(config, command, json)),
        Command::Package(command) => client(package::run(config, command, json)),
        Command::Apply(arguments) => client(apply::run(config, arguments, json)),
        Command::Script(command) => client(script::run(config, command, json)),
        Command::Nemo(command) => nemo::run(&config, command, json),
        Command::Import(arguments) => import::run(arguments, json),
        Command::Ns(command) => client(ns::run(config, command, json)),
        Command::Vnf(command) => client(vnf::run(config, command, json)),
        Command::Op(command) => client(op::run(config, command, json)),
        Command::Topology(arguments) => client(topology::run(config, arguments, json)),
        Command::Trace(arguments) => client(trace::run(config, arguments, json)),
        Command::Completion(arguments) => complete::completion(arguments),
        Command::Man(arguments) => complete::man(arguments),
    }
}

/// `NAME=IMAGE`: an image by the name that Manifold has it by, or an address.
fn image(text: &str) -> Result<(String, String), String> {
    let Some((name, image)) = text
        .split_once('=')
        .filter(|(name, image)| !name.is_empty() && !image.is_empty())
    else {
        return Err(format!("{text:?} is not of the form NAME=IMAGE"));
    };
    let image = match image.contains([':', '/']) {
        true => image.to_owned(),
        false => format!("manifold:image/{image}"),
    };
    Ok((name.to_owned(), image))
}

/// Clients need one thread.
fn client<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}

/// Sends log lines to standard error.
pub fn start_logging(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        builder.json().flatten_event(true).init();
    } else {
        let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
        builder.with_target(false).with_ansi(colours).compact().init();
    }
}

/// What scripts can rely on; `--help` lists it.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let Some(call) = error.chain().find_map(|cause| cause.downcast_ref::<CallError>()) else {
        return 1;
    };
    match call.kind {
        ErrorKind::NotFound => 3,
        ErrorKind::Conflict | ErrorKind::Busy | ErrorKind::Stale | ErrorKind::Exhausted => 4,
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => 5,
        ErrorKind::Unavailable | ErrorKind::TimedOut => 6,
        ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::Internal => 1,
    }
}
