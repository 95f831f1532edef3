//! The descriptors: one service at most, and the VNFs.

use crate::ImportError;
use manifold_descriptors::formats::{Kind, kind_of};
use manifold_descriptors::interfaces::{LeafFormat, ReadLeaf, read_leaf};
use manifold_descriptors::{Diagnostics, Nsd, man001, openmano, sol006};
use std::collections::BTreeMap;

/// What the files say.
pub(crate) struct Found {
    pub(crate) nsd: Option<Nsd>,
    /// VNFs by file.
    pub(crate) vnfs: BTreeMap<String, ReadLeaf>,
    pub(crate) notes: Vec<String>,
    pub(crate) warnings: Diagnostics,
}

pub(crate) fn read(format: LeafFormat, files: &BTreeMap<String, Vec<u8>>) -> Result<Found, ImportError> {
    let mut faults = Diagnostics::default();
    let mut found = Found {
        nsd: None,
        vnfs: BTreeMap::new(),
        notes: Vec::new(),
        warnings: Diagnostics::default(),
    };
    let mut has_links = false;
    let mut services = Vec::new();
    for (file, bytes) in files {
        let kind = match kind_of(file, bytes) {
            Ok(kind) => kind,
            Err(told) => {
                faults.extend(told);
                continue;
            }
        };
        if kind.language() != format {
            return Err(ImportError::OtherLanguage {
                file: file.clone(),
                found: kind,
                wanted: format,
            });
        }
        match kind {
            Kind::OpenManoScenario | Kind::Sol006Nsd => {
                services.push(file.clone());
                let read = match kind {
                    Kind::OpenManoScenario => openmano::read_scenario(file, bytes),
                    _ => sol006::read_nsd(file, bytes),
                };
                match read {
                    Ok((nsd, warnings)) => {
                        found.warnings.extend(warnings);
                        found.nsd = Some(nsd);
                    }
                    Err(told) => faults.extend(told),
                }
            }
            Kind::Man001Nsd | Kind::Man001Vld => has_links = true,
            Kind::OpenManoVnf | Kind::Sol006Vnfd | Kind::Man001Vnfd => match read_leaf(file, bytes) {
                Ok(read) => {
                    found.warnings.extend(read.warnings.clone());
                    found.vnfs.insert(file.clone(), read);
                }
                Err(told) => faults.extend(told),
            },
            Kind::Sol001 => {
                return Err(ImportError::Selection(format!(
                    "{file}: SOL001 needs no import: name it in a script as it is"
                )));
            }
        }
    }
    if services.len() > 1 {
        let list = services.join(", ");
        return Err(ImportError::Selection(format!(
            "several services were given ({list}): import one at a time"
        )));
    }
    if faults.has_errors() {
        return Err(ImportError::Faults(faults));
    }
    if has_links {
        let set = man001::read_set(files).map_err(ImportError::Faults)?;
        found.nsd = Some(set.nsd);
        found.warnings = set.warnings;
    }
    if found.vnfs.is_empty() {
        let message = "no VNF was given: give the files of the VNFs beside that of the service";
        return Err(ImportError::Selection(message.to_owned()));
    }
    found.warnings.sort();
    Ok(found)
}
