//! Flows and operations.

use crate::world::{FW, codes, of, only, service, under};
use manifold_nemo::condition::measured;
use manifold_nemo::service::{Effect, RuleTarget};

fn rule(flow: &str, operation: &str) -> String {
    format!(
        "{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Flow f Match {flow};\nCREATE Operation o Target f {operation};\n"
    )
}

#[test]
fn a_flow_is_read_by_any_of_its_names() {
    let text = rule(
        "src-ip: 10.0.0.0/8, destination_ip: 2001:db8::1, srcmac: 02:00:00:00:00:01",
        "Action deny",
    );
    let found = only(&text, "E-MATCH-CONFLICT");
    assert_eq!(under(&text, &found), "destination_ip: 2001:db8::1");
    let text = rule(
        "src-ip: 10.0.0.0/8, dst-ip: 10.1.0.1, proto: TCP, src-port: 1000, dstport: (80, 88)",
        "Action deny",
    );
    let service = service(&text);
    let rule = &service.composites[service.root].rules[0];
    assert_eq!(rule.flow.as_deref(), Some("f"));
    assert_eq!(rule.classifier.source.as_deref(), Some("10.0.0.0/8"));
    assert_eq!(rule.classifier.destination.as_deref(), Some("10.1.0.1/32"));
    assert_eq!(rule.classifier.protocol.as_deref(), Some("tcp"));
    assert_eq!(rule.classifier.source_ports, Some((1000, 1000)));
    assert_eq!(rule.classifier.destination_ports, Some((80, 88)));
    assert_eq!(rule.effects, [Effect::Block]);
}

#[test]
fn an_unknown_key_is_told_with_the_one_that_was_meant() {
    let text = rule("src-pi: 10.0.0.1", "Action block");
    let found = only(&text, "E-MATCH-KEY");
    assert_eq!(
        (under(&text, &found), found.fix.unwrap().edits[0].text.as_str()),
        ("src-pi", "srcip")
    );
}

#[test]
fn the_way_of_a_flow_is_nodes_points_or_groups() {
    let way = |value: &str| {
        let text = rule("dstport: 80, proto: tcp", &format!("Action go-through: {value}"));
        let text = format!("{text}CREATE Node both Contain y, x;\n");
        let service = service(&text);
        match &service.composites[service.root].rules[0].effects[0] {
            Effect::GoThrough(way) => way.clone(),
            other => panic!("{other:?}"),
        }
    };
    let point = |name: &str| Some(name.to_owned());
    assert_eq!(way("x"), [(0, None, None)]);
    assert_eq!(way("[x, y]"), [(0, None, None), (1, None, None)]);
    assert_eq!(way("x:a"), [(0, point("a"), None)]);
    assert_eq!(way("x:a:b"), [(0, point("a"), point("b"))]);
    assert_eq!(way("[x.a, x.b, y]"), [(0, point("a"), point("b")), (1, None, None)]);
    assert_eq!(way("both"), [(1, None, None), (0, None, None)]);
}

#[test]
fn a_way_through_what_is_not_there_is_told() {
    let text = rule("dstport: 80", "Action go-through: [x, z]");
    assert_eq!(under(&text, &only(&text, "E-NODE-UNKNOWN")), "z");
    let text = rule("dstport: 80", "Action go-through: x:c");
    only(&text, "E-POINT-UNKNOWN");
    only(&rule("dstport: 80", "Action go-through: 5"), "E-ACTION-VALUE");
    only(&rule("dstport: 80", "Action go-through"), "E-ACTION-VALUE");
}

#[test]
fn rules_stand_by_priority_then_in_the_order_of_the_text() {
    let text = format!(
        "{}CREATE Operation p Target f Priority 7 Action allow, bandwidth: 128(kbps), priority: 5;\nCREATE Operation q Target f Action permit;\n",
        rule("dstport: 80", "Action block")
    );
    let service = service(&text);
    let rules: Vec<_> = service.composites[service.root]
        .rules
        .iter()
        .map(|rule| (rule.name.as_str(), rule.priority))
        .collect();
    assert_eq!(rules, [("p", 7), ("o", 0), ("q", 0)]);
    let effects = &service.composites[service.root].rules[0].effects;
    assert_eq!(
        *effects,
        [Effect::Allow, Effect::Bandwidth(128_000), Effect::Precedence(5)]
    );
}

#[test]
fn a_target_is_a_flow_then_a_node_then_a_connection() {
    let text = format!(
        "{FW}CREATE Node x Type fw;\nCREATE Node y Type fw;\nCREATE Node both Contain x, y;\nCREATE Connection c Endnodes x:a, y:a;\nCREATE Operation o Target c Action bandwidth: 1(mbps);\nCREATE Operation p Target y Action block;\nCREATE Operation q Target both Action block;\n"
    );
    let service = service(&text);
    let rules: Vec<_> = service.composites[service.root]
        .rules
        .iter()
        .map(|rule| (rule.name.as_str(), rule.target))
        .collect();
    assert_eq!(
        rules,
        [
            ("o", Some(RuleTarget::Net(0))),
            ("p", Some(RuleTarget::Node(1))),
            ("q-x", Some(RuleTarget::Node(0))),
            ("q-y", Some(RuleTarget::Node(1))),
        ]
    );
    only(&text.replace("Target c", "Target z"), "E-TARGET");
}

#[test]
fn windows_of_time_are_checked_and_kept() {
    let text = rule(
        "dstport: 80",
        "Condition (time * [08:00:00, 18:00:00]) && !(date == 2026-12-25) Action block",
    );
    assert!(codes(&text).is_empty(), "{:?}", codes(&text));
    let service = service(&text);
    let condition = service.composites[service.root].rules[0].condition.clone().unwrap();
    assert!(measured(&condition).is_empty());
    for (wrong, place) in [
        ("time > 25:00:00", "25:00:00"),
        ("date == 2026-02-30", "2026-02-30"),
        ("time * 08:00:00", "08:00:00"),
        ("fulltime < 08:00:00", "08:00:00"),
    ] {
        let text = rule("dstport: 80", &format!("Condition {wrong} Action block"));
        assert_eq!(under(&text, &only(&text, "E-CONDITION-VALUE")), place);
    }
}

#[test]
fn measured_states_are_checked_and_known_to_be_measured() {
    let text = rule("dstport: 80", "Condition load > 80 || time > 08:00:00 Action block");
    assert_eq!(codes(&text), ["W-MEASURED"]);
    let service = service(&text);
    let condition = service.composites[service.root].rules[0].condition.clone().unwrap();
    let names: Vec<_> = measured(&condition).into_iter().map(|name| name.text.clone()).collect();
    assert_eq!(names, ["load"]);
    of(
        &rule("dstport: 80", "Condition load > high Action block"),
        "E-CONDITION-VALUE",
    );
    let near = of(
        &rule("dstport: 80", "Condition tiem > 08:00:00 Action block"),
        "W-MEASURED",
    );
    assert_eq!(near[0].fix.as_ref().unwrap().edits[0].text, "time");
}

#[test]
fn contradictory_and_broken_actions_are_told() {
    only(&rule("dstport: 80", "Action block, allow"), "E-ACTION-CONFLICT");
    only(&rule("dstport: 80", "Action allow, permit"), "E-ACTION-CONFLICT");
    only(&rule("dstport: 80", "Action priority: 8"), "E-ACTION-VALUE");
    only(&rule("dstport: 80", "Action bandwidth: 5(apples)"), "E-ACTION-VALUE");
    only(&rule("dstport: 80", "Action teleport"), "E-ACTION");
    only(&rule("dstport: 80", ""), "E-OPERATION");
    only("CREATE Operation o Action block;\n", "E-OPERATION");
    only(&rule("proto: icmp, dstport: 80", "Action block"), "E-MATCH-CONFLICT");
    only(&rule("srcip: 10.0.0.1/24", "Action block"), "E-MATCH-VALUE");
    only(&rule("proto: http", "Action block"), "E-MATCH-VALUE");
    only(
        &rule("srcip: 10.0.0.1, source: 10.0.0.2", "Action block"),
        "E-DUPLICATE",
    );
}
