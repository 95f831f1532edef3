//! Which connections of a body are one net, and what is on it.

use super::Look;
use crate::index::{Body, Goal};
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::script::{Connection, Entity, Script, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// A net of a body, as the body itself shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Net {
    /// The connections that it is made of, in the order of the text.
    pub(crate) connections: Vec<String>,
    /// What is on it, as paths: `fw:lan`, and the body's own connection points, `lan`. In the order of the text.
    pub(crate) ends: Vec<String>,
}

/// The nets of a body. Connections that share an end are one net.
pub(crate) fn of(look: &Look<'_>, file: FileId, body: &Body) -> Vec<Net> {
    let Some(document) = look.document(file) else {
        return Vec::new();
    };
    let connections = connections(document.script(), body);
    // The number of the net that each connection is on: the least number of a connection that it is joined with.
    let mut joined: Vec<usize> = (0..connections.len()).collect();
    let mut first_with: BTreeMap<String, usize> = BTreeMap::new();
    let ends: Vec<Vec<String>> = connections.iter().map(|one| ends(look, file, body, one)).collect();
    for (at, ends) in ends.iter().enumerate() {
        for end in ends {
            let other = *first_with.entry(end.clone()).or_insert(at);
            let (one, other) = (top(&joined, at), top(&joined, other));
            joined[one.max(other)] = one.min(other);
        }
    }
    let mut nets: BTreeMap<usize, (Net, BTreeSet<&str>)> = BTreeMap::new();
    for (at, connection) in connections.iter().enumerate() {
        let (net, seen) = nets.entry(top(&joined, at)).or_default();
        net.connections.push(connection.name.text.clone());
        for end in &ends[at] {
            if seen.insert(end) {
                net.ends.push(end.clone());
            }
        }
    }
    nets.into_values().map(|(net, _)| net).collect()
}

fn top(joined: &[usize], mut at: usize) -> usize {
    while joined[at] != at {
        at = joined[at];
    }
    at
}

fn connections<'s>(script: &'s Script, body: &Body) -> Vec<&'s Connection> {
    let members: Vec<&Entity> = match body.as_deref() {
        Some(model) => {
            let bodies = script.statements.iter().filter_map(|statement| match statement {
                Statement::Model(found) if found.name.text == model => Some(&found.members),
                _ => None,
            });
            bodies.flatten().collect()
        }
        None => {
            let instances = script.statements.iter().filter_map(|statement| match statement {
                Statement::Instance { entity, .. } => Some(entity),
                _ => None,
            });
            instances.collect()
        }
    };
    let connections = members.into_iter().filter_map(|entity| match entity {
        Entity::Connection(connection) => Some(connection),
        _ => None,
    });
    connections.collect()
}

/// The ends of a connection in one spelling. What means nothing stays as it is written.
fn ends(look: &Look<'_>, file: FileId, body: &Body, connection: &Connection) -> Vec<String> {
    let spelled = connection.ends.iter().map(|end| {
        let names: Vec<&str> = end.segments.iter().map(|name| name.text.as_str()).collect();
        // A node of one connection point is that point.
        let alone = (names.len() == 1)
            .then(|| {
                let found = look.world.follow(file, body, &end.segments, 1, Goal::End)?;
                let node = look.world.member(file, body, found.kind, &found.name)?;
                let (file, model) = look.world.model_of(file, node)?;
                let index = look.document(file)?.index();
                match index.members_of_kind(&Some(model), crate::index::Kind::ConnectionPoint)[..] {
                    [only] => Some(format!("{}:{}", names[0], only.name.text)),
                    _ => None,
                }
            })
            .flatten();
        alone.unwrap_or_else(|| names.join(":"))
    });
    spelled.collect()
}
