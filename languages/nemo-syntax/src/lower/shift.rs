//! Moves what was said before an edit to where it stands behind it.

use crate::diagnostic::Span;
use crate::script::{Condition, DescriptorRef, Entity, Model, Name, Path, Property, Statement, Value, ValueKind};

/// How far; a number that is added modulo 2³².
type By = u32;

fn span(span: &mut Span, by: By) {
    span.start = span.start.wrapping_add(by);
    span.end = span.end.wrapping_add(by);
}

fn name(name: &mut Name, by: By) {
    span(&mut name.span, by);
}

fn path(path: &mut Path, by: By) {
    span(&mut path.span, by);
    path.segments.iter_mut().for_each(|segment| name(segment, by));
}

fn value(value: &mut Value, by: By) {
    span(&mut value.span, by);
    value.unit.iter_mut().for_each(|unit| name(unit, by));
    if let ValueKind::List(values) = &mut value.kind {
        values.iter_mut().for_each(|inner| self::value(inner, by));
    }
}

fn properties(properties: &mut [Property], by: By) {
    for property in properties {
        span(&mut property.span, by);
        name(&mut property.key, by);
        value(&mut property.value, by);
    }
}

fn condition(condition: &mut Condition, by: By) {
    match condition {
        Condition::Any(parts) | Condition::All(parts) => parts.iter_mut().for_each(|part| self::condition(part, by)),
        Condition::Not(inner) => self::condition(inner, by),
        Condition::Term {
            name: compared,
            value: with,
            span: own,
            ..
        } => {
            name(compared, by);
            value(with, by);
            span(own, by);
        }
    }
}

pub(crate) fn shift_entity(entity: &mut Entity, by: By) {
    match entity {
        Entity::Node(node) => {
            name(&mut node.name, by);
            node.model.iter_mut().for_each(|model| path(model, by));
            node.contain.iter_mut().for_each(|held| path(held, by));
            properties(&mut node.properties, by);
            span(&mut node.span, by);
        }
        Entity::Connection(connection) => {
            name(&mut connection.name, by);
            connection.shape.iter_mut().for_each(|shape| name(shape, by));
            connection.ends.iter_mut().for_each(|end| path(end, by));
            properties(&mut connection.properties, by);
            span(&mut connection.span, by);
        }
        Entity::Flow(flow) => {
            name(&mut flow.name, by);
            properties(&mut flow.matches, by);
            properties(&mut flow.properties, by);
            span(&mut flow.span, by);
        }
        Entity::Operation(operation) => {
            name(&mut operation.name, by);
            operation.target.iter_mut().for_each(|target| path(target, by));
            operation.priority.iter_mut().for_each(|(_, place)| span(place, by));
            operation.condition.iter_mut().for_each(|held| condition(held, by));
            for action in &mut operation.actions {
                name(&mut action.name, by);
                action.value.iter_mut().for_each(|with| value(with, by));
                span(&mut action.span, by);
            }
            span(&mut operation.span, by);
        }
        Entity::ConnectionPoint(point) => {
            name(&mut point.name, by);
            point.interface.iter_mut().for_each(|interface| name(interface, by));
            span(&mut point.span, by);
        }
    }
}

fn model(model: &mut Model, by: By) {
    name(&mut model.name, by);
    for parameter in &mut model.parameters {
        name(&mut parameter.name, by);
        span(&mut parameter.span, by);
    }
    if let Some(DescriptorRef {
        span: place, digest, ..
    }) = &mut model.descriptor
    {
        span(place, by);
        digest.iter_mut().for_each(|digest| name(digest, by));
    }
    model.members.iter_mut().for_each(|member| shift_entity(member, by));
    span(&mut model.span, by);
}

pub(crate) fn shift_statement(statement: &mut Statement, by: By) {
    match statement {
        Statement::Model(defined) => model(defined, by),
        Statement::Instance { entity, span: own, .. } => {
            shift_entity(entity, by);
            span(own, by);
        }
        Statement::Delete {
            path: gone, span: own, ..
        } => {
            path(gone, by);
            span(own, by);
        }
        Statement::Query { what, from, span: own } => {
            name(what, by);
            from.iter_mut().for_each(|from| path(from, by));
            span(own, by);
        }
        Statement::Transaction { span: own, .. } => span(own, by),
        Statement::Notification {
            name: own_name,
            on,
            listener,
            span: own,
            ..
        } => {
            name(own_name, by);
            on.iter_mut().for_each(|on| name(on, by));
            listener.iter_mut().for_each(|listener| name(listener, by));
            span(own, by);
        }
        Statement::Reserved { keyword, span: own } => {
            name(keyword, by);
            span(own, by);
        }
    }
}
