//! What a script needs to know of a VNF descriptor: its interfaces, with their places in the descriptor's own text.

use manifold_descriptors::Vnfd;
use serde::Serialize;

/// A descriptor that a leaf model names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaf {
    /// Its address, as the script has it.
    pub uri: String,
    /// `sha256:` and the hash of its bytes.
    pub digest: String,
    /// Which language it is written in.
    pub format: LeafFormat,
    /// What people call the file in messages.
    pub file: String,
    /// Name of the VNF for people.
    pub name: String,
    /// What a connection point can be at.
    pub interfaces: Vec<Interface>,
    /// The descriptor itself, in the model that all formats are read into.
    pub vnfd: Vnfd,
}

/// The language of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// An interface of a descriptor that can be connected from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its external name: what a connection point names first of all.
    pub name: String,
    /// The VNFC that has it, where the descriptor says.
    pub vnfc: Option<String>,
    /// Its name inside that VNFC.
    pub local_name: Option<String>,
    /// `mgmt`, `data`, `bridge`, or what the format says; empty: nothing is said.
    pub role: String,
    /// The [`manifold_descriptors::vnfd::VnfExtCpd`] that it is in [`Leaf::vnfd`].
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

/// Where descriptors come from: the on-boarded catalogue, files, the network where policy allows.
pub trait LeafSource {
    /// The descriptor at an address. Errors say what is wrong and the way out, for people. The same address gives the same answer
    /// for as long as the source lives.
    fn leaf(&self, uri: &str, digest: Option<&str>) -> Result<std::sync::Arc<Leaf>, LeafError>;
}

/// Why there is no descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeafError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// An address that was probably meant.
    pub suggestion: Option<String>,
}
