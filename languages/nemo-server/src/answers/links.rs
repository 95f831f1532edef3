//! Addresses of descriptors as links.

use super::Look;
use crate::descriptor;
use crate::documents::Document;
use lsp_types::{DocumentLink, Uri};
use manifold_nemo_syntax::script::Statement;
use std::str::FromStr;

/// The links of a document. What names nothing that an editor could open is none.
pub(crate) fn links(look: &Look<'_>, document: &Document) -> Vec<DocumentLink> {
    let mut links = Vec::new();
    for statement in &document.script().statements {
        let Statement::Model(model) = statement else { continue };
        let Some(reference) = &model.descriptor else { continue };
        let is_web = reference.uri.starts_with("https://") || reference.uri.starts_with("http://");
        let target = if is_web {
            Uri::from_str(&reference.uri).ok()
        } else {
            descriptor::text_file(document.folder(), &reference.uri).and_then(|address| address.uri())
        };
        if let Some(target) = target {
            links.push(DocumentLink {
                range: look.range(reference.span),
                target: Some(target),
                tooltip: Some(format!("VNF descriptor of {}", model.name.text)),
                data: None,
            });
        }
    }
    links
}
