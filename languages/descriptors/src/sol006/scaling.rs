//! Scaling aspects of SOL006, spelled out into the steps of each VDU.

use std::collections::BTreeMap;

use super::df::Reading;
use super::vnfd::twice;
use crate::code::Code;
use crate::fields::{Fields, Reader, Word};
use crate::source::Span;
use crate::vnfd::ScalingAspect;

/// Highest scale level: levels are spelled out step by step.
const SCALE_LEVEL_MAX: u32 = 10_000;

/// A delta of an aspect: how many instances of which VDU (by index).
type Delta = Vec<(usize, u32)>;

impl Reading {
    pub(super) fn aspects(&mut self, reader: &mut Reader, fields: &mut Fields<'_>, steps: &mut usize) {
        for mut aspect in fields.maps(reader, "scaling-aspect", "a scaling aspect") {
            let id = aspect.need(reader, "id");
            let max_scale_level = aspect.count(reader, "max-scale-level").unwrap_or(0);
            let name = aspect.text(reader, "name");
            let description = aspect.prose(reader, "description").unwrap_or_default();
            let mut deltas: BTreeMap<String, Delta> = BTreeMap::new();
            let mut order = Vec::new();
            let mut span = aspect.span();
            if let Some(mut details) = aspect.map(reader, "aspect-delta-details", "the details of an aspect") {
                span = details.span();
                for mut delta in details.maps(reader, "deltas", "a delta") {
                    let id = delta.need(reader, "id");
                    let vdus = self.delta(reader, &mut delta);
                    delta.without_effect(reader, &["virtual-link-bit-rate-delta"]);
                    delta.finish(reader);
                    if let Some(id) = id
                        && deltas.insert(id.text.clone(), vdus).is_some()
                    {
                        twice(reader, id.span, "deltas", &id.text);
                    }
                }
                order = super::several(reader, &mut details, "step-deltas");
                details.finish(reader);
            }
            aspect.without_effect(
                reader,
                &["scaling-policy", "scaling-config-action", "aspect-element-group"],
            );
            aspect.finish(reader);
            let Some(id) = id else { continue };
            if self.flavour.scaling_aspects.contains_key(&id.text) {
                twice(reader, id.span, "scaling aspects", &id.text);
                continue;
            }
            let step_deltas = step_deltas(reader, &id, span, &deltas, order, max_scale_level);
            let changes = 1 + deltas.values().map(Vec::len).sum::<usize>();
            let cost = changes.saturating_mul(max_scale_level as usize);
            if max_scale_level > SCALE_LEVEL_MAX || cost > *steps {
                let message = format!("scaling aspect `{}` is more than is spelled out step by step", id.text);
                reader.report.error(Code::ScaleLimit, id.span, message);
                continue;
            }
            *steps -= cost;
            let highest = self.fits(reader, &id, max_scale_level, &step_deltas, &deltas);
            self.flavour.scaling_aspects.insert(
                id.text.clone(),
                ScalingAspect {
                    name: name.unwrap_or(id.text),
                    description,
                    max_scale_level: highest,
                    step_deltas: if step_deltas.len() > 1 {
                        step_deltas.into_iter().take(highest as usize).collect()
                    } else {
                        step_deltas
                    },
                },
            );
        }
    }

    fn delta(&mut self, reader: &mut Reader, delta: &mut Fields<'_>) -> Delta {
        let mut vdus = Vec::new();
        for mut part in delta.maps(reader, "vdu-delta", "a VDU's delta") {
            let (id, count) = (
                part.need(reader, "id"),
                part.count(reader, "number-of-instances").unwrap_or(1),
            );
            part.finish(reader);
            if let Some(vdu) = id.and_then(|id| self.vdu(reader, id)) {
                vdus.push((vdu, count));
            }
        }
        vdus
    }

    /// Puts the steps into the VDUs, as many as their bounds allow: the highest level that there is.
    fn fits(
        &mut self,
        reader: &mut Reader,
        aspect: &Word,
        wished: u32,
        order: &[String],
        deltas: &BTreeMap<String, Delta>,
    ) -> u32 {
        let of_step = |step: usize| order.get(step).or(order.first()).and_then(|id| deltas.get(id));
        let mut sums: BTreeMap<usize, u32> = BTreeMap::new();
        let mut highest = wished;
        'levels: for step in 0..wished {
            for (vdu, count) in of_step(step as usize).into_iter().flatten() {
                let known = &self.flavour.vdus[*vdu];
                let sum = sums.entry(*vdu).or_insert(known.initial_number_of_instances);
                *sum = sum.saturating_add(*count);
                if self.bounded[*vdu] && *sum > known.max_number_of_instances {
                    let message = format!(
                        "level {} of aspect `{}` is {sum} instances of `{}`, which has at most {}: the highest level is {step}",
                        step + 1,
                        aspect.text,
                        known.id,
                        known.max_number_of_instances
                    );
                    reader.report.warning(Code::InstancesOutOfRange, aspect.span, message);
                    highest = step;
                    break 'levels;
                }
            }
        }
        let touched: Vec<usize> = deltas.values().flatten().map(|(vdu, _)| *vdu).collect();
        for vdu in touched {
            self.flavour.vdus[vdu]
                .deltas
                .insert(aspect.text.clone(), vec![0; highest as usize]);
        }
        for step in 0..highest as usize {
            for (vdu, count) in of_step(step).into_iter().flatten() {
                let known = &mut self.flavour.vdus[*vdu];
                let steps = known
                    .deltas
                    .get_mut(&aspect.text)
                    .expect("every touched VDU got its steps");
                steps[step] = steps[step].saturating_add(*count);
            }
        }
        for (vdu, sum) in sums {
            let known = &mut self.flavour.vdus[vdu];
            if !self.bounded[vdu] {
                known.max_number_of_instances = known.max_number_of_instances.max(sum);
            }
        }
        highest
    }
}

/// The deltas of the steps: as listed, or the only one.
fn step_deltas(
    reader: &mut Reader,
    aspect: &Word,
    span: Span,
    deltas: &BTreeMap<String, Delta>,
    order: Vec<Word>,
    max_scale_level: u32,
) -> Vec<String> {
    if order.is_empty() {
        if deltas.len() > 1 {
            let message = format!(
                "aspect `{}` has several deltas and no `step-deltas`, which say their order",
                aspect.text
            );
            reader.report.error(Code::DeltaUnknown, span, message);
        }
        return deltas.keys().take(1).cloned().collect();
    }
    if order.len() > 1 && order.len() != max_scale_level as usize {
        let message = format!(
            "aspect `{}` has {} step deltas and {max_scale_level} levels",
            aspect.text,
            order.len()
        );
        reader.report.error(Code::DeltaUnknown, span, message);
    }
    for word in order.iter().filter(|word| !deltas.contains_key(&word.text)) {
        let message = format!("there is no delta `{}`", word.text);
        reader.unknown_name(word.span, message, &word.text, deltas.keys().map(String::as_str));
    }
    order.into_iter().map(|word| word.text).collect()
}
