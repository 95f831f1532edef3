//! `manifold nemo query`: the language's questions, about a script in files or about a service that runs.

use super::{Texts, leaves};
use crate::client::{Session, print};
use crate::commands::nemo::Leaving;
use crate::config::Config;
use anyhow::bail;
use clap::Args;
use manifold_nemo::expand::{InstanceKind, Limits, expand};
use manifold_nemo_syntax::script::Statement;
use manifold_nemo_syntax::{ParseOptions, parse};
use manifold_nfvo_interface::{NsTopology, ScriptElement, ScriptElementKind, ScriptName, TopologyVnfc};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Arguments {
    /// In the language: `Query nodes;`, `Query connections From left;`
    question: String,
    #[command(flatten)]
    of: Of,
}

/// What is asked about.
#[derive(Debug, Args)]
pub struct Of {
    /// The script; absent, the one that was applied: the only one, or --script
    files: Vec<PathBuf>,
    /// The applied script, with live addresses and states
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    script: Option<String>,
    /// The model that is the service, where no nodes stand at the top
    #[arg(long, value_name = "MODEL")]
    root: Option<String>,
    #[command(flatten)]
    leaving: Leaving,
}

/// A part that was asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(flatten)]
    element: ScriptElement,
    /// Of its machines; empty for what has none, and for a script that was not applied.
    state: String,
    addresses: Vec<String>,
}

/// A question that was understood.
#[derive(Debug, PartialEq)]
struct Question {
    kind: ScriptElementKind,
    from: Option<String>,
}

pub fn run(config: &Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    answer(config, &arguments.of.settled(config)?, &arguments.question, json)
}

impl Of {
    /// With a script: where nothing is named, the one that was applied.
    pub fn settled(mut self, config: &Config) -> anyhow::Result<Self> {
        if self.files.is_empty() && self.script.is_none() {
            let applied = crate::commands::client(async {
                let session = Session::open(config)?;
                Ok(session.nfvo.scripts.query(&session.cx(), ()).await?)
            })?;
            let names: Vec<&str> = applied.iter().map(|script| script.name.as_str()).collect();
            match names.as_slice() {
                [only] => self.script = Some((*only).to_owned()),
                [] => bail!("no script is applied: name the files of one"),
                several => bail!("{} are applied: say which with --script", several.join(", ")),
            }
        }
        Ok(self)
    }

    /// As people call it.
    pub fn title(&self) -> String {
        match (&self.script, self.files.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, [.., last]) => last.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            (None, []) => String::new(),
        }
    }
}

/// Prints what one question asks for.
pub fn answer(config: &Config, of: &Of, question: &str, json: bool) -> anyhow::Result<()> {
    let question = read(question)?;
    let rows = match &of.script {
        Some(name) => crate::commands::client(live(config, name, &question))?,
        None => still(config, of)?.into_iter().map(plain).collect(),
    };
    let rows: Vec<Row> = rows.into_iter().filter(|row| question.means(&row.element)).collect();
    print::rows(json, &["NAME", "WHAT", "STATE", "ADDRESSES"], &rows, |row| {
        vec![
            row.element.name.clone(),
            row.element.detail.clone(),
            row.state.clone(),
            row.addresses.join(" "),
        ]
    })
}

fn plain(element: ScriptElement) -> Row {
    Row {
        element,
        state: String::new(),
        addresses: Vec::new(),
    }
}

/// Errors: it is no question, or one that has no answer here.
fn read(text: &str) -> anyhow::Result<Question> {
    let parsed = parse(text, ParseOptions::default());
    if parsed.has_errors() {
        bail!(Texts::of([("question".to_owned(), text.to_owned())]).render(parsed.diagnostics()));
    }
    let [Statement::Query { what, from, .. }] = parsed.script().statements.as_slice() else {
        bail!("one question is answered at a time: `Query nodes;`");
    };
    let kind = match what.text.to_ascii_lowercase().as_str() {
        "nodes" => ScriptElementKind::Node,
        "connections" => ScriptElementKind::Connection,
        "operations" => ScriptElementKind::Operation,
        "connectionpoints" => ScriptElementKind::ConnectionPoint,
        other => {
            bail!("`Query {other}` has no answer here; ask for nodes, connections, operations or connectionpoints")
        }
    };
    let path = |from: &manifold_nemo_syntax::script::Path| -> String {
        let segments: Vec<&str> = from.segments.iter().map(|name| name.text.as_str()).collect();
        segments.join(".")
    };
    Ok(Question {
        kind,
        from: from.as_ref().map(path),
    })
}

impl Question {
    fn means(&self, element: &ScriptElement) -> bool {
        let within = |from: &String| {
            let rest = element.name.strip_prefix(from.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        element.kind == self.kind && self.from.as_ref().is_none_or(within)
    }
}

/// The parts of a script in files.
fn still(config: &Config, arguments: &Of) -> anyhow::Result<Vec<ScriptElement>> {
    let texts = Texts::read(&arguments.files)?;
    let leaves = leaves(config, texts.folder(), &arguments.leaving);
    let looked = texts.look(&leaves, false, arguments.root.as_deref(), Some(&texts.name()));
    let service = looked.service(&texts)?;
    let graph = expand(&service, &Limits::default())?;
    let element = |kind, name: &str, detail: String| ScriptElement {
        kind,
        name: name.to_owned(),
        detail,
    };
    let mut all = Vec::new();
    for instance in &graph.instances {
        match instance.of {
            manifold_nemo::service::ModelUse::Leaf(_) => {
                all.push(element(ScriptElementKind::Node, &instance.name, instance.model.clone()));
            }
            manifold_nemo::service::ModelUse::Composite(at) if instance.kind == InstanceKind::Open => {
                for rule in &service.composites[at].rules {
                    let name = match instance.name.as_str() {
                        "" => rule.name.clone(),
                        inside => format!("{inside}.{}", rule.name),
                    };
                    all.push(element(
                        ScriptElementKind::Operation,
                        &name,
                        rule.flow.clone().unwrap_or_default(),
                    ));
                }
            }
            manifold_nemo::service::ModelUse::Composite(_) => {}
        }
    }
    for net in &graph.nets {
        let ends = net
            .ends
            .iter()
            .map(|end| format!("{}:{}", graph.instances[end.instance].name, end.point));
        let ends: Vec<String> = ends.collect();
        all.push(element(ScriptElementKind::Connection, &net.name, ends.join(", ")));
        for point in &net.points {
            all.push(element(ScriptElementKind::ConnectionPoint, point, net.name.clone()));
        }
    }
    all.sort();
    Ok(all)
}

/// The parts of an applied script, with what its machines are doing.
async fn live(config: &Config, name: &str, question: &Question) -> anyhow::Result<Vec<Row>> {
    let session = Session::open(config)?;
    let info = session.nfvo.scripts.find(&session.cx(), ScriptName::from(name)).await?;
    let mut rows: Vec<Row> = info.elements.into_iter().map(plain).collect();
    let Some(ns) = info.ns_instance_id.filter(|_| question.kind == ScriptElementKind::Node) else {
        return Ok(rows);
    };
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns.parse()?).await?;
    for row in &mut rows {
        let Some(vnfcs) = machines(&topology, &row.element.name) else {
            continue;
        };
        let states: Vec<&str> = vnfcs.iter().map(|vnfc| vnfc.state.as_str()).collect();
        row.state = states.join(" ");
        let ports = vnfcs.iter().flat_map(|vnfc| &vnfc.ports);
        row.addresses = ports
            .flat_map(|port| &port.addresses)
            .map(ToString::to_string)
            .collect();
    }
    Ok(rows)
}

/// A node's machines: the service's VNF of that profile, in a nested service of the name that stands before the first point.
fn machines<'a>(topology: &'a NsTopology, name: &str) -> Option<&'a [TopologyVnfc]> {
    let of_profile = |profile: &str| topology.vnfs.iter().find(|vnf| vnf.profile == profile);
    if let Some(vnf) = of_profile(name) {
        return Some(&vnf.vnfcs);
    }
    let (first, rest) = name.split_once('.')?;
    let is_of = |nested: &&NsTopology| nested.name == first || nested.name.ends_with(&format!("/{first}"));
    machines(topology.nested.iter().find(is_of)?, rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn questions_are_understood_and_what_is_none_is_refused() {
        let asked = read("Query nodes From left.gate;").unwrap();
        assert_eq!(asked.from.as_deref(), Some("left.gate"));
        let named = |name: &str| {
            asked.means(
                &plain(ScriptElement {
                    kind: ScriptElementKind::Node,
                    name: name.to_owned(),
                    detail: String::new(),
                })
                .element,
            )
        };
        assert!(named("left.gate") && named("left.gate.fw"));
        assert!(!named("left.gates") && !named("right.gate"));
        for wrong in [
            "CREATE Node n Type m;",
            "Query;",
            "Query Priority;",
            "Query nodes; Query nodes;",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
