//! Services built by hand, as the checker would give them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by several tests, each of which uses a part; a test may panic"
)]

use manifold_descriptors::Vnfd;
use manifold_descriptors::link::{AffinityRule, AffinityScope, AffinityType, Bitrate, LayerProtocol};
use manifold_descriptors::vnfd::{
    DeploymentFlavour, ExtCpInternal, SwImageDesc, SwImageSource, Vdu, VduCp, VirtualCompute, VnfExtCpd, VnfVirtualLink,
};
use manifold_nemo::leaf::{Interface, Leaf, LeafFormat};
use manifold_nemo::service::{Composite, End, LeafUse, ModelUse, Net, NodeUse, Point, Rule, Service};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Name, Value, ValueKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Models by name, growing.
#[derive(Clone, Default)]
pub(crate) struct Models {
    pub(crate) composites: Vec<Composite>,
    pub(crate) leaves: Vec<LeafUse>,
}

pub(crate) fn text(text: &str) -> Value {
    Value {
        kind: ValueKind::Text(text.to_owned()),
        unit: None,
        span: Span::default(),
    }
}

pub(crate) fn amount(number: i64, unit: &str) -> Value {
    Value {
        kind: ValueKind::Integer(number),
        unit: Some(Name {
            text: unit.to_owned(),
            span: Span::default(),
        }),
        span: Span::default(),
    }
}

pub(crate) fn cp(id: &str, order: u32) -> VduCp {
    VduCp {
        id: id.to_owned(),
        order: Some(order),
        vnic_type: Some("virtio".to_owned()),
        layer_protocols: vec![LayerProtocol::Ipv4],
        ..VduCp::default()
    }
}

pub(crate) fn machine(id: &str, points: Vec<VduCp>) -> Vdu {
    Vdu {
        id: id.to_owned(),
        name: id.to_owned(),
        compute: Some(VirtualCompute {
            num_virtual_cpu: 1,
            virtual_mem_size_mib: 96,
            ..VirtualCompute::default()
        }),
        sw_image: Some(SwImageDesc {
            id: id.to_owned(),
            name: "guest".to_owned(),
            version: "1".to_owned(),
            checksum: None,
            container_format: "bare".to_owned(),
            disk_format: "aki".to_owned(),
            min_disk_bytes: 0,
            min_ram_bytes: 96 << 20,
            size_bytes: None,
            source: SwImageSource::Manifold {
                name: "guest".to_owned(),
            },
            place: None,
        }),
        initial_number_of_instances: 1,
        min_number_of_instances: 1,
        max_number_of_instances: 1,
        connection_points: points,
        ..Vdu::default()
    }
}

/// A VNF of one machine with these interfaces.
pub(crate) fn vnfd(name: &str, interfaces: &[&str]) -> Vnfd {
    let points = (0..).zip(interfaces).map(|(order, id)| VduCp {
        ext_cpd: Some((*id).to_owned()),
        ..cp(id, order)
    });
    let outside = interfaces.iter().map(|id| VnfExtCpd {
        id: (*id).to_owned(),
        requirement: Some((*id).to_owned()),
        internal: ExtCpInternal::VduCp {
            vdu: "vm".to_owned(),
            cp: (*id).to_owned(),
        },
        layer_protocols: vec![LayerProtocol::Ipv4],
        place: None,
    });
    Vnfd {
        descriptor_id: format!("{name}-vnfd"),
        descriptor_version: "1.0".to_owned(),
        provider: "Example".to_owned(),
        product_name: name.to_owned(),
        software_version: "1.0".to_owned(),
        vnfm_info: vec!["etsivnfm:v2.0.0".to_owned()],
        flavours: vec![DeploymentFlavour {
            id: "default".to_owned(),
            description: "One machine".to_owned(),
            vdus: vec![machine("vm", points.collect())],
            ext_cpds: outside.collect(),
            ..DeploymentFlavour::default()
        }],
        ..Vnfd::default()
    }
}

/// A VNF of two machines on a link, which is what one of its two interfaces leads to.
pub(crate) fn pair(name: &str) -> Vnfd {
    let mut vnfd = vnfd(name, &["front"]);
    let flavour = &mut vnfd.flavours[0];
    let on = |id: &str, order| VduCp {
        virtual_link: Some("inside".to_owned()),
        ..cp(id, order)
    };
    flavour.vdus[0].connection_points.push(on("vm_inside", 1));
    flavour.vdus.push(machine("worker", vec![on("worker_inside", 0)]));
    flavour.virtual_links.push(VnfVirtualLink {
        id: "inside".to_owned(),
        connectivity_type: manifold_descriptors::link::ConnectivityType {
            layer_protocols: vec![LayerProtocol::Ipv4],
            flow_pattern: Some("mesh".to_owned()),
        },
        max_bitrate: Bitrate {
            root_bits_per_second: Some(1_000_000_000),
            leaf_bits_per_second: None,
        },
        min_bitrate: Bitrate {
            root_bits_per_second: Some(0),
            leaf_bits_per_second: None,
        },
        ..VnfVirtualLink::default()
    });
    flavour.ext_cpds.push(VnfExtCpd {
        id: "back".to_owned(),
        requirement: Some("back".to_owned()),
        internal: ExtCpInternal::VirtualLink {
            virtual_link: "inside".to_owned(),
        },
        layer_protocols: vec![LayerProtocol::Ipv4],
        place: None,
    });
    flavour.affinity_rules.push(AffinityRule {
        id: "apart".to_owned(),
        kind: AffinityType::AntiAffinity,
        scope: AffinityScope::NfviNode,
        targets: vec!["vm".to_owned(), "worker".to_owned()],
    });
    vnfd
}

impl Models {
    /// A leaf model with a connection point for each interface.
    pub(crate) fn leaf(mut self, name: &str, format: LeafFormat, vnfd: Vnfd) -> Self {
        let names: Vec<String> = vnfd.flavours[0].ext_cpds.iter().map(|cpd| cpd.id.clone()).collect();
        let interface = |name: &String| Interface {
            name: name.clone(),
            vnfc: None,
            local_name: None,
            role: "data".to_owned(),
            ext_cpd: name.clone(),
            line: 0,
            column: 1,
            end_column: 1,
            text: String::new(),
        };
        let leaf = Leaf {
            uri: format!("catalog:{name}"),
            digest: "sha256:00".to_owned(),
            format,
            file: name.to_owned(),
            name: vnfd.product_name.clone(),
            interfaces: names.iter().map(interface).collect(),
            vnfd,
        };
        self.leaves.push(LeafUse {
            name: name.to_owned(),
            model: name.to_owned(),
            leaf: Arc::new(leaf),
            points: names.into_iter().zip(0..).collect(),
            arguments: BTreeMap::new(),
            span: Span::default(),
        });
        self
    }

    /// A leaf model of one machine.
    pub(crate) fn vnf(self, name: &str, interfaces: &[&str]) -> Self {
        let vnfd = vnfd(name, interfaces);
        self.leaf(name, LeafFormat::OpenMano, vnfd)
    }

    pub(crate) fn model(&self, name: &str) -> ModelUse {
        match self.composites.iter().position(|composite| composite.name == name) {
            Some(at) => ModelUse::Composite(at),
            None => ModelUse::Leaf(self.leaves.iter().position(|leaf| leaf.name == name).unwrap()),
        }
    }

    /// A composite: its points, its nodes with their models, its connections with what they join (`point`, `node:point`).
    pub(crate) fn composite(
        mut self,
        name: &str,
        points: &[&str],
        nodes: &[(&str, &str)],
        connections: &[(&str, &[&str])],
    ) -> Self {
        let nodes: Vec<NodeUse> = nodes
            .iter()
            .map(|(name, model)| NodeUse {
                name: (*name).to_owned(),
                of: self.model(model),
                properties: BTreeMap::new(),
                span: Span::default(),
            })
            .collect();
        let mut nets: Vec<Net> = Vec::new();
        let mut points: Vec<Point> = points
            .iter()
            .map(|name| Point {
                name: (*name).to_owned(),
                net: None,
                span: Span::default(),
            })
            .collect();
        for (connection, ends) in connections {
            let known = ends
                .iter()
                .find_map(|end| points.iter().find(|point| point.name == *end)?.net);
            let at = known.unwrap_or_else(|| {
                nets.push(Net {
                    name: (*connection).to_owned(),
                    connections: Vec::new(),
                    shape: "p2p".to_owned(),
                    ends: Vec::new(),
                    points: Vec::new(),
                    properties: BTreeMap::new(),
                    span: Span::default(),
                });
                nets.len() - 1
            });
            let net = &mut nets[at];
            net.connections.push((*connection).to_owned());
            for end in *ends {
                match end.split_once(':') {
                    Some((node, point)) => net.ends.push(End {
                        node: nodes.iter().position(|known| known.name == node).unwrap(),
                        point: point.to_owned(),
                    }),
                    None => {
                        let index = points.iter().position(|point| point.name == *end).unwrap();
                        if points[index].net.is_none() {
                            points[index].net = Some(at);
                            net.points.push(index);
                        }
                    }
                }
            }
            if net.ends.len() + net.points.len() > 2 {
                net.shape = "mesh".to_owned();
            }
        }
        self.composites.push(Composite {
            name: name.to_owned(),
            model: name.to_owned(),
            arguments: BTreeMap::new(),
            nodes,
            nets,
            points,
            rules: Vec::new(),
            span: Span::default(),
        });
        self
    }

    /// A property of a net of the last composite.
    pub(crate) fn net_property(mut self, net: &str, key: &str, value: Value) -> Self {
        let nets = &mut self.composites.last_mut().unwrap().nets;
        let net = nets.iter_mut().find(|known| known.name == net).unwrap();
        net.properties.insert(key.to_owned(), value);
        self
    }

    /// A property of a node of the last composite.
    pub(crate) fn node_property(mut self, node: &str, key: &str, value: Value) -> Self {
        let nodes = &mut self.composites.last_mut().unwrap().nodes;
        let node = nodes.iter_mut().find(|known| known.name == node).unwrap();
        node.properties.insert(key.to_owned(), value);
        self
    }

    /// A rule of the last composite.
    pub(crate) fn rule(mut self, rule: Rule) -> Self {
        self.composites.last_mut().unwrap().rules.push(rule);
        self
    }

    /// The service whose root was defined last.
    pub(crate) fn service(self) -> Service {
        Service {
            root: self.composites.len() - 1,
            composites: self.composites,
            leaves: self.leaves,
        }
    }
}

/// Compares with a golden file beside the tests.
pub(crate) fn golden(name: &str, now: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(name);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, now).unwrap();
        return;
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        now, reviewed,
        "review the change of {name}, then run this test with GOLDEN=write"
    );
}

/// The seed's service: a composite of two VNFs, used once at the top.
pub(crate) fn complex() -> Models {
    Models::default()
        .vnf("sample_vnf", &["data_inside", "data_outside"])
        .vnf("shaper_vnf", &["lan", "wan"])
        .composite(
            "complex_vnf",
            &["input", "output"],
            &[("input_vnf", "sample_vnf"), ("output_vnf", "shaper_vnf")],
            &[
                ("icon", &["input", "input_vnf:data_inside"]),
                ("ocon", &["output", "output_vnf:wan"]),
                ("intn", &["input_vnf:data_outside", "output_vnf:lan"]),
            ],
        )
}
