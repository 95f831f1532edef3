//! From what is asked to what is to be on-boarded: pure, once the descriptors are there.

use crate::difference;
use crate::record::Part;
use crate::sources::Sources;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::nsd::Nsd;
use manifold_nemo::check::{self, Source, Strictness};
use manifold_nemo::compile::{self, Packages};
use manifold_nemo::condition;
use manifold_nemo::inline::inline;
use manifold_nemo::render::{Files, render};
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
        strictness: if ask.lenient {
            Strictness::Lenient
        } else {
            Strictness::Strict
        },
        root: ask.root.clone(),
        name: Some(ask.name.clone()),
    };
    let checked = check::check(&sources, &leaves, &options);
    let told = parses.iter().flat_map(Parse::diagnostics).chain(&checked.diagnostics);
    let (errors, rest): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        told.partition(|diagnostic| diagnostic.severity == Severity::Error);
    let files = ask
        .sources
        .iter()
        .zip(0..)
        .fold(Files::new(), |files, (source, number)| {
            files.with(FileId(number), &source.file, &source.text)
        });
    let text = |diagnostic: &Diagnostic| render(diagnostic, &files);
    if !errors.is_empty() {
        return Err(faults(errors.into_iter().map(text).collect()));
    }
    let service = checked
        .service()
        .map_err(|errors| faults(errors.iter().map(text).collect()))?;
    for composite in &service.composites {
        for rule in &composite.rules {
            let measured = rule.condition.as_ref().map(condition::measured).unwrap_or_default();
            if let Some(state) = measured.first() {
                let (rule, state) = (&rule.name, &state.text);
                return Err(wrong(format!(
                    "operation `{rule}` depends on `{state}`, and nothing measures that yet: `time`, `date` and `fulltime` can be told"
                )));
            }
        }
    }
    let settings = compile::Options {
        name: ask.name.clone(),
        images: ask.images.clone(),
        ..compile::Options::default()
    };
    // One NS is what an update compares and changes, all of it or nothing.
    let whole = inline(&service, &settings.limits).map_err(|error| wrong(error.to_string()))?;
    let built = compile::nsd(&whole, &settings).map_err(|error| wrong(error.to_string()))?;
    let parts = difference::parts(&service).map_err(|error| wrong(error.to_string()))?;
    let warnings = rest
        .into_iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Warning)
        .map(text);
    let notes = warnings.chain(built.notes.iter().cloned()).collect();
    archives(&built, parts, notes)
}

fn wrong(what: String) -> CallError {
    CallError::invalid(what).cure("mend the script: `manifold nemo check` shows the places")
}

fn faults(all: Vec<String>) -> CallError {
    let count = all.len();
    let what = if count == 1 {
        "1 fault"
    } else {
        &format!("{count} faults")
    };
    wrong(format!("the script has {what}:\n{}", all.join("\n")))
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
