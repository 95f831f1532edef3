//! The physical network function descriptor (IFA 014, SOL001 clause 8).

use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::link::LayerProtocol;

pub(crate) mod read;

/// A physical network function descriptor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pnfd {
    /// `pnfdId`.
    pub descriptor_id: String,
    /// `pnfdInvariantId`.
    pub descriptor_invariant_id: String,
    /// Name for people.
    pub name: String,
    /// What it does.
    pub function_description: String,
    /// Who provides it.
    pub provider: String,
    /// Version.
    pub version: String,
    /// External connection points.
    pub ext_cps: Vec<PnfExtCp>,
    /// Where the PNF node stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A connection point of a physical function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PnfExtCp {
    /// The name of the node template.
    pub id: String,
    /// The requirement of the PNF's node type that is mapped to it: what an NSD writes. Often equal to `id`.
    pub requirement: Option<String>,
    /// Protocols spoken.
    pub layer_protocols: Vec<LayerProtocol>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Pnfd {
    /// The connection point that an NSD calls so.
    pub fn ext_cp(&self, name: &str) -> Option<&PnfExtCp> {
        self.ext_cps
            .iter()
            .find(|cp| cp.requirement.as_deref() == Some(name))
            .or_else(|| self.ext_cps.iter().find(|cp| cp.id == name))
    }
}
