//! Scaling aspects and instantiation levels of a network service.

use super::{NsLevel, NsScalingAspect, Nsd};
use crate::code::Code;
use crate::source::Report;
use crate::tosca::template::Policy;
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::Node;

pub(crate) fn read(report: &mut Report, env: &Env<'_>, nsd: &mut Nsd) {
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

    for (_, properties) in policies(report, "NsScalingAspects") {
        for (key, node) in properties.get("aspects").map(Node::entries).unwrap_or_default() {
            let aspect = NsScalingAspect {
                name: node.str_of("name"),
                description: node.str_of("description"),
                ..Default::default()
            };
            nsd.scaling_aspects.insert(key.name.clone(), aspect);
        }
    }
    for (policy, properties) in policies(report, "VnfToLevelMapping") {
        let Some(aspect) = properties.get("aspect") else {
            continue;
        };
        let name = aspect.text().unwrap_or_default();
        let Some(known) = nsd.scaling_aspects.get_mut(name) else {
            let help = report.candidates(name, nsd.scaling_aspects.keys().map(String::as_str));
            report.error_help(
                Code::AspectUnknown,
                aspect.span,
                format!("there is no scaling aspect `{name}`"),
                help,
            );
            continue;
        };
        for (key, count) in properties
            .get("number_of_instances")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let (Ok(level), Some(count)) = (key.name.parse::<u32>(), count.text().and_then(|text| text.parse().ok()))
            else {
                report.error(
                    Code::LevelBad,
                    key.span,
                    format!("`{}` is no scale level: levels are numbers from 0", key.name),
                );
                continue;
            };
            let counts = known.levels.entry(level).or_default();
            counts.extend(policy.targets.iter().map(|(profile, _)| (profile.clone(), count)));
        }
    }
    for (policy, properties) in policies(report, "NsInstantiationLevels") {
        for (key, node) in properties.get("ns_levels").map(Node::entries).unwrap_or_default() {
            let level = NsLevel {
                description: node.str_of("description"),
                ..NsLevel::default()
            };
            nsd.instantiation_levels.insert(key.name.clone(), level);
        }
        let ids: Vec<&str> = nsd.instantiation_levels.keys().map(String::as_str).collect();
        match properties
            .get("default_level")
            .and_then(|node| node.text().map(|text| (text.to_owned(), node.span)))
        {
            Some((id, span)) if !nsd.instantiation_levels.contains_key(&id) => {
                report.error_help(
                    Code::LevelBad,
                    span,
                    format!("the default level `{id}` does not exist"),
                    report.candidates(&id, ids),
                );
            }
            Some((id, _)) => nsd.default_instantiation_level = Some(id),
            None => {
                if ids.len() > 1 {
                    let help = Some("add `default_level: …`".to_owned());
                    report.error_help(
                        Code::LevelBad,
                        policy.span,
                        "there are several levels and none is the default",
                        help,
                    );
                }
                nsd.default_instantiation_level = nsd.instantiation_levels.keys().next().cloned();
            }
        }
    }
    for (policy, properties) in policies(report, "VnfToInstantiationLevelMapping") {
        for (key, count) in properties
            .get("number_of_instances")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let Some(level) = nsd.instantiation_levels.get_mut(&key.name) else {
                let help = report.candidates(&key.name, nsd.instantiation_levels.keys().map(String::as_str));
                report.error_help(
                    Code::LevelBad,
                    key.span,
                    format!("there is no instantiation level `{}`", key.name),
                    help,
                );
                continue;
            };
            let Some(count) = count.text().and_then(|text| text.parse().ok()) else {
                continue;
            };
            level
                .vnf_instances
                .extend(policy.targets.iter().map(|(profile, _)| (profile.clone(), count)));
        }
    }
}
