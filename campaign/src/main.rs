//! `campaign chaos|reboot|drift|random`: campaigns by hand, with any number of kills or cases.

use clap::{Parser, Subcommand};
use manifold_campaign::{Chaos, Random, Work, work};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// Kills, reboots and breaks a running Manifold in namespaces of its own, and looks at what it does then. Needs root.
#[derive(Parser)]
#[command(name = "campaign")]
struct Cli {
    /// The program; beside this one if absent
    #[arg(long, global = true, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Folder with the guest image
    #[arg(long, global = true, default_value = "/var/cache/manifold", value_name = "DIR")]
    cache: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// SIGKILL of control plane and agent at random moments
    Chaos {
        /// How many
        #[arg(long, default_value_t = 20)]
        kills: u32,
        /// Repeats all choices; by the clock if absent
        #[arg(long)]
        seed: Option<u64>,
        /// The life to begin with
        #[arg(long, default_value_t = 0)]
        first_life: u64,
    },
    /// All state of the kernel is lost once
    Reboot,
    /// Bridges, flood entries, nft tables and taps are deleted by hand
    Drift,
    /// Network services by chance connect what they say and leave nothing
    Random {
        /// How many; they stand in twos
        #[arg(long, default_value_t = 10)]
        cases: u32,
        /// Repeats all choices; by the clock if absent
        #[arg(long)]
        seed: Option<u64>,
        /// The case to begin with
        #[arg(long, default_value_t = 0)]
        first_case: u64,
    },
}

/// Two hundred kills take about half an hour on two busy cores; tenfold for ten times as many.
const LIMIT_S: u64 = 20_000;

const WORKS: &[Work] = &[
    work!("chaos", LIMIT_S, chaos, guest),
    work!("reboot", LIMIT_S, reboot, guest),
    work!("drift", LIMIT_S, drift, guest),
    work!("random", LIMIT_S, random, guest),
];

/// The namespaces are made by running this program again, twice: what it was told goes down in the environment.
const ARGUMENTS: [&str; 5] = [
    "CAMPAIGN_PROGRAM",
    "CAMPAIGN_CACHE",
    "CAMPAIGN_COUNT",
    "CAMPAIGN_SEED",
    "CAMPAIGN_FIRST",
];

fn main() -> ExitCode {
    if std::env::var_os(ARGUMENTS[0]).is_some() {
        return manifold_campaign::main(WORKS, &path(ARGUMENTS[1]));
    }
    let cli = Cli::parse();
    let this = std::env::current_exe().unwrap_or_default();
    let program = cli.program.unwrap_or_else(|| this.with_file_name("manifold"));
    let Ok(program) = program.canonicalize() else {
        eprintln!(
            "campaign: there is no {}; build it with `cargo build -p manifold`, or name it with --program",
            program.display()
        );
        return ExitCode::FAILURE;
    };
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (name, [count, seed, first]) = match cli.what {
        What::Chaos {
            kills,
            seed,
            first_life,
        } => ("chaos", [u64::from(kills), seed.unwrap_or(clock), first_life]),
        What::Reboot => ("reboot", [0; 3]),
        What::Drift => ("drift", [0; 3]),
        What::Random {
            cases,
            seed,
            first_case,
        } => ("random", [u64::from(cases), seed.unwrap_or(clock), first_case]),
    };
    let mut command = Command::new(this);
    command
        .args(["--exact", name])
        .env(ARGUMENTS[0], program)
        .env(ARGUMENTS[1], cli.cache);
    for (key, value) in ARGUMENTS[2..].iter().zip([count, seed, first]) {
        command.env(key, value.to_string());
    }
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("campaign: {error}");
            ExitCode::FAILURE
        }
    }
}

fn path(key: &str) -> PathBuf {
    std::env::var_os(key).unwrap_or_default().into()
}

fn number(key: &str) -> u64 {
    std::env::var(key)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}

fn played(play: fn(&Path, &Path, &Path)) {
    play(&path(ARGUMENTS[0]), &path(ARGUMENTS[1]), Path::new("/tmp/campaign"));
}

fn chaos() {
    played(|program, cache, folder| {
        let kills = u32::try_from(number("CAMPAIGN_COUNT")).unwrap_or(u32::MAX);
        let what = Chaos {
            kills,
            seed: number("CAMPAIGN_SEED"),
            first_life: number("CAMPAIGN_FIRST"),
        };
        manifold_campaign::chaos(program, cache, folder, what);
    });
}

fn reboot() {
    played(manifold_campaign::reboot);
}

fn drift() {
    played(manifold_campaign::drift);
}

fn random() {
    played(|program, cache, folder| {
        let what = Random {
            cases: number("CAMPAIGN_COUNT"),
            seed: number("CAMPAIGN_SEED"),
            first: number("CAMPAIGN_FIRST"),
        };
        manifold_campaign::random(program, cache, folder, what);
    });
}
