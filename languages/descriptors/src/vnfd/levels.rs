//! Scaling aspects, deltas and instantiation levels: read, and held against each other.

use std::collections::BTreeMap;

use super::{DeploymentFlavour, InstantiationLevel, ScalingAspect};
use crate::code::Code;
use crate::source::{Report, Span};
use crate::tosca::template::Policy;
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::Node;

/// Highest scale level that is read: levels are spelled out step by step.
const SCALE_LEVEL_MAX: u32 = 10_000;

pub(crate) fn read(report: &mut Report, env: &Env<'_>, flavour: &mut DeploymentFlavour) {
    let policies = |report: &mut Report, name: &str| -> Vec<(&Policy, Node)> {
        let found: Vec<&Policy> = env
            .topology
            .policies_of(env.types, &format!("tosca.policies.nfv.{name}"))
            .collect();
        let read = |policy: &Policy, report: &mut Report| {
            env.properties(
                report,
                Sort::Policy,
                &policy.type_name,
                policy.properties.as_ref(),
                &policy.name,
                policy.span,
            )
        };
        found.into_iter().map(|policy| (policy, read(policy, report))).collect()
    };

    for (_, properties) in policies(report, "ScalingAspects") {
        aspects(report, &properties, flavour);
    }
    let mut stated: Vec<String> = Vec::new();
    for (policy, properties) in policies(report, "VduInitialDelta") {
        let Some(count) = properties
            .get("initial_delta")
            .and_then(|delta| delta.u32_of("number_of_instances"))
        else {
            continue;
        };
        for vdu in targets(report, policy, flavour) {
            flavour.vdus[vdu].initial_number_of_instances = count;
            stated.push(flavour.vdus[vdu].id.clone());
        }
    }
    for (policy, properties) in policies(report, "VduScalingAspectDeltas") {
        deltas(report, policy, &properties, flavour);
    }
    let mut default_level: Option<(String, Span)> = None;
    let mut levels_span = None;
    for (policy, properties) in policies(report, "InstantiationLevels") {
        levels(report, &properties, flavour);
        levels_span = Some(policy.span);
        default_level = properties
            .get("default_level")
            .and_then(|node| node.text().map(|text| (text.to_owned(), node.span)));
    }
    let mut places: BTreeMap<(String, String), Span> = BTreeMap::new();
    for (policy, properties) in policies(report, "VduInstantiationLevels") {
        for vdu in targets(report, policy, flavour) {
            let id = flavour.vdus[vdu].id.clone();
            for (key, level) in properties.get("levels").map(Node::entries).unwrap_or_default() {
                let Some(count) = level.u32_of("number_of_instances") else {
                    continue;
                };
                let Some(known) = flavour.instantiation_levels.get_mut(&key.name) else {
                    let help = report.candidates(&key.name, flavour.instantiation_levels.keys().map(String::as_str));
                    report.error_help(
                        Code::LevelBad,
                        key.span,
                        format!("there is no instantiation level `{}`", key.name),
                        help,
                    );
                    continue;
                };
                known.vdu_instances.insert(id.clone(), count);
                places.insert((key.name.clone(), id.clone()), level.span);
            }
        }
    }
    choose_default(report, flavour, default_level, levels_span);
    initial_from_levels(flavour, &stated);
    check_counts(report, env, flavour, &stated, &places);
}

/// Indexes of the VDUs that a policy is about.
fn targets(report: &mut Report, policy: &Policy, flavour: &DeploymentFlavour) -> Vec<usize> {
    let mut found = Vec::new();
    for (name, span) in &policy.targets {
        match flavour.vdus.iter().position(|vdu| &vdu.id == name) {
            Some(at) => found.push(at),
            None => {
                let help = report.candidates(name, flavour.vdus.iter().map(|vdu| vdu.id.as_str()));
                report.error_help(
                    Code::TargetWrongType,
                    *span,
                    format!("policy `{}` names `{name}`, which is no VDU", policy.name),
                    help,
                );
            }
        }
    }
    found
}

fn aspects(report: &mut Report, properties: &Node, flavour: &mut DeploymentFlavour) {
    for (key, node) in properties.get("aspects").map(Node::entries).unwrap_or_default() {
        let max_scale_level = node.u32_of("max_scale_level").unwrap_or(0);
        if max_scale_level > SCALE_LEVEL_MAX {
            let message = format!(
                "aspect `{}` has {max_scale_level} levels; at most {SCALE_LEVEL_MAX} are read",
                key.name
            );
            report.error(Code::LevelBad, key.span, message);
        }
        let aspect = ScalingAspect {
            name: node.str_of("name"),
            description: node.str_of("description"),
            max_scale_level: max_scale_level.min(SCALE_LEVEL_MAX),
            step_deltas: node.texts_of("step_deltas"),
        };
        let steps = aspect.step_deltas.len();
        if steps > 1 && steps != aspect.max_scale_level as usize {
            let message = format!(
                "aspect `{}` has {steps} step deltas for {} steps",
                key.name, aspect.max_scale_level
            );
            report.error(Code::DeltaUnknown, key.span, message);
        }
        flavour.scaling_aspects.insert(key.name.clone(), aspect);
    }
}

fn deltas(report: &mut Report, policy: &Policy, properties: &Node, flavour: &mut DeploymentFlavour) {
    let Some(aspect_node) = properties.get("aspect") else {
        return;
    };
    let name = aspect_node.text().unwrap_or_default().to_owned();
    let Some(aspect) = flavour.scaling_aspects.get(&name).cloned() else {
        let help = report.candidates(&name, flavour.scaling_aspects.keys().map(String::as_str));
        report.error_help(
            Code::AspectUnknown,
            aspect_node.span,
            format!("there is no scaling aspect `{name}`"),
            help,
        );
        return;
    };
    let given = properties.get("deltas");
    let count = |delta: &str| {
        given
            .and_then(|deltas| deltas.get(delta))
            .and_then(|delta| delta.u32_of("number_of_instances"))
    };
    let mut steps = Vec::new();
    for step in 0..aspect.max_scale_level as usize {
        let delta = match aspect.step_deltas.as_slice() {
            [] => given
                .and_then(|deltas| deltas.entries().first())
                .map(|(key, _)| key.name.as_str()),
            [only] => Some(only.as_str()),
            several => several.get(step).map(String::as_str),
        };
        let Some(delta) = delta else { break };
        match count(delta) {
            Some(count) => steps.push(count),
            None => {
                let span = given.map_or(policy.span, |deltas| deltas.span);
                let help = report.candidates(
                    delta,
                    given
                        .map(Node::entries)
                        .unwrap_or_default()
                        .iter()
                        .map(|(key, _)| key.name.as_str()),
                );
                let message = format!(
                    "aspect `{name}` steps by `{delta}`, which `{}` does not give",
                    policy.name
                );
                report.error_help(Code::DeltaUnknown, span, message, help);
                break;
            }
        }
    }
    for vdu in targets(report, policy, flavour) {
        flavour.vdus[vdu].deltas.insert(name.clone(), steps.clone());
    }
}

fn levels(report: &mut Report, properties: &Node, flavour: &mut DeploymentFlavour) {
    for (key, node) in properties.get("levels").map(Node::entries).unwrap_or_default() {
        let mut level = InstantiationLevel {
            description: node.str_of("description"),
            ..InstantiationLevel::default()
        };
        for (aspect_key, info) in node.get("scale_info").map(Node::entries).unwrap_or_default() {
            let Some(scale_level) = info.u32_of("scale_level") else {
                continue;
            };
            let Some(aspect) = flavour.scaling_aspects.get(&aspect_key.name) else {
                let help = report.candidates(&aspect_key.name, flavour.scaling_aspects.keys().map(String::as_str));
                let message = format!(
                    "level `{}` names aspect `{}`, which is not declared",
                    key.name, aspect_key.name
                );
                report.error_help(Code::LevelBad, aspect_key.span, message, help);
                continue;
            };
            if scale_level > aspect.max_scale_level {
                let message = format!(
                    "`{}` ends at level {}; this says {scale_level}",
                    aspect_key.name, aspect.max_scale_level
                );
                report.error(Code::LevelBad, info.span, message);
                continue;
            }
            level.scale_levels.insert(aspect_key.name.clone(), scale_level);
        }
        flavour.instantiation_levels.insert(key.name.clone(), level);
    }
}

fn choose_default(
    report: &mut Report,
    flavour: &mut DeploymentFlavour,
    stated: Option<(String, Span)>,
    span: Option<Span>,
) {
    let ids: Vec<&str> = flavour.instantiation_levels.keys().map(String::as_str).collect();
    match stated {
        Some((id, span)) if !flavour.instantiation_levels.contains_key(&id) => {
            report.error_help(
                Code::LevelBad,
                span,
                format!("the default level `{id}` does not exist"),
                report.candidates(&id, ids),
            );
        }
        Some((id, _)) => flavour.default_instantiation_level = Some(id),
        None => {
            if let (true, Some(span)) = (ids.len() > 1, span) {
                let help = Some("add `default_level: …`".to_owned());
                report.error_help(
                    Code::LevelBad,
                    span,
                    "there are several levels and none is the default",
                    help,
                );
            }
            flavour.default_instantiation_level = flavour.instantiation_levels.keys().next().cloned();
        }
    }
}

/// A VDU without an initial delta starts as the default level states, else with its least number (already set).
fn initial_from_levels(flavour: &mut DeploymentFlavour, stated: &[String]) {
    let level = flavour.instantiation_level(None).cloned();
    for vdu in flavour.vdus.iter_mut().filter(|vdu| !stated.contains(&vdu.id)) {
        if let Some(count) = level.as_ref().and_then(|level| level.vdu_instances.get(&vdu.id)) {
            vdu.initial_number_of_instances = *count;
        }
    }
}

fn check_counts(
    report: &mut Report,
    env: &Env<'_>,
    flavour: &DeploymentFlavour,
    stated: &[String],
    places: &BTreeMap<(String, String), Span>,
) {
    for vdu in &flavour.vdus {
        let node_span = env.topology.node(&vdu.id).map(|node| node.span).unwrap_or_default();
        let (least, most) = (vdu.min_number_of_instances, vdu.max_number_of_instances);
        let lowest = vdu.initial_number_of_instances;
        let all_highest = flavour
            .scaling_aspects
            .iter()
            .map(|(id, aspect)| (id.clone(), aspect.max_scale_level))
            .collect();
        let highest = vdu.instances_at(&all_highest);
        if lowest < least || highest > most {
            let message = format!(
                "VDU `{}` scales from {lowest} to {highest} instances, and its profile allows {least} to {most}",
                vdu.id
            );
            report.error(Code::InstancesOutOfRange, node_span, message);
        }
        for (id, level) in &flavour.instantiation_levels {
            let Some(count) = level.vdu_instances.get(&vdu.id) else {
                continue;
            };
            let span = places.get(&(id.clone(), vdu.id.clone())).copied().unwrap_or(node_span);
            if *count < least || *count > most {
                let message = format!(
                    "level `{id}` has {count} instances of `{}`, whose profile allows {least} to {most}",
                    vdu.id
                );
                report.error(Code::InstancesOutOfRange, span, message);
            }
            let scaled = vdu.instances_at(&level.scale_levels);
            let counted = stated.contains(&vdu.id) || !vdu.deltas.is_empty();
            if counted && scaled != *count {
                let message = format!(
                    "level `{id}` states {count} instances of `{}`; its initial delta and steps give {scaled}",
                    vdu.id
                );
                report.error(Code::LevelDisagrees, span, message);
            }
        }
    }
}
