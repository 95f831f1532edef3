//! Types: SOL001's own, built in, and those that a package derives from them.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::units::{self, Units};
use crate::code::Code;
use crate::source::{Report, Span};
use crate::yaml::Node;

/// Longest chain of `derived_from`.
const ANCESTORS_MAX: usize = 32;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    pub(crate) kind: Kind,
    pub(crate) constraints: Vec<Constraint>,
}

/// Kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Any,
    String,
    Integer,
    Float,
    Boolean,
    Scalar(&'static str, Units),
    List(Box<Schema>),
    Map(Box<Schema>),
    Data(String),
}

/// A constraint. Operands stay text: what they are worth depends on the kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constraint {
    OneOf(Vec<String>),
    AtLeast(String),
    MoreThan(String),
    AtMost(String),
    LessThan(String),
    LengthAtLeast(usize),
    LengthAtMost(usize),
}

/// A property of a type.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    /// `None`: refines the parent's property without giving a type.
    pub(crate) schema: Option<Schema>,
    pub(crate) extra_constraints: Vec<Constraint>,
    /// `None`: as the parent says; required where no parent says anything, as TOSCA has it.
    pub(crate) required: Option<bool>,
    pub(crate) default: Option<Node>,
}

/// A requirement of a node type.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// Types that the target must derive from; empty: any.
    pub(crate) targets: Vec<String>,
}

/// A type of any sort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Type {
    pub(crate) parent: Option<String>,
    pub(crate) open: bool,
    pub(crate) properties: Vec<(String, Property)>,
    pub(crate) requirements: Vec<Requirement>,
    /// Capability → data type of its properties.
    pub(crate) capabilities: Vec<(String, String)>,
    pub(crate) span: Option<Span>,
}

/// A property as it holds for a type, all ancestors counted in.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    pub(crate) schema: Schema,
    pub(crate) required: bool,
    pub(crate) default: Option<Node>,
}

/// Sorts of types. Names are unique within a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    Node,
    Data,
    Policy,
    Group,
    Artifact,
}

/// All types that a package may use.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    pub(super) all: HashMap<(Sort, String), Type>,
}

impl Types {
    pub(crate) fn builtin() -> Self {
        static BUILTIN: OnceLock<HashMap<(Sort, String), Type>> = OnceLock::new();
        Self {
            all: BUILTIN
                .get_or_init(|| super::builtin::read(include_str!("builtin.txt")))
                .clone(),
        }
    }

    pub(crate) fn get(&self, sort: Sort, name: &str) -> Option<&Type> {
        self.all.get(&(sort, name.to_owned()))
    }

    /// Names of a sort, for candidates.
    pub(crate) fn names(&self, sort: Sort) -> impl Iterator<Item = &str> {
        self.all
            .keys()
            .filter(move |(s, _)| *s == sort)
            .map(|(_, name)| name.as_str())
    }

    /// The type and its ancestors, nearest first.
    pub(crate) fn chain(&self, sort: Sort, name: &str) -> Vec<(&str, &Type)> {
        let mut chain: Vec<(&str, &Type)> = Vec::new();
        let mut at = self.all.get_key_value(&(sort, name.to_owned()));
        while let Some(((_, name), found)) = at.filter(|_| chain.len() < ANCESTORS_MAX) {
            chain.push((name, found));
            at = found
                .parent
                .as_ref()
                .and_then(|parent| self.all.get_key_value(&(sort, parent.clone())));
        }
        chain
    }

    pub(crate) fn is_a(&self, sort: Sort, name: &str, ancestor: &str) -> bool {
        name == ancestor
            || self
                .chain(sort, name)
                .iter()
                .any(|(n, t)| *n == ancestor || t.parent.as_deref() == Some(ancestor))
    }

    /// Properties of a type with what its ancestors say, nearest definition first.
    pub(crate) fn properties(&self, sort: Sort, name: &str) -> Vec<(String, Effective)> {
        let mut all: Vec<(String, Effective)> = Vec::new();
        for (_, t) in self.chain(sort, name).into_iter().rev() {
            for (name, property) in &t.properties {
                let old = all.iter().position(|(n, _)| n == name);
                let before = old.map(|at| all[at].1.clone());
                let mut schema = match (&property.schema, &before) {
                    (Some(schema), _) => schema.clone(),
                    (None, Some(before)) => before.schema.clone(),
                    (None, None) => Schema {
                        kind: Kind::Any,
                        constraints: vec![],
                    },
                };
                schema.constraints.extend(property.extra_constraints.iter().cloned());
                let required = property
                    .required
                    .or(before.as_ref().map(|b| b.required))
                    .unwrap_or(true);
                let default = property.default.clone().or(before.and_then(|b| b.default));
                let effective = Effective {
                    schema,
                    required,
                    default,
                };
                match old {
                    Some(at) => all[at].1 = effective,
                    None => all.push((name.clone(), effective)),
                }
            }
        }
        all
    }

    /// Whether values may hold more than is listed.
    pub(crate) fn is_open(&self, sort: Sort, name: &str) -> bool {
        self.chain(sort, name).iter().any(|(_, t)| t.open)
    }

    pub(crate) fn requirements(&self, name: &str) -> Vec<&Requirement> {
        let mut all: Vec<&Requirement> = Vec::new();
        for (_, t) in self.chain(Sort::Node, name) {
            for requirement in &t.requirements {
                if !all.iter().any(|r| r.name == requirement.name) {
                    all.push(requirement);
                }
            }
        }
        all
    }

    pub(crate) fn capability(&self, node_type: &str, capability: &str) -> Option<&str> {
        let chain = self.chain(Sort::Node, node_type);
        chain
            .into_iter()
            .flat_map(|(_, t)| &t.capabilities)
            .find(|(name, _)| name == capability)
            .map(|(_, data)| data.as_str())
    }

    /// Takes in the type sections of one file.
    pub(crate) fn add_file(&mut self, report: &mut Report, root: &Node) {
        let sections = [
            ("node_types", Sort::Node),
            ("data_types", Sort::Data),
            ("policy_types", Sort::Policy),
            ("group_types", Sort::Group),
            ("artifact_types", Sort::Artifact),
        ];
        for (section, sort) in sections {
            let Some(types) = root.get(section) else { continue };
            super::template::expect_map(report, types, section);
            for (key, definition) in types.entries() {
                let name = (sort, key.name.clone());
                match self.all.get(&name) {
                    Some(Type { span: Some(first), .. }) => {
                        let first = report.place(*first);
                        let message = format!(
                            "type `{}` is already defined in {}:{}",
                            key.name, first.file, first.line
                        );
                        report.error(Code::DefinedTwice, key.span, message);
                    }
                    // A package may carry SOL001's own definitions; the built-in ones hold.
                    Some(_) => {}
                    None => {
                        super::template::expect_map(report, definition, "a type");
                        let t = read_type(report, sort, definition, key.span);
                        self.all.insert(name, t);
                    }
                }
            }
        }
    }

    /// Reports parents that do not exist and circles. To be called when all files are in.
    pub(crate) fn check_parents(&mut self, report: &mut Report) {
        let mut bad: Vec<(Sort, String, Span, String, Option<String>)> = Vec::new();
        for ((sort, name), t) in &self.all {
            let (Some(span), Some(parent)) = (t.span, &t.parent) else {
                continue;
            };
            // Only what descriptors are read from is built in: other sorts may derive from the rest of TOSCA.
            let known_root = !matches!(sort, Sort::Node) && (parent.starts_with("tosca.") || !parent.contains('.'));
            if self.get(*sort, parent).is_none() && !known_root {
                let help = report.candidates(parent, self.names(*sort));
                bad.push((
                    *sort,
                    name.clone(),
                    span,
                    format!("`{name}` derives from `{parent}`, which is defined nowhere"),
                    help,
                ));
            }
            let mut seen = vec![name.as_str()];
            let mut at = Some(parent.as_str());
            while let Some(p) = at {
                if seen.contains(&p) {
                    bad.push((
                        *sort,
                        name.clone(),
                        span,
                        format!("`{name}` derives from itself: {} → {p}", seen.join(" → ")),
                        None,
                    ));
                    break;
                }
                seen.push(p);
                at = self.get(*sort, p).and_then(|t| t.parent.as_deref());
            }
        }
        bad.sort_by(|a, b| (a.2.file, a.2.line, &a.3).cmp(&(b.2.file, b.2.line, &b.3)));
        for (sort, name, span, message, help) in bad {
            report.error_help(Code::BadDerivation, span, message, help);
            if let Some(t) = self.all.get_mut(&(sort, name)) {
                t.parent = None;
                t.open = true;
            }
        }
    }
}

fn read_type(report: &mut Report, sort: Sort, definition: &Node, span: Span) -> Type {
    let mut t = Type {
        span: Some(span),
        ..Type::default()
    };
    t.parent = definition.get("derived_from").and_then(Node::text).map(str::to_owned);
    // A data type without properties of its own says nothing about its values.
    if let Some(properties) = definition.get("properties") {
        super::template::expect_map(report, properties, "properties");
        for (key, property) in properties.entries() {
            t.properties.push((key.name.clone(), read_property(report, property)));
        }
    } else if sort == Sort::Data {
        t.open = true;
    }
    if let Some(requirements) = definition.get("requirements").filter(|r| !r.is_null()) {
        for item in requirements.items() {
            for (key, body) in item.entries() {
                let least = body
                    .get("occurrences")
                    .and_then(|o| o.items().first())
                    .and_then(Node::text);
                // TOSCA's default is [1, 1]; SOL001 leaves the requirement of a VNF open all the same, so only what is
                // written counts.
                let required = least.is_some_and(|n| n != "0");
                let target = body.get("node").and_then(Node::text).map(str::to_owned);
                t.requirements.push(Requirement {
                    name: key.name.clone(),
                    required,
                    targets: target.into_iter().collect(),
                });
            }
        }
        if requirements.items().is_empty() && !matches!(&requirements.data, crate::yaml::Data::Seq(_)) {
            report.error_help(
                Code::WrongShape,
                requirements.span,
                format!("requirements are a list; this is {}", requirements.kind()),
                Some("write `- name: { capability: … }`".into()),
            );
        }
    }
    t
}

fn read_property(report: &mut Report, property: &Node) -> Property {
    let constraints = read_constraints(report, property.get("constraints"));
    let schema = property
        .get("type")
        .and_then(Node::text)
        .map(|name| read_schema(report, name, property));
    let required = property
        .get("required")
        .and_then(Node::text)
        .map(|text| text.eq_ignore_ascii_case("true"));
    Property {
        schema,
        extra_constraints: constraints,
        required,
        default: property.get("default").cloned(),
    }
}

fn read_schema(report: &mut Report, name: &str, property: &Node) -> Schema {
    let entry = |report: &mut Report| match property.get("entry_schema") {
        Some(entry) => {
            let name = entry
                .text()
                .or_else(|| entry.get("type").and_then(Node::text))
                .unwrap_or("any");
            let mut schema = read_schema(report, name, entry);
            schema
                .constraints
                .extend(read_constraints(report, entry.get("constraints")));
            schema
        }
        None => Schema {
            kind: Kind::Any,
            constraints: vec![],
        },
    };
    let kind = match name {
        "list" => Kind::List(Box::new(entry(report))),
        "map" => Kind::Map(Box::new(entry(report))),
        other => plain_kind(other),
    };
    Schema {
        kind,
        constraints: vec![],
    }
}

pub(super) fn plain_kind(name: &str) -> Kind {
    match name {
        "string" | "timestamp" | "version" => Kind::String,
        "integer" => Kind::Integer,
        "float" => Kind::Float,
        "boolean" => Kind::Boolean,
        "scalar-unit.size" | "size" => Kind::Scalar("a size like `512 MiB`", units::SIZE),
        "scalar-unit.time" | "time" => Kind::Scalar("a time like `10 s`", units::TIME),
        "scalar-unit.frequency" | "frequency" => Kind::Scalar("a frequency like `2 GHz`", units::FREQUENCY),
        "scalar-unit.bitrate" | "bitrate" => Kind::Scalar("a bit rate like `10 Mbps`", units::BITRATE),
        "any" | "json" | "xml" | "range" | "map" | "list" => Kind::Any,
        data if data.contains('.') => Kind::Data(data.to_owned()),
        data => Kind::Data(format!("tosca.datatypes.nfv.{data}")),
    }
}

fn read_constraints(report: &mut Report, constraints: Option<&Node>) -> Vec<Constraint> {
    let mut read = Vec::new();
    let Some(constraints) = constraints else { return read };
    for item in constraints.items() {
        for (key, operand) in item.entries() {
            let text = operand.text().unwrap_or_default().to_owned();
            let texts = || {
                operand
                    .items()
                    .iter()
                    .filter_map(Node::text)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            match key.name.as_str() {
                "valid_values" => read.push(Constraint::OneOf(texts())),
                "equal" => read.push(Constraint::OneOf(vec![text])),
                "greater_or_equal" => read.push(Constraint::AtLeast(text)),
                "greater_than" => read.push(Constraint::MoreThan(text)),
                "less_or_equal" => read.push(Constraint::AtMost(text)),
                "less_than" => read.push(Constraint::LessThan(text)),
                "in_range" => {
                    if let [from, to] = texts().as_slice() {
                        read.push(Constraint::AtLeast(from.clone()));
                        if to != "UNBOUNDED" {
                            read.push(Constraint::AtMost(to.clone()));
                        }
                    }
                }
                "min_length" => read.extend(text.parse().ok().map(Constraint::LengthAtLeast)),
                "max_length" => read.extend(text.parse().ok().map(Constraint::LengthAtMost)),
                "length" => {
                    read.extend(text.parse().ok().map(Constraint::LengthAtLeast));
                    read.extend(text.parse().ok().map(Constraint::LengthAtMost));
                }
                // Regular expressions are not evaluated: an expression out of a package could cost any time.
                "pattern" | "schema" => {}
                other => {
                    let all = [
                        "valid_values",
                        "equal",
                        "greater_or_equal",
                        "greater_than",
                        "less_or_equal",
                        "less_than",
                        "in_range",
                    ];
                    report.error_help(
                        Code::UnknownKey,
                        key.span,
                        format!("no constraint is called `{other}`"),
                        report.candidates(other, all),
                    );
                }
            }
        }
    }
    read
}
