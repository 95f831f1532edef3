//! Renaming, in all documents at once, or not at all.
//!
//! A rename is tried on a copy first: where a name would mean something else afterwards, it is refused with the place.

use super::{Failure, Look, actions, hover};
use crate::index::{Kind, Occurrence, Symbol, World};
use lsp_types::{Range, WorkspaceEdit};
use manifold_nemo_syntax::diagnostic::{Edit, FileId, Span};
use manifold_nemo_syntax::keyword::Keyword;
use std::collections::BTreeMap;

/// A name that is longer is none that a person gives.
const NAME_BYTES_MAX: usize = 255;

/// What a rename at a byte would rename: its range and its name. `None`: nothing is there.
pub(crate) fn prepare(look: &Look<'_>, file: FileId, offset: u32) -> Result<Option<(Range, String)>, Failure> {
    let Some((symbol, span)) = look.world.at(file, offset) else {
        return Ok(None);
    };
    check_kind(&symbol)?;
    Ok(Some((look.range(span), symbol.name.to_string())))
}

/// The edits that give the thing under a byte a new name.
pub(crate) fn rename(look: &Look<'_>, file: FileId, offset: u32, new: &str) -> Result<WorkspaceEdit, Failure> {
    let Some((symbol, _)) = look.world.at(file, offset) else {
        return Err(Failure::Refused("nothing that has a name is there".to_owned()));
    };
    check_kind(&symbol)?;
    check_name(new)?;
    let occurrences = look.world.occurrences(&symbol);
    if *symbol.name != *new {
        check_clash(look, &symbol, &occurrences, new)?;
        check_meaning(look, &symbol, &occurrences, new)?;
    }
    let edits: Vec<Edit> = occurrences
        .iter()
        .map(|occurrence| Edit {
            span: occurrence.span,
            text: new.to_owned(),
        })
        .collect();
    Ok(actions::edit(look, edits.iter()))
}

fn refused<T>(message: String) -> Result<T, Failure> {
    Err(Failure::Refused(message))
}

fn check_kind(symbol: &Symbol) -> Result<(), Failure> {
    match symbol.kind {
        Kind::Interface => refused(format!(
            "`{}` is an interface of a VNF descriptor, which names it",
            symbol.name
        )),
        _ => Ok(()),
    }
}

fn check_name(new: &str) -> Result<(), Failure> {
    let is_name = new.starts_with(|first: char| first.is_ascii_alphabetic())
        && new
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !is_name || new.len() > NAME_BYTES_MAX {
        return refused(format!(
            "`{}` is no name: a name is a letter, then letters, digits, `_` and `-`",
            new.chars().take(NAME_BYTES_MAX).collect::<String>()
        ));
    }
    match Keyword::of(new) {
        Some(keyword) => refused(format!("`{}` is a word of the language", keyword.text())),
        None => Ok(()),
    }
}

/// Whether something of the same kind has the name already.
fn check_clash(look: &Look<'_>, symbol: &Symbol, occurrences: &[Occurrence], new: &str) -> Result<(), Failure> {
    let there = match symbol.kind {
        Kind::Model => {
            let mut files: Vec<FileId> = occurrences.iter().map(|occurrence| occurrence.span.file).collect();
            files.dedup();
            files.into_iter().find_map(|file| {
                let file = look.world.model(file, new)?;
                look.document(file)?.index().models(new).next()
            })
        }
        kind => look.world.member(symbol.file, &symbol.body, kind, new),
    };
    match there {
        Some(there) => refused(format!(
            "{} has a {} `{new}` already ({})",
            match symbol.kind {
                Kind::Model => "a script".to_owned(),
                _ => hover::body_name(&symbol.body),
            },
            symbol.kind.noun(),
            line(look, there.name.span),
        )),
        None => Ok(()),
    }
}

/// Whether every name would mean afterwards what it means now.
fn check_meaning(look: &Look<'_>, symbol: &Symbol, occurrences: &[Occurrence], new: &str) -> Result<(), Failure> {
    let texts = renamed_texts(look, occurrences, new);
    let copy = look.world.documents().copy_with(texts);
    let world = World::new(&copy);
    let name: std::sync::Arc<str> = new.into();
    let renamed = Symbol {
        name: name.clone(),
        ..symbol.clone()
    };
    let moved: Vec<Occurrence> = moved(occurrences, new.len() as u32);
    let found = world.occurrences(&renamed);
    // What is spoken of under the new name and was not meant, or the other way round.
    let stray = moved.iter().find(|occurrence| !found.contains(occurrence));
    let stray = stray.or_else(|| found.iter().find(|occurrence| !moved.contains(occurrence)));
    let Some(stray) = stray else { return Ok(()) };
    let place = copy.get(stray.span.file).map(|document| {
        let at = document.range(stray.span, look.client.encoding).start;
        format!("{}:{}:{}", document.address, at.line + 1, at.character + 1)
    });
    refused(format!(
        "renamed to `{new}`, the name at {} would mean something else",
        place.unwrap_or_default()
    ))
}

/// The texts of the documents that a rename touches, renamed.
fn renamed_texts(look: &Look<'_>, occurrences: &[Occurrence], new: &str) -> BTreeMap<FileId, String> {
    let mut texts: BTreeMap<FileId, String> = BTreeMap::new();
    for occurrence in occurrences.iter().rev() {
        let Some(document) = look.document(occurrence.span.file) else {
            continue;
        };
        let text = texts.entry(document.file).or_insert_with(|| document.text().to_owned());
        text.replace_range(occurrence.span.start as usize..occurrence.span.end as usize, new);
    }
    texts
}

/// Where occurrences are when each of them has a new length. They are sorted by document and place.
fn moved(occurrences: &[Occurrence], length: u32) -> Vec<Occurrence> {
    let mut moved = Vec::with_capacity(occurrences.len());
    let (mut file, mut by) = (None, 0i64);
    for occurrence in occurrences {
        let Span { start, end, .. } = occurrence.span;
        if file != Some(occurrence.span.file) {
            (file, by) = (Some(occurrence.span.file), 0);
        }
        let new_start = (i64::from(start) + by) as u32;
        moved.push(Occurrence {
            span: Span {
                start: new_start,
                end: new_start + length,
                ..occurrence.span
            },
            role: occurrence.role,
        });
        by += i64::from(length) - i64::from(end - start);
    }
    moved
}

/// `x.nemo, line 3`.
fn line(look: &Look<'_>, span: Span) -> String {
    let Some(document) = look.document(span.file) else {
        return String::new();
    };
    let name = document.path().and_then(|path| path.file_name());
    let name = name.map_or(document.address.to_string(), |name| name.to_string_lossy().into_owned());
    format!("{name}, line {}", look.range(span).start.line + 1)
}
