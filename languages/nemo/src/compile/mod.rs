//! Compilation of a service: nested NSDs with the packages of the leaves, one flat VNFD, an OpenMANO scenario.
//!
//! ```text
//!              ┌─ nsd ──────> Packages: a SOL001 NSD per composite (inner ones first), a VNFD per leaf that has none in SOL001
//! Service ─────┼─ flat ─────> Flat: one VNFD with the machines of all leaves
//!              └─ openmano ─> Scenario: nets and VNFs, descriptors of leaves that are not OpenMANO's
//! ```
//! The same service gives the same bytes. What a target has no words for is told in `notes`, never left out silently.

mod addresses;
mod flat;
mod identity;
mod leaf;
mod nets;
mod nsd;
mod openmano;
mod properties;
mod rules;
mod schedule;

use crate::expand::{ExpandError, Limits};
use manifold_descriptors::csar::{BuildError, BuildOptions, MemoryFiles, build};
use manifold_descriptors::{Nsd, Vnfd};
use std::collections::BTreeMap;
use std::io::Cursor;

pub use flat::{Artifact, Flat, flat};
pub use leaf::descriptor;
pub use nsd::nsd;
pub use openmano::{Scenario, openmano};

/// What the script does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The service's name: that of its outermost NSD, of the flat VNFD, of the scenario. Invariant ids are made of it and of the
    /// composites' names, so two services of one name are versions of one.
    pub name: String,
    /// Who designed it.
    pub designer: String,
    /// Version of the descriptors.
    pub version: String,
    /// Images by the name or path that descriptors of other languages give: `manifold:image/NAME` or a URI to take instead.
    pub images: BTreeMap<String, String>,
    /// How large the result may become.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "service".to_owned(),
            designer: "Manifold".to_owned(),
            version: "1.0".to_owned(),
            images: BTreeMap::new(),
            limits: Limits::default(),
        }
    }
}

/// Why a service was not compiled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// It is too large, or not put together well.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// A property that cannot be what it is written as.
    #[error("`{key}: {value}` of `{of}`: {wanted}")]
    Property {
        /// Node or net.
        of: String,
        /// Key.
        key: String,
        /// As it stands there.
        value: String,
        /// What would be good.
        wanted: String,
    },
    /// An operation that depends on what nothing here measures.
    #[error(
        "operation `{rule}` depends on `{state}`, which is not measured: only `time`, `date` and `fulltime` can be told"
    )]
    MeasuredState {
        /// The operation.
        rule: String,
        /// What it depends on.
        state: String,
    },
    /// A condition that falls apart into too many windows, or compares a time with no time.
    #[error("the condition of operation `{rule}`: {fault}")]
    Condition {
        /// The operation.
        rule: String,
        /// What is wrong.
        fault: String,
    },
    /// No address is left to give to a net.
    #[error("there are more nets than 10.128.0.0/9 has networks of 256 addresses; say `ipprefix` where it matters")]
    NoSubnetLeft,
    /// A descriptor without any deployment flavour.
    #[error("the descriptor of `{leaf}` has no deployment flavour")]
    NoFlavour {
        /// The leaf model.
        leaf: String,
    },
}

/// What a service became: descriptors in packages.
#[derive(Debug, Clone, PartialEq)]
pub struct Packages {
    /// NSDs, inner ones before those that use them; the last one is the service's.
    pub services: Vec<ServicePackage>,
    /// VNFDs of the leaves, in the order of their names.
    pub functions: Vec<FunctionPackage>,
    /// What SOL001 has no words for, and what else is worth knowing.
    pub notes: Vec<String>,
}

impl Packages {
    /// The service's own NSD.
    pub fn root(&self) -> &ServicePackage {
        self.services.last().expect("the root composite always becomes an NSD")
    }

    /// Every file, by a path that begins with the name of its package's folder.
    pub fn files(&self) -> BTreeMap<String, &str> {
        let services = self
            .services
            .iter()
            .map(|package| (&package.folder, Some(&package.files)));
        let functions = self
            .functions
            .iter()
            .map(|package| (&package.folder, package.files.as_ref()));
        let all = services.chain(functions);
        all.flat_map(|(folder, files)| {
            let of = files.into_iter().flatten();
            of.map(move |(path, text)| (format!("{folder}/{path}"), text.as_str()))
        })
        .collect()
    }
}

/// The NSD of a composite, as a folder that a package is built of.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePackage {
    /// Name of the composite.
    pub composite: String,
    /// Name of the folder: no two packages have the same.
    pub folder: String,
    /// Texts by path in the folder.
    pub files: BTreeMap<String, String>,
    /// The descriptor.
    pub nsd: Nsd,
}

impl ServicePackage {
    /// The archive (SOL007), with its TOSCA.meta and manifest: the same bytes every time.
    pub fn archive(&self) -> Result<Vec<u8>, BuildError> {
        archive(&self.files)
    }
}

/// The VNFD of a leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPackage {
    /// Address of the descriptor that it was made of.
    pub uri: String,
    /// Name of the folder: no two packages have the same.
    pub folder: String,
    /// Texts by path in the folder. `None`: the leaf's descriptor is SOL001 already and stands in its own package.
    pub files: Option<BTreeMap<String, String>>,
    /// The descriptor.
    pub vnfd: Vnfd,
}

impl FunctionPackage {
    /// The archive (SOL004) where the package was written here.
    pub fn archive(&self) -> Option<Result<Vec<u8>, BuildError>> {
        self.files.as_ref().map(archive)
    }
}

fn archive(files: &BTreeMap<String, String>) -> Result<Vec<u8>, BuildError> {
    let files = files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    let mut bytes = Cursor::new(Vec::new());
    build(&mut MemoryFiles::new(files), &BuildOptions::default(), &mut bytes)?;
    Ok(bytes.into_inner())
}
