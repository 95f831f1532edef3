//! What a name means, looked up over all documents.

use super::{Body, Definition, Goal, Kind, Lookup, Use};
use crate::address::distance;
use crate::documents::{Document, Documents};
use manifold_nemo_syntax::diagnostic::{FileId, Span};
use manifold_nemo_syntax::script::{Entity, Name};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What has a name: one thing, however often it is spoken of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol {
    /// The script that defines it.
    pub(crate) file: FileId,
    /// Where it belongs. Of a model: the script.
    pub(crate) body: Body,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: Arc<str>,
}

/// How a name stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// It is given.
    Definition,
    /// It is used.
    Use,
}

/// A place where a symbol is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    /// The name's place.
    pub(crate) span: Span,
    /// As what.
    pub(crate) role: Role,
}

/// All documents, to look names up in. Lives for one question.
pub(crate) struct World<'d> {
    documents: &'d Documents,
    models: RefCell<Found>,
}

/// Which document a model's name means in which document.
type Found = HashMap<(FileId, Arc<str>), Option<FileId>>;

impl<'d> World<'d> {
    /// Over these documents.
    pub(crate) fn new(documents: &'d Documents) -> Self {
        Self {
            documents,
            models: RefCell::default(),
        }
    }

    /// The documents.
    pub(crate) fn documents(&self) -> &'d Documents {
        self.documents
    }

    /// The script that a model's name means when it is used in another one: the same script, or the nearest one that defines it; of
    /// two that are equally near, the first by name.
    pub(crate) fn model(&self, from: FileId, name: &str) -> Option<FileId> {
        let key = (from, Arc::from(name));
        if let Some(known) = self.models.borrow().get(&key) {
            return *known;
        }
        let found = self.look_for_model(from, name);
        self.models.borrow_mut().insert(key, found);
        found
    }

    fn look_for_model(&self, from: FileId, name: &str) -> Option<FileId> {
        let from = self.documents.get(from)?;
        if from.models().defined.contains(name) {
            return Some(from.file);
        }
        let folder = from.path().and_then(Path::parent);
        let far = |document: &Document| match (folder, document.path().and_then(Path::parent)) {
            (Some(here), Some(there)) => distance(here, there),
            _ => usize::MAX,
        };
        self.documents
            .iter()
            .filter(|document| document.models().defined.contains(name))
            .min_by_key(|document| (far(document), document.address.as_str().to_owned()))
            .map(|document| document.file)
    }

    /// The thing of a kind and a name in a body.
    pub(crate) fn member(&self, file: FileId, body: &Body, kind: Kind, name: &str) -> Option<&'d Definition> {
        self.documents.get(file)?.index().members(body, kind, name).next()
    }

    /// Where the model of a node is defined: the script and the model's name.
    pub(crate) fn model_of(&self, file: FileId, node: &Definition) -> Option<(FileId, Arc<str>)> {
        let Some(Entity::Node(node)) = node.entity(self.documents.get(file)?.script()) else {
            return None;
        };
        let name = &node.model.as_ref()?.segments.last()?.text;
        Some((self.model(file, name)?, name.as_str().into()))
    }

    /// What the first so many segments of a path lead to.
    pub(crate) fn follow(&self, file: FileId, body: &Body, path: &[Name], length: usize, to: Goal) -> Option<Symbol> {
        let (mut file, mut body) = (file, body.clone());
        let mut found = None;
        for (at, name) in path.iter().enumerate().take(length) {
            if at > 0 {
                let node: &Symbol = found.as_ref()?;
                // The points behind a node that packets go through are all its own.
                if !(matches!(to, Goal::Through) && at > 1) {
                    let node = self.member(node.file, &node.body, Kind::Node, &node.name)?;
                    let (in_file, model) = self.model_of(file, node)?;
                    (file, body) = (in_file, Some(model));
                }
            }
            let kinds = to.kinds(at, path.len());
            let kind = kinds
                .iter()
                .find(|kind| self.member(file, &body, **kind, &name.text).is_some())?;
            found = Some(Symbol {
                file,
                body: body.clone(),
                kind: *kind,
                name: name.text.as_str().into(),
            });
        }
        found
    }

    /// What a used name means.
    pub(crate) fn resolve(&self, file: FileId, used: &Use) -> Option<Symbol> {
        let name: Arc<str> = used.name.text.as_str().into();
        let parameter = |file: FileId, body: &Body| {
            self.member(file, body, Kind::Parameter, &name)?;
            Some(Symbol {
                file,
                body: body.clone(),
                kind: Kind::Parameter,
                name: name.clone(),
            })
        };
        match &used.lookup {
            Lookup::Model => Some(Symbol {
                file: self.model(file, &name)?,
                body: None,
                kind: Kind::Model,
                name,
            }),
            Lookup::Path { path, at, to } => self.follow(file, &used.body, path, at + 1, *to),
            Lookup::Key { model } => parameter(self.model(file, model)?, &Some(model.clone())),
            Lookup::Value => parameter(file, &used.body),
            Lookup::Interface => Some(parameter(file, &used.body).unwrap_or(Symbol {
                file,
                body: used.body.clone(),
                kind: Kind::Interface,
                name: name.clone(),
            })),
        }
    }

    /// What a definition defines.
    pub(crate) fn symbol(&self, file: FileId, definition: &Definition) -> Symbol {
        Symbol {
            file,
            body: definition.body.clone(),
            kind: definition.kind,
            name: definition.name.text.as_str().into(),
        }
    }

    /// What the name at a byte means, and where that name stands.
    pub(crate) fn at(&self, file: FileId, offset: u32) -> Option<(Symbol, Span)> {
        let index = self.documents.get(file)?.index();
        if let Some(definition) = index.definition_at(offset) {
            return Some((self.symbol(file, definition), definition.name.span));
        }
        let used = index.use_at(offset)?;
        Some((self.resolve(file, used)?, used.name.span))
    }

    /// Where a symbol is defined, more than once where a script errs.
    pub(crate) fn definitions(&self, symbol: &Symbol) -> Vec<&'d Definition> {
        let Some(document) = self.documents.get(symbol.file) else {
            return Vec::new();
        };
        match symbol.kind {
            Kind::Model => document.index().models(&symbol.name).collect(),
            kind => document.index().members(&symbol.body, kind, &symbol.name).collect(),
        }
    }

    /// All places where a symbol is spoken of.
    pub(crate) fn occurrences(&self, symbol: &Symbol) -> Vec<Occurrence> {
        let mut found: Vec<Occurrence> = self
            .definitions(symbol)
            .into_iter()
            .map(|definition| Occurrence {
                span: definition.name.span,
                role: Role::Definition,
            })
            .collect();
        for document in self.documents.iter() {
            let uses = &document.index().uses;
            for used in uses.iter().filter(|used| *used.name.text == *symbol.name) {
                if self.resolve(document.file, used).as_ref() == Some(symbol) {
                    found.push(Occurrence {
                        span: used.name.span,
                        role: Role::Use,
                    });
                }
            }
        }
        found.sort();
        found
    }
}
