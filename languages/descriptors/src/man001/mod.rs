//! The descriptors that GS NFV-MAN 001 draws, in YAML: VNFDs (`vdu`, `virtual_link`, `connection_point`), virtual link descriptors and
//! NSDs, read into the models that SOL001 is read into.
//!
//! ```text
//! NSD ─┬─ vnfd ──> VNFD ─┬─< connection_point ──> VnfExtCpd ──> virtual_link
//!      ├─ vld ───> VLD   ├─< virtual_link ──> VnfVirtualLink
//!      │            └─ connection: vnf:cp, …
//!      └─< connection_point ──> Sap           └─< vdu ─< vnfc ─< connection_point ──> VduCp
//! ```
//! MAN 001 has no instances of VNFs and no flavours of links: a VNFD stands for the one VNF of its kind. A link's end names a connection
//! point and the VNF that has it; without the VNF it is taken where one VNF only has such a point, and refused elsewhere.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::diagnostic::Diagnostics;
use crate::fields::{Fields, Reader, Word};
use crate::formats::{Kind, detect};
use crate::interfaces::{ReadLeaf, read_leaf};
use crate::link::{Bitrate, ConnectivityType, LayerProtocol};
use crate::nsd::Nsd;
use crate::tosca::units;
use crate::yaml::{self, Node};

mod service;
pub(crate) mod vnfd;

/// Descriptors that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Set {
    /// The service: as the NSD says, else all VNFDs and links that were given.
    pub nsd: Nsd,
    /// The VNFs' descriptors by file.
    pub vnfds: BTreeMap<String, ReadLeaf>,
    /// Warnings of all.
    pub warnings: Diagnostics,
}

/// Reads descriptors of MAN 001 that belong together, in any order: at most one NSD, VNFDs, VLDs. Errors: all that is wrong with any.
pub fn read_set(files: &BTreeMap<String, Vec<u8>>) -> Result<Set, Diagnostics> {
    let mut reader = Reader::default();
    let mut vnfds = BTreeMap::new();
    let mut warnings = Diagnostics::default();
    let mut errors = Diagnostics::default();
    let mut roots: Vec<(Kind, Node)> = Vec::new();
    for (file, bytes) in files {
        let Some(root) = yaml::parse(&mut reader.report, file, bytes) else {
            continue;
        };
        let Some(found) = detect(&mut reader.report, &root) else {
            continue;
        };
        match found.kind {
            Kind::Man001Vnfd => match read_leaf(file, bytes) {
                Ok(read) => {
                    warnings.extend(read.warnings.clone());
                    vnfds.insert(file.clone(), read);
                }
                Err(told) => errors.extend(told),
            },
            Kind::Man001Nsd | Kind::Man001Vld => roots.push((found.kind, found.node.clone())),
            other => {
                let message = format!("this is {other}, and descriptors of MAN 001 are wanted");
                reader.report.error(Code::DescriptorKind, root.span, message);
            }
        }
    }
    let known: Vec<&ReadLeaf> = vnfds.values().collect();
    let nsd = service::read(&mut reader, &roots, &known, !errors.has_errors());
    let (_, told) = reader.finish();
    warnings.extend(told);
    warnings.extend(errors);
    warnings.sort();
    match nsd {
        Some(nsd) if !warnings.has_errors() => Ok(Set { nsd, vnfds, warnings }),
        _ => Err(warnings),
    }
}

/// What a link between so many ends is. One that joins two only is refused for more.
fn connectivity(reader: &mut Reader, fields: &mut Fields<'_>, ends: usize) -> ConnectivityType {
    let word = fields.word(reader, "connectivity_type");
    let pattern = word.and_then(|word| match word.text.to_ascii_lowercase().as_str() {
        "e-line" => {
            if ends != 2 {
                let message = format!("an E-Line joins exactly two connection points; here are {ends}");
                let help = Some("write `connectivity_type: E-LAN`, which joins any number".to_owned());
                reader.report.error_help(Code::LineEnds, word.span, message, help);
            }
            Some("line")
        }
        "e-lan" => Some("mesh"),
        "e-tree" => Some("tree"),
        other => {
            let help = reader.report.candidates(other, ["E-LAN", "E-Line", "E-Tree"]);
            let message = format!("`{}` is no type of connectivity", word.text);
            reader.report.error_help(Code::FieldMalformed, word.span, message, help);
            None
        }
    });
    ConnectivityType {
        layer_protocols: vec![LayerProtocol::Ethernet],
        flow_pattern: pattern.map(str::to_owned),
    }
}

/// `root_requirement` and `leaf_requirement`, where they are bit rates; MAN 001 leaves their form open.
fn bitrate(reader: &mut Reader, fields: &mut Fields<'_>) -> Bitrate {
    let mut read = |field: &'static str| {
        let word: Word = fields.word(reader, field)?;
        let bits = units::parse(&word.text, units::BITRATE).map(|bits| bits as u64);
        if bits.is_none() {
            reader.unused("a virtual link", field, word.span);
        }
        bits
    };
    Bitrate {
        root_bits_per_second: read("root_requirement"),
        leaf_bits_per_second: read("leaf_requirement"),
    }
}
