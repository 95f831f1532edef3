//! The suite's part on forwarding paths and traffic rules.

use crate::contract::{
    Answers, a_machine, a_network, a_port, filter, flavour, look, network_of, port_of, refused, wish,
};
use manifold_call::{ErrorKind, Uuid};
use manifold_vim_interface::{
    ChangeNfpState, CreateNfp, ImageId, Metadata, NfpId, NfpRule, NfpState, OperationalState, PortId, PortRange,
    TrafficAction, TrafficDirection, TrafficRule, TrafficRuleData, UpdateNfp, VimHandle, Window,
};

fn web() -> NfpRule {
    NfpRule {
        protocol: Some(6),
        destination_port_range: Some(PortRange { lower: 80, upper: 80 }),
        ..NfpRule::default()
    }
}

fn a_path(name: &str, ports: &[PortId], priority: u32) -> CreateNfp {
    CreateNfp {
        nfp_name: name.into(),
        virtual_network_port: ports.to_vec(),
        nfp_rule: vec![web()],
        priority,
        ..CreateNfp::default()
    }
}

/// Four machines: from the first through the second (two ports) or the third (one) to the fourth.
pub(crate) async fn paths_hold_their_ports(vim: &VimHandle, answers: &mut Answers, image: ImageId) {
    let size = vim.flavours.create(&wish("size-p"), flavour("suite-size-p", 1)).await;
    let size = answers.keep("create", size).expect("a flavour can be made");
    let mut nets = Vec::new();
    for name in ["path-net", "path-other"] {
        let net = answers.keep("network", vim.networks.allocate(&wish(name), a_network(name)).await);
        nets.push(network_of(net.expect("a network can be made")));
    }
    let mut ports = Vec::new();
    for (name, net) in [("a", 0), ("f-in", 0), ("f-out", 0), ("g", 0), ("b", 0), ("far", 1)] {
        let ask = a_port(name, nets[net].network_resource_id, None);
        let made = answers.keep("port", vim.networks.allocate(&wish(&format!("path {name}")), ask).await);
        ports.push(port_of(made.expect("a port can be made")).resource_id);
    }
    let [a, f_in, f_out, g, b, far] = ports[..] else {
        panic!("six ports were made");
    };
    let paths = &vim.paths;
    refused(
        answers.keep(
            "create before the machines",
            paths
                .create(&wish("early"), a_path("early", &[a, f_in, f_out, b], 0))
                .await,
        ),
        ErrorKind::Conflict,
        "a function's port that is on no machine",
    );
    let mut machines = Vec::new();
    for (name, own) in [
        ("pa", vec![a]),
        ("pf", vec![f_in, f_out]),
        ("pg", vec![g]),
        ("pb", vec![b]),
    ] {
        let mut ask = a_machine(name, size, image, None);
        for port in own {
            let one = a_machine(name, size, image, Some(port));
            ask.interface_data.extend(one.interface_data);
        }
        let made = answers.keep("allocate", vim.compute.allocate(&wish(name), ask).await);
        machines.push(made.expect("a machine can be made").compute_id);
    }

    let through_both = [a, f_in, f_out, g, b];
    let made = paths.create(&wish("path"), a_path("web", &through_both, 5)).await;
    let path = answers.keep("create path", made).expect("a path can be made");
    assert_eq!(
        (
            &path.virtual_network_port[..],
            path.total_vnp,
            path.nfp_state,
            path.operational_state
        ),
        (&through_both[..], 5, NfpState::Enabled, OperationalState::Enabled)
    );
    let again = paths.create(&wish("path"), a_path("web", &through_both, 5)).await;
    let again = answers.keep("create path again", again);
    assert_eq!(again.expect("a wish can be repeated").nfp_id, path.nfp_id);

    let nowhere = PortId::named(Uuid::NAMESPACE_OID, "nowhere");
    let wrong: [(&str, CreateNfp, ErrorKind); 6] = [
        (
            "a port that is not there",
            a_path("w1", &[a, nowhere], 0),
            ErrorKind::NotFound,
        ),
        ("a port twice", a_path("w2", &[a, g, a], 0), ErrorKind::Invalid),
        ("ports of two networks", a_path("w3", &[a, far], 0), ErrorKind::Invalid),
        ("one machine alone", a_path("w4", &[f_in, f_out], 0), ErrorKind::Invalid),
        (
            "another number of ports",
            CreateNfp {
                total_vnp: Some(3),
                ..a_path("w5", &[a, b], 0)
            },
            ErrorKind::Invalid,
        ),
        (
            "the same class at the same port",
            a_path("w6", &[a, g, b], 5),
            ErrorKind::Conflict,
        ),
    ];
    for (why, ask, kind) in wrong {
        let made = paths.create(&wish(why), ask).await;
        refused(answers.keep("create a wrong path", made), kind, why);
    }
    let mut nonsense = a_path("w7", &[a, b], 0);
    nonsense.nfp_rule[0].protocol = Some(1);
    refused(
        answers.keep("create nonsense", paths.create(&wish("w7"), nonsense).await),
        ErrorKind::Invalid,
        "ports of ICMP",
    );
    let beside = paths.create(&wish("beside"), a_path("beside", &[a, g, b], 6)).await;
    let beside = answers
        .keep("create beside", beside)
        .expect("another priority is another path")
        .nfp_id;

    let ask = CreateNfp {
        from_network: true,
        ..a_path("from everywhere", &[g], 7)
    };
    let whole = answers.keep("create from a network", paths.create(&wish("whole"), ask).await);
    let whole = whole.expect("a path can begin at a function").nfp_id;
    let gone = answers.keep("delete path", paths.delete(&look(0), vec![whole]).await);
    assert_eq!(gone, Ok(vec![whole]));

    let found = answers.keep("query paths", paths.query(&look(0), filter("(eq,nfpName,web)")).await);
    let ids: Vec<NfpId> = found.expect("queries").iter().map(|path| path.nfp_id).collect();
    assert_eq!(ids, [path.nfp_id]);
    let foreign = answers.keep("query paths as another tenant", paths.query(&look(1), filter("")).await);
    assert_eq!(foreign, Ok(vec![]), "nothing crosses a tenant");

    let changes = UpdateNfp {
        nfp_id: path.nfp_id,
        nfp_rule: Some(vec![]),
        virtual_network_port: Some(vec![a, f_in, f_out]),
    };
    let changed = answers.keep("update path", paths.update(&look(0), changes).await);
    let changed = changed.expect("a path can change");
    assert_eq!((changed.total_vnp, changed.nfp_rule.len()), (3, 0));
    for (state, word) in [(NfpState::Disabled, "switch off"), (NfpState::Enabled, "switch on")] {
        let ask = ChangeNfpState {
            nfp_id: vec![path.nfp_id],
            desired_state: state,
        };
        let switched = answers.keep(word, paths.change_state(&look(0), ask).await);
        assert_eq!(switched, Ok(vec![path.nfp_id]));
        let found = paths.query(&look(0), filter("(eq,nfpName,web)")).await;
        let found = answers.keep("query paths", found).expect("queries");
        assert_eq!(found[0].nfp_state, state);
    }

    rules_hold_for_networks_and_ports(vim, answers, nets[0].network_resource_id.0, a.0).await;

    // The machines go, their ports stay, and those that a path uses cannot.
    let gone = vim.compute.terminate(&look(0), machines.clone()).await;
    answers.keep("terminate the machines", gone).expect("terminates");
    let mut rest: Vec<Uuid> = ports.iter().map(|port| port.0).collect();
    let refusal = answers.keep(
        "terminate ports in use",
        vim.networks.terminate(&look(0), rest.clone()).await,
    );
    refused(refusal, ErrorKind::Conflict, "ports of a path");
    let both = vec![path.nfp_id, beside];
    for call in ["delete paths", "delete paths again"] {
        let gone = answers.keep(call, paths.delete(&look(0), both.clone()).await);
        assert_eq!(gone, Ok(both.clone()), "absent counts as gone");
    }
    for net in &nets {
        rest.push(net.network_resource_id.0);
        rest.extend(net.subnet_id.iter().map(|subnet| subnet.0));
    }
    answers
        .keep("terminate the rest", vim.networks.terminate(&look(0), rest).await)
        .expect("nothing uses them any more");
    let left = answers.keep("query rules", vim.traffic.query(&look(0), filter("")).await);
    assert_eq!(left, Ok(vec![]), "a rule goes with its last target");
    answers
        .keep("delete", vim.flavours.delete(&look(0), size).await)
        .expect("deletes");
}

/// Leaves one rule, which is for the network and the port.
async fn rules_hold_for_networks_and_ports(vim: &VimHandle, answers: &mut Answers, network: Uuid, port: Uuid) {
    let traffic = &vim.traffic;
    let rule = |targets: &[Uuid], action: TrafficAction| TrafficRuleData {
        name: "rule".into(),
        targets: targets.to_vec(),
        direction: TrafficDirection::From,
        classifier: web(),
        priority: 1,
        action,
        schedule: vec![],
        metadata: Metadata::new(),
    };
    let block = rule(&[network, port], TrafficAction::Block);
    let made = answers.keep("create rule", traffic.create(&wish("rule"), block.clone()).await);
    let made = made.expect("a rule can be made");
    assert_eq!(
        (&made.rule, made.operational_state),
        (&block, OperationalState::Enabled)
    );
    let again = answers.keep("create rule again", traffic.create(&wish("rule"), block).await);
    assert_eq!(
        again.expect("a wish can be repeated").traffic_rule_id,
        made.traffic_rule_id
    );
    let nowhere = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"nowhere");
    let night = Window {
        from_s: Some(80_000),
        until_s: Some(10_000),
        ..Window::default()
    };
    let wrong = [
        (
            "a target that is not there",
            rule(&[nowhere], TrafficAction::Block),
            ErrorKind::NotFound,
        ),
        ("no target", rule(&[], TrafficAction::Block), ErrorKind::Invalid),
        (
            "a limit below everything",
            rule(&[port], TrafficAction::Limit { bits_per_second: 1 }),
            ErrorKind::Invalid,
        ),
        (
            "a precedence above all",
            rule(&[port], TrafficAction::Precedence { level: 8 }),
            ErrorKind::Invalid,
        ),
        (
            "a time over midnight",
            TrafficRuleData {
                schedule: vec![night],
                ..rule(&[port], TrafficAction::Allow)
            },
            ErrorKind::Invalid,
        ),
    ];
    for (why, ask, kind) in wrong {
        let made = traffic.create(&wish(why), ask).await;
        refused(answers.keep("create a wrong rule", made), kind, why);
    }
    let ask = TrafficRule {
        rule: rule(&[network, port], TrafficAction::Limit { bits_per_second: 9_000 }),
        ..made.clone()
    };
    let changed = answers.keep("update rule", traffic.update(&look(0), ask.clone()).await);
    assert_eq!(changed.expect("a rule can change").rule, ask.rule);
    let foreign = answers.keep(
        "query rules as another tenant",
        traffic.query(&look(1), filter("")).await,
    );
    assert_eq!(foreign, Ok(vec![]), "nothing crosses a tenant");
    let other = traffic
        .create(&wish("rule 2"), rule(&[port], TrafficAction::Precedence { level: 6 }))
        .await;
    let other = answers
        .keep("create another rule", other)
        .expect("a rule can be made")
        .traffic_rule_id;
    for call in ["delete rule", "delete rule again"] {
        let gone = answers.keep(call, traffic.delete(&look(0), vec![other]).await);
        assert_eq!(gone, Ok(vec![other]), "absent counts as gone");
    }
    let left = answers.keep("query rules", traffic.query(&look(0), filter("")).await);
    assert_eq!(left.expect("queries").len(), 1);
}
