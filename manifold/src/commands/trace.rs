//! `manifold trace`: the reference-point sequence of an operation.

use crate::client::{Session, print};
use crate::config::Config;
use clap::{Args, ValueEnum};
use manifold_call::{OccurrenceId, Role, TraceRecord, Uuid};
use std::collections::HashMap;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The operation's id
    operation: OccurrenceId,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show queries, too, and calls to the infrastructure
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Mermaid,
    Json,
}

pub async fn run(config: Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let mut records: Vec<TraceRecord> = session
        .trace
        .get(&session.cx(), &["operations", &arguments.operation.to_string()])
        .await?;
    if json || arguments.format == Format::Json {
        return print::value(&records);
    }
    if !arguments.all {
        records.retain(telling);
    }
    match arguments.format {
        Format::Mermaid => print!("{}", mermaid(&records)),
        Format::Text | Format::Json => print!("{}", text(&records)),
    }
    Ok(())
}

/// What changes something; questions are left out unless all is asked for.
fn telling(record: &TraceRecord) -> bool {
    let asks = ["query", "find", "progress", "topology", "observe", "changes", "vnfd"];
    !asks.iter().any(|ask| record.operation.starts_with(ask)) && record.producer != Role::Nfvi
}

/// Calls, indented below the call that they were made for.
pub fn text(records: &[TraceRecord]) -> String {
    let parents: HashMap<Uuid, Option<Uuid>> = records.iter().map(|record| (record.call, record.parent)).collect();
    let first = records.first().map_or(0, |record| record.start_us);
    let mut out = String::new();
    for record in records {
        let mut depth = 0;
        let mut next = record.parent;
        while let Some(parent) = next {
            let Some(above) = parents.get(&parent) else { break };
            depth += 1;
            next = *above;
        }
        let outcome = record.failure.map(|kind| format!("  {kind:?}")).unwrap_or_default();
        out.push_str(&format!(
            "{:>9.3} s {:indent$}{} → {}{} {}.{} {} [{}] {}{outcome}\n",
            record.start_us.saturating_sub(first) as f64 / 1e6,
            "",
            record.consumer,
            record.producer,
            if record.producer == Role::Vim {
                format!("({})", record.producer_name)
            } else {
                String::new()
            },
            record.interface,
            record.operation,
            record.subject,
            record.reference_point,
            print::span(record.duration_us / 1_000),
            indent = depth * 2,
        ));
    }
    out
}

fn mermaid(records: &[TraceRecord]) -> String {
    let mut out = String::from("sequenceDiagram\n  autonumber\n");
    let who = |role: Role, name: &str| match role {
        Role::Vim => format!("VIM_{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
        other => other.as_str().to_owned(),
    };
    for record in records {
        let arrow = if record.failure.is_some() { "-x" } else { "->>" };
        // A line end or a semicolon in a subject would end the statement.
        let subject = record.subject.replace(['\n', ';', ':'], " ");
        out.push_str(&format!(
            "  {}{arrow}{}: {} {subject}\n",
            record.consumer,
            who(record.producer, &record.producer_name),
            record.operation
        ));
    }
    out
}
