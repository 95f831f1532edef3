//! What an editor shows beside a name: what it is, as the script defines it, and what that means.

use super::{Look, nets};
use crate::descriptor;
use crate::index::{Body, Definition, Kind, Symbol};
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};
use manifold_nemo::leaf::{Interface, Leaf, LeafFormat};
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::script::{Entity, Model, ParameterKind, Statement};
use std::fmt::Write;

/// Names that one list shows.
const LISTED_MAX: usize = 24;

/// A piece of what is shown.
enum Part {
    /// Code of the language.
    Code(String),
    /// A line of a descriptor.
    Yaml(String),
    /// A sentence.
    Text(String),
}

/// What is shown at a byte.
pub(crate) fn hover(look: &Look<'_>, file: FileId, offset: u32) -> Option<Hover> {
    let (parts, span) = match descriptor_at(look, file, offset) {
        Some((model, span)) => (descriptor_parts(look, file, model), span),
        None => {
            let (symbol, span) = look.world.at(file, offset)?;
            (symbol_parts(look, &symbol), span)
        }
    };
    (!parts.is_empty()).then(|| Hover {
        contents: HoverContents::Markup(markup(look, &parts)),
        range: Some(look.range(span)),
    })
}

/// What is known of a symbol, for whoever shows it beside a list.
pub(crate) fn documentation(look: &Look<'_>, symbol: &Symbol) -> MarkupContent {
    markup(look, &symbol_parts(look, symbol))
}

/// What is known of an interface.
pub(crate) fn interface_documentation(look: &Look<'_>, leaf: &Leaf, interface: &Interface) -> MarkupContent {
    markup(look, &interface_parts(leaf, interface))
}

fn markup(look: &Look<'_>, parts: &[Part]) -> MarkupContent {
    let is_markdown = look.client.has_markdown;
    let parts = parts.iter().map(|part| match part {
        Part::Code(code) if is_markdown => format!("```nemo\n{code}\n```"),
        Part::Yaml(line) if is_markdown => format!("```yaml\n{line}\n```"),
        Part::Code(text) | Part::Yaml(text) | Part::Text(text) => text.clone(),
    });
    MarkupContent {
        kind: if is_markdown {
            MarkupKind::Markdown
        } else {
            MarkupKind::PlainText
        },
        value: parts.collect::<Vec<_>>().join("\n\n"),
    }
}

fn symbol_parts(look: &Look<'_>, symbol: &Symbol) -> Vec<Part> {
    let definition = look.world.definitions(symbol).into_iter().next();
    match symbol.kind {
        Kind::Model => look
            .model(symbol.file, &symbol.name)
            .map_or_else(Vec::new, |model| model_parts(look, symbol.file, model)),
        Kind::Interface => {
            interface_of(look, symbol).map_or_else(Vec::new, |(leaf, interface)| interface_parts(leaf, interface))
        }
        Kind::Parameter => definition.map_or_else(Vec::new, |found| parameter_parts(look, symbol, found)),
        kind => {
            let Some(found) = definition else { return Vec::new() };
            let mut parts = vec![Part::Code(source(look, symbol.file, found))];
            match kind {
                Kind::Node => {
                    if let Some((file, name)) = look.world.model_of(symbol.file, found)
                        && let Some(model) = look.model(file, &name)
                    {
                        parts.extend(model_parts(look, file, model));
                    }
                }
                Kind::Connection => parts.extend(net_part(look, symbol, |net| &net.connections)),
                Kind::ConnectionPoint => parts.extend(point_parts(look, symbol, found)),
                _ => {}
            }
            parts
        }
    }
}

/// What the script says of a thing, on one line.
fn source(look: &Look<'_>, file: FileId, definition: &Definition) -> String {
    let Some(document) = look.document(file) else {
        return String::new();
    };
    let whole = definition.whole;
    let text = document
        .text()
        .get(whole.start as usize..whole.end as usize)
        .unwrap_or_default();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// `NodeModel fw (string: place) VNFD <uri>`, and what it has inside.
fn model_parts(look: &Look<'_>, file: FileId, model: &Model) -> Vec<Part> {
    let mut signature = format!("NodeModel {}", model.name.text);
    let parameters: Vec<String> = model.parameters.iter().map(parameter).collect();
    if !parameters.is_empty() {
        let _ = write!(signature, " Property {}", parameters.join(", "));
    }
    if let Some(reference) = &model.descriptor {
        let _ = write!(signature, " VNFD {}", reference.uri);
    }
    let mut parts = vec![Part::Code(signature)];
    let leaf = look.descriptor(file, model);
    let mut points = Vec::new();
    let mut nodes = Vec::new();
    for member in &model.members {
        match member {
            Entity::ConnectionPoint(point) => {
                let mut line = format!("`{}`", point.name.text);
                if let Some(at) = &point.interface {
                    let _ = write!(line, " at `{}`", at.text);
                    let role = leaf
                        .and_then(|leaf| descriptor::interface(leaf, &at.text))
                        .map(|interface| interface.role.as_str());
                    if let Some(role) = role.filter(|role| !role.is_empty()) {
                        let _ = write!(line, " ({role})");
                    }
                }
                points.push(line);
            }
            Entity::Node(node) => {
                let model = node.model.as_ref().and_then(|path| path.segments.last());
                nodes.push(match model {
                    Some(model) => format!("`{}`: {}", node.name.text, model.text),
                    None => format!("`{}`", node.name.text),
                });
            }
            _ => {}
        }
    }
    parts.extend(list("Connection points", points));
    parts.extend(list("Nodes", nodes));
    if model.descriptor.is_some() {
        parts.extend(descriptor_summary(look, file, model));
    }
    parts
}

fn parameter(parameter: &manifold_nemo_syntax::script::Parameter) -> String {
    let kind = match parameter.kind {
        Some(ParameterKind::String) => "string",
        Some(ParameterKind::Integer) => "integer",
        Some(ParameterKind::Range) => "range",
        Some(ParameterKind::Reserved) => "reserved",
        None => "?",
    };
    format!("{kind}: {}", parameter.name.text)
}

fn parameter_parts(look: &Look<'_>, symbol: &Symbol, definition: &Definition) -> Vec<Part> {
    let body = symbol.body.as_deref().unwrap_or_default();
    let code = source(look, symbol.file, definition);
    vec![Part::Code(code), Part::Text(format!("Parameter of model `{body}`."))]
}

fn point_parts(look: &Look<'_>, symbol: &Symbol, definition: &Definition) -> Vec<Part> {
    let mut parts = Vec::new();
    let entity = look
        .document(symbol.file)
        .and_then(|document| definition.entity(document.script()));
    if let Some(Entity::ConnectionPoint(point)) = entity
        && let Some(at) = &point.interface
        && let Some(model) = symbol.body.as_deref().and_then(|model| look.model(symbol.file, model))
        && let Some(leaf) = look.descriptor(symbol.file, model)
        && let Some(interface) = descriptor::interface(leaf, &at.text)
    {
        parts.extend(interface_parts(leaf, interface));
    }
    parts.extend(net_part(look, symbol, |net| &net.ends));
    parts
}

/// What is on the net that a name of it leads to.
fn net_part(look: &Look<'_>, symbol: &Symbol, names: fn(&nets::Net) -> &Vec<String>) -> Option<Part> {
    let nets = nets::of(look, symbol.file, &symbol.body);
    let net = nets
        .into_iter()
        .find(|net| names(net).iter().any(|name| **name == *symbol.name))?;
    let mut text = listed(net.ends.iter().map(|end| format!("`{end}`")).collect());
    if net.connections.len() > 1 {
        let connections = listed(net.connections.iter().map(|name| format!("`{name}`")).collect());
        text = format!("{text} (connections {connections} are one net)");
    }
    Some(Part::Text(format!("On the net: {text}.")))
}

/// The descriptor's interface that a symbol is.
fn interface_of<'s>(look: &Look<'s>, symbol: &Symbol) -> Option<(&'s Leaf, &'s Interface)> {
    let model = look.model(symbol.file, symbol.body.as_deref()?)?;
    let leaf = look.descriptor(symbol.file, model)?;
    Some((leaf, descriptor::interface(leaf, &symbol.name)?))
}

fn interface_parts(leaf: &Leaf, interface: &Interface) -> Vec<Part> {
    let mut text = format!("Interface `{}`", interface.name);
    if !interface.role.is_empty() {
        let _ = write!(text, ", {}", interface.role);
    }
    match (&interface.local_name, &interface.vnfc) {
        (Some(local), Some(vnfc)) => {
            let _ = write!(text, ", `{local}` of VNFC `{vnfc}`");
        }
        (None, Some(vnfc)) => {
            let _ = write!(text, ", of VNFC `{vnfc}`");
        }
        (Some(local), None) => {
            let _ = write!(text, ", `{local}` inside");
        }
        (None, None) => {}
    }
    let mut parts = vec![Part::Text(format!("{text}. VNF {}.", leaf.name))];
    if interface.line > 0 {
        parts.push(Part::Yaml(format!(
            "{}  # {}:{}",
            interface.text.trim(),
            leaf.file,
            interface.line
        )));
    }
    parts
}

/// The model whose descriptor's address is under a byte.
fn descriptor_at<'s>(
    look: &Look<'s>,
    file: FileId,
    offset: u32,
) -> Option<(&'s Model, manifold_nemo_syntax::diagnostic::Span)> {
    let script = look.document(file)?.script();
    script.statements.iter().find_map(|statement| match statement {
        Statement::Model(model) => {
            let span = model.descriptor.as_ref()?.span;
            (span.start <= offset && offset <= span.end).then_some((model, span))
        }
        _ => None,
    })
}

fn descriptor_parts(look: &Look<'_>, file: FileId, model: &Model) -> Vec<Part> {
    let mut parts: Vec<Part> = descriptor_summary(look, file, model).into_iter().collect();
    if let Some(leaf) = look.descriptor(file, model) {
        let interfaces = leaf.interfaces.iter().map(|interface| match interface.role.as_str() {
            "" => format!("`{}`", interface.name),
            role => format!("`{}` ({role})", interface.name),
        });
        parts.extend(list("Interfaces", interfaces.collect()));
        parts.push(Part::Text(format!("Digest {}", leaf.digest)));
    }
    parts
}

fn descriptor_summary(look: &Look<'_>, file: FileId, model: &Model) -> Option<Part> {
    Some(Part::Text(match look.leaf(file, model)? {
        Ok(leaf) => {
            let format = match leaf.format {
                LeafFormat::Sol001 => "SOL001",
                LeafFormat::Sol006 => "SOL006",
                LeafFormat::OpenMano => "OpenMANO",
                LeafFormat::Man001 => "MAN001",
            };
            format!("VNF {}, described in {format} by {}.", leaf.name, leaf.file)
        }
        Err(error) => error.message.clone(),
    }))
}

fn list(title: &str, items: Vec<String>) -> Option<Part> {
    (!items.is_empty()).then(|| Part::Text(format!("{title}: {}.", listed(items))))
}

fn listed(mut items: Vec<String>) -> String {
    let more = items.len().saturating_sub(LISTED_MAX);
    items.truncate(LISTED_MAX);
    let mut text = items.join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// The body, as a sentence names it.
pub(crate) fn body_name(body: &Body) -> String {
    match body {
        Some(model) => format!("model `{model}`"),
        None => "the script".to_owned(),
    }
}
