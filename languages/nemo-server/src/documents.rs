//! The texts that are looked at: those that an editor has open, and those of the workspace's folders as they are on the disk.
//!
//! What is kept: the editor's texts. What is made of them and kept until the next edit: tree, script, index. A number ([`FileId`]) is
//! given to an address once and stays its own.

use crate::address::Address;
use crate::folders;
use crate::index::{Index, Models};
use crate::position::{Encoding, Lines};
use lsp_types::{Range, TextDocumentContentChangeEvent};
use manifold_nemo_syntax::diagnostic::{FileId, Span};
use manifold_nemo_syntax::script::Script;
use manifold_nemo_syntax::{Parse, ParseOptions};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest text that is analysed. A larger one stays open and is told of.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 8 << 20;
/// Texts that can be open at once.
pub(crate) const OPEN_MAX: usize = 1000;

/// A text with what is known of it.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its address.
    pub(crate) address: Address,
    /// Its number.
    pub(crate) file: FileId,
    /// The editor's number of this state of it; `None`: it is not open, and this is what the disk has.
    pub(crate) version: Option<i32>,
    path: Option<PathBuf>,
    parse: Parse,
    lines: Lines,
    index: OnceCell<Index>,
    models: OnceCell<Models>,
    /// The text is too large: an empty one stands for it.
    is_too_large: bool,
    /// Changes when the text does.
    stamp: u64,
}

impl Document {
    fn new(address: Address, file: FileId, version: Option<i32>, text: String, stamp: u64) -> Self {
        let is_too_large = text.len() > DOCUMENT_BYTES_MAX;
        let text = if is_too_large { String::new() } else { text };
        Self {
            path: address.path(),
            address,
            file,
            version,
            lines: Lines::of(&text),
            parse: Parse::new(text, options(file)),
            index: OnceCell::new(),
            models: OnceCell::new(),
            is_too_large,
            stamp,
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        self.parse.text()
    }

    /// Tokens, tree, the parser's diagnostics.
    pub(crate) fn parse(&self) -> &Parse {
        &self.parse
    }

    /// Where its lines are.
    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// What it says.
    pub(crate) fn script(&self) -> &Arc<Script> {
        self.parse.script()
    }

    /// Its names.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self.script()))
    }

    /// Which models it defines, and which it takes from others.
    pub(crate) fn models(&self) -> &Models {
        self.models.get_or_init(|| Models::of(self.script()))
    }

    /// Its file.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The folder that its relative addresses count from.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }

    /// Whether it was too large to be looked at.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Changes when the text does.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// A span as an editor's range.
    pub(crate) fn range(&self, span: Span, encoding: Encoding) -> Range {
        self.lines
            .range(self.text(), span.start as usize, span.end as usize, encoding)
    }

    fn change(&mut self, change: TextDocumentContentChangeEvent, encoding: Encoding) {
        match change.range {
            Some(range) if !self.is_too_large => {
                let bytes = self.lines.bytes(self.text(), range, encoding);
                if self.text().len() - bytes.len() + change.text.len() <= DOCUMENT_BYTES_MAX {
                    self.parse.edit(bytes.clone(), &change.text);
                    self.lines
                        .edit(self.parse.text(), bytes.start, bytes.end, change.text.len());
                } else {
                    self.replace(String::new());
                    self.is_too_large = true;
                }
            }
            // What changed of a text that is not kept is not known; its next whole text is.
            Some(_) => {}
            None => {
                self.is_too_large = change.text.len() > DOCUMENT_BYTES_MAX;
                self.replace(if self.is_too_large { String::new() } else { change.text });
            }
        }
        self.index = OnceCell::new();
        self.models = OnceCell::new();
    }

    fn replace(&mut self, text: String) {
        self.lines = Lines::of(&text);
        self.parse = Parse::new(text, options(self.file));
    }
}

fn options(file: FileId) -> ParseOptions {
    ParseOptions {
        file,
        ..ParseOptions::default()
    }
}

/// Why a text is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Too many.
    #[error("{address} is not looked at: {OPEN_MAX} documents are open")]
    TooMany {
        /// Which.
        address: Address,
    },
    /// Changed or closed without having been opened.
    #[error("{address} is not open")]
    NotOpen {
        /// Which.
        address: Address,
    },
}

/// All texts.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    files: BTreeMap<Address, FileId>,
    documents: BTreeMap<FileId, Document>,
    roots: Vec<PathBuf>,
    next_stamp: u64,
    /// A folder had more scripts than are looked at.
    is_cut: bool,
}

impl Documents {
    /// The document of a number.
    pub(crate) fn get(&self, file: FileId) -> Option<&Document> {
        self.documents.get(&file)
    }

    /// The document at an address.
    pub(crate) fn at(&self, address: &Address) -> Option<&Document> {
        self.documents.get(self.files.get(address)?)
    }

    /// All of them, those that were seen first, first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// Those that an editor has open.
    pub(crate) fn open_ones(&self) -> impl Iterator<Item = &Document> {
        self.iter().filter(|document| document.version.is_some())
    }

    /// Whether scripts were left out because there are too many.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Takes the scripts of a folder as they are on the disk, and keeps it as one to look for scripts in.
    pub(crate) fn add_folder(&mut self, root: &Path) {
        self.take(root, None);
        self.roots.push(root.to_path_buf());
    }

    /// Forgets a folder's scripts that are not open.
    pub(crate) fn remove_folder(&mut self, root: &Path) {
        self.roots.retain(|known| known != root);
        let roots = &self.roots;
        self.documents.retain(|_, document| {
            let is_below = |root: &Path| document.path().is_some_and(|path| path.starts_with(root));
            document.version.is_some() || !is_below(root) || roots.iter().any(|other| is_below(other))
        });
    }

    fn take(&mut self, folder: &Path, depth_max: Option<usize>) {
        let found = folders::scan(folder, depth_max);
        self.is_cut |= found.is_cut;
        for path in found.files {
            self.read(&path);
        }
    }

    /// Reads a file anew, unless an editor has it open: then the editor's text counts.
    pub(crate) fn read(&mut self, path: &Path) {
        let address = Address::of_file(path);
        if self.at(&address).is_some_and(|known| known.version.is_some()) || !folders::is_script(path) {
            return;
        }
        let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() <= DOCUMENT_BYTES_MAX as u64);
        match std::fs::read_to_string(path) {
            Ok(text) if is_small => {
                if self.at(&address).is_none_or(|known| known.text() != text) {
                    self.put(address, None, text);
                }
            }
            _ => {
                if let Some(file) = self.files.get(&address) {
                    self.documents.remove(file);
                }
            }
        }
    }

    /// Takes a text that an editor has opened.
    pub(crate) fn open(&mut self, address: Address, version: i32, text: String) -> Result<FileId, Refused> {
        if self.open_ones().count() >= OPEN_MAX {
            return Err(Refused::TooMany { address });
        }
        // Where no folder is known, the scripts beside this one are what it can speak of.
        if let Some(folder) = address.path().as_deref().and_then(Path::parent)
            && !self.roots.iter().any(|root| folder.starts_with(root))
        {
            self.take(folder, Some(0));
        }
        Ok(self.put(address, Some(version), text))
    }

    /// Applies an editor's changes, in their order.
    pub(crate) fn change(
        &mut self,
        address: &Address,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Result<FileId, Refused> {
        self.next_stamp += 1;
        let stamp = self.next_stamp;
        let refused = || Refused::NotOpen {
            address: address.clone(),
        };
        let file = self.files.get(address).ok_or_else(refused)?;
        let document = self.documents.get_mut(file).ok_or_else(refused)?;
        if document.version.is_none() {
            return Err(refused());
        }
        for change in changes {
            document.change(change, encoding);
        }
        document.version = Some(version);
        document.stamp = stamp;
        Ok(*file)
    }

    /// An editor has closed a text: what the disk has counts again.
    pub(crate) fn close(&mut self, address: &Address) -> Result<(), Refused> {
        let refused = || Refused::NotOpen {
            address: address.clone(),
        };
        let file = *self.files.get(address).ok_or_else(refused)?;
        let is_open = self.get(file).is_some_and(|document| document.version.is_some());
        let document = self.documents.remove(&file).filter(|_| is_open).ok_or_else(refused)?;
        if let Some(path) = document.path() {
            self.read(path);
        }
        Ok(())
    }

    /// The same documents with other texts in some of them, to try something out.
    pub(crate) fn copy_with(&self, mut texts: BTreeMap<FileId, String>) -> Self {
        let documents = self.iter().map(|known| {
            let parse = match texts.remove(&known.file) {
                Some(text) => Parse::new(text, options(known.file)),
                None => known.parse.clone(),
            };
            let lines = Lines::of(parse.text());
            let copy = Document {
                address: known.address.clone(),
                path: known.path.clone(),
                parse,
                lines,
                index: OnceCell::new(),
                models: OnceCell::new(),
                ..*known
            };
            (known.file, copy)
        });
        Self {
            documents: documents.collect(),
            files: self.files.clone(),
            ..Self::default()
        }
    }

    fn put(&mut self, address: Address, version: Option<i32>, text: String) -> FileId {
        let next = FileId(self.files.len() as u32);
        let file = *self.files.entry(address.clone()).or_insert(next);
        self.next_stamp += 1;
        let document = Document::new(address, file, version, text, self.next_stamp);
        self.documents.insert(file, document);
        file
    }
}
