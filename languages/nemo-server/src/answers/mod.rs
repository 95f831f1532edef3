//! What is answered to each kind of question: pure functions of the documents and of what checks have found.

pub(crate) mod actions;
pub(crate) mod completion;
pub(crate) mod context;
pub(crate) mod diagnostics;
pub(crate) mod folding;
pub(crate) mod format;
pub(crate) mod hover;
pub(crate) mod links;
pub(crate) mod navigate;
pub(crate) mod nets;
pub(crate) mod rename;
pub(crate) mod symbols;
pub(crate) mod tokens;

#[cfg(test)]
mod hostile;

use crate::address::Address;
use crate::checks::Leaves;
use crate::client::Client;
use crate::descriptor;
use crate::documents::{Document, Documents};
use crate::index::World;
use lsp_types::{Location, Range};
use manifold_nemo::leaf::{Leaf, LeafError};
use manifold_nemo_syntax::diagnostic::{FileId, Span};
use manifold_nemo_syntax::script::Model;
use std::sync::Arc;

/// All that an answer is made of.
pub(crate) struct Look<'s> {
    /// The documents, and what names mean in them.
    pub(crate) world: World<'s>,
    /// The descriptors, as far as checks have asked for them.
    pub(crate) leaves: &'s Leaves,
    /// Who asks.
    pub(crate) client: &'s Client,
}

impl<'s> Look<'s> {
    /// At these.
    pub(crate) fn new(documents: &'s Documents, leaves: &'s Leaves, client: &'s Client) -> Self {
        Self {
            world: World::new(documents),
            leaves,
            client,
        }
    }

    /// The document of a number.
    pub(crate) fn document(&self, file: FileId) -> Option<&'s Document> {
        self.world.documents().get(file)
    }

    /// A span as a range of its document.
    pub(crate) fn range(&self, span: Span) -> Range {
        self.document(span.file)
            .map(|document| document.range(span, self.client.encoding))
            .unwrap_or_default()
    }

    /// A span as a place that an editor can open.
    pub(crate) fn location(&self, span: Span) -> Option<Location> {
        let document = self.document(span.file)?;
        Some(Location::new(document.address.uri()?, self.range(span)))
    }

    /// A model of a document, by its name; the first one, where there are several.
    pub(crate) fn model(&self, file: FileId, name: &str) -> Option<&'s Model> {
        let document = self.document(file)?;
        document.index().models(name).next()?.model(document.script())
    }

    /// What is known of a model's descriptor; `None`: it has none, or nothing is known yet.
    pub(crate) fn leaf(&self, file: FileId, model: &Model) -> Option<&'s Result<Arc<Leaf>, LeafError>> {
        let folder = self.document(file)?.folder();
        self.leaves
            .get(&descriptor::key(folder, &model.descriptor.as_ref()?.uri))
    }

    /// The descriptor of a leaf model.
    pub(crate) fn descriptor(&self, file: FileId, model: &Model) -> Option<&'s Arc<Leaf>> {
        self.leaf(file, model)?.as_ref().ok()
    }

    /// The file that a descriptor is, if it is one that an editor can open.
    pub(crate) fn descriptor_address(&self, file: FileId, model: &Model) -> Option<Address> {
        let folder = self.document(file)?.folder();
        let by_address = descriptor::text_file(folder, &model.descriptor.as_ref()?.uri);
        // An address can name a folder or a catalogue; the descriptor that was found in it may still be a file.
        by_address.or_else(|| descriptor::text_file(folder, &self.descriptor(file, model)?.file))
    }
}

/// Why there is no answer: said to the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The question cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// It is understood, and the answer is no.
    #[error("{0}")]
    Refused(String),
    /// There is no such method.
    #[error("there is no method {0}")]
    NoMethod(String),
    /// The question was withdrawn.
    #[error("cancelled")]
    Cancelled,
    /// A fault of the server's own.
    #[error("a fault of the server: {0}")]
    Internal(String),
}

impl Failure {
    /// Its code in the protocol.
    pub(crate) fn code(&self) -> i32 {
        use lsp_server::ErrorCode;
        let code = match self {
            Self::Invalid(_) => ErrorCode::InvalidParams,
            Self::Refused(_) => ErrorCode::RequestFailed,
            Self::NoMethod(_) => ErrorCode::MethodNotFound,
            Self::Cancelled => ErrorCode::RequestCanceled,
            Self::Internal(_) => ErrorCode::InternalError,
        };
        code as i32
    }
}
