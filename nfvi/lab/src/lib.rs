//! The lab: a whole infrastructure on one machine, described in one TOML file. PoPs with hosts and gateways, provider networks
//! with physical functions, access points, and a WAN.
//!
//! ```text
//!   file ──read──> Lab { wishes, pops, wan }         pure; every fault of the file is told at once, with line and column
//!                    │         │     └───> a WIM's inventory
//!                    │         └─────────> a VIM's inventory, one for each PoP
//!                    └──apply/destroy────> the host agent (Nf-Vi), idempotent
//!
//!   pop ─< host, gateway ──cable──> underlay switch        one address each, assigned in the order of the file
//!   pop ─< provider network (a switch) ──cable──> its hosts and functions
//!   wan (a switch) ──cable──> the gateways
//! ```
//!
//! Names are for people and unique where they meet; ids are made of the lab's name and theirs, so the same file is the same lab
//! for ever. The lab owns its objects as manager `lab/<name>`; what VIMs and WIMs put on them is theirs.

mod apply;
mod build;
mod diagnostic;
mod file;
mod show;

pub use apply::{apply, destroy, manager};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use show::{Show, ShowFunction, ShowHost, ShowPop, ShowWan};

use manifold_nfvi_interface::{PopInventory, WanInventory, Wish};
use serde::Serialize;

/// An infrastructure to build, and what its managers are told of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lab {
    /// Labels all its objects.
    pub name: String,
    /// All objects: nodes, switches, cables.
    pub wishes: Vec<Wish>,
    /// For the VIMs, one each.
    pub pops: Vec<PopInventory>,
    /// For the WIM.
    pub wan: Option<WanInventory>,
}

impl Lab {
    /// Reads a lab file. Errors: everything that is wrong with it, where it stands.
    pub fn read(text: &str) -> Result<Lab, Diagnostics> {
        let file = file::read(text)?;
        let found = file::check(&file, text);
        if found.is_empty() {
            Ok(build::build(&file))
        } else {
            Err(Diagnostics(found))
        }
    }
}
