//! `manifold topology`: a network service as text, JSON, Mermaid or DOT.

use super::ns::find;
use crate::client::{Session, print};
use crate::config::Config;
use clap::{Args, ValueEnum};
use manifold_nfvo_interface::{NsTopology, TopologyLink};
use std::collections::BTreeSet;
use std::fmt::Write;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The service: id or name
    ns: String,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Mermaid,
    Dot,
}

pub async fn run(config: Config, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let ns = find(&session, &arguments.ns).await?;
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns.id.parse()?).await?;
    match arguments.format {
        _ if json => print::value(&topology)?,
        Format::Json => print::value(&topology)?,
        Format::Text => print!("{}", text(&topology)),
        Format::Mermaid => print!("{}", mermaid(&topology)),
        Format::Dot => print!("{}", dot(&topology)),
    }
    Ok(())
}

fn addresses(all: &[std::net::IpAddr]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn link_name<'a>(topology: &'a NsTopology, id: &'a str) -> &'a str {
    topology
        .links
        .iter()
        .find(|link| link.id == id)
        .map_or(id, |link| link.name.as_str())
}

fn realised(link: &TopologyLink) -> String {
    let mut parts: Vec<String> = link
        .networks
        .iter()
        .map(|network| {
            let by = match (&network.provider_network, network.segmentation_id) {
                (Some(provider), _) => format!("provider network {provider}"),
                (None, Some(vni)) => format!("VNI {vni}"),
                (None, None) => "local".to_owned(),
            };
            format!("{} {by} {}", network.vim, network.state)
        })
        .collect();
    if let Some(mscs) = &link.mscs {
        parts.push(format!("MSCS {mscs}"));
    }
    parts.join(", ")
}

/// A tree for the terminal; a nested service is a tree in it.
pub fn text(topology: &NsTopology) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "NS {} ({}) {}", topology.name, topology.id, topology.state);
    for inner in &topology.nested {
        for (at, line) in text(inner).lines().enumerate() {
            let _ = writeln!(out, "{}{line}", if at == 0 { "├─ " } else { "│  " });
        }
    }
    for vnf in &topology.vnfs {
        let _ = writeln!(out, "├─ VNF {} at {}", vnf.name, vnf.vim);
        for vnfc in &vnf.vnfcs {
            let _ = writeln!(out, "│  ├─ {} on {} {}", vnfc.name, vnfc.host, vnfc.state);
            for port in &vnfc.ports {
                let link = link_name(topology, &port.link);
                let _ = writeln!(
                    out,
                    "│  │    {:<10} {:<34} {}  ── {link}",
                    port.cpd,
                    addresses(&port.addresses),
                    port.mac
                );
            }
        }
    }
    for (what, ends) in [("PNF", &topology.pnfs), ("SAP", &topology.saps)] {
        for end in ends {
            let link = link_name(topology, &end.link);
            let _ = writeln!(
                out,
                "├─ {what} {} at {}  {}  ── {link}",
                end.name,
                end.vim,
                addresses(&end.addresses)
            );
        }
    }
    for link in &topology.links {
        let inside = link
            .inside
            .as_ref()
            .map(|vnf| format!(" inside {vnf}"))
            .unwrap_or_default();
        let _ = writeln!(out, "└─ link {}{inside}: {}", link.name, realised(link));
    }
    out
}

struct Edge {
    from: String,
    to: String,
    label: String,
}

/// Nodes (id, label, shape) and edges, for both graph languages.
#[derive(Default)]
struct Graph {
    nodes: Vec<(String, String, char)>,
    edges: Vec<Edge>,
}

/// The graph of a service and of what it nests: a link that crosses services is one node, called as in the outermost.
fn graph(topology: &NsTopology) -> Graph {
    let mut all = Graph::default();
    let mut links = BTreeSet::new();
    draw(topology, &mut links, &mut all);
    all
}

fn draw(topology: &NsTopology, links: &mut BTreeSet<String>, all: &mut Graph) {
    let key = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect::<String>()
    };
    for link in topology.links.iter().filter(|link| links.insert(link.id.clone())) {
        all.nodes.push((
            format!("l_{}", key(&link.id)),
            format!("{} | {}", link.name, realised(link)),
            'o',
        ));
    }
    for vnf in &topology.vnfs {
        for vnfc in &vnf.vnfcs {
            let id = format!("c_{}", key(&vnfc.id));
            all.nodes.push((
                id.clone(),
                format!("{} | {} @ {} | {}", vnfc.name, vnf.vim, vnfc.host, vnfc.state),
                'b',
            ));
            for port in &vnfc.ports {
                all.edges.push(Edge {
                    from: id.clone(),
                    to: format!("l_{}", key(&port.link)),
                    label: addresses(&port.addresses),
                });
            }
        }
    }
    for (what, ends) in [("PNF", &topology.pnfs), ("SAP", &topology.saps)] {
        for end in ends {
            // Services of one kind, nested twice, have ends of the same names.
            let id = format!("e_{}_{}_{}", what.to_lowercase(), key(&end.name), key(&end.link));
            all.nodes.push((id.clone(), format!("{what} {}", end.name), 'd'));
            all.edges.push(Edge {
                from: id,
                to: format!("l_{}", key(&end.link)),
                label: addresses(&end.addresses),
            });
        }
    }
    for inner in &topology.nested {
        draw(inner, links, all);
    }
}

/// Labels hold names that users chose: quotes and line ends must not end the string.
fn quoted(text: &str) -> String {
    text.replace(['"', '\\', '\n', '\r'], "'")
}

fn mermaid(topology: &NsTopology) -> String {
    let Graph { nodes, edges } = graph(topology);
    let mut out = String::from("graph LR\n");
    for (id, label, shape) in nodes {
        let (open, close) = match shape {
            'o' => ("([", "])"),
            'd' => ("{{", "}}"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "  {id}{open}\"{}\"{close}", quoted(&label));
    }
    for edge in edges {
        let _ = writeln!(out, "  {} ---|\"{}\"| {}", edge.from, quoted(&edge.label), edge.to);
    }
    out
}

fn dot(topology: &NsTopology) -> String {
    let Graph { nodes, edges } = graph(topology);
    let mut out = format!("graph \"{}\" {{\n  rankdir=LR;\n", quoted(&topology.name));
    for (id, label, shape) in nodes {
        let shape = match shape {
            'o' => "ellipse",
            'd' => "diamond",
            _ => "box",
        };
        let _ = writeln!(out, "  {id} [label=\"{}\", shape={shape}];", quoted(&label));
    }
    for edge in edges {
        let _ = writeln!(
            out,
            "  {} -- {} [label=\"{}\"];",
            edge.from,
            edge.to,
            quoted(&edge.label)
        );
    }
    out.push_str("}\n");
    out
}
