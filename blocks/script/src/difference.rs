//! The parts of a service, and what differs between two of them.

use crate::record::Part;
use manifold_nemo::expand::{ExpandError, Graph, GraphNet, InstanceKind, Limits, expand};
use manifold_nemo::service::{ModelUse, Service};
use manifold_nemo_syntax::script::{Condition, Value, ValueKind};
use manifold_nfvo_interface::{ScriptElement, ScriptElementKind, ScriptPlan};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Every part by its name from the top, in the order of kind and name.
pub(crate) fn parts(service: &Service) -> Result<Vec<Part>, ExpandError> {
    let graph = expand(service, &Limits::default())?;
    let mut parts = Vec::new();
    for instance in &graph.instances {
        match instance.of {
            ModelUse::Leaf(at) => {
                let leaf = &service.leaves[at];
                let detail = format!("{} ({})", leaf.model, leaf.leaf.uri);
                let what = (&leaf.leaf.digest, values(&leaf.arguments));
                parts.push(part(ScriptElementKind::Node, &instance.name, detail, &what));
            }
            ModelUse::Composite(at) if instance.kind != InstanceKind::Leaf => {
                for rule in &service.composites[at].rules {
                    let name = within(&instance.name, &rule.name);
                    let what = (&rule.flow, &rule.target, &rule.classifier, rule.priority, &rule.effects);
                    let when = rule.condition.as_ref().map(condition);
                    let detail = rule.flow.clone().unwrap_or_default();
                    parts.push(part(ScriptElementKind::Operation, &name, detail, &(what, when)));
                }
            }
            ModelUse::Composite(_) => {}
        }
    }
    for net in &graph.nets {
        let ends = ends(&graph, net);
        let properties = net
            .parts
            .first()
            .and_then(|part| match graph.instances[part.instance].of {
                ModelUse::Composite(at) => Some(values(&service.composites[at].nets[part.net].properties)),
                ModelUse::Leaf(_) => None,
            });
        parts.push(part(
            ScriptElementKind::Connection,
            &net.name,
            ends.join(", "),
            &(&ends, properties),
        ));
        for point in &net.points {
            parts.push(part(ScriptElementKind::ConnectionPoint, point, net.name.clone(), &()));
        }
    }
    parts.sort_by(|a, b| a.element.cmp(&b.element));
    Ok(parts)
}

fn values(properties: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    properties
        .iter()
        .map(|(key, given)| (key.clone(), value(given)))
        .collect()
}

/// A value without its place, which is another when the text before it is.
fn value(given: &Value) -> String {
    let unit = given.unit.as_ref().map_or("", |unit| unit.text.as_str());
    let what = match &given.kind {
        ValueKind::Text(text) => text.clone(),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::List(list) => list.iter().map(value).collect::<Vec<_>>().join(","),
        ValueKind::Range(first, last) => format!("{first}..{last}"),
    };
    format!("{what} {unit}")
}

/// A condition without its places. The checker has bounded its depth.
fn condition(given: &Condition) -> String {
    let all = |list: &[Condition], between: &str| list.iter().map(condition).collect::<Vec<_>>().join(between);
    match given {
        Condition::Any(list) => format!("({})", all(list, " || ")),
        Condition::All(list) => format!("({})", all(list, " && ")),
        Condition::Not(inner) => format!("!{}", condition(inner)),
        Condition::Term {
            name,
            comparison,
            value: with,
            ..
        } => format!("{} {comparison:?} {}", name.text, value(with)),
    }
}

fn within(instance: &str, name: &str) -> String {
    if instance.is_empty() {
        name.to_owned()
    } else {
        format!("{instance}.{name}")
    }
}

fn ends(graph: &Graph, net: &GraphNet) -> Vec<String> {
    let mut ends: Vec<String> = net
        .ends
        .iter()
        .map(|end| format!("{}:{}", graph.instances[end.instance].name, end.point))
        .collect();
    ends.sort();
    ends
}

fn part(kind: ScriptElementKind, name: &str, detail: String, what: &impl Debug) -> Part {
    let digest = hex::encode(Sha256::digest(format!("{detail}\n{what:?}")));
    Part {
        element: ScriptElement {
            kind,
            name: name.to_owned(),
            detail,
        },
        digest,
    }
}

/// What an apply changes.
pub(crate) fn plan(revision: u64, before: &[Part], after: &[Part], notes: Vec<String>) -> ScriptPlan {
    let key = |part: &Part| (part.element.kind, part.element.name.clone());
    let old: BTreeMap<_, &Part> = before.iter().map(|part| (key(part), part)).collect();
    let new: BTreeMap<_, &Part> = after.iter().map(|part| (key(part), part)).collect();
    let elements = |parts: Vec<&&Part>| parts.into_iter().map(|part| part.element.clone()).collect();
    let differs = |(key, part): &(&_, &&Part)| old.get(*key).is_some_and(|before| before.digest != part.digest);
    ScriptPlan {
        revision,
        create: elements(
            new.iter()
                .filter(|(key, _)| !old.contains_key(*key))
                .map(|(_, part)| part)
                .collect(),
        ),
        change: elements(new.iter().filter(differs).map(|(_, part)| part).collect()),
        remove: elements(
            old.iter()
                .filter(|(key, _)| !new.contains_key(*key))
                .map(|(_, part)| part)
                .collect(),
        ),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, what: &str) -> Part {
        part(ScriptElementKind::Node, name, String::new(), &what)
    }

    #[test]
    fn what_is_the_same_is_in_no_list() {
        let before = [one("a", "1"), one("b", "1"), one("c", "1")];
        let after = [one("a", "1"), one("b", "2"), one("d", "1")];
        let plan = plan(2, &before, &after, vec![]);
        let names = |list: &[ScriptElement]| list.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&plan.create), names(&plan.change), names(&plan.remove)),
            (vec!["d".to_owned()], vec!["b".to_owned()], vec!["c".to_owned()])
        );
        assert!(super::plan(2, &before, &before, vec![]).is_empty());
    }
}
