//! Deployment flavours of SOL006: numbers of instances, levels, scaling, links' profiles, affinity.

use std::collections::{BTreeMap, BTreeSet};

use super::vnfd::twice;
use crate::code::Code;
use crate::fields::{Fields, MODEL_BYTES_MAX, Reader, Word, weight};
use crate::link::{AffinityRule, AffinityScope, AffinityType};
use crate::openmano::FLAVOUR;
use crate::source::Span;
use crate::vnfd::{DeploymentFlavour, InstantiationLevel, LcmOperations};

/// Most steps of all VDUs and aspects of a descriptor.
const STEPS_MAX: usize = 200_000;

pub(super) fn read(reader: &mut Reader, vnfd: &mut Fields<'_>, whole: DeploymentFlavour) -> Vec<DeploymentFlavour> {
    // Each flavour repeats the whole.
    let each = weight(&whole);
    let mut seen = BTreeSet::new();
    let mut flavours: Vec<DeploymentFlavour> = Vec::new();
    let mut steps = STEPS_MAX;
    for mut fields in vnfd.maps(reader, "df", "a deployment flavour") {
        if !flavours.is_empty() && each.saturating_mul(flavours.len() + 1) > MODEL_BYTES_MAX {
            let message = "so many deployment flavours of so large a VNF are not spelled out";
            reader.report.error(Code::ScaleLimit, fields.span(), message);
            break;
        }
        let id = fields.need(reader, "id");
        let mut reading = Reading::new(whole.clone());
        reading.run(reader, &mut fields, &mut steps);
        fields.finish(reader);
        let Some(id) = id else { continue };
        if !seen.insert(id.text.clone()) {
            twice(reader, id.span, "deployment flavours", &id.text);
            continue;
        }
        reading.flavour.id = id.text;
        flavours.push(reading.flavour);
    }
    if flavours.is_empty() {
        vec![DeploymentFlavour {
            id: FLAVOUR.to_owned(),
            ..whole
        }]
    } else {
        flavours
    }
}

/// A flavour while it is read.
pub(super) struct Reading {
    pub(super) flavour: DeploymentFlavour,
    pub(super) vdus: BTreeMap<String, usize>,
    /// Which VDUs have bounds of their own.
    pub(super) bounded: Vec<bool>,
    /// Members of groups: VDUs and links.
    groups: BTreeMap<String, Vec<String>>,
}

impl Reading {
    fn new(flavour: DeploymentFlavour) -> Self {
        let vdus: BTreeMap<String, usize> = flavour
            .vdus
            .iter()
            .enumerate()
            .map(|(at, vdu)| (vdu.id.clone(), at))
            .collect();
        Self {
            bounded: vec![false; flavour.vdus.len()],
            flavour,
            vdus,
            groups: BTreeMap::new(),
        }
    }

    fn run(&mut self, reader: &mut Reader, fields: &mut Fields<'_>, steps: &mut usize) {
        self.flavour.description = fields.prose(reader, "description").unwrap_or_default();
        self.profiles(reader, fields);
        self.link_profiles(reader, fields);
        self.aspects(reader, fields, steps);
        self.levels(reader, fields);
        self.affinity(reader, fields);
        self.flavour.lcm_operations = operations(reader, fields);
        fields.without_effect(
            reader,
            &[
                "supported-operation",
                "supported-vnf-interface",
                "monitoring-parameter",
                "indicator",
                "initial-delta",
                "healing-aspect",
                "vnf-configuration-id",
                "mgmt-interface-protocol",
                "kdu-resource-profile",
            ],
        );
    }

    pub(super) fn vdu(&self, reader: &mut Reader, word: Word) -> Option<usize> {
        let found = self.vdus.get(&word.text).copied();
        if found.is_none() {
            let message = format!("there is no VDU `{}`", word.text);
            reader.unknown_name(word.span, message, &word.text, self.vdus.keys().map(String::as_str));
        }
        found
    }

    fn profiles(&mut self, reader: &mut Reader, fields: &mut Fields<'_>) {
        for mut profile in fields.maps(reader, "vdu-profile", "a VDU's profile") {
            let id = profile.need(reader, "id");
            let min = profile.count(reader, "min-number-of-instances").unwrap_or(1);
            let max = profile.count(reader, "max-number-of-instances").unwrap_or(min.max(1));
            let span = profile.span();
            let mut rules = Vec::new();
            for name in [
                "local-affinity-or-anti-affinity-rule",
                "local-affinity-or-anti-affinity-rules",
            ] {
                for mut rule in profile.maps(reader, name, "an affinity rule") {
                    rules.extend(kind_and_scope(reader, &mut rule));
                    rule.finish(reader);
                }
            }
            let mut groups = super::several(reader, &mut profile, "affinity-or-anti-affinity-group-id");
            for mut group in profile.maps(reader, "affinity-or-anti-affinity-group", "a group") {
                groups.extend(group.need(reader, "id"));
                group.finish(reader);
            }
            profile.without_effect(reader, &["vdu-configuration-id", "deployable-module"]);
            profile.finish(reader);
            let Some(vdu) = id.and_then(|id| self.vdu(reader, id)) else {
                continue;
            };
            if min > max {
                let message = format!("at least {min} and at most {max} instances");
                reader.report.error(Code::InstancesOutOfRange, span, message);
            }
            let known = &mut self.flavour.vdus[vdu];
            known.min_number_of_instances = min;
            known.max_number_of_instances = max;
            known.initial_number_of_instances = min;
            self.bounded[vdu] = true;
            let id = known.id.clone();
            for (at, (kind, scope)) in rules.into_iter().enumerate() {
                self.flavour.affinity_rules.push(AffinityRule {
                    id: format!("{id}-rule-{}", at + 1),
                    kind,
                    scope,
                    targets: vec![id.clone()],
                });
            }
            for group in groups {
                self.groups.entry(group.text).or_default().push(id.clone());
            }
        }
    }

    fn link_profiles(&mut self, reader: &mut Reader, fields: &mut Fields<'_>) {
        let links: BTreeMap<String, usize> = self
            .flavour
            .virtual_links
            .iter()
            .enumerate()
            .map(|(at, link)| (link.id.clone(), at))
            .collect();
        for mut profile in fields.maps(reader, "virtual-link-profile", "a link's profile") {
            let id = profile.need(reader, "id");
            let max = super::bitrate(
                reader,
                &mut profile,
                ["max-bitrate-requirements", "max-bit-rate-requirements"],
            );
            let min = super::bitrate(
                reader,
                &mut profile,
                ["min-bitrate-requirements", "min-bit-rate-requirements"],
            );
            let (l2, l3) = super::subnet::protocol_data(reader, &mut profile);
            profile.without_effect(
                reader,
                &[
                    "flavour",
                    "local-affinity-or-anti-affinity-rule",
                    "affinity-or-anti-affinity-group-id",
                ],
            );
            profile.finish(reader);
            let Some(id) = id else { continue };
            let Some(at) = links.get(&id.text) else {
                let message = format!("there is no internal virtual link `{}`", id.text);
                reader.unknown_name(id.span, message, &id.text, links.keys().map(String::as_str));
                continue;
            };
            let link = &mut self.flavour.virtual_links[*at];
            (link.max_bitrate, link.min_bitrate, link.l2, link.l3) = (max, min, l2, l3);
        }
    }

    fn levels(&mut self, reader: &mut Reader, fields: &mut Fields<'_>) {
        let mut counts: Vec<(Span, String)> = Vec::new();
        let mut first = None;
        for mut level in fields.maps(reader, "instantiation-level", "an instantiation level") {
            let id = level.need(reader, "id");
            let mut made = InstantiationLevel {
                description: level.prose(reader, "description").unwrap_or_default(),
                ..InstantiationLevel::default()
            };
            for mut part in level.maps(reader, "vdu-level", "a VDU's level") {
                let (vdu, count) = (
                    part.need(reader, "vdu-id"),
                    part.count(reader, "number-of-instances").unwrap_or(1),
                );
                part.finish(reader);
                if let Some(at) = vdu.and_then(|vdu| self.vdu(reader, vdu)) {
                    made.vdu_instances.insert(self.flavour.vdus[at].id.clone(), count);
                }
            }
            for mut info in level.maps(reader, "scaling-info", "a scale level") {
                let named = info.word(reader, "scaling-aspect-id");
                let named = info.word(reader, "aspect-id").or(named);
                let scale = info.count(reader, "scale-level").unwrap_or(0);
                info.finish(reader);
                let Some(named) = named else { continue };
                match self.flavour.scaling_aspects.get(&named.text) {
                    Some(aspect) if scale <= aspect.max_scale_level => {
                        made.scale_levels.insert(named.text, scale);
                    }
                    Some(aspect) => {
                        let message = format!(
                            "aspect `{}` has no level {scale}: {} is the highest",
                            named.text, aspect.max_scale_level
                        );
                        reader.report.error(Code::LevelBad, named.span, message);
                    }
                    None => {
                        let message = format!("there is no scaling aspect `{}`", named.text);
                        let all = self.flavour.scaling_aspects.keys().map(String::as_str);
                        reader.unknown_name(named.span, message, &named.text, all);
                    }
                }
            }
            level.without_effect(reader, &["virtual-link-bit-rate-level", "virtual-link-level"]);
            level.finish(reader);
            let Some(id) = id else { continue };
            if self
                .flavour
                .instantiation_levels
                .insert(id.text.clone(), made)
                .is_some()
            {
                twice(reader, id.span, "instantiation levels", &id.text);
            }
            first.get_or_insert(id.text.clone());
            counts.push((id.span, id.text));
        }
        let stated = fields.word(reader, "default-instantiation-level");
        self.flavour.default_instantiation_level = match stated {
            Some(word) if self.flavour.instantiation_levels.contains_key(&word.text) => Some(word.text),
            Some(word) => {
                let message = format!("there is no instantiation level `{}`", word.text);
                let all = self.flavour.instantiation_levels.keys().map(String::as_str);
                reader.unknown_name(word.span, message, &word.text, all);
                None
            }
            None => first,
        };
        self.check_levels(reader, counts);
    }

    /// A level may state what the steps do not give: it is told of where no step can give it.
    fn check_levels(&mut self, reader: &mut Reader, counts: Vec<(Span, String)>) {
        for (span, id) in counts {
            let level = self.flavour.instantiation_levels[&id].clone();
            for (vdu, stated) in &level.vdu_instances {
                let known = &mut self.flavour.vdus[self.vdus[vdu]];
                if !(known.min_number_of_instances..=known.max_number_of_instances).contains(stated) {
                    let message = format!(
                        "level `{id}` is {stated} instances of `{vdu}`, which has {} to {}",
                        known.min_number_of_instances, known.max_number_of_instances
                    );
                    reader.report.error(Code::InstancesOutOfRange, span, message);
                    continue;
                }
                let given = known.instances_at(&level.scale_levels);
                if given != *stated && known.deltas.is_empty() {
                    // Nothing scales it: the level is what says how many there are at first.
                    if Some(&id) == self.flavour.default_instantiation_level.as_ref() {
                        known.initial_number_of_instances = *stated;
                    }
                } else if given != *stated {
                    let message =
                        format!("level `{id}` is {stated} instances of `{vdu}`, and its scale levels give {given}");
                    reader.report.error(Code::LevelDisagrees, span, message);
                }
            }
        }
    }

    fn affinity(&mut self, reader: &mut Reader, fields: &mut Fields<'_>) {
        let mut members = std::mem::take(&mut self.groups);
        for mut group in fields.maps(reader, "affinity-or-anti-affinity-group", "an affinity group") {
            let id = group.need(reader, "id");
            let rule = kind_and_scope(reader, &mut group);
            group.finish(reader);
            let (Some(id), Some((kind, scope))) = (id, rule) else {
                continue;
            };
            if let Some(targets) = members.remove(&id.text) {
                self.flavour.affinity_rules.push(AffinityRule {
                    id: id.text,
                    kind,
                    scope,
                    targets,
                });
            }
        }
        for group in members.into_keys() {
            let message = format!("there is no affinity group `{group}`");
            let known = self.flavour.affinity_rules.iter().map(|rule| rule.id.as_str());
            reader.unknown_name(fields.span(), message, &group, known);
        }
    }
}

fn kind_and_scope(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<(AffinityType, AffinityScope)> {
    let kind = fields.need(reader, "type")?;
    let scope = fields.need(reader, "scope")?;
    let kind = match kind.text.to_ascii_lowercase().as_str() {
        "affinity" => AffinityType::Affinity,
        "anti-affinity" => AffinityType::AntiAffinity,
        _ => {
            let message = format!("`{}` is neither affinity nor anti-affinity", kind.text);
            reader.report.error(Code::FieldMalformed, kind.span, message);
            return None;
        }
    };
    let found = AffinityScope::from_name(&scope.text.to_ascii_lowercase().replace('-', "_"));
    if found.is_none() {
        let message = format!("`{}` is no scope that has an effect here", scope.text);
        reader.report.error(Code::FieldMalformed, scope.span, message);
    }
    Some((kind, found?))
}

fn operations(reader: &mut Reader, fields: &mut Fields<'_>) -> LcmOperations {
    let mut operations = LcmOperations::default();
    let Some(mut config) = fields.map(
        reader,
        "lcm-operations-configuration",
        "the configuration of operations",
    ) else {
        return operations;
    };
    for (name, operation) in [
        ("scale-vnf-to-level-op-config", "scale_to_level"),
        ("change-vnf-flavour-op-config", "change_flavour"),
        ("instantiate-vnf-op-config", "instantiate"),
    ] {
        if config.has(name) {
            operations.configured.push(operation.to_owned());
            config.without_effect(reader, &[name]);
        }
    }
    if let Some(mut scale) = config.map(reader, "scale-vnf-op-config", "the configuration of scaling") {
        operations.configured.push("scale".to_owned());
        operations.scaling_by_more_than_one_step_supported = scale
            .flag(reader, "scaling-by-more-than-one-step-supported")
            .unwrap_or(false);
        scale.without_effect(reader, &["parameter"]);
        scale.finish(reader);
    }
    if let Some(mut heal) = config.map(reader, "heal-vnf-op-config", "the configuration of healing") {
        operations.configured.push("heal".to_owned());
        operations.heal_causes = super::several(reader, &mut heal, "cause")
            .into_iter()
            .map(|word| word.text)
            .collect();
        heal.without_effect(reader, &["parameter"]);
        heal.finish(reader);
    }
    if let Some(mut terminate) = config.map(reader, "terminate-vnf-op-config", "the configuration of terminating") {
        operations.configured.push("terminate".to_owned());
        let seconds = terminate.number(reader, "min-graceful-termination");
        operations.min_graceful_termination_timeout_ms = seconds.map(|seconds| seconds.saturating_mul(1000));
        terminate.without_effect(reader, &["max-recommended-graceful-termination", "parameter"]);
        terminate.finish(reader);
    }
    config.without_effect(
        reader,
        &["operate-vnf-op-config", "change-external-connectivity-op-config"],
    );
    config.finish(reader);
    operations
}
