//! Topology templates: nodes, groups, policies and substitution mappings, with names and types checked.

use super::types::{Sort, Types};
use crate::code::Code;
use crate::source::{Report, Span};
use crate::yaml::{Data, Key, Node};

/// Most node templates, groups and policies each of one topology: names are looked up one by one. Large VNFs have some hundred.
const SECTION_ENTRIES_MAX: usize = 5_000;

/// A name and where it stands.
pub(crate) type Named = (String, Span);

/// A topology template.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    /// Path of the file, for artifacts that are relative to it.
    pub(crate) path: String,
    pub(crate) inputs: Vec<(Key, Node)>,
    pub(crate) nodes: Vec<NodeTemplate>,
    /// Names of nodes that could not be read: the fault is reported there, not at everything that names them.
    pub(super) unread: Vec<String>,
    pub(crate) groups: Vec<Group>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) substitution: Option<Substitution>,
}

/// A node template.
#[derive(Debug)]
pub(crate) struct NodeTemplate {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) type_name: String,
    pub(crate) properties: Option<Node>,
    pub(crate) requirements: Vec<Assignment>,
    pub(crate) capabilities: Option<Node>,
    pub(crate) artifacts: Vec<Artifact>,
}

/// A requirement and the node that meets it.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) target: Option<Named>,
    /// The capability of the target that is meant, where one is named.
    pub(crate) capability: Option<String>,
}

/// An artifact of a node.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) type_name: String,
    pub(crate) file: String,
    pub(crate) span: Span,
    pub(crate) properties: Option<Node>,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) type_name: String,
    pub(crate) members: Vec<Named>,
}

/// A policy.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) type_name: String,
    pub(crate) properties: Option<Node>,
    pub(crate) targets: Vec<Named>,
}

/// Substitution mappings.
#[derive(Debug)]
pub(crate) struct Substitution {
    pub(crate) node_type: String,
    pub(crate) span: Span,
    pub(crate) properties: Option<Node>,
    pub(crate) requirements: Vec<Mapping>,
}

/// `requirement: [ node, requirement of the node ]`.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) node: String,
}

impl Topology {
    pub(crate) fn node(&self, name: &str) -> Option<&NodeTemplate> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Nodes whose type is, or derives from, this one.
    pub(crate) fn nodes_of(&self, types: &Types, ancestor: &str) -> std::vec::IntoIter<&NodeTemplate> {
        let found: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| types.is_a(Sort::Node, &node.type_name, ancestor))
            .collect();
        found.into_iter()
    }

    /// Policies of this type.
    pub(crate) fn policies_of(&self, types: &Types, ancestor: &str) -> std::vec::IntoIter<&Policy> {
        let found: Vec<_> = self
            .policies
            .iter()
            .filter(|policy| types.is_a(Sort::Policy, &policy.type_name, ancestor))
            .collect();
        found.into_iter()
    }

    /// Targets with groups spelled out into their members.
    pub(crate) fn spelled_out<'a>(&'a self, target: &'a Named) -> Vec<&'a Named> {
        match self.groups.iter().find(|group| group.name == target.0) {
            Some(group) => group.members.iter().collect(),
            None => vec![target],
        }
    }
}

impl NodeTemplate {
    /// The first target of the requirement of that name.
    pub(crate) fn target(&self, requirement: &str) -> Option<&Named> {
        self.requirements
            .iter()
            .find(|r| r.name == requirement)
            .and_then(|r| r.target.as_ref())
    }

    /// All targets of the requirement of that name.
    pub(crate) fn targets(&self, requirement: &str) -> impl Iterator<Item = &Named> {
        self.requirements
            .iter()
            .filter(move |r| r.name == requirement)
            .filter_map(|r| r.target.as_ref())
    }
}

/// Reports what is neither a map nor nothing.
pub(crate) fn expect_map(report: &mut Report, node: &Node, what: &str) -> bool {
    let good = matches!(node.data, Data::Map(_) | Data::Null);
    if !good {
        let message = format!("{what} must be a map; this is {}", node.kind());
        report.error_help(
            Code::WrongShape,
            node.span,
            message,
            Some("write `name: value`, one per line".into()),
        );
    }
    good
}

fn expect_list(report: &mut Report, node: &Node, what: &str, example: &str) -> bool {
    let good = matches!(node.data, Data::Seq(_) | Data::Null);
    if !good {
        let message = format!("{what} must be a list; this is {}", node.kind());
        report.error_help(Code::WrongShape, node.span, message, Some(format!("write `{example}`")));
    }
    good
}

/// Reads and checks a `topology_template`.
pub(crate) fn read(report: &mut Report, types: &Types, path: &str, root: &Node) -> Option<Topology> {
    let topology = root.get("topology_template")?;
    if !expect_map(report, topology, "topology_template") {
        return None;
    }
    let known = [
        "description",
        "inputs",
        "node_templates",
        "relationship_templates",
        "groups",
        "policies",
        "outputs",
    ];
    let known: Vec<&str> = known
        .into_iter()
        .chain(["substitution_mappings", "workflows"])
        .collect();
    for (key, _) in topology
        .entries()
        .iter()
        .filter(|(key, _)| !known.contains(&key.name.as_str()))
    {
        let message = format!("`{}` is no part of a topology template", key.name);
        report.error_help(
            Code::UnknownKey,
            key.span,
            message,
            report.candidates(&key.name, known.iter().copied()),
        );
    }
    let section = |report: &mut Report, name: &str| -> Vec<(Key, Node)> {
        match topology.get(name) {
            Some(node) if expect_map(report, node, name) => {
                if node.entries().len() > SECTION_ENTRIES_MAX {
                    let message = format!(
                        "{name} has {} entries; at most {SECTION_ENTRIES_MAX} are read",
                        node.entries().len()
                    );
                    report.error(Code::YamlLimit, node.span, message);
                }
                node.entries().iter().take(SECTION_ENTRIES_MAX).cloned().collect()
            }
            _ => vec![],
        }
    };
    let mut read = Topology {
        path: path.to_owned(),
        inputs: section(report, "inputs"),
        ..Topology::default()
    };
    for (key, body) in section(report, "node_templates") {
        let name = key.name.clone();
        match read_node(report, types, key, &body) {
            Some(node) => read.nodes.push(node),
            None => read.unread.push(name),
        }
    }
    for (key, body) in section(report, "groups") {
        let type_name = type_of(report, types, Sort::Group, &key, &body).unwrap_or_default();
        let members = names(report, body.get("members"), "members");
        read.groups.push(Group {
            name: key.name,
            span: key.span,
            type_name,
            members,
        });
    }
    if let Some(policies) = topology.get("policies") {
        expect_list(
            report,
            policies,
            "policies",
            "- name: { type: …, targets: [ … ], properties: { … } }",
        );
        if policies.items().len() > SECTION_ENTRIES_MAX {
            report.error(
                Code::YamlLimit,
                policies.span,
                format!("more than {SECTION_ENTRIES_MAX} policies"),
            );
        }
        for (key, body) in policies
            .items()
            .iter()
            .take(SECTION_ENTRIES_MAX)
            .flat_map(Node::entries)
        {
            let Some(type_name) = type_of(report, types, Sort::Policy, key, body) else {
                continue;
            };
            let targets = names(report, body.get("targets"), "targets");
            let properties = body.get("properties").cloned();
            read.policies.push(Policy {
                name: key.name.clone(),
                span: key.span,
                type_name,
                properties,
                targets,
            });
        }
    }
    if let Some((key, mappings)) = topology.entry("substitution_mappings") {
        read.substitution = read_substitution(report, types, key, mappings);
    }
    super::names::check(report, types, &read);
    Some(read)
}

fn type_of(report: &mut Report, types: &Types, sort: Sort, key: &Key, body: &Node) -> Option<String> {
    let Some(type_node) = body.get("type") else {
        let help = Some("add `type: …`".to_owned());
        report.error_help(Code::WrongShape, key.span, format!("`{}` has no type", key.name), help);
        return None;
    };
    let name = type_node.text().unwrap_or_default().to_owned();
    if types.get(sort, &name).is_some() {
        return Some(name);
    }
    let message = format!("type `{name}` is not defined");
    let help = report.candidates(&name, types.names(sort));
    match sort {
        Sort::Policy | Sort::Group => {
            report.warning_help(
                Code::PolicyIgnored,
                type_node.span,
                format!("{message}; `{}` has no effect", key.name),
                help,
            );
        }
        _ => report.error_help(Code::UnknownType, type_node.span, message, help),
    }
    None
}

fn names(report: &mut Report, node: Option<&Node>, what: &str) -> Vec<Named> {
    let Some(node) = node else { return vec![] };
    expect_list(report, node, what, "[ name, name ]");
    node.items()
        .iter()
        .filter_map(|item| item.text().map(|text| (text.to_owned(), item.span)))
        .collect()
}

fn read_node(report: &mut Report, types: &Types, key: Key, body: &Node) -> Option<NodeTemplate> {
    if !expect_map(report, body, "a node template") {
        return None;
    }
    let known = [
        "type",
        "description",
        "metadata",
        "directives",
        "properties",
        "attributes",
        "requirements",
        "capabilities",
    ];
    let known: Vec<&str> = known
        .into_iter()
        .chain(["interfaces", "artifacts", "node_filter", "copy"])
        .collect();
    for (part, _) in body
        .entries()
        .iter()
        .filter(|(part, _)| !known.contains(&part.name.as_str()))
    {
        let message = format!("`{}` is no part of a node template", part.name);
        report.error_help(
            Code::UnknownKey,
            part.span,
            message,
            report.candidates(&part.name, known.iter().copied()),
        );
    }
    let type_name = type_of(report, types, Sort::Node, &key, body)?;
    let declared = types.requirements(&type_name);
    let mut requirements = Vec::new();
    if let Some(list) = body.get("requirements") {
        expect_list(report, list, "requirements", "- virtual_link: name_of_the_link");
        for (name, value) in list.items().iter().flat_map(Node::entries) {
            if !declared.iter().any(|r| r.name == name.name) && !types.is_open(Sort::Node, &type_name) {
                let message = format!("`{type_name}` has no requirement `{}`", name.name);
                let help = report.candidates(&name.name, declared.iter().map(|r| r.name.as_str()));
                report.error_help(Code::RequirementUnknown, name.span, message, help);
            }
            let target = value.get("node").unwrap_or(value);
            let target = target.text().map(|text| (text.to_owned(), target.span));
            requirements.push(Assignment {
                name: name.name.clone(),
                span: name.span,
                target,
                capability: value.get("capability").and_then(Node::text).map(str::to_owned),
            });
        }
    }
    for requirement in declared.iter().filter(|r| r.required) {
        if !requirements.iter().any(|r| r.name == requirement.name) {
            let message = format!("`{}` does not say what its `{}` is", key.name, requirement.name);
            let help = Some(format!("add `- {}: name` to its requirements", requirement.name));
            report.error_help(Code::RequirementMissing, key.span, message, help);
        }
    }
    let mut artifacts = Vec::new();
    for (name, artifact) in body.get("artifacts").map(Node::entries).unwrap_or_default() {
        let file = artifact.get("file").unwrap_or(artifact);
        let Some(path) = file.text() else {
            let help = Some("write `file: path/of/the/file`".to_owned());
            report.error_help(
                Code::WrongShape,
                artifact.span,
                format!("artifact `{}` names no file", name.name),
                help,
            );
            continue;
        };
        let type_name = artifact.get("type").and_then(Node::text).unwrap_or_default().to_owned();
        let properties = artifact.get("properties").cloned();
        artifacts.push(Artifact {
            type_name,
            file: path.to_owned(),
            span: file.span,
            properties,
        });
    }
    let properties = body
        .get("properties")
        .filter(|p| expect_map(report, p, "properties"))
        .cloned();
    let capabilities = body
        .get("capabilities")
        .filter(|c| expect_map(report, c, "capabilities"))
        .cloned();
    Some(NodeTemplate {
        name: key.name,
        span: key.span,
        type_name,
        properties,
        requirements,
        capabilities,
        artifacts,
    })
}

fn read_substitution(report: &mut Report, types: &Types, key: &Key, mappings: &Node) -> Option<Substitution> {
    if !expect_map(report, mappings, "substitution_mappings") {
        return None;
    }
    let Some(type_node) = mappings.get("node_type") else {
        let help = Some("add `node_type: …`".to_owned());
        report.error_help(
            Code::WrongShape,
            key.span,
            "substitution_mappings says not what is substituted",
            help,
        );
        return None;
    };
    let node_type = type_node.text().unwrap_or_default().to_owned();
    if types.get(Sort::Node, &node_type).is_none() {
        let help = report.candidates(&node_type, types.names(Sort::Node));
        report.error_help(
            Code::UnknownType,
            type_node.span,
            format!("type `{node_type}` is not defined"),
            help,
        );
    }
    let mut requirements = Vec::new();
    if let Some(section) = mappings.get("requirements") {
        // Both forms are about: TOSCA 1.3 has a map, SOL001's examples a list of maps.
        let direct = section.entries().iter();
        let entries = direct.chain(section.items().iter().flat_map(Node::entries));
        for (name, value) in entries {
            match value
                .items()
                .first()
                .and_then(|node| node.text().map(|text| (text, node.span)))
            {
                Some((node, span)) => requirements.push(Mapping {
                    name: name.name.clone(),
                    span,
                    node: node.to_owned(),
                }),
                None => report.warning(
                    Code::BadSubstitution,
                    name.span,
                    format!("`{}` is mapped to nothing", name.name),
                ),
            }
        }
    }
    let properties = mappings
        .get("properties")
        .filter(|p| expect_map(report, p, "properties"))
        .cloned();
    Some(Substitution {
        node_type,
        span: type_node.span,
        properties,
        requirements,
    })
}
