//! Outlines: of a document, and the models of all documents.

use super::Look;
use crate::documents::Document;
use crate::index::{Kind, head};
use lsp_types::{DocumentSymbol, DocumentSymbolResponse, Location, SymbolInformation, SymbolKind};
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::{Entity, Model, Name, Statement};

/// Symbols of all documents that are told at most.
const WORKSPACE_MAX: usize = 500;

/// The outline of a document: its models with what is in them, and what it makes.
pub(crate) fn outline(look: &Look<'_>, document: &Document) -> DocumentSymbolResponse {
    let mut symbols = Vec::new();
    for statement in &document.script().statements {
        match statement {
            Statement::Model(model) => symbols.push(of_model(look, model)),
            Statement::Instance { entity, span, .. } => symbols.push(of_entity(look, entity, *span)),
            _ => {}
        }
    }
    if look.client.nests_symbols {
        DocumentSymbolResponse::Nested(symbols)
    } else {
        let mut flat = Vec::new();
        if let Some(uri) = document.address.uri() {
            flatten(symbols, None, &uri, &mut flat);
        }
        DocumentSymbolResponse::Flat(flat)
    }
}

/// The models, and what scripts make, whose names have these letters in this order.
pub(crate) fn search(look: &Look<'_>, query: &str) -> Vec<SymbolInformation> {
    let mut found = Vec::new();
    for document in look.world.documents().iter() {
        for definition in &document.index().definitions {
            let is_outer = definition.kind == Kind::Model || definition.body.is_none();
            if !is_outer || !has_letters(&definition.name.text, query) {
                continue;
            }
            if let Some(location) = look.location(definition.name.span) {
                found.push(information(
                    definition.name.text.clone(),
                    kind(definition.kind),
                    location,
                    None,
                ));
            }
            if found.len() == WORKSPACE_MAX {
                return found;
            }
        }
    }
    found
}

fn has_letters(name: &str, query: &str) -> bool {
    let mut letters = name.chars().map(|letter| letter.to_ascii_lowercase());
    query
        .chars()
        .all(|wanted| letters.any(|letter| letter == wanted.to_ascii_lowercase()))
}

fn kind(kind: Kind) -> SymbolKind {
    match kind {
        Kind::Model => SymbolKind::CLASS,
        Kind::Parameter => SymbolKind::TYPE_PARAMETER,
        Kind::Node => SymbolKind::OBJECT,
        Kind::Connection => SymbolKind::FIELD,
        Kind::ConnectionPoint | Kind::Interface => SymbolKind::INTERFACE,
        Kind::Flow => SymbolKind::EVENT,
        Kind::Operation => SymbolKind::FUNCTION,
    }
}

fn of_model(look: &Look<'_>, model: &Model) -> DocumentSymbol {
    let detail = model
        .descriptor
        .as_ref()
        .map(|descriptor| format!("VNFD {}", descriptor.uri));
    let parameters = model
        .parameters
        .iter()
        .map(|parameter| symbol(look, Kind::Parameter, &parameter.name, parameter.span, None));
    let members = model.members.iter().map(|entity| {
        let (_, _, span) = head(entity);
        of_entity(look, entity, span)
    });
    let mut made = symbol(look, Kind::Model, &model.name, model.span, detail);
    made.children = Some(parameters.chain(members).collect());
    made
}

fn of_entity(look: &Look<'_>, entity: &Entity, span: Span) -> DocumentSymbol {
    let (kind, name, _) = head(entity);
    let detail = match entity {
        Entity::Node(node) => node.model.as_ref().map(|path| path.segments[..].iter()),
        Entity::Operation(operation) => operation.target.as_ref().map(|path| path.segments[..].iter()),
        _ => None,
    };
    let detail = detail.map(|names| names.map(|name| name.text.as_str()).collect::<Vec<_>>().join(":"));
    let detail = match entity {
        Entity::ConnectionPoint(point) => point.interface.as_ref().map(|at| format!("at VNFD:{}", at.text)),
        Entity::Connection(connection) => connection.shape.as_ref().map(|shape| shape.text.clone()),
        _ => detail,
    };
    symbol(look, kind, name, span, detail)
}

fn symbol(look: &Look<'_>, of: Kind, name: &Name, whole: Span, detail: Option<String>) -> DocumentSymbol {
    // The protocol wants the name within the whole, and a name that is not empty.
    let whole = Span {
        start: whole.start.min(name.span.start),
        end: whole.end.max(name.span.end),
        ..whole
    };
    #[allow(deprecated, reason = "the field has to be given, and its successor takes its place")]
    DocumentSymbol {
        name: if name.text.is_empty() {
            "?".to_owned()
        } else {
            name.text.clone()
        },
        detail,
        kind: kind(of),
        tags: None,
        deprecated: None,
        range: look.range(whole),
        selection_range: look.range(name.span),
        children: None,
    }
}

fn flatten(
    symbols: Vec<DocumentSymbol>,
    container: Option<&str>,
    uri: &lsp_types::Uri,
    flat: &mut Vec<SymbolInformation>,
) {
    for symbol in symbols {
        let location = Location::new(uri.clone(), symbol.range);
        flat.push(information(
            symbol.name.clone(),
            symbol.kind,
            location,
            container.map(str::to_owned),
        ));
        flatten(symbol.children.unwrap_or_default(), Some(&symbol.name), uri, flat);
    }
}

fn information(name: String, kind: SymbolKind, location: Location, container: Option<String>) -> SymbolInformation {
    #[allow(deprecated, reason = "the field has to be given, and its successor takes its place")]
    SymbolInformation {
        name,
        kind,
        tags: None,
        deprecated: None,
        location,
        container_name: container,
    }
}
