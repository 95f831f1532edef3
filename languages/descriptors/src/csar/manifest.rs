//! The manifest (SOL004 clause 4.3.2, SOL007 clause 4.3.2): what the package is, and a hash of every file in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::meta::line_span;
use crate::code::Code;
use crate::source::{Report, Span};

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Path from the root of the package.
    pub path: String,
    /// Its `metadata` section, keys as they stand there.
    pub metadata: BTreeMap<String, String>,
    /// Files and their hashes.
    pub sources: Vec<ManifestSource>,
    /// Whether a signature (CMS) stands in it.
    pub has_signature: bool,
}

/// A file that a manifest lists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSource {
    /// Path from the root of the package, or a URI outside of it.
    pub source: String,
    /// Algorithm as it stands there.
    pub algorithm: Option<String>,
    /// Hash as it stands there.
    pub hash: Option<String>,
}

/// A manifest with the places of its parts.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) manifest: Manifest,
    /// As many as sources: where each begins, and where its hash and its algorithm stand.
    pub(crate) places: Vec<[Span; 3]>,
    pub(crate) metadata_span: Option<Span>,
    pub(crate) key_spans: BTreeMap<String, Span>,
    pub(crate) start: Span,
}

enum Section {
    None,
    Metadata,
    /// A section that is not read (`non_mano_artifact_sets` and the like).
    Other,
    Source,
    Signature,
}

pub(crate) fn read(report: &mut Report, path: &str, text: &str) -> Placed {
    let file = report.sources.add(path, text.to_owned());
    let mut placed = Placed {
        start: line_span(file, 0, ""),
        ..Placed::default()
    };
    placed.manifest.path = path.to_owned();
    let mut section = Section::None;
    for (number, line) in text.lines().enumerate() {
        let span = line_span(file, number, line);
        let bare = line.trim();
        if let Section::Signature = section {
            if bare.starts_with("-----END") {
                section = Section::None;
            }
            continue;
        }
        if bare.starts_with("-----BEGIN") {
            placed.manifest.has_signature = true;
            section = Section::Signature;
            continue;
        }
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let Some((name, value)) = bare.trim_start_matches("- ").split_once(':') else {
            if !matches!(section, Section::Other) {
                report.error(Code::ManifestSyntax, span, "this line is not `Name: value`");
            }
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        match name.to_ascii_lowercase().as_str() {
            "metadata" if value.is_empty() => {
                section = Section::Metadata;
                placed.metadata_span = Some(span);
            }
            "source" => {
                section = Section::Source;
                placed.manifest.sources.push(ManifestSource {
                    source: value.to_owned(),
                    ..ManifestSource::default()
                });
                placed.places.push([span; 3]);
            }
            _ if value.is_empty() && !line.starts_with(char::is_whitespace) => section = Section::Other,
            key => match section {
                Section::Metadata => {
                    placed.key_spans.insert(name.to_owned(), span);
                    placed.manifest.metadata.insert(name.to_owned(), value.to_owned());
                }
                Section::Source => {
                    let at = placed.manifest.sources.len() - 1;
                    match key {
                        "algorithm" => {
                            placed.manifest.sources[at].algorithm = Some(value.to_owned());
                            placed.places[at][2] = span;
                        }
                        "hash" => {
                            placed.manifest.sources[at].hash = Some(value.to_owned());
                            placed.places[at][1] = span;
                        }
                        // Signature and certificate of one file (SOL004 clause 5.2), file types, encryption.
                        _ => placed.manifest.has_signature |= key == "signature",
                    }
                }
                Section::Other | Section::Signature => {}
                Section::None => report.error(Code::ManifestSyntax, span, format!("`{name}` stands in no section")),
            },
        }
    }
    placed
}
