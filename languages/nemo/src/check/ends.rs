//! What the end of a connection names: a connection point of the body itself, a node with one connection point, or `node:point`.

use super::look::{Look, Target};
use crate::body::{is_group, model_of};
use crate::code;
use crate::nearest::nearest;
use crate::nets::End;
use crate::report::{Sure, Tell, listed, told};
use crate::statements::MemberKind;
use manifold_nemo_syntax::diagnostic::{Diagnostic, Span};
use manifold_nemo_syntax::script::{DeleteKind, Name, Path};

/// What an end names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// One place.
    End(End),
    /// A node, and which of its connection points is open.
    Node(usize),
}

impl Look<'_> {
    /// Looks an end up: own connection point, own node, then `node:point`.
    pub(super) fn end(&mut self, path: &Path) -> Option<Named> {
        match path.segments.as_slice() {
            [name] => self.short_end(name),
            [node, point] => self.end_at(node, point).map(Named::End),
            [node, ..] => {
                let mut found = told(
                    code::ENDPOINT,
                    path.span,
                    "an end is a connection point, a node, or `node:point`",
                );
                if self.names.nodes.contains_key(node.text.as_str()) {
                    found = found.help(format!(
                        "what is inside of the node `{}` cannot be reached from here; give its model a connection point",
                        node.text
                    ));
                }
                self.report.push(found);
                None
            }
            [] => None,
        }
    }

    fn short_end(&mut self, name: &Name) -> Option<Named> {
        if let Some(point) = self.names.points.get(name.text.as_str()).copied() {
            self.means(name.span, Target::Member(MemberKind::ConnectionPoint, point));
            return Some(Named::End(End::Own(point)));
        }
        if let Some(node) = self.names.nodes.get(name.text.as_str()).copied() {
            self.means(name.span, Target::Member(MemberKind::Node, node));
            if is_group(&self.body.nodes[node]) {
                let found = self.group_end(name, node);
                self.report.push(found);
                return None;
            }
            return Some(Named::Node(node));
        }
        let found = self.unknown_end(name);
        self.report.push(found);
        None
    }

    fn group_end(&self, name: &Name, node: usize) -> Diagnostic {
        let members = self.body.nodes[node]
            .contain
            .iter()
            .filter_map(|path| path.segments.first());
        told(
            code::ENDPOINT,
            name.span,
            format!("`{}` is a group and has no connection points", name.text),
        )
        .help(format!(
            "connect a node of it: {}",
            listed(members.map(|member| member.text.as_str()))
        ))
    }

    fn unknown_end(&self, name: &Name) -> Diagnostic {
        let message = format!("there is no connection point and no node `{}` here", name.text);
        let found = told(code::ENDPOINT, name.span, message);
        if self.body.is_root() {
            let deleted = self.world.deleted(DeleteKind::Node, &name.text);
            if let Some(place) = deleted.or_else(|| self.world.deleted(DeleteKind::ConnectionPoint, &name.text)) {
                return found.label(place, "it is deleted here");
            }
        }
        let points = self.names.points.keys().copied();
        match nearest(&name.text, points.chain(self.names.nodes.keys().copied())) {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found.help(format!(
                "the connection points are {}, the nodes {}",
                listed(self.body.points.iter().map(|point| point.name.text.as_str())),
                listed(self.body.nodes.iter().map(|node| node.name.text.as_str()))
            )),
        }
    }

    fn end_at(&mut self, node: &Name, point: &Name) -> Option<End> {
        let Some(at) = self.names.nodes.get(node.text.as_str()).copied() else {
            let found = self.unknown_node(node);
            self.report.push(found);
            return None;
        };
        self.means(node.span, Target::Member(MemberKind::Node, at));
        if is_group(&self.body.nodes[at]) {
            let found = self.group_end(node, at);
            self.report.push(found);
            return None;
        }
        let signature = self.models[at].clone()?;
        if let Some(point_at) = signature.point(&point.text) {
            self.means(point.span, Target::PointOf(at, point_at));
            return Some(End::Node(at, point_at));
        }
        let model = model_of(&self.body.nodes[at]).map_or("", |model| &model.text);
        let found = told(
            code::POINT_UNKNOWN,
            point.span,
            format!(
                "the node `{}` of type `{model}` has no connection point `{}`",
                node.text, point.text
            ),
        );
        let list = match signature.points.len() {
            0 => "it has none".to_owned(),
            _ => format!("it has {}", listed(signature.point_names())),
        };
        let mut found = found.help(list);
        if let Some(place) = self.world.model_place(model) {
            found = found.label(place, "its model");
        }
        self.report.push(match nearest(&point.text, signature.point_names()) {
            Some(near) => found.replace(format!("write `{near}`"), point.span, near, Sure::No),
            None => found,
        });
        None
    }

    /// The one connection point that a node without `:point` can mean.
    pub(super) fn only_point(&mut self, node: usize, span: Span) -> Option<End> {
        let signature = self.models[node].clone()?;
        if let [_] = signature.points.as_slice() {
            return Some(End::Node(node, 0));
        }
        let name = &self.body.nodes[node].name.text;
        let found = match signature.points.len() {
            0 => {
                let model = model_of(&self.body.nodes[node]).map_or("", |model| &model.text);
                let found = told(
                    code::ENDPOINT,
                    span,
                    format!("the node `{name}` has no connection point"),
                );
                match self.world.model_place(model) {
                    Some(place) => found.label(place, "its model has none"),
                    None => found,
                }
            }
            several => {
                let candidates: Vec<String> = signature.point_names().map(|point| format!("{name}:{point}")).collect();
                told(
                    code::ENDPOINT,
                    span,
                    format!("the node `{name}` has {several} connection points"),
                )
                .help(format!("say which: {}", listed(candidates.iter().map(String::as_str))))
            }
        };
        self.report.push(found);
        None
    }
}
