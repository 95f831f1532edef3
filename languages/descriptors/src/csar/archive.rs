//! The archive: its names are checked before anything is unpacked, and nothing unpacks to more than it declares.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::PackageFiles;
use crate::code::Code;
use crate::diagnostic::{Diagnostics, Place, Severity};

/// Longest name of an entry in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// Entries smaller than this unpacked are no bomb, however well they pack.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Longest comment of a ZIP archive plus its end record: where the end record is looked for.
const END_BYTES_MAX: u64 = 65_535 + 22;

/// What an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries, folders counted. The largest VNF packages about have a few hundred.
    pub entries_max: u64,
    /// Most bytes of one entry, unpacked.
    pub entry_bytes_max: u64,
    /// Most bytes of all entries, unpacked.
    pub total_bytes_max: u64,
    /// Most that an entry of more than 1 MiB may grow by unpacking. Deflate reaches 1032; text about 20; disk images with empty
    /// space about 100.
    pub ratio_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_max: 10_000,
            entry_bytes_max: 32 << 30,
            total_bytes_max: 64 << 30,
            ratio_max: 200,
        }
    }
}

/// An archive whose names are in order.
pub struct Csar<R> {
    zip: ZipArchive<R>,
    indexes: HashMap<String, usize>,
    paths: BTreeMap<String, u64>,
}

/// Why an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No such entry.
    #[error("there is no `{path}` in the package")]
    NoSuchEntry {
        /// What was asked for.
        path: String,
    },
    /// The entry is damaged, or the archive cannot be read.
    #[error("`{path}` cannot be unpacked")]
    Damaged {
        /// The entry.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl<R: Read + Seek> Csar<R> {
    /// Opens an archive and checks its directory. Errors: all that is wrong with it, each with the entry's name.
    pub fn open(mut reader: R, limits: &Limits) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::default();
        let mut refuse = |code, message: String| {
            diagnostics.push_plain(Severity::Error, code, Place::file(""), message, None);
        };
        if let Some(count) = declared_entries(&mut reader).filter(|count| *count > limits.entries_max) {
            refuse(
                Code::TooManyEntries,
                format!("{count} entries; at most {} are read", limits.entries_max),
            );
            return Err(diagnostics);
        }
        let zip = match ZipArchive::new(reader) {
            Ok(zip) => zip,
            Err(error) => {
                refuse(Code::NotAnArchive, format!("no ZIP archive: {error}"));
                return Err(diagnostics);
            }
        };
        if zip.len() as u64 > limits.entries_max {
            refuse(
                Code::TooManyEntries,
                format!("{} entries; at most {} are read", zip.len(), limits.entries_max),
            );
            return Err(diagnostics);
        }
        let mut csar = Self {
            zip,
            indexes: HashMap::new(),
            paths: BTreeMap::new(),
        };
        csar.check(limits, &mut diagnostics);
        if csar.zip.has_duplicate_names() {
            let directory = csar.zip.central_directory_start();
            for name in duplicates(csar.zip.into_inner(), directory, limits.entries_max) {
                diagnostics.error_in(
                    Code::DuplicateEntry,
                    &printable(&name),
                    "the name stands in the archive more than once",
                );
            }
            diagnostics.sort();
            return Err(diagnostics);
        }
        if diagnostics.has_errors() {
            diagnostics.sort();
            return Err(diagnostics);
        }
        Ok(csar)
    }

    fn check(&mut self, limits: &Limits, diagnostics: &mut Diagnostics) {
        let mut total: u64 = 0;
        let mut folders: Vec<String> = Vec::new();
        let mut without_case: HashMap<String, String> = HashMap::new();
        for index in 0..self.zip.len() {
            let Ok(entry) = self.zip.by_index_data(index) else {
                continue;
            };
            let raw = entry.name_raw().to_vec();
            let shown = String::from_utf8_lossy(&raw).into_owned();
            if let Some((code, message)) = bad_name(&raw) {
                diagnostics.error_in(code, &printable(&shown), message);
                continue;
            }
            let is_folder = shown.ends_with('/');
            let name = shown.trim_end_matches('/').to_owned();
            let mut refuse = |code, message: String| diagnostics.error_in(code, &name, message);
            // Bits of the file's kind: none stated, a regular file or a folder.
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if entry.is_symlink() || !matches!(kind, 0 | 0o100_000 | 0o040_000) {
                refuse(Code::LinkEntry, "a link or special file".into());
                continue;
            }
            if entry.encrypted() {
                refuse(Code::EncryptedEntry, "encrypted".into());
                continue;
            }
            if !matches!(
                entry.compression(),
                CompressionMethod::Stored | CompressionMethod::Deflated
            ) {
                refuse(
                    Code::DamagedEntry,
                    format!("packed with {}, which is not read", entry.compression()),
                );
                continue;
            }
            let (size, packed) = (entry.size(), entry.compressed_size());
            total = total.saturating_add(size);
            if size > limits.entry_bytes_max {
                refuse(
                    Code::EntryTooLarge,
                    format!("{size} bytes; at most {} are read", limits.entry_bytes_max),
                );
            } else if size > RATIO_FREE_BYTES && size / packed.max(1) > limits.ratio_max {
                let message = format!(
                    "{packed} bytes unpack to {size}; at most {} times as many are",
                    limits.ratio_max
                );
                refuse(Code::SuspiciousRatio, message);
            }
            match without_case.insert(name.to_lowercase(), name.clone()) {
                Some(other) if other != name => {
                    refuse(Code::CaseClash, format!("only its case tells it from `{other}`"))
                }
                Some(_) => refuse(Code::DuplicateEntry, "a file and a folder of this name".into()),
                None => {}
            }
            if is_folder {
                folders.push(name);
            } else {
                self.paths.insert(name.clone(), size);
                self.indexes.insert(name, index);
            }
        }
        if total > limits.total_bytes_max {
            let message = format!("{total} bytes in all; at most {} are read", limits.total_bytes_max);
            diagnostics.error_in(Code::ArchiveTooLarge, "", message);
        }
        for name in self.paths.keys() {
            let mut at = name.as_str();
            while let Some((folder, _)) = at.rsplit_once('/') {
                if self.paths.contains_key(folder) {
                    diagnostics.error_in(
                        Code::FileAndFolder,
                        folder,
                        format!("a file, and the folder of `{name}`"),
                    );
                }
                at = folder;
            }
        }
    }

    /// Copies a file out. Answers its size. Errors: there is none, or it is damaged; what was written until then stays written.
    pub fn copy(&mut self, path: &str, sink: &mut dyn io::Write) -> Result<u64, ArchiveError> {
        if !self.paths.contains_key(path) {
            return Err(ArchiveError::NoSuchEntry { path: path.to_owned() });
        }
        let damaged = |source| ArchiveError::Damaged {
            path: path.to_owned(),
            source,
        };
        let mut file = self.open(path).map_err(damaged)?;
        io::copy(&mut file, sink).map_err(damaged)
    }
}

impl<R: Read + Seek> PackageFiles for Csar<R> {
    fn paths(&self) -> &BTreeMap<String, u64> {
        &self.paths
    }

    fn open(&mut self, path: &str) -> io::Result<Box<dyn Read + '_>> {
        let index = *self
            .indexes
            .get(path)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let file = self.zip.by_index(index).map_err(io::Error::other)?;
        let declared = file.size();
        Ok(Box::new(Bounded {
            inner: file,
            left: declared,
        }))
    }
}

/// Fails when more comes than was declared, so that a lying directory cannot make a bomb.
struct Bounded<T> {
    inner: T,
    left: u64,
}

impl<T: Read> Read for Bounded<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unpacks to more than its declared size"))?;
        Ok(read)
    }
}

/// Names that stand in the directory more than once. The ZIP library keeps the last of each and says only that there are some.
fn duplicates<R: Read + Seek>(mut reader: R, directory: u64, entries_max: u64) -> Vec<String> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut at = directory;
    for _ in 0..entries_max {
        let mut header = [0u8; 46];
        let read = reader
            .seek(SeekFrom::Start(at))
            .and_then(|_| reader.read_exact(&mut header));
        if read.is_err() || header[..4] != *b"PK\x01\x02" {
            break;
        }
        let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let mut name = vec![0u8; length(28) as usize];
        if reader.read_exact(&mut name).is_err() {
            break;
        }
        *names.entry(String::from_utf8_lossy(&name).into_owned()).or_default() += 1;
        at += 46 + length(28) + length(30) + length(32);
    }
    let mut twice: Vec<String> = names
        .into_iter()
        .filter(|(_, n)| *n > 1)
        .map(|(name, _)| name)
        .collect();
    twice.sort();
    if twice.is_empty() {
        twice.push(String::new());
    }
    twice
}

fn bad_name(raw: &[u8]) -> Option<(Code, String)> {
    let Ok(name) = std::str::from_utf8(raw) else {
        return Some((Code::BadEntryName, "the name is not UTF-8".into()));
    };
    let bytes = name.as_bytes();
    let drive = bytes.len() >= 2 && bytes[1] == b':' && bytes[0].is_ascii_alphabetic();
    if name.starts_with(['/', '\\']) || drive {
        return Some((Code::AbsolutePath, "the name is an absolute path".into()));
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Some((Code::PathTraversal, "the name leaves the archive".into()));
    }
    let plain = name.strip_suffix('/').unwrap_or(name);
    let reason = if name.len() > NAME_BYTES_MAX {
        "the name is too long"
    } else if name.contains('\\') {
        "the name holds a backslash"
    } else if name.contains(':') {
        "the name holds a colon"
    } else if name.chars().any(char::is_control) {
        "the name holds a control character"
    } else if plain.split('/').any(|part| part.is_empty() || part == ".") {
        "the name has an empty part"
    } else {
        return None;
    };
    Some((Code::BadEntryName, reason.into()))
}

fn printable(name: &str) -> String {
    name.chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The number of entries that the end record declares, before the directory is read: a directory of many millions costs memory.
fn declared_entries<R: Read + Seek>(reader: &mut R) -> Option<u64> {
    let length = reader.seek(SeekFrom::End(0)).ok()?;
    let tail = length.min(END_BYTES_MAX);
    reader.seek(SeekFrom::Start(length - tail)).ok()?;
    let mut bytes = Vec::new();
    reader.by_ref().take(tail).read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let count = u64::from(u16::from_le_bytes([*bytes.get(end + 10)?, *bytes.get(end + 11)?]));
    if count < 0xffff {
        return Some(count);
    }
    // ZIP64: the locator stands right before, and names the place of the record with the true count.
    let locator = bytes.get(end.checked_sub(20)?..end)?;
    if locator[..4] != *b"PK\x06\x07" {
        return Some(count);
    }
    let at = u64::from_le_bytes(locator[8..16].try_into().ok()?);
    reader.seek(SeekFrom::Start(at)).ok()?;
    let mut record = [0u8; 40];
    reader.read_exact(&mut record).ok()?;
    Some(u64::from_le_bytes(record[32..40].try_into().ok()?))
}
