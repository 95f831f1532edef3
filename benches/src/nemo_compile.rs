//! NEMO: a service of a thousand nodes, ten levels deep, becomes nested NSDs, one flat VNFD, and a picture.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::stage::{self, Outcome};
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, LayerProtocol, Vdu, VduCp, VnfExtCpd};
use manifold_descriptors::Vnfd;
use manifold_nemo::check::{self, Source};
use manifold_nemo::compile::{Options, flat, nsd};
use manifold_nemo::expand::{Limits, expand};
use manifold_nemo::graph::svg;
use manifold_nemo::leaf::{Interface, Leaf, LeafError, LeafFormat, LeafSource};
use manifold_nemo::service::Service;
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::{ParseOptions, parse};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LEVELS: usize = 10;
const NODES: usize = 1_000;
const ROUNDS: u32 = 20;

pub(crate) fn run() {
    stage::report(measure);
}

/// A VNF of one machine with two interfaces, whatever the address.
struct Any(Arc<Leaf>);

impl Any {
    fn new() -> Self {
        let cp = |(order, id): (u32, &str)| VduCp {
            id: id.to_owned(),
            order: Some(order),
            layer_protocols: vec![LayerProtocol::Ipv4],
            ..VduCp::default()
        };
        let outside = |id: &str| VnfExtCpd {
            id: id.to_owned(),
            requirement: Some(id.to_owned()),
            internal: ExtCpInternal::VduCp {
                vdu: "vm".to_owned(),
                cp: id.to_owned(),
            },
            layer_protocols: vec![LayerProtocol::Ipv4],
            place: None,
        };
        let interface = |id: &str| Interface {
            name: id.to_owned(),
            vnfc: None,
            local_name: None,
            role: String::new(),
            ext_cpd: id.to_owned(),
            line: 0,
            column: 1,
            end_column: 1,
            text: String::new(),
        };
        let names = ["in", "out"];
        let vdu = Vdu {
            id: "vm".to_owned(),
            name: "vm".to_owned(),
            initial_number_of_instances: 1,
            min_number_of_instances: 1,
            max_number_of_instances: 1,
            connection_points: (0..).zip(names).map(cp).collect(),
            ..Vdu::default()
        };
        Self(Arc::new(Leaf {
            uri: "catalog:vnf".to_owned(),
            digest: "sha256:00".to_owned(),
            format: LeafFormat::OpenMano,
            file: "vnf".to_owned(),
            name: "vnf".to_owned(),
            interfaces: names.map(interface).into(),
            vnfd: Vnfd {
                descriptor_id: "vnf".to_owned(),
                product_name: "vnf".to_owned(),
                flavours: vec![DeploymentFlavour {
                    id: "default".to_owned(),
                    vdus: vec![vdu],
                    ext_cpds: names.map(outside).into(),
                    ..DeploymentFlavour::default()
                }],
                ..Vnfd::default()
            },
        }))
    }
}

impl LeafSource for Any {
    fn leaf(&self, _uri: &str, _digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        Ok(Arc::clone(&self.0))
    }
}

/// A chain of VNFs at each level, with the level below in its middle.
fn service(nodes: usize) -> Outcome<Service> {
    let mut text = String::from(
        "CREATE NodeModel vnf VNFD catalog:vnf;\n    ConnectionPoint in at VNFD:in;\n    ConnectionPoint out at VNFD:out;\n",
    );
    let of_level = nodes / LEVELS;
    for level in 0..LEVELS {
        writeln!(text, "CREATE NodeModel level{level};\n    ConnectionPoint in;\n    ConnectionPoint out;")?;
        let mut last = "in".to_owned();
        for node in 0..of_level {
            let model = match level.checked_sub(1).filter(|_| node == of_level / 2) {
                Some(below) => format!("level{below}"),
                None => "vnf".to_owned(),
            };
            writeln!(text, "    Node n{node} Type {model};\n    Connection c{node} Type p2p Endnodes {last}, n{node}:in;")?;
            last = format!("n{node}:out");
        }
        writeln!(text, "    Connection end Type p2p Endnodes {last}, out;")?;
    }
    writeln!(text, "CREATE Node top Type level{};", LEVELS - 1)?;
    let parsed = parse(&text, ParseOptions::default());
    let source = Source {
        file: FileId(0),
        text: &text,
        script: parsed.script(),
    };
    let checked = check::check(&[source], &Any::new(), &check::Options::default());
    checked.service().map_err(|faults| format!("{:?}", faults.first()).into())
}

fn timed<T>(what: impl Fn() -> Result<T, Box<dyn std::error::Error + Send + Sync>>) -> Outcome<Spread> {
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..=ROUNDS {
        let begin = Instant::now();
        black_box(what()?);
        if round > 0 {
            times.push(begin.elapsed());
        }
    }
    Ok(Spread::of_times(&times))
}

fn measure() -> Outcome<Vec<Figure>> {
    let (one, ten) = (service(NODES)?, service(10 * NODES)?);
    let options = Options::default();
    let packages = nsd(&one, &options)?;
    let floor = timed(|| {
        let models: Result<Vec<String>, _> =
            packages.services.iter().map(|package| serde_json::to_string(&package.nsd)).collect();
        Ok(models?)
    })?;
    let nested = timed(|| Ok(nsd(&one, &options)?))?;
    let larger = timed(|| Ok(nsd(&ten, &options)?))?;
    let flattened = timed(|| Ok(flat(&one, &options)?))?;
    let drawn = timed(|| Ok(svg(&expand(&one, &Limits::default())?)))?;
    let title = format!("NEMO, {NODES} nodes, {LEVELS} levels");
    let bytes: usize = packages.files().values().map(|text| text.len()).sum();
    let bytes_of_ten: usize = nsd(&ten, &options)?.files().values().map(|text| text.len()).sum();
    Ok(vec![
        Figure::new(format!("{title}: nested NSDs"), Unit::Milliseconds, nested)
            .floor("serde_json writes the same models", floor)
            .goal(Goal::AtMost(200.0))
            .note(format!("{} kB of text; {} kB of ten times the nodes", bytes >> 10, bytes_of_ten >> 10)),
        Figure::new(format!("NEMO, {} nodes, {LEVELS} levels: nested NSDs", 10 * NODES), Unit::Milliseconds, larger),
        Figure::new(format!("{title}: one flat VNFD"), Unit::Milliseconds, flattened).goal(Goal::AtMost(200.0)),
        Figure::new(format!("{title}: expanded and drawn"), Unit::Milliseconds, drawn),
    ])
}
