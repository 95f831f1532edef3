//! Which documents a document speaks of: what a check of it has to look at, and no more.
//!
//! A workspace holds many services. That one defines a model that another defines as well is no fault; so a document is looked at
//! together with those alone that it takes models from, directly or through others.

use crate::checks::Source;
use crate::descriptor;
use crate::documents::{Document, Documents};
use crate::index::World;
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::script::{Script, Statement};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Documents that one check looks at.
const FILES_MAX: usize = 500;

/// A document and those that it takes models from; itself first, the others sorted.
pub(crate) fn of(world: &World<'_>, file: FileId) -> Vec<FileId> {
    let mut found = BTreeSet::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        if found.len() == FILES_MAX || !found.insert(next) {
            continue;
        }
        let Some(document) = world.documents().get(next) else {
            continue;
        };
        let foreign = document.models().foreign.iter();
        open.extend(foreign.filter_map(|name| world.model(next, name)));
    }
    found.remove(&file);
    std::iter::once(file).chain(found).collect()
}

/// Their scripts. Of other documents only the models count, of models of one name the first, and descriptors' addresses are made
/// independent of where the document is.
pub(crate) fn sources<'d>(documents: &'d Documents, document: &'d Document, files: &[FileId]) -> Vec<Source> {
    let mut taken: BTreeSet<&str> = document.models().defined.iter().map(String::as_str).collect();
    let sources = files.iter().filter_map(|file| {
        let other = documents.get(*file)?;
        Some(Source {
            file: other.file,
            text: other.text().to_owned(),
            script: if other.file == document.file {
                other.script().clone()
            } else {
                Arc::new(models(other, document, &mut taken))
            },
        })
    });
    sources.collect()
}

fn models<'d>(other: &'d Document, seen_from: &Document, taken: &mut BTreeSet<&'d str>) -> Script {
    let is_elsewhere = other.folder() != seen_from.folder();
    let models = other
        .script()
        .statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Model(model) if taken.insert(&model.name.text) => {
                let mut model = model.clone();
                if let Some(reference) = model.descriptor.as_mut().filter(|_| is_elsewhere) {
                    reference.uri = descriptor::key(other.folder(), &reference.uri);
                }
                Some(Statement::Model(model))
            }
            _ => None,
        });
    Script {
        statements: models.collect(),
    }
}
