//! A script's files, read, parsed and checked together.

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use manifold_leaves::{Host, Policy};
use manifold_nemo::check::{Checked, Options, Source, Strictness, check};
use manifold_nemo::leaf::LeafSource;
use manifold_nemo::render::{Files, render_all};
use manifold_nemo::service::Service;
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, Severity};
use manifold_nemo_syntax::{Parse, ParseOptions, TEXT_BYTES_MAX, parse};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What may be fetched.
#[derive(Debug, Clone, Default, Args)]
pub struct Leaving {
    /// Fetch descriptors from this host, over https; may be repeated
    #[arg(long = "allow-host", value_name = "HOST")]
    allow_host: Vec<String>,
}

impl Leaving {
    pub(super) fn policy(&self) -> Policy {
        Policy {
            hosts: self.allow_host.iter().cloned().map(Host).collect(),
            ..Policy::default()
        }
    }
}

/// The files of one script.
pub struct Texts {
    paths: Vec<PathBuf>,
    names: Vec<String>,
    texts: Vec<String>,
}

impl Texts {
    /// Errors: one cannot be read, or is no text.
    pub fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let read = |path: &PathBuf| -> anyhow::Result<String> {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
            file.take(TEXT_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes)
                .with_context(|| format!("reading {}", path.display()))?;
            ensure!(
                bytes.len() <= TEXT_BYTES_MAX,
                "{} has more than {TEXT_BYTES_MAX} bytes",
                path.display()
            );
            String::from_utf8(bytes).map_err(|_| anyhow!("{} is no text in UTF-8", path.display()))
        };
        Ok(Self {
            texts: paths.iter().map(read).collect::<anyhow::Result<_>>()?,
            names: paths.iter().map(|path| path.display().to_string()).collect(),
            paths: paths.to_vec(),
        })
    }

    /// A script that lies in no file.
    pub fn of(sources: impl IntoIterator<Item = (String, String)>) -> Self {
        let (names, texts): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        Self {
            paths: Vec::new(),
            names,
            texts,
        }
    }

    /// The same files with other texts.
    pub fn with(self, texts: Vec<String>) -> Self {
        Self { texts, ..self }
    }

    /// The texts, in the order of the files.
    pub fn all(&self) -> &[String] {
        &self.texts
    }

    /// What people call the files, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All files, in a sentence.
    pub fn title(&self) -> String {
        self.names.join(", ")
    }

    /// Where relative descriptors are: beside the first file.
    pub fn folder(&self) -> &Path {
        match self.paths.first().and_then(|path| path.parent()) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The stem of the last file's name: models come first, what is made of them last.
    pub fn name(&self) -> String {
        let stem = self.paths.last().and_then(|path| path.file_stem());
        stem.map_or_else(|| "service".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }

    /// Each parsed.
    pub fn parse(&self, lenient: bool) -> Vec<Parse> {
        let one = |(text, file): (&String, u32)| {
            let file = FileId(file);
            parse(text, ParseOptions { file, lenient })
        };
        self.texts.iter().zip(0..).map(one).collect()
    }

    /// Parses and checks.
    pub fn look(&self, leaves: &dyn LeafSource, lenient: bool, root: Option<&str>, name: Option<&str>) -> Looked {
        let parses = self.parse(lenient);
        let sources: Vec<Source<'_>> = parses
            .iter()
            .map(|parse| Source {
                file: parse.options().file,
                text: parse.text(),
                script: parse.script(),
            })
            .collect();
        let options = options(lenient, root, name);
        let checked = check(&sources, leaves, &options);
        Looked {
            checked,
            parses,
            has_root: root.is_some(),
        }
    }

    /// Faults as people read them.
    pub fn render(&self, told: &[Diagnostic]) -> String {
        let mut files = Files::new();
        for ((name, text), file) in self.names.iter().zip(&self.texts).zip(0..) {
            files = files.with(FileId(file), name, text);
        }
        render_all(told, &files)
    }

    /// Faults for programs.
    pub fn places(&self, told: &[Diagnostic]) -> Vec<Value> {
        told.iter().map(|one| self.place(one)).collect()
    }

    fn place(&self, one: &Diagnostic) -> Value {
        let at = one.span.file.0 as usize;
        let text = self.texts.get(at).map_or("", String::as_str);
        let before = &text[..text.floor_char_boundary(one.span.start as usize)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        json!({
            "code": one.code, "severity": one.severity, "file": self.names.get(at),
            "line": before.matches('\n').count() + 1, "column": before[line_start..].chars().count() + 1,
            "message": one.message, "help": one.help, "fix": one.fix.as_ref().map(|fix| &fix.title),
        })
    }
}

/// Files that were looked at.
pub struct Looked {
    checked: Checked,
    parses: Vec<Parse>,
    has_root: bool,
}

impl Looked {
    /// Everything that there is to tell, in the order of files and places.
    pub fn told(&self) -> Vec<Diagnostic> {
        let told = self.parses.iter().flat_map(Parse::diagnostics);
        let mut all: Vec<Diagnostic> = told.chain(&self.checked.diagnostics).cloned().collect();
        if self.has_root
            && !has_errors(&all)
            && let Err(more) = self.checked.service()
        {
            all.extend(more);
        }
        all.sort_by_key(|one| (one.span.file, one.span.start));
        all
    }

    /// What the parser made of them.
    pub fn parses(&self) -> &[Parse] {
        &self.parses
    }

    /// The service. Errors: all faults, as people read them.
    pub fn service(&self, texts: &Texts) -> anyhow::Result<Service> {
        let told = self.told();
        if has_errors(&told) {
            return Err(anyhow!(
                "{}{} cannot be used as it is",
                texts.render(&told),
                texts.title()
            ));
        }
        self.checked
            .service()
            .map_err(|faults| anyhow!("{}{} is no service as it is", texts.render(&faults), texts.title()))
    }
}

/// Whether something is wrong, and not only worth knowing.
pub fn has_errors(told: &[Diagnostic]) -> bool {
    told.iter().any(|one| one.severity == Severity::Error)
}

/// How it is looked at.
pub fn options(lenient: bool, root: Option<&str>, name: Option<&str>) -> Options {
    Options {
        strictness: if lenient {
            Strictness::Lenient
        } else {
            Strictness::Strict
        },
        root: root.map(str::to_owned),
        name: name.map(str::to_owned),
    }
}
