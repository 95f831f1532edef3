//! What UPDATE makes of what stands: the clauses that it has replace those of before; properties are replaced one by one.

use super::{kind_of, name_of};
use manifold_nemo_syntax::script::{Entity, Model, Property};

/// Changes a model.
pub(super) fn model(stands: &mut Model, update: &Model) {
    if !update.parameters.is_empty() {
        stands.parameters.clone_from(&update.parameters);
    }
    if update.descriptor.is_some() {
        stands.descriptor.clone_from(&update.descriptor);
    }
    for member in &update.members {
        let is_same =
            |other: &&mut Entity| kind_of(other) == kind_of(member) && name_of(other).text == name_of(member).text;
        match stands.members.iter_mut().find(is_same) {
            Some(same) => entity(same, member),
            None => stands.members.push(member.clone()),
        }
    }
}

/// Changes a member; both are of one kind.
pub(super) fn entity(stands: &mut Entity, update: &Entity) {
    match (stands, update) {
        (Entity::Node(stands), Entity::Node(update)) => {
            if update.model.is_some() {
                stands.model.clone_from(&update.model);
            }
            list(&mut stands.contain, &update.contain);
            properties(&mut stands.properties, &update.properties);
        }
        (Entity::Connection(stands), Entity::Connection(update)) => {
            if update.shape.is_some() {
                stands.shape.clone_from(&update.shape);
            }
            list(&mut stands.ends, &update.ends);
            properties(&mut stands.properties, &update.properties);
        }
        (Entity::Flow(stands), Entity::Flow(update)) => {
            list(&mut stands.matches, &update.matches);
            properties(&mut stands.properties, &update.properties);
        }
        (Entity::Operation(stands), Entity::Operation(update)) => {
            if update.target.is_some() {
                stands.target.clone_from(&update.target);
            }
            if update.priority.is_some() {
                stands.priority = update.priority;
            }
            if update.condition.is_some() {
                stands.condition.clone_from(&update.condition);
            }
            list(&mut stands.actions, &update.actions);
        }
        (Entity::ConnectionPoint(stands), Entity::ConnectionPoint(update)) if update.interface.is_some() => {
            stands.interface.clone_from(&update.interface);
        }
        _ => {}
    }
}

/// A clause that the update has replaces the whole clause.
fn list<T: Clone>(stands: &mut Vec<T>, update: &[T]) {
    if !update.is_empty() {
        *stands = update.to_vec();
    }
}

fn properties(stands: &mut Vec<Property>, update: &[Property]) {
    for property in update {
        match stands.iter_mut().find(|other| other.key.text == property.key.text) {
            Some(same) => same.clone_from(property),
            None => stands.push(property.clone()),
        }
    }
}
