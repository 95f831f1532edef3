//! Opened into one composite, a service is what it was: its rules hold for what was inside.

use crate::world::{FW, service};
use manifold_nemo::expand::Limits;
use manifold_nemo::inline::inline;
use manifold_nemo::service::{Effect, RuleTarget, Service};

const PAIR: &str = "CREATE NodeModel pair;
  Node x Type fw;
  Node y Type fw;
  ConnectionPoint left;
  ConnectionPoint right;
  Connection l Type p2p Endnodes left, x:a;
  Connection m Type p2p Endnodes x:b, y:a Property bandwidth: 10(mbps);
  Connection r Type p2p Endnodes y:b, right;
  Flow web Match dstport: 80, proto: tcp;
  Operation shut Target m Action block;
";

fn opened(top: &str) -> Service {
    inline(&service(&format!("{FW}{PAIR}{top}")), &Limits::default()).unwrap()
}

fn rule<'a>(service: &'a Service, name: &str) -> &'a manifold_nemo::service::Rule {
    let rules = &service.composites[0].rules;
    rules.iter().find(|rule| rule.name == name).unwrap_or_else(|| {
        panic!(
            "no {name} in {:?}",
            rules.iter().map(|rule| &rule.name).collect::<Vec<_>>()
        )
    })
}

#[test]
fn a_rule_inside_holds_once_for_each_time_that_its_model_is_used() {
    let whole = opened(
        "CREATE Node p Type pair;\nCREATE Node q Type pair;\nCREATE Connection c Type p2p Endnodes p:right, q:left;\n",
    );
    let names: Vec<&str> = whole.composites[0]
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["p.x", "p.y", "q.x", "q.y"]);
    for outer in ["p", "q"] {
        let Some(RuleTarget::Net(net)) = rule(&whole, &format!("{outer}.shut")).target else {
            panic!("on a net")
        };
        let net = &whole.composites[0].nets[net];
        assert_eq!(net.name, format!("{outer}.m"));
        assert!(net.properties.contains_key("bandwidth"));
    }
}

#[test]
fn the_way_through_a_composite_is_the_leaves_that_its_points_lead_to() {
    let whole = opened(
        "CREATE Node p Type pair;\nCREATE Flow f Match dstport: 22, proto: tcp;\n\
         CREATE Operation o Target f Action go-through: p:left:right;\n\
         CREATE Operation t Target p Action block;\n",
    );
    let way = match &rule(&whole, "o").effects[0] {
        Effect::GoThrough(way) => way.clone(),
        other => panic!("{other:?}"),
    };
    let point = |name: &str| Some(name.to_owned());
    assert_eq!(way, [(0, point("a"), None), (1, None, point("b"))]);
    let of_both: Vec<_> = ["t-1", "t-2"].iter().map(|name| rule(&whole, name).target).collect();
    assert_eq!(of_both, [Some(RuleTarget::Node(0)), Some(RuleTarget::Node(1))]);
}
