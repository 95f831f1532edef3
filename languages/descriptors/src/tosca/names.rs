//! Names in a topology: each refers to something that is there and that can stand at that place.

use super::template::Topology;
use super::types::{Sort, Types};
use crate::code::Code;
use crate::source::Report;

/// Every name that refers to a node or group refers to one, of a type that can stand there.
pub(super) fn check(report: &mut Report, types: &Types, topology: &Topology) {
    let node_names = || {
        topology
            .nodes
            .iter()
            .map(|node| node.name.as_str())
            .chain(topology.unread.iter().map(String::as_str))
    };
    for node in &topology.nodes {
        let declared = types.requirements(&node.type_name);
        for assignment in &node.requirements {
            let Some((target, span)) = &assignment.target else {
                let message = format!("`{}` names no node", assignment.name);
                report.error_help(
                    Code::WrongShape,
                    assignment.span,
                    message,
                    Some("write `- name: node`".into()),
                );
                continue;
            };
            let Some(found) = topology.node(target) else {
                if topology.unread.contains(target) {
                    continue;
                }
                let message = format!(
                    "`{}` needs `{target}` as its `{}`, and there is no such node",
                    node.name, assignment.name
                );
                report.error_help(
                    Code::TargetUnknown,
                    *span,
                    message,
                    report.candidates(target, node_names()),
                );
                continue;
            };
            let wanted = declared.iter().find(|r| r.name == assignment.name).map(|r| &r.targets);
            let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
                continue;
            };
            if !wanted.iter().any(|w| types.is_a(Sort::Node, &found.type_name, w)) {
                let message = format!(
                    "`{target}` is a {} and cannot be the `{}` of `{}`",
                    found.type_name, assignment.name, node.name
                );
                let fitting = topology
                    .nodes
                    .iter()
                    .filter(|n| wanted.iter().any(|w| types.is_a(Sort::Node, &n.type_name, w)));
                report.error_help(
                    Code::TargetWrongType,
                    *span,
                    message,
                    report.candidates(target, fitting.map(|n| n.name.as_str())),
                );
            }
        }
    }
    let groups = topology
        .groups
        .iter()
        .map(|group| ("group", &group.name, &group.members));
    let policies = topology
        .policies
        .iter()
        .map(|policy| ("policy", &policy.name, &policy.targets));
    for (sort, name, targets) in groups.chain(policies) {
        for (target, span) in targets {
            let known = topology.groups.iter().any(|group| &group.name == target) || topology.unread.contains(target);
            if topology.node(target).is_none() && !known {
                let message = format!("{sort} `{name}` names `{target}`, and there is no such node");
                report.error_help(
                    Code::TargetUnknown,
                    *span,
                    message,
                    report.candidates(target, node_names()),
                );
            }
        }
    }
    let Some(substitution) = &topology.substitution else {
        return;
    };
    let declared = types.requirements(&substitution.node_type);
    for mapping in &substitution.requirements {
        if topology.node(&mapping.node).is_none() && !topology.unread.contains(&mapping.node) {
            let message = format!(
                "`{}` is mapped to `{}`, and there is no such node",
                mapping.name, mapping.node
            );
            report.error_help(
                Code::TargetUnknown,
                mapping.span,
                message,
                report.candidates(&mapping.node, node_names()),
            );
        }
        if !declared.is_empty() && !declared.iter().any(|r| r.name == mapping.name) {
            let message = format!("`{}` has no requirement `{}`", substitution.node_type, mapping.name);
            let help = report.candidates(&mapping.name, declared.iter().map(|r| r.name.as_str()));
            report.warning_help(Code::RequirementUnknown, mapping.span, message, help);
        }
    }
}
