//! Where things are: definitions, also in descriptors, and all places where they are spoken of.

use super::Look;
use crate::descriptor;
use crate::index::{Kind, Role, Symbol};
use lsp_types::{DocumentHighlight, DocumentHighlightKind, Location, Position, Range};
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::script::Statement;

/// Where the thing under a byte is defined. An interface is defined by its line in the descriptor, a descriptor by its first line.
pub(crate) fn definition(look: &Look<'_>, file: FileId, offset: u32) -> Vec<Location> {
    if let Some(location) = descriptor_at(look, file, offset) {
        return vec![location];
    }
    let Some((symbol, _)) = look.world.at(file, offset) else {
        return Vec::new();
    };
    if symbol.kind == Kind::Interface {
        return interface(look, &symbol).into_iter().collect();
    }
    let definitions = look.world.definitions(&symbol);
    let found = definitions
        .into_iter()
        .filter_map(|definition| look.location(definition.name.span));
    found.collect()
}

/// Where all speak of the thing under a byte.
pub(crate) fn references(look: &Look<'_>, file: FileId, offset: u32, with_definition: bool) -> Vec<Location> {
    let Some((symbol, _)) = look.world.at(file, offset) else {
        return Vec::new();
    };
    let occurrences = look.world.occurrences(&symbol);
    occurrences
        .into_iter()
        .filter(|occurrence| with_definition || occurrence.role == Role::Use)
        .filter_map(|occurrence| look.location(occurrence.span))
        .collect()
}

/// Where the same document speaks of the thing under a byte.
pub(crate) fn highlights(look: &Look<'_>, file: FileId, offset: u32) -> Vec<DocumentHighlight> {
    let Some((symbol, _)) = look.world.at(file, offset) else {
        return Vec::new();
    };
    let occurrences = look.world.occurrences(&symbol);
    let here = occurrences
        .into_iter()
        .filter(|occurrence| occurrence.span.file == file);
    here.map(|occurrence| DocumentHighlight {
        range: look.range(occurrence.span),
        kind: Some(match occurrence.role {
            Role::Definition => DocumentHighlightKind::WRITE,
            Role::Use => DocumentHighlightKind::READ,
        }),
    })
    .collect()
}

/// The line of an interface in its descriptor.
fn interface(look: &Look<'_>, symbol: &Symbol) -> Option<Location> {
    let model = look.model(symbol.file, symbol.body.as_deref()?)?;
    let address = look.descriptor_address(symbol.file, model)?;
    let leaf = look.descriptor(symbol.file, model)?;
    let range = descriptor::interface(leaf, &symbol.name).map_or_else(Range::default, |interface| {
        let line = interface.line.saturating_sub(1);
        let column = |from_one: u32| Position::new(line, from_one.saturating_sub(1));
        Range::new(column(interface.column), column(interface.end_column))
    });
    Some(Location::new(address.uri()?, range))
}

/// The descriptor whose address is under a byte.
fn descriptor_at(look: &Look<'_>, file: FileId, offset: u32) -> Option<Location> {
    let script = look.document(file)?.script();
    let model = script.statements.iter().find_map(|statement| match statement {
        Statement::Model(model) => {
            let span = model.descriptor.as_ref()?.span;
            (span.start <= offset && offset <= span.end).then_some(model)
        }
        _ => None,
    })?;
    let address = look.descriptor_address(file, model)?;
    Some(Location::new(address.uri()?, Range::default()))
}
