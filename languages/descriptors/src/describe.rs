//! Definitions in, descriptor out: which kind it is, and the checks that all kinds share.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::diagnostic::Diagnostics;
use crate::nsd::{self, Nsd};
use crate::pnfd::{self, Pnfd};
use crate::source::Report;
use crate::tosca::definitions::{DefinitionFiles, load};
use crate::tosca::template::{self, Topology};
use crate::tosca::types::{Sort, Types};
use crate::vnfd::{self, Vnfd};

/// A descriptor of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Descriptor {
    /// Of a virtualised network function.
    Vnfd(Box<Vnfd>),
    /// Of a network service.
    Nsd(Box<Nsd>),
    /// Of a physical network function.
    Pnfd(Box<Pnfd>),
}

impl Descriptor {
    /// The id that names it among all descriptors of its kind.
    pub fn descriptor_id(&self) -> &str {
        match self {
            Self::Vnfd(vnfd) => &vnfd.descriptor_id,
            Self::Nsd(nsd) => &nsd.descriptor_id,
            Self::Pnfd(pnfd) => &pnfd.descriptor_id,
        }
    }

    /// `VNFD`, `NSD` or `PNFD`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Vnfd(_) => "VNFD",
            Self::Nsd(_) => "NSD",
            Self::Pnfd(_) => "PNFD",
        }
    }
}

/// What definitions describe, and all that is wrong with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// As far as it could be read. With errors in the diagnostics it is for looking at, not for use.
    pub descriptor: Option<Descriptor>,
    /// Faults and warnings, sorted by place.
    pub diagnostics: Diagnostics,
    /// Definitions files that were given and that nothing imports (ETSI's type files not counted).
    pub not_imported: Vec<String>,
}

impl Described {
    /// The descriptor when there is no error.
    pub fn into_result(self) -> Result<Descriptor, Diagnostics> {
        match self.descriptor {
            Some(descriptor) if !self.diagnostics.has_errors() => Ok(descriptor),
            _ => Err(self.diagnostics),
        }
    }
}

/// Reads the definitions that begin at `entry`. `artifacts`: all paths of the package, to find artifacts in; `None` when the
/// definitions stand alone, and artifacts are not looked for.
pub fn describe(entry: &str, files: &DefinitionFiles, artifacts: Option<&BTreeSet<String>>) -> Described {
    let mut report = Report::default();
    if !files.contains_key(entry) {
        report
            .diagnostics
            .error_in(Code::MetaFileMissing, entry, "there is no such definitions file");
        return Described {
            descriptor: None,
            diagnostics: report.diagnostics,
            not_imported: vec![],
        };
    }
    let definitions = load(&mut report, files, entry);
    let topologies: Vec<Topology> = definitions
        .files
        .iter()
        .filter_map(|file| template::read(&mut report, &definitions.types, &file.path, &file.root))
        .collect();
    let entry_read = definitions.files.first().is_some_and(|file| file.path == entry);
    let descriptor = if entry_read {
        read(&mut report, &definitions.types, &topologies, artifacts)
    } else {
        None
    };
    if entry_read && descriptor.is_none() {
        report.diagnostics.error_in(
            Code::NoDescriptor,
            entry,
            "no node here is a VNF, a network service or a PNF",
        );
    }
    let is_read = |path: &String| definitions.files.iter().any(|file| &file.path == path);
    let not_imported = files
        .keys()
        .filter(|path| !is_read(path) && !crate::tosca::definitions::is_etsi(path))
        .cloned()
        .collect();
    let mut diagnostics = report.diagnostics;
    diagnostics.sort();
    Described {
        descriptor,
        diagnostics,
        not_imported,
    }
}

/// An NSD names VNFs and PNFs among its nodes: the largest thing that is there counts, and what the entry substitutes before all.
fn read(
    report: &mut Report,
    types: &Types,
    topologies: &[Topology],
    artifacts: Option<&BTreeSet<String>>,
) -> Option<Descriptor> {
    let entry = topologies.first()?;
    let substitutes = |topology: &Topology, ancestor: &str| {
        topology
            .substitution
            .as_ref()
            .is_some_and(|s| types.is_a(Sort::Node, &s.node_type, ancestor))
    };
    let has = |topology: &Topology, ancestor: &str| topology.nodes_of(types, ancestor).next().is_some();
    let is_ns = substitutes(entry, nsd::read::NS) || entry.substitution.is_none() && has(entry, nsd::read::NS);
    if is_ns {
        return nsd::read::nsd(report, types, entry).map(|nsd| Descriptor::Nsd(Box::new(nsd)));
    }
    let is_vnf =
        topologies.iter().any(|topology| substitutes(topology, vnfd::read::VNF)) || has(entry, vnfd::read::VNF);
    if is_vnf && !substitutes(entry, pnfd::read::PNF) {
        return vnfd::read::vnfd(report, types, topologies, artifacts).map(|vnfd| Descriptor::Vnfd(Box::new(vnfd)));
    }
    if substitutes(entry, pnfd::read::PNF) || has(entry, pnfd::read::PNF) {
        return pnfd::read::pnfd(report, types, entry).map(|pnfd| Descriptor::Pnfd(Box::new(pnfd)));
    }
    None
}
