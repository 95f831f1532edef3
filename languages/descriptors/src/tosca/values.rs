//! Values: functions evaluated, defaults filled in, everything held against the schema of its property.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};

use super::template::{NodeTemplate, Topology};
use super::types::{Constraint, Effective, Kind, Schema, Sort, Types};
use super::units;
use crate::code::Code;
use crate::diagnostic::is_like;
use crate::source::{Report, Span};
use crate::yaml::{Data, Key, Node};

/// Deepest chain of functions that lead to functions.
const FUNCTIONS_DEEP_MAX: usize = 16;

/// Most nodes that the functions of one topology may give: properties that name each other twice over would double at each step.
const EVALUATED_NODES_MAX: usize = 500_000;

/// Most unknown properties that are held against the missing ones as slips of them.
const SLIPS_MAX: usize = 32;

/// Longest text that `concat` gives, in bytes.
const CONCAT_BYTES_MAX: usize = 64 << 10;

/// What functions are evaluated against.
pub(crate) struct Env<'a> {
    pub(crate) types: &'a Types,
    pub(crate) topology: &'a Topology,
    /// Values given to the topology's inputs from outside.
    pub(crate) given: BTreeMap<String, Node>,
    /// What evaluation may still cost.
    budget: Cell<usize>,
}

impl<'a> Env<'a> {
    pub(crate) fn new(types: &'a Types, topology: &'a Topology, given: BTreeMap<String, Node>) -> Self {
        Self {
            types,
            topology,
            given,
            budget: Cell::new(EVALUATED_NODES_MAX),
        }
    }

    /// The effective properties of a node template: a map node.
    pub(crate) fn node_properties(&self, report: &mut Report, node: &NodeTemplate) -> Node {
        self.properties(
            report,
            Sort::Node,
            &node.type_name,
            node.properties.as_ref(),
            &node.name,
            node.span,
        )
    }

    /// The effective properties of anything typed: what is given, with functions evaluated and defaults filled in, checked.
    pub(crate) fn properties(
        &self,
        report: &mut Report,
        sort: Sort,
        type_name: &str,
        given: Option<&Node>,
        owner: &str,
        span: Span,
    ) -> Node {
        let given: Vec<(Key, Node)> = given.map(|node| node.entries().to_vec()).unwrap_or_default();
        let mut evaluated = Vec::new();
        for (key, value) in given {
            if let Some(value) = self.evaluate(report, &value, owner, 0) {
                evaluated.push((key, value));
            }
        }
        let schema = self.types.properties(sort, type_name);
        let open = self.types.is_open(sort, type_name);
        let title = format!("`{owner}` ({type_name})");
        let entries = self.check_entries(report, &schema, open, evaluated, &title, span);
        Node {
            span,
            data: Data::Map(entries),
        }
    }

    fn check_entries(
        &self,
        report: &mut Report,
        schema: &[(String, Effective)],
        open: bool,
        given: Vec<(Key, Node)>,
        title: &str,
        span: Span,
    ) -> Vec<(Key, Node)> {
        let mut entries = Vec::new();
        let mut unknown: Vec<String> = Vec::new();
        for (key, value) in given {
            match schema.iter().find(|(name, _)| *name == key.name) {
                // Nothing written is the same as nothing given.
                Some(_) if value.is_null() => {}
                Some((_, property)) => {
                    self.check(report, &value, &property.schema, &key.name);
                    entries.push((key, value));
                }
                None if open => entries.push((key, value)),
                None => {
                    if unknown.len() < SLIPS_MAX {
                        unknown.push(key.name.clone());
                    }
                    let help = report.candidates(&key.name, schema.iter().map(|(name, _)| name.as_str()));
                    report.error_help(
                        Code::UnknownProperty,
                        key.span,
                        format!("{title} has no property `{}`", key.name),
                        help,
                    );
                }
            }
        }
        for (name, property) in schema {
            if entries.iter().any(|(key, _)| key.name == *name) {
                continue;
            }
            match &property.default {
                Some(default) if !default.is_null() => {
                    self.check(report, default, &property.schema, name);
                    entries.push((
                        Key {
                            name: name.clone(),
                            span: default.span,
                        },
                        default.clone(),
                    ));
                }
                // A slip in the name is one fault, not two.
                _ if unknown.iter().any(|written| is_like(written, name)) => {}
                _ if property.required => {
                    let help = Some(format!("add `{name}: …`"));
                    report.error_help(
                        Code::PropertyMissing,
                        span,
                        format!("{title} needs a value for `{name}`"),
                        help,
                    );
                }
                _ => {}
            }
        }
        entries
    }

    /// Holds a value without functions against a schema.
    pub(crate) fn check(&self, report: &mut Report, value: &Node, schema: &Schema, name: &str) {
        let number = match &schema.kind {
            Kind::Any => return,
            Kind::String => {
                if value.text().is_none() {
                    return wrong_type(report, value, name, "a string");
                }
                None
            }
            Kind::Integer => match value.text().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => Some(number as f64),
                None => return wrong_type(report, value, name, "an integer"),
            },
            Kind::Float => match value
                .text()
                .and_then(|text| text.parse::<f64>().ok())
                .filter(|n| n.is_finite())
            {
                Some(number) => Some(number),
                None => return wrong_type(report, value, name, "a number"),
            },
            Kind::Boolean => {
                if boolean(value).is_none() {
                    return wrong_type(report, value, name, "true or false");
                }
                None
            }
            Kind::Scalar(example, units) => match value.text().and_then(|text| units::parse(text, units)) {
                Some(number) => Some(number),
                None => return wrong_type(report, value, name, example),
            },
            Kind::List(entry) => {
                let Data::Seq(items) = &value.data else {
                    return wrong_type(report, value, name, "a list");
                };
                items.iter().for_each(|item| self.check(report, item, entry, name));
                return self.check_length(report, value, schema, items.len(), name);
            }
            Kind::Map(entry) => {
                let Data::Map(entries) = &value.data else {
                    return wrong_type(report, value, name, "a map");
                };
                entries
                    .iter()
                    .for_each(|(key, item)| self.check(report, item, entry, &key.name));
                return self.check_length(report, value, schema, entries.len(), name);
            }
            Kind::Data(data) => return self.check_data(report, value, data, name),
        };
        self.check_constraints(report, value, schema, number, name);
    }

    fn check_data(&self, report: &mut Report, value: &Node, data: &str, name: &str) {
        if self.types.get(Sort::Data, data).is_none() {
            // SOL001's data types that are not listed here hold nothing that is read; others are the package's fault.
            if !data.starts_with("tosca.datatypes.") {
                let help = report.candidates(data, self.types.names(Sort::Data));
                report.error_help(
                    Code::UnknownType,
                    value.span,
                    format!("`{name}` is of type `{data}`, which is not defined"),
                    help,
                );
            }
            return;
        }
        let schema = self.types.properties(Sort::Data, data);
        if schema.is_empty() {
            return;
        }
        let Data::Map(entries) = &value.data else {
            return wrong_type(report, value, name, "a map");
        };
        let short = data.rsplit('.').next().unwrap_or(data);
        let open = self.types.is_open(Sort::Data, data);
        self.check_entries(
            report,
            &schema,
            open,
            entries.clone(),
            &format!("`{name}` ({short})"),
            value.span,
        );
    }

    fn check_length(&self, report: &mut Report, value: &Node, schema: &Schema, length: usize, name: &str) {
        for constraint in &schema.constraints {
            let broken = match constraint {
                Constraint::LengthAtLeast(n) if length < *n => format!("at least {n}"),
                Constraint::LengthAtMost(n) if length > *n => format!("at most {n}"),
                _ => continue,
            };
            report.error(
                Code::ConstraintViolated,
                value.span,
                format!("`{name}` must have {broken} entries; it has {length}"),
            );
        }
    }

    fn check_constraints(&self, report: &mut Report, value: &Node, schema: &Schema, number: Option<f64>, name: &str) {
        let text = value.text().unwrap_or_default();
        let operand = |text: &str| match &schema.kind {
            Kind::Scalar(_, units) => units::parse(text, units).or_else(|| text.parse().ok()),
            _ => text.parse::<f64>().ok(),
        };
        for constraint in &schema.constraints {
            let broken = match constraint {
                Constraint::OneOf(values) if !values.iter().any(|v| v == text) => {
                    let help = report.candidates(text, values.iter().map(String::as_str));
                    let message = format!("`{name}` cannot be `{text}`");
                    report.error_help(Code::ConstraintViolated, value.span, message, help);
                    continue;
                }
                Constraint::AtLeast(n) if number.zip(operand(n)).is_some_and(|(v, n)| v < n) => format!("at least {n}"),
                Constraint::MoreThan(n) if number.zip(operand(n)).is_some_and(|(v, n)| v <= n) => {
                    format!("more than {n}")
                }
                Constraint::AtMost(n) if number.zip(operand(n)).is_some_and(|(v, n)| v > n) => format!("at most {n}"),
                Constraint::LessThan(n) if number.zip(operand(n)).is_some_and(|(v, n)| v >= n) => {
                    format!("less than {n}")
                }
                Constraint::LengthAtLeast(n) if text.chars().count() < *n => format!("at least {n} characters"),
                Constraint::LengthAtMost(n) if text.chars().count() > *n => format!("at most {n} characters"),
                _ => continue,
            };
            report.error(
                Code::ConstraintViolated,
                value.span,
                format!("`{name}` must be {broken}; it is `{text}`"),
            );
        }
    }

    /// A value with its functions replaced by what they give. `None` after an error.
    pub(crate) fn evaluate(&self, report: &mut Report, value: &Node, owner: &str, depth: usize) -> Option<Node> {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        if depth > FUNCTIONS_DEEP_MAX || left == 0 {
            report.error(
                Code::FunctionUnsupported,
                value.span,
                "functions lead to functions without an end",
            );
            return None;
        }
        let data = match &value.data {
            Data::Map(entries) if entries.len() == 1 && is_function(&entries[0].0.name) => {
                return self.call(report, &entries[0].0, &entries[0].1, owner, depth);
            }
            Data::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                for (key, item) in entries {
                    all.push((key.clone(), self.evaluate(report, item, owner, depth)?));
                }
                Data::Map(all)
            }
            Data::Seq(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.push(self.evaluate(report, item, owner, depth)?);
                }
                Data::Seq(all)
            }
            other => other.clone(),
        };
        Some(Node { span: value.span, data })
    }

    fn call(&self, report: &mut Report, function: &Key, argument: &Node, owner: &str, depth: usize) -> Option<Node> {
        match function.name.as_str() {
            "get_input" => {
                let name = argument
                    .text()
                    .or_else(|| argument.items().first().and_then(Node::text))
                    .unwrap_or_default();
                if let Some(value) = self.given.get(name) {
                    return Some(Node {
                        span: argument.span,
                        data: value.data.clone(),
                    });
                }
                let declared = self.topology.inputs.iter().find(|(key, _)| key.name == name);
                match declared.map(|(_, input)| input.get("default")) {
                    Some(Some(default)) => {
                        let value = self.evaluate(report, default, owner, depth + 1)?;
                        Some(Node {
                            span: argument.span,
                            data: value.data,
                        })
                    }
                    Some(None) => {
                        let message = format!("input `{name}` has no default, and nothing gives it a value");
                        report.error(Code::InputUnknown, argument.span, message);
                        None
                    }
                    None => {
                        let help =
                            report.candidates(name, self.topology.inputs.iter().map(|(key, _)| key.name.as_str()));
                        report.error_help(
                            Code::InputUnknown,
                            argument.span,
                            format!("there is no input `{name}`"),
                            help,
                        );
                        None
                    }
                }
            }
            "get_property" => {
                let path: Vec<&str> = argument.items().iter().filter_map(Node::text).collect();
                let [node, rest @ ..] = path.as_slice() else {
                    return unusable(report, function, argument);
                };
                let node = self.topology.node(if *node == "SELF" { owner } else { node });
                let mut at = node.and_then(|node| node.properties.as_ref());
                for step in rest {
                    at = at.and_then(|value| match step.parse::<usize>() {
                        Ok(index) => value.items().get(index),
                        Err(_) => value.get(step),
                    });
                }
                match at {
                    Some(found) if !rest.is_empty() => self.evaluate(report, found, owner, depth + 1),
                    _ => unusable(report, function, argument),
                }
            }
            "concat" => {
                let mut text = String::new();
                for item in argument.items() {
                    let item = self.evaluate(report, item, owner, depth + 1)?;
                    let Some(part) = item.text() else {
                        return unusable(report, function, argument);
                    };
                    text.push_str(part);
                    if text.len() > CONCAT_BYTES_MAX {
                        return unusable(report, function, argument);
                    }
                }
                Some(Node::scalar(text, argument.span))
            }
            _ => unusable(report, function, argument),
        }
    }
}

/// Maps laid over each other: of a key that stands in several, the last one holds.
pub(crate) fn layered<'a>(span: Span, layers: impl Iterator<Item = &'a Node>) -> Node {
    let mut merged: Vec<(Key, Node)> = Vec::new();
    for layer in layers {
        let names: HashSet<&str> = layer.entries().iter().map(|(key, _)| key.name.as_str()).collect();
        merged.retain(|(key, _)| !names.contains(key.name.as_str()));
        merged.extend(layer.entries().iter().cloned());
    }
    Node {
        span,
        data: Data::Map(merged),
    }
}

fn is_function(name: &str) -> bool {
    let functions = [
        "get_input",
        "get_property",
        "get_attribute",
        "get_operation_output",
        "get_nodes_of_type",
        "get_artifact",
        "concat",
    ];
    functions.contains(&name)
}

fn unusable(report: &mut Report, function: &Key, argument: &Node) -> Option<Node> {
    report.error(
        Code::FunctionUnsupported,
        argument.span,
        format!("`{}` leads to no value that a descriptor can hold", function.name),
    );
    None
}

fn wrong_type(report: &mut Report, value: &Node, name: &str, wanted: &str) {
    let found = value
        .text()
        .map_or_else(|| value.kind().to_owned(), |text| format!("`{text}`"));
    report.error(
        Code::WrongValueType,
        value.span,
        format!("`{name}` must be {wanted}; this is {found}"),
    );
}

// reading checked values: `None` where a fault was already reported

pub(crate) fn boolean(node: &Node) -> Option<bool> {
    match node.text()? {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

impl Node {
    /// The node at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text of a key; empty when there is none.
    pub(crate) fn str_of(&self, key: &str) -> String {
        self.get(key).and_then(Node::text).unwrap_or_default().to_owned()
    }

    pub(crate) fn text_of(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Node::text).map(str::to_owned)
    }

    pub(crate) fn u32_of(&self, key: &str) -> Option<u32> {
        self.get(key)?.text()?.parse().ok()
    }

    pub(crate) fn u64_of(&self, key: &str) -> Option<u64> {
        self.get(key)?.text()?.parse().ok()
    }

    pub(crate) fn bool_of(&self, key: &str) -> Option<bool> {
        boolean(self.get(key)?)
    }

    pub(crate) fn texts_of(&self, key: &str) -> Vec<String> {
        let items = self.get(key).map(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::text).map(str::to_owned).collect()
    }

    /// A size in bytes, rounded up.
    pub(crate) fn bytes_of(&self, key: &str) -> Option<u64> {
        units::parse(self.get(key)?.text()?, units::SIZE).map(|bytes| bytes.ceil() as u64)
    }

    /// A time in microseconds, rounded up.
    pub(crate) fn micros_of(&self, key: &str) -> Option<u64> {
        units::parse(self.get(key)?.text()?, units::TIME).map(|nanos| (nanos / 1e3).ceil() as u64)
    }
}
