//! Descriptors of other systems as a NEMO script with VNF packages, to start from what one has.
//!
//! ```text
//! scenario or NSD ──┐                      ┌──> NAME.nemo
//!                   ├──read──> Nsd, Vnfds ─┤
//! VNFs ─────────────┘                      └──> VNF/Definitions/VNF.yaml, one folder for each (SOL001)
//! ```
//! Texts in, texts out. The script that comes out is checked before it is given away; what could not be taken along is told in notes.

mod names;
mod script;
mod sources;

use manifold_descriptors::Diagnostics;
use manifold_descriptors::formats::Kind;
use manifold_descriptors::interfaces::LeafFormat;
use manifold_descriptors::tosca_write;
use manifold_descriptors::vnfd::{SwImageSource, Vnfd};
use manifold_nemo::compile::{self, descriptor};
use manifold_nemo::leaf::Leaf;
use std::collections::BTreeMap;

/// What an import is told beside the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Images by the name or path that the descriptors give them: `manifold:image/NAME`, or an address to take instead.
    pub images: BTreeMap<String, String>,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Name of the script among the files.
    pub script: String,
    /// Texts by path, the script among them.
    pub files: BTreeMap<String, String>,
    /// What could not be taken along, or is called otherwise.
    pub notes: Vec<String>,
    /// What the descriptors' readers warn of.
    pub warnings: Diagnostics,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The descriptors have faults.
    #[error("the descriptors have faults:\n{0}")]
    Faults(Diagnostics),
    /// A file is of another language than the one that was named.
    #[error("{file}: this is {found}, and descriptors of {wanted} are imported")]
    OtherLanguage {
        /// The file.
        file: String,
        /// What it is.
        found: Kind,
        /// What was wanted.
        wanted: LeafFormat,
    },
    /// A service uses a VNF whose descriptor was not given.
    #[error("`{service}` uses the VNF `{vnf}`, and no file that was given describes it (there is {given})")]
    VnfMissing {
        /// The service.
        service: String,
        /// The VNF.
        vnf: String,
        /// Those that there are.
        given: String,
    },
    /// A service connects what its VNF does not have.
    #[error("`{node}:{interface}` of `{service}`: VNF `{vnf}` has no such interface (there is {given})")]
    InterfaceMissing {
        /// The service.
        service: String,
        /// The node.
        node: String,
        /// The interface.
        interface: String,
        /// The VNF.
        vnf: String,
        /// Those that there are.
        given: String,
    },
    /// There are several services, or none of anything.
    #[error("{0}")]
    Selection(String),
}

/// Imports descriptors of one language. Errors: all that is wrong with them.
pub fn import(
    format: LeafFormat,
    files: &BTreeMap<String, Vec<u8>>,
    options: &Options,
) -> Result<Imported, ImportError> {
    let found = sources::read(format, files)?;
    let mut notes = found.notes;
    let mut names = names::Names::default();
    let mut written = BTreeMap::new();
    let mut models = Vec::new();
    let images = compile::Options {
        images: options.images.clone(),
        ..compile::Options::default()
    };
    for (file, read) in found.vnfs {
        let name = names.give(&read.name, &mut notes);
        let mut leaf = Leaf::new(&format!("file:{name}"), &file, read);
        let mut points = names::Names::default();
        let mut interfaces = BTreeMap::new();
        for interface in &mut leaf.interfaces {
            let point = points.give(&interface.name, &mut notes);
            interfaces.insert(std::mem::replace(&mut interface.name, point.clone()), point.clone());
            for cpd in leaf.vnfd.flavours.iter_mut().flat_map(|flavour| &mut flavour.ext_cpds) {
                if cpd.id == interface.ext_cpd {
                    cpd.requirement = Some(point.clone());
                }
            }
        }
        let id = leaf.vnfd.descriptor_id.clone();
        let vnfd = with_addresses(descriptor(&leaf, &images, &mut notes));
        for (path, text) in tosca_write::vnfd(&vnfd, &name) {
            written.insert(format!("{name}/{path}"), text);
        }
        models.push(script::Model {
            uri: format!("file:{name}/Definitions/{name}.yaml"),
            name,
            id,
            interfaces,
            flavour: leaf
                .vnfd
                .flavours
                .first()
                .map(|flavour| flavour.id.clone())
                .unwrap_or_default(),
        });
    }
    let (name, text) = script::write(found.nsd.as_ref(), &models, &mut notes)?;
    let script = format!("{name}.nemo");
    written.insert(script.clone(), text);
    notes.sort();
    notes.dedup();
    Ok(Imported {
        script,
        files: written,
        notes,
        warnings: found.warnings,
    })
}

/// SOL001 wants checksum and size of an image that it names without saying where it is. Nobody knows them here, so the name becomes an
/// address: `vim://NAME`, for which an image can be given when the script is applied.
fn with_addresses(mut vnfd: Vnfd) -> Vnfd {
    for vdu in vnfd.flavours.iter_mut().flat_map(|flavour| &mut flavour.vdus) {
        let of_storages = vdu.storages.iter_mut().filter_map(|storage| storage.sw_image.as_mut());
        for image in vdu.sw_image.iter_mut().chain(of_storages) {
            let is_known = image.checksum.is_some() && image.size_bytes.is_some();
            let place = match &image.source {
                SwImageSource::ByName if !is_known => image.name.clone(),
                SwImageSource::Disk { path } => path.clone(),
                _ => continue,
            };
            image.source = SwImageSource::Uri {
                uri: format!("vim://{place}"),
            };
        }
    }
    vnfd
}
