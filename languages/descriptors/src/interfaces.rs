//! A VNF descriptor of any language, and its interfaces with their places in the descriptor's own text: what a service language needs
//! to know of its leaves.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::code::Code;
use crate::csar::{Csar, Limits, Package, PackageFiles, read_package};
use crate::describe::{Described, Descriptor, describe};
use crate::diagnostic::{Diagnostics, Place, quote};
use crate::fields::Reader;
use crate::formats::{Detected, Kind, detect};
use crate::source::{Report, Span};
use crate::tosca::definitions::DefinitionFiles;
use crate::vnfd::{ExtCpInternal, Vnfd};
use crate::yaml;

/// Most bytes of a definitions file in a package that are read to quote a line.
const QUOTED_BYTES_MAX: u64 = yaml::TEXT_BYTES_MAX as u64;

/// The language of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeafFormat {
    /// SOL001, alone or in a CSAR.
    Sol001,
    /// SOL006, of either root form.
    Sol006,
    /// OpenMANO 0.1 or 0.2.
    OpenMano,
    /// As GS NFV-MAN 001 draws it.
    Man001,
}

impl std::fmt::Display for LeafFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sol001 => "SOL001",
            Self::Sol006 => "SOL006",
            Self::OpenMano => "OpenMANO",
            Self::Man001 => "MAN001",
        })
    }
}

/// An interface of a descriptor that can be connected from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeafInterface {
    /// Its external name: what a connection point names first of all.
    pub name: String,
    /// The VNFC that has it, where the descriptor says.
    pub vnfc: Option<String>,
    /// Its name inside that VNFC.
    pub local_name: Option<String>,
    /// `mgmt`, `data`, `bridge`, or what the format says; empty: nothing is said.
    pub role: String,
    /// The [`VnfExtCpd`](crate::vnfd::VnfExtCpd) that it is.
    pub ext_cpd: String,
    /// Line in the descriptor, from 1; 0: the whole file.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Column behind the name.
    pub end_column: u32,
    /// The text of that line.
    pub text: String,
}

/// A VNF descriptor that was read, without errors.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLeaf {
    /// Its language.
    pub format: LeafFormat,
    /// `sha256:` and the hash of the bytes.
    pub digest: String,
    /// Name of the VNF for people.
    pub name: String,
    /// The descriptor.
    pub vnfd: Vnfd,
    /// What can be connected to, in the order of the text.
    pub interfaces: Vec<LeafInterface>,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// An interface as an importer found it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) vnfc: Option<String>,
    pub(crate) local_name: Option<String>,
    pub(crate) role: String,
    pub(crate) ext_cpd: String,
}

/// `sha256:` and the hash of these bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Reads a VNF descriptor in whichever language it is. `file` is what messages call it. A SOL001 file stands alone here: with imports of
/// its own, use [`read_definitions`]. Errors: what is wrong with it, every fault at once.
pub fn read_leaf(file: &str, bytes: &[u8]) -> Result<ReadLeaf, Diagnostics> {
    if crate::formats::is_archive(bytes) {
        return archive(bytes);
    }
    let mut reader = Reader::default();
    let Some(root) = yaml::parse(&mut reader.report, file, bytes) else {
        return Err(reader.report.diagnostics);
    };
    let Some(detected) = detect(&mut reader.report, &root) else {
        return Err(reader.report.diagnostics);
    };
    if detected.kind == Kind::Sol001 {
        return read_definitions(file, &DefinitionFiles::from([(file.to_owned(), bytes.to_vec())]));
    }
    let read = match detected {
        Detected {
            kind: Kind::OpenManoVnf,
            ..
        } => crate::openmano::vnf::read(&mut reader, &root),
        Detected {
            kind: Kind::Sol006Vnfd,
            node,
        } => crate::sol006::vnfd::read(&mut reader, node),
        Detected {
            kind: Kind::Man001Vnfd,
            node,
        } => crate::man001::vnfd::read(&mut reader, node),
        Detected { kind, .. } => {
            let message = format!("this is {kind}, and a VNF descriptor is wanted");
            reader.report.error(Code::DescriptorKind, root.span, message);
            None
        }
    };
    let (report, diagnostics) = reader.finish();
    match read {
        Some((vnfd, found)) if !diagnostics.has_errors() => Ok(ReadLeaf {
            format: detected.kind.language(),
            digest: digest_of(bytes),
            name: vnfd.product_name.clone(),
            interfaces: found.into_iter().map(|found| placed(&report, found)).collect(),
            vnfd,
            warnings: diagnostics,
        }),
        _ => Err(diagnostics),
    }
}

/// Reads a SOL001 VNFD of several definitions files that begin at `entry`. The digest is over all of them, with their names.
pub fn read_definitions(entry: &str, files: &DefinitionFiles) -> Result<ReadLeaf, Diagnostics> {
    let Described {
        descriptor,
        diagnostics,
        ..
    } = describe(entry, files, None);
    let digest = match files.get(entry) {
        Some(bytes) if files.len() == 1 => digest_of(bytes),
        _ => {
            let mut all = Sha256::new();
            for (name, bytes) in files {
                all.update((name.len() as u64).to_be_bytes());
                all.update(name.as_bytes());
                all.update((bytes.len() as u64).to_be_bytes());
                all.update(bytes);
            }
            format!("sha256:{}", hex::encode(all.finalize()))
        }
    };
    let text = |place: &Place| {
        let text = std::str::from_utf8(files.get(&place.file)?).ok()?;
        quote(text, place.line)
    };
    sol001(descriptor, diagnostics, digest, text)
}

/// The files that a definitions file imports, as paths from the root of what it is in. ETSI's own are among them, which are built in.
pub fn imports(file: &str, bytes: &[u8]) -> Vec<String> {
    crate::tosca::definitions::imports_of(file, bytes)
}

/// The leaf of a package that was read already, whose definitions are in `files`.
pub fn read_leaf_package(
    package: Package,
    files: &mut dyn PackageFiles,
    digest: String,
) -> Result<ReadLeaf, Diagnostics> {
    let mut texts: BTreeMap<String, Option<String>> = BTreeMap::new();
    sol001(package.descriptor, package.diagnostics, digest, |place| {
        let text = texts.entry(place.file.clone()).or_insert_with(|| {
            let size = *files.paths().get(&place.file)?;
            let mut bytes = Vec::new();
            let read = (size <= QUOTED_BYTES_MAX)
                .then(|| files.open(&place.file).ok())
                .flatten();
            std::io::Read::read_to_end(&mut std::io::Read::take(read?, QUOTED_BYTES_MAX), &mut bytes).ok()?;
            String::from_utf8(bytes).ok()
        });
        quote(text.as_deref()?, place.line)
    })
}

fn archive(bytes: &[u8]) -> Result<ReadLeaf, Diagnostics> {
    let limits = Limits::default();
    let package = read_package(Cursor::new(bytes), &limits);
    if package.diagnostics.has_errors() {
        return Err(package.diagnostics);
    }
    let mut csar = Csar::open(Cursor::new(bytes), &limits)?;
    read_leaf_package(package, &mut csar, digest_of(bytes))
}

fn sol001(
    descriptor: Option<Descriptor>,
    mut diagnostics: Diagnostics,
    digest: String,
    mut text: impl FnMut(&Place) -> Option<String>,
) -> Result<ReadLeaf, Diagnostics> {
    let vnfd = match descriptor {
        Some(Descriptor::Vnfd(vnfd)) => vnfd,
        Some(other) => {
            let message = format!("this is an {}, and a VNFD is wanted", other.kind());
            diagnostics.error_in(Code::DescriptorKind, "", message);
            return Err(diagnostics);
        }
        None => return Err(diagnostics),
    };
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let mut interfaces = Vec::new();
    for cpd in vnfd
        .flavours
        .first()
        .map(|flavour| flavour.ext_cpds.as_slice())
        .unwrap_or_default()
    {
        let (vnfc, local_name) = match &cpd.internal {
            ExtCpInternal::VduCp { vdu, cp } => (Some(vdu.clone()), Some(cp.clone())),
            ExtCpInternal::VirtualLink { .. } | ExtCpInternal::Open => (None, None),
        };
        let place = cpd.place.clone().unwrap_or_default();
        let text = text(&place).unwrap_or_default();
        let (column, end_column) = part(&text, &cpd.id, &place);
        interfaces.push(LeafInterface {
            name: cpd.requirement.clone().unwrap_or_else(|| cpd.id.clone()),
            vnfc,
            local_name,
            role: String::new(),
            ext_cpd: cpd.id.clone(),
            line: place.line,
            column,
            end_column,
            text,
        });
    }
    interfaces.sort_by_key(|interface| interface.line);
    Ok(ReadLeaf {
        format: LeafFormat::Sol001,
        digest,
        name: vnfd.product_name.clone(),
        vnfd: *vnfd,
        interfaces,
        warnings: diagnostics,
    })
}

fn placed(report: &Report, found: Found) -> LeafInterface {
    let place = report.place(found.span);
    let text = report
        .sources
        .quote(found.span.file, found.span.line)
        .unwrap_or_default();
    let (column, end_column) = part(&text, &found.name, &place);
    LeafInterface {
        name: found.name,
        vnfc: found.vnfc,
        local_name: found.local_name,
        role: found.role,
        ext_cpd: found.ext_cpd,
        line: place.line,
        column,
        end_column,
        text,
    }
}

/// The columns of a name in the line that its place is on; the place's own when it does not stand there letter by letter.
fn part(line: &str, name: &str, place: &Place) -> (u32, u32) {
    let from = line
        .char_indices()
        .nth(place.column.saturating_sub(1) as usize)
        .map_or(0, |(at, _)| at);
    let found = line[from..].find(name).map(|at| from + at).or_else(|| line.find(name));
    match found {
        Some(at) if !name.is_empty() => {
            let column = line[..at].chars().count() as u32 + 1;
            (column, column + name.chars().count() as u32)
        }
        _ if place.end_line == place.line => (place.column, place.end_column.max(place.column + 1)),
        _ => (place.column, place.column + 1),
    }
}
