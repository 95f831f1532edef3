//! Nodes: their models, the arguments of these, and groups.

use super::look::{Look, Target};
use crate::body::{Given, is_group, model_of};
use crate::code;
use crate::demand::Demand;
use crate::nearest::nearest;
use crate::report::{Sure, Tell, listed, told};
use crate::signature::{ParameterSignature, Signature};
use crate::statements::MemberKind;
use crate::values::shown;
use manifold_nemo_syntax::diagnostic::Diagnostic;
use manifold_nemo_syntax::script::{DeleteKind, Name, Node, ParameterKind, Property, Value, ValueKind};
use std::sync::Arc;

/// Properties of nodes that mean something without the model's asking for them, or that OpenDaylight knows.
const NODE_PROPERTIES: [&str; 10] = [
    "location",
    "zone",
    "name",
    "description",
    "operating-mode",
    "mac-address",
    "ip-address",
    "ip-prefix",
    "gateway-ip",
    "capacity",
];

/// Types that OpenDaylight has built in and that are no models here, with what to write instead.
const BUILT_IN_TYPES: [(&str, &str); 4] = [
    ("l2-group", "join the nodes by a connection of type mesh"),
    ("l3-group", "join the nodes by a connection of type mesh"),
    ("ext-group", "what is outside is reached by a connection point"),
    ("chain-group", "say with Contain which nodes it stands for"),
];

impl<'a> Look<'a> {
    pub(super) fn nodes(&mut self) {
        let body = self.body;
        for (at, node) in body.nodes.iter().enumerate() {
            let signature = if is_group(node) { None } else { self.model(at, node) };
            self.models.push(signature);
        }
        for (at, node) in body.nodes.iter().enumerate() {
            self.contained(at, node);
            self.keys_once(&node.properties);
            match self.models[at].clone() {
                Some(signature) => self.node_arguments(at, node, &signature),
                None => node
                    .properties
                    .iter()
                    .for_each(|property| self.any_value(&property.value)),
            }
        }
    }

    fn model(&mut self, at: usize, node: &'a Node) -> Option<Arc<Signature>> {
        let Some(path) = &node.model else {
            self.report.push(
                told(
                    code::NODE_TYPE,
                    node.name.span,
                    format!("the node `{}` has no Type", node.name.text),
                )
                .help("write `Type` and the name of a model"),
            );
            return None;
        };
        let Some(name) = model_of(node) else {
            let message = "a model has one name, without `:` and `.`";
            self.report.push(told(code::MODEL_UNKNOWN, path.span, message));
            return None;
        };
        let signature = self.world.signature(&name.text).cloned();
        self.uses.insert(&name.text, signature.clone());
        match &signature {
            Some(_) => self.means(name.span, Target::ModelOf(at)),
            None => {
                let found = self.unknown_model(name);
                self.report.push(found);
                // What is near, and what the world knows of it, may change without this text.
                self.report.points_elsewhere = true;
            }
        }
        signature
    }

    fn unknown_model(&self, name: &Name) -> Diagnostic {
        let mut found = told(
            code::MODEL_UNKNOWN,
            name.span,
            format!("there is no model `{}`", name.text),
        );
        if let Some(deleted) = self.world.deleted(DeleteKind::NodeModel, &name.text) {
            return found.label(deleted, "it is deleted here");
        }
        if let Some((_, help)) = BUILT_IN_TYPES.iter().find(|(built_in, _)| *built_in == name.text) {
            return found.help(format!(
                "the types that OpenDaylight has built in are no models here: {help}"
            ));
        }
        found = found.help(format!(
            "define it with `CREATE NodeModel {}`, or give the file that does along with this one",
            name.text
        ));
        match nearest(&name.text, self.world.model_names()) {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found,
        }
    }

    fn contained(&mut self, at: usize, node: &Node) {
        for path in &node.contain {
            let [name] = path.segments.as_slice() else {
                let message = "Contain names nodes of the same body";
                self.report.push(told(code::CONTAIN, path.span, message));
                continue;
            };
            match self.names.nodes.get(name.text.as_str()).copied() {
                Some(inner) if inner == at => {
                    let message = format!("the node `{}` cannot contain itself", name.text);
                    self.report.push(told(code::CONTAIN, name.span, message));
                }
                Some(inner) => {
                    self.means(name.span, Target::Member(MemberKind::Node, inner));
                    if is_group(&self.body.nodes[inner]) {
                        let message = format!("`{}` is a group, and groups do not hold groups", name.text);
                        self.report
                            .push(told(code::CONTAIN, name.span, message).help("name its nodes instead"));
                    }
                }
                None => {
                    let found = self.unknown_node(name);
                    self.report.push(found);
                }
            }
        }
        if !node.contain.is_empty() && !is_group(node) && self.models[at].is_some() {
            let message = format!(
                "the inside of the node `{}` is that of its model, so Contain says nothing",
                node.name.text
            );
            self.report
                .push(told(code::PROPERTY, node.contain[0].span, message).help("leave Contain out, or Type"));
        }
    }

    /// A name that is none of a node, with what may have been meant.
    pub(super) fn unknown_node(&self, name: &Name) -> Diagnostic {
        let found = told(
            code::NODE_UNKNOWN,
            name.span,
            format!("there is no node `{}` here", name.text),
        );
        if self.body.is_root()
            && let Some(deleted) = self.world.deleted(DeleteKind::Node, &name.text)
        {
            return found.label(deleted, "it is deleted here");
        }
        let of_model = self
            .body
            .nodes
            .iter()
            .find(|node| model_of(node).is_some_and(|model| model.text == name.text));
        if let Some(node) = of_model {
            return found
                .help(format!(
                    "`{}` is a model; the node of that type is `{}`",
                    name.text, node.name.text
                ))
                .replace(
                    format!("write `{}`", node.name.text),
                    name.span,
                    node.name.text.clone(),
                    Sure::No,
                );
        }
        match nearest(&name.text, self.names.nodes.keys().copied()) {
            Some(near) => found.replace(format!("write `{near}`"), name.span, near, Sure::No),
            None => found.help(match self.body.nodes.len() {
                0 => "this body has no nodes".to_owned(),
                _ => format!(
                    "the nodes are {}",
                    listed(self.body.nodes.iter().map(|node| node.name.text.as_str()))
                ),
            }),
        }
    }

    fn node_arguments(&mut self, at: usize, node: &Node, signature: &Signature) {
        let is_given =
            |parameter: &ParameterSignature| node.properties.iter().any(|given| given.key.text == parameter.name);
        let mut missing: Vec<&str> = signature
            .parameters
            .iter()
            .filter(|parameter| !is_given(parameter))
            .map(|parameter| parameter.name.as_str())
            .collect();
        for property in &node.properties {
            let key = property.key.text.as_str();
            match signature.parameters.iter().position(|parameter| parameter.name == key) {
                Some(parameter) => {
                    self.means(property.key.span, Target::ParameterOf(at, parameter));
                    self.argument(node, property, &signature.parameters[parameter]);
                }
                None => {
                    self.any_value(&property.value);
                    if NODE_PROPERTIES.contains(&key) {
                        continue;
                    }
                    match nearest(key, missing.iter().copied()) {
                        Some(near) => {
                            let near = near.to_owned();
                            let found = self.unknown_argument(node, property, signature, &near);
                            self.report.push(found);
                            missing.retain(|name| *name != near);
                        }
                        None => {
                            let found = unknown_property("node", property, &NODE_PROPERTIES);
                            self.report.push(found);
                        }
                    }
                }
            }
        }
        if let Some(first) = missing.first() {
            let noun = if missing.len() == 1 { "parameter" } else { "parameters" };
            let model = node_model_name(node);
            let mut found = told(
                code::ARGUMENT_MISSING,
                node.name.span,
                format!(
                    "the node `{}` gives no value to the {noun} {} of `{model}`",
                    node.name.text,
                    listed(missing.iter().copied())
                ),
            )
            .help(format!("write `Property {first}: …`"));
            if let Some(place) = self.world.parameter(model, first) {
                found = found.label(place, format!("`{first}` is wanted here"));
            }
            self.report.push(found);
        }
    }

    fn unknown_argument(&self, node: &Node, property: &Property, signature: &Signature, near: &str) -> Diagnostic {
        let model = node_model_name(node);
        let parameters = listed(signature.parameters.iter().map(|parameter| parameter.name.as_str()));
        let found = told(
            code::ARGUMENT_UNKNOWN,
            property.key.span,
            format!(
                "`{model}` has no parameter `{}`, and lacks a value for `{near}`",
                property.key.text
            ),
        )
        .help(format!("the parameters of `{model}` are {parameters}"))
        .replace(format!("write `{near}`"), property.key.span, near, Sure::No);
        match self.world.parameter(model, near) {
            Some(place) => found.label(place, format!("`{near}` is wanted here")),
            None => found,
        }
    }

    /// An argument: of the parameter's type, and good for every place where the parameter is used.
    fn argument(&mut self, node: &Node, property: &Property, parameter: &ParameterSignature) {
        let value = &property.value;
        if let Given::Parameter(own) = self.arguments.given(value) {
            self.parameter_used(own, value.span, None);
            for demand in &parameter.demands {
                self.signature.demand(own, demand.clone());
            }
            let ours = self.body.parameters[own].kind;
            if let (Some(ours), Some(wanted)) = (ours, parameter.kind)
                && !fits(ours, wanted)
            {
                let message = format!(
                    "`{}` is {}, and `{}` is {}",
                    shown(value),
                    with_article(ours),
                    parameter.name,
                    with_article(wanted)
                );
                let found = told(code::ARGUMENT_TYPE, value.span, message)
                    .label(self.body.parameters[own].span, "declared here");
                self.report.push(found);
            }
            return;
        }
        self.any_value(value);
        if let Some(found) = wrong_type(value, parameter) {
            let found = match self.world.parameter(node_model_name(node), &parameter.name) {
                Some(place) => found.label(place, "declared here"),
                None => found,
            };
            self.report.push(found);
            return;
        }
        for demand in &parameter.demands {
            let Some(problem) = demand.check(value) else { continue };
            let wants = match demand {
                Demand::Interface(_) => "this names an interface",
                Demand::Match(_) => "this is matched by a flow",
                Demand::Bandwidth(..) => "this is a rate",
                Demand::Precedence => "this is a precedence",
                Demand::Prefix => "this is an address or a prefix",
                Demand::Moment(..) => "this is a moment",
                Demand::Number => "this is a number",
            };
            let found = problem.at(value.span);
            let found = match self.world.parameter(node_model_name(node), &parameter.name) {
                Some(place) => found.label(place, wants),
                None => found,
            };
            self.report.push(found);
            return;
        }
    }
}

/// The model's name as it stands in the node.
fn node_model_name(node: &Node) -> &str {
    model_of(node).map_or("", |name| &name.text)
}

fn fits(given: ParameterKind, wanted: ParameterKind) -> bool {
    let takes_text = matches!(wanted, ParameterKind::String | ParameterKind::Reserved);
    given == wanted || takes_text && given != ParameterKind::Range || given == ParameterKind::Reserved
}

fn with_article(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::String => "a string",
        ParameterKind::Integer => "an integer",
        ParameterKind::Range => "a range",
        ParameterKind::Reserved => "of a reserved type",
    }
}

fn wrong_type(value: &Value, parameter: &ParameterSignature) -> Option<Diagnostic> {
    let wanted = match (parameter.kind?, &value.kind) {
        (ParameterKind::String, ValueKind::Text(_) | ValueKind::Integer(_)) => return None,
        (ParameterKind::Integer, ValueKind::Integer(_)) => return None,
        (ParameterKind::Range, ValueKind::Range(first, last)) if first <= last => return None,
        (ParameterKind::Reserved, _) => return None,
        (ParameterKind::String, _) => "a string",
        (ParameterKind::Integer, _) => "a whole number",
        (ParameterKind::Range, ValueKind::Range(..)) => "a range that ends where it begins or after that",
        (ParameterKind::Range, _) => "a range: `(1, 5)`",
    };
    let message = format!("`{}` wants {wanted}, and `{}` is none", parameter.name, shown(value));
    let found = told(code::ARGUMENT_TYPE, value.span, message);
    match (&value.kind, parameter.kind) {
        (ValueKind::Text(text), Some(ParameterKind::Integer)) if text.parse::<i64>().is_ok() => {
            Some(found.replace("write the number without quotes", value.span, text.clone(), Sure::Yes))
        }
        _ => Some(found),
    }
}

/// A property that nothing here knows.
pub(super) fn unknown_property(noun: &str, property: &Property, known: &[&str]) -> Diagnostic {
    let message = format!(
        "nothing is known of a property `{}` of a {noun}; it is kept and has no effect",
        property.key.text
    );
    let found = told(code::PROPERTY, property.key.span, message);
    match nearest(&property.key.text, known.iter().copied()) {
        Some(near) => found.replace(format!("write `{near}`"), property.key.span, near, Sure::No),
        None => found.help(format!("known are {}", listed(known.iter().copied()))),
    }
}
