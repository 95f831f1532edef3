//! From what is asked to what is to be on-boarded: pure, once the descriptors are there.

use crate::difference;
use crate::record::Part;
use crate::sources::Sources;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::nsd::Nsd;
use manifold_nemo::check::{self, Source, Strictness};
use manifold_nemo::compile::{self, Packages};
use manifold_nemo::render;
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, Severity};
use manifold_nemo_syntax::{Parse, ParseOptions, parse};
use manifold_nfvo_interface::{ScriptAsk, VnfPackageManagement};

/// Files of one script.
const FILES_MAX: usize = 256;
/// Bytes of one script.
const BYTES_MAX: usize = 2 << 20;

/// A script as packages.
pub(crate) struct Compiled {
    /// VNFDs that are on-boarded for it: those of the catalogue are there.
    pub(crate) functions: Vec<Archive>,
    /// NSDs, inner ones first; the last one is the service's.
    pub(crate) services: Vec<Archive>,
    pub(crate) nsd: Nsd,
    pub(crate) parts: Vec<Part>,
    pub(crate) notes: Vec<String>,
}

/// A package.
pub(crate) struct Archive {
    /// `vnfdId` or `nsdId`.
    pub(crate) descriptor: String,
    pub(crate) bytes: Vec<u8>,
}

/// Errors: `Invalid`, with everything that is wrong as people read it.
pub(crate) async fn compile(ask: &ScriptAsk, packages: &dyn VnfPackageManagement, cx: &Context) -> Outcome<Compiled> {
    limits(ask)?;
    let parses: Vec<Parse> = ask
        .sources
        .iter()
        .zip(0..)
        .map(|(source, number)| {
            let file = FileId(number);
            let lenient = ask.lenient;
            parse(&source.text, ParseOptions { file, lenient })
        })
        .collect();
    let scripts: Vec<_> = parses.iter().map(|parse| &**parse.script()).collect();
    let leaves = Sources::of(&scripts, &ask.descriptors, packages, cx).await?;
    let sources: Vec<Source<'_>> = parses
        .iter()
        .zip(0..)
        .map(|(parse, number)| Source {
            file: FileId(number),
            text: parse.text(),
            script: parse.script(),
        })
        .collect();
    let options = check::Options {
        strictness: if ask.lenient { Strictness::Lenient } else { Strictness::Strict },
        root: ask.root.clone(),
        name: Some(ask.name.clone()),
    };
    let checked = check::check(&sources, &leaves, &options);
    let told = parses.iter().flat_map(Parse::diagnostics).chain(&checked.diagnostics);
    let (errors, rest): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        told.partition(|diagnostic| diagnostic.severity == Severity::Error);
    let text = |diagnostic: &Diagnostic| {
        let files: Vec<(&str, &str)> =
            ask.sources.iter().map(|source| (source.file.as_str(), source.text.as_str())).collect();
        render::render(diagnostic, &files)
    };
    let wrong = |what: String| CallError::invalid(what).cure("mend the script: `manifold nemo check` shows the places");
    if !errors.is_empty() {
        let count = errors.len();
        let all: Vec<String> = errors.into_iter().map(text).collect();
        return Err(wrong(format!("the script has {count} faults:\n{}", all.join("\n"))));
    }
    let service = checked.service().map_err(|error| wrong(error.to_string()))?;
    let settings = compile::Options {
        name: ask.name.clone(),
        images: ask.images.clone(),
        ..compile::Options::default()
    };
    let built = compile::nsd(&service, &settings).map_err(|error| wrong(error.to_string()))?;
    let parts = difference::parts(&service).map_err(|error| wrong(error.to_string()))?;
    let warnings = rest.into_iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).map(text);
    let notes = warnings.chain(built.notes.iter().cloned()).collect();
    archives(&built, parts, notes)
}

fn limits(ask: &ScriptAsk) -> Outcome<()> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = &ask.name;
    if name.is_empty() || name.len() > 63 || !name.chars().all(good) || name.starts_with('-') || name.ends_with('-') {
        return Err(CallError::invalid(format!(
            "{name:?} is no name of a script: 1 to 63 of a-z, 0-9 and -, which stands neither first nor last"
        )));
    }
    let bytes: usize = ask.sources.iter().map(|source| source.text.len()).sum();
    if ask.sources.is_empty() || ask.sources.len() > FILES_MAX || bytes > BYTES_MAX {
        return Err(CallError::invalid(format!(
            "a script has 1 to {FILES_MAX} files and at most {BYTES_MAX} bytes; this one has {} and {bytes}",
            ask.sources.len()
        )));
    }
    Ok(())
}

fn archives(built: &Packages, parts: Vec<Part>, notes: Vec<String>) -> Outcome<Compiled> {
    let broken = |error: manifold_descriptors::csar::BuildError| {
        CallError::internal("a package of the script could not be written").caused_by(error)
    };
    let mut functions = Vec::new();
    for function in &built.functions {
        if let Some(bytes) = function.archive() {
            functions.push(Archive {
                descriptor: function.vnfd.descriptor_id.clone(),
                bytes: bytes.map_err(broken)?,
            });
        }
    }
    let mut services = Vec::new();
    for service in &built.services {
        services.push(Archive {
            descriptor: service.nsd.descriptor_id.clone(),
            bytes: service.archive().map_err(broken)?,
        });
    }
    Ok(Compiled {
        functions,
        services,
        nsd: built.root().nsd.clone(),
        parts,
        notes,
    })
}
