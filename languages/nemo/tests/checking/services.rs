//! Services as a whole.

use crate::world::{FW, service};
use manifold_nemo::service::{ModelUse, Service};

/// Inner ones before those that use them, and no index that leads nowhere.
pub(crate) fn is_sound(service: &Service) {
    assert!(service.root < service.composites.len());
    let mut names = std::collections::HashSet::new();
    for (at, composite) in service.composites.iter().enumerate() {
        assert!(names.insert(composite.name.clone()), "{} stands twice", composite.name);
        for node in &composite.nodes {
            match node.of {
                ModelUse::Composite(inner) => assert!(
                    inner < at,
                    "{} is used before it stands",
                    service.composites[inner].name
                ),
                ModelUse::Leaf(leaf) => assert!(leaf < service.leaves.len()),
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for net in &composite.nets {
            for end in &net.ends {
                assert!(seen.insert(end.clone()), "{end:?} is on two nets");
                let points: Vec<&String> = match composite.nodes[end.node].of {
                    ModelUse::Composite(inner) => service.composites[inner]
                        .points
                        .iter()
                        .map(|point| &point.name)
                        .collect(),
                    ModelUse::Leaf(leaf) => service.leaves[leaf].points.keys().collect(),
                };
                assert!(points.contains(&&end.point), "{end:?}");
            }
        }
        for (number, point) in composite.points.iter().enumerate() {
            if let Some(net) = point.net {
                assert!(composite.nets[net].points.contains(&number));
            }
        }
    }
    assert!(
        service.leaves.iter().all(|leaf| names.insert(leaf.name.clone())),
        "a leaf and a composite share a name"
    );
}

#[test]
fn names_stay_unique_when_models_are_called_like_numbered_ones() {
    let text = "CREATE NodeModel m Property string: ifn VNFD catalog:firewall;
  ConnectionPoint a at VNFD:ifn;

CREATE NodeModel m-2 VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;

CREATE NodeModel service;
  Node n Type m-2;
  ConnectionPoint p;
  Connection c Endnodes p, n;

CREATE Node x Type m Property ifn: in;
CREATE Node y Type m Property ifn: out;
CREATE Node z Type m-2;
CREATE Node w Type service;
";
    let service = service(text);
    is_sound(&service);
    let names: Vec<_> = service.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    assert_eq!(names, ["m", "m-3", "m-2"]);
    assert_eq!(
        service
            .composites
            .iter()
            .map(|composite| composite.name.as_str())
            .collect::<Vec<_>>(),
        ["service", "service-2"]
    );
}

#[test]
fn nets_of_a_chain_do_not_take_the_name_of_a_connection() {
    let text = format!(
        "{FW}CREATE Node x Type fw;
CREATE Node y Type fw;
CREATE Node z Type fw;
CREATE Connection c Type chain Endnodes x:a, y:a, y:b, z:a;
CREATE Connection c-1 Endnodes x:b, z:b;
"
    );
    let service = service(&text);
    is_sound(&service);
    let names: Vec<_> = service.composites[0]
        .nets
        .iter()
        .take(3)
        .map(|net| net.name.as_str())
        .collect();
    assert_eq!(names, ["c-1-2", "c-2", "c-1"]);
}
