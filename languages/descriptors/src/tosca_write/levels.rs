//! Scaling aspects, deltas and instantiation levels as policies.

use super::links::policy;
use super::text::{Fields, Yaml};
use crate::vnfd::{DeploymentFlavour, ScalingAspect, Vdu};

pub(super) fn policies(flavour: &DeploymentFlavour, all: &mut Vec<Yaml>) {
    let instances = |count: u32| Fields::new().with("number_of_instances", count).flow();
    if !flavour.scaling_aspects.is_empty() {
        let mut aspects = Fields::new();
        for (id, aspect) in &flavour.scaling_aspects {
            aspects.put(id, scaling_aspect(aspect));
        }
        let properties = Fields::new().with("aspects", aspects);
        all.push(policy(
            "scaling",
            "tosca.policies.nfv.ScalingAspects",
            NOTHING,
            properties,
        ));
    }
    for vdu in &flavour.vdus {
        if vdu.initial_number_of_instances != initial_without_saying(flavour, vdu) {
            let properties = Fields::new().with("initial_delta", instances(vdu.initial_number_of_instances));
            let name = format!("{}_initial", vdu.id);
            all.push(policy(
                &name,
                "tosca.policies.nfv.VduInitialDelta",
                [&vdu.id],
                properties,
            ));
        }
        for (aspect, steps) in &vdu.deltas {
            let named = flavour
                .scaling_aspects
                .get(aspect)
                .map(|aspect| aspect.step_deltas.as_slice());
            let mut deltas = Fields::new();
            let mut put: Vec<&str> = Vec::new();
            for (at, count) in steps.iter().enumerate() {
                let name = match named.unwrap_or_default() {
                    [] => "delta",
                    [one] => one,
                    several => several.get(at).map_or("delta", String::as_str),
                };
                if !put.contains(&name) {
                    put.push(name);
                    deltas.put(name, instances(*count));
                }
            }
            let properties = Fields::new().with("aspect", aspect).with("deltas", deltas);
            let name = format!("{}_by_{aspect}", vdu.id);
            all.push(policy(
                &name,
                "tosca.policies.nfv.VduScalingAspectDeltas",
                [&vdu.id],
                properties,
            ));
        }
    }
    if flavour.instantiation_levels.is_empty() {
        return;
    }
    let mut levels = Fields::new();
    for (id, level) in &flavour.instantiation_levels {
        let mut info = Fields::new();
        for (aspect, at) in &level.scale_levels {
            info.put(aspect, Fields::new().with("scale_level", *at).flow());
        }
        let body = Fields::new()
            .with("description", &level.description)
            .with_some("scale_info", (!info.is_empty()).then_some(info));
        levels.put(id, body);
    }
    let properties = Fields::new()
        .with_some("default_level", flavour.default_instantiation_level.as_ref())
        .with("levels", levels);
    all.push(policy(
        "levels",
        "tosca.policies.nfv.InstantiationLevels",
        NOTHING,
        properties,
    ));
    for vdu in &flavour.vdus {
        let mut levels = Fields::new();
        for (id, level) in &flavour.instantiation_levels {
            if let Some(count) = level.vdu_instances.get(&vdu.id) {
                levels.put(id, instances(*count));
            }
        }
        if !levels.is_empty() {
            let name = format!("{}_levels", vdu.id);
            let properties = Fields::new().with("levels", levels);
            all.push(policy(
                &name,
                "tosca.policies.nfv.VduInstantiationLevels",
                [&vdu.id],
                properties,
            ));
        }
    }
}

const NOTHING: [&str; 0] = [];

/// What a reader takes for the initial number when the descriptor does not say it.
fn initial_without_saying(flavour: &DeploymentFlavour, vdu: &Vdu) -> u32 {
    flavour
        .instantiation_level(None)
        .and_then(|level| level.vdu_instances.get(&vdu.id).copied())
        .unwrap_or(vdu.min_number_of_instances)
}

fn scaling_aspect(aspect: &ScalingAspect) -> Yaml {
    Fields::new()
        .with("name", &aspect.name)
        .with("description", &aspect.description)
        .with("max_scale_level", aspect.max_scale_level)
        .with_some(
            "step_deltas",
            (!aspect.step_deltas.is_empty()).then(|| Yaml::words(aspect.step_deltas.iter())),
        )
        .into()
}
