//! What a script needs to know of a VNF descriptor: its interfaces, with their places in the descriptor's own text.

pub use manifold_descriptors::interfaces::{LeafFormat, LeafInterface as Interface};

use manifold_descriptors::interfaces::ReadLeaf;
use manifold_descriptors::{Diagnostics, Vnfd};
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

impl Leaf {
    /// Of a descriptor that was read from somewhere.
    pub fn new(uri: &str, file: &str, read: ReadLeaf) -> Self {
        Self {
            uri: uri.to_owned(),
            digest: read.digest,
            format: read.format,
            file: file.to_owned(),
            name: read.name,
            interfaces: read.interfaces,
            vnfd: read.vnfd,
        }
    }

    /// Of the bytes of a descriptor in whichever language. Errors: what is wrong with it, as its reader says it.
    pub fn read(uri: &str, file: &str, bytes: &[u8]) -> Result<Self, LeafError> {
        match manifold_descriptors::interfaces::read_leaf(file, bytes) {
            Ok(read) => Ok(Self::new(uri, file, read)),
            Err(diagnostics) => Err(LeafError::unreadable(file, &diagnostics)),
        }
    }
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

impl LeafError {
    /// The first error of a descriptor, with its place, and how many more there are.
    pub fn unreadable(file: &str, diagnostics: &Diagnostics) -> Self {
        let errors = || {
            let is_error = |d: &&manifold_descriptors::Diagnostic| d.severity == manifold_descriptors::Severity::Error;
            diagnostics.list.iter().filter(is_error)
        };
        let more = match errors().count() + diagnostics.left_out {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let Some(first) = errors().next() else {
            return Self {
                message: format!("`{file}` is no descriptor that can be used"),
                help: None,
                suggestion: None,
            };
        };
        let place = match first.place.line {
            0 => file.to_owned(),
            line => format!("{file}:{line}:{}", first.place.column),
        };
        Self {
            message: format!("{place}: {} [{}]{more}", first.message, first.code),
            help: Some(first.help.clone().unwrap_or_else(|| first.code.cure().to_owned())),
            suggestion: None,
        }
    }
}
