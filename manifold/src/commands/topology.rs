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

/// A line of the tree, and what hangs on it.
struct Branch {
    line: String,
    below: Vec<Branch>,
}

impl Branch {
    fn leaf(line: String) -> Self {
        Self {
            line,
            below: Vec::new(),
        }
    }

    /// `before`: what stands before each line below this one.
    fn draw(&self, before: &str, out: &mut String) {
        out.push_str(&self.line);
        out.push('\n');
        for (at, branch) in self.below.iter().enumerate() {
            let is_last = at + 1 == self.below.len();
            out.push_str(before);
            out.push_str(if is_last { "└─ " } else { "├─ " });
            let before = format!("{before}{}", if is_last { "   " } else { "│  " });
            branch.draw(&before, out);
        }
    }
}

/// A tree for the terminal; a nested service is a tree in it.
pub fn text(topology: &NsTopology) -> String {
    let mut out = String::new();
    tree(topology).draw("", &mut out);
    out
}

fn tree(topology: &NsTopology) -> Branch {
    let mut below: Vec<Branch> = topology.nested.iter().map(tree).collect();
    let ports = || {
        let vnfcs = topology.vnfs.iter().flat_map(|vnf| &vnf.vnfcs);
        vnfcs.flat_map(|vnfc| &vnfc.ports)
    };
    let cpd_width = ports().map(|port| port.cpd.chars().count()).max().unwrap_or(0);
    let address_width = ports().map(|port| addresses(&port.addresses).len()).max().unwrap_or(0);
    for vnf in &topology.vnfs {
        let vnfcs = vnf.vnfcs.iter().map(|vnfc| {
            let ports = vnfc.ports.iter().map(|port| {
                let link = link_name(topology, &port.link);
                let addresses = addresses(&port.addresses);
                let (cpd, mac) = (&port.cpd, &port.mac);
                Branch::leaf(format!(
                    "{cpd:<cpd_width$}  {addresses:<address_width$}  {mac}  ── {link}"
                ))
            });
            Branch {
                line: format!("{} on {} {}", vnfc.name, vnfc.host, vnfc.state),
                below: ports.collect(),
            }
        });
        below.push(Branch {
            line: format!("VNF {} at {}", vnf.name, vnf.vim),
            below: vnfcs.collect(),
        });
    }
    for (what, ends) in [("PNF", &topology.pnfs), ("SAP", &topology.saps)] {
        for end in ends {
            let (name, vim, addresses) = (&end.name, &end.vim, addresses(&end.addresses));
            let link = link_name(topology, &end.link);
            below.push(Branch::leaf(format!("{what} {name} at {vim}  {addresses}  ── {link}")));
        }
    }
    for link in &topology.links {
        let inside = link.inside.as_ref().map(|id| {
            let vnf = topology.vnfs.iter().find(|vnf| vnf.id == *id);
            format!(" inside {}", vnf.map_or(id, |vnf| &vnf.name))
        });
        let inside = inside.unwrap_or_default();
        below.push(Branch::leaf(format!("link {}{inside}: {}", link.name, realised(link))));
    }
    Branch {
        line: format!("NS {} ({}) {}", topology.name, topology.id, topology.state),
        below,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nfvo_interface::{TopologyPort, TopologyVnf, TopologyVnfc};

    fn port(cpd: &str, address: &str) -> TopologyPort {
        TopologyPort {
            cpd: cpd.to_owned(),
            addresses: vec![address.parse().unwrap()],
            mac: "02:00:00:00:00:01".to_owned(),
            link: "l-1".to_owned(),
        }
    }

    #[test]
    fn the_tree_ends_where_it_ends_and_its_columns_stand_under_each_other() {
        let vnfc = TopologyVnfc {
            name: "one".to_owned(),
            host: "host-a".to_owned(),
            state: "RUNNING".to_owned(),
            ports: vec![port("lan", "10.0.0.2"), port("behind", "192.168.100.200")],
            ..TopologyVnfc::default()
        };
        let inner = NsTopology {
            name: "inner".to_owned(),
            id: "i-1".to_owned(),
            state: "INSTANTIATED".to_owned(),
            ..NsTopology::default()
        };
        let topology = NsTopology {
            name: "outer".to_owned(),
            id: "o-1".to_owned(),
            nested: vec![inner],
            vnfs: vec![TopologyVnf {
                id: "v-1".to_owned(),
                name: "gate".to_owned(),
                vim: "site-1".to_owned(),
                vnfcs: vec![vnfc],
                ..TopologyVnf::default()
            }],
            links: vec![TopologyLink {
                id: "l-1".to_owned(),
                name: "net".to_owned(),
                inside: Some("v-1".to_owned()),
                ..TopologyLink::default()
            }],
            state: "INSTANTIATED".to_owned(),
            ..NsTopology::default()
        };
        let wished = "\
NS outer (o-1) INSTANTIATED
├─ NS inner (i-1) INSTANTIATED
├─ VNF gate at site-1
│  └─ one on host-a RUNNING
│     ├─ lan     10.0.0.2         02:00:00:00:00:01  ── net
│     └─ behind  192.168.100.200  02:00:00:00:00:01  ── net
└─ link net inside gate: 
";
        assert_eq!(text(&topology), wished);
    }
}
