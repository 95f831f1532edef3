//! The NFVO (GS NFV 006 5.3.1): packages and descriptors, network services over several sites, and the granting of what their
//! VNFs may use.
//!
//! ```text
//!            OSS ──Os-Ma-nfvo──> catalogue (VNF package, NSD, PNFD)      NS lifecycle ──> plans in core/lcm
//!                                        │                                    │   │   │
//!            VNFM <──Or-Vnfm── granting ─┘             networks, SAPs: VIM <──┘   │   └──> MSCS: WIM
//!                                                                        VNFs: VNFM
//!   kept:    catalogue documents and archives; NS records; which VNF is where; grants and what they reserve for
//!   rebuilt: parsed descriptors (from the store), images taken out of archives, who is at which VIM
//!   asked:   what runs (VNFM), what is there and what is left (VIM), what the WAN carries (WIM)
//! ```
//!
//! Everything belongs to a tenant; another tenant's objects are not found. Composition makes an [`Nfvo`], gives its
//! [`Nfvo::operations`] to the process's engine, [`Nfvo::connect`]s it to its neighbours, and calls [`Nfvo::recover`] before the
//! first request.

mod catalogue;
#[cfg(test)]
mod fakes;
mod fault;
mod grant;
mod near;
mod ns;
mod record;

use std::path::PathBuf;
use std::sync::Arc;

use manifold_call::Outcome;
use manifold_lcm::Operation;
use manifold_store::Store;

pub use near::{BuiltinImages, Neighbours};

use catalogue::Catalogue;
use near::Near;

/// What the NFVO is told by composition.
#[derive(Debug, Clone)]
pub struct NfvoConfig {
    /// Where archives and images taken out of them lie. Nobody else writes there.
    pub catalogue_dir: PathBuf,
}

/// The NFVO. Implements `VnfPackageManagement`, `NsdManagement`, `PnfdManagement`, `NsLifecycleManagement` and
/// `VnfLifecycleOperationGranting`.
pub struct Nfvo {
    pub(crate) near: Arc<Near>,
    pub(crate) catalogue: Catalogue,
    pub(crate) assets: grant::assets::Assets,
}

impl Nfvo {
    /// An NFVO over a store, not connected yet.
    pub fn new(config: NfvoConfig, store: Arc<dyn Store>) -> Arc<Self> {
        let near = Arc::new(Near::new(store));
        let catalogue = Catalogue::new(config.catalogue_dir, Arc::clone(&near));
        Arc::new(Self {
            near,
            catalogue,
            assets: grant::assets::Assets::default(),
        })
    }

    /// Its lifecycle operations, for the engine's registry.
    pub fn operations(&self) -> Vec<Arc<dyn Operation>> {
        ns::operations(&self.near)
    }

    /// Gives it its neighbours; a second time has no effect.
    pub fn connect(&self, neighbours: Neighbours) {
        self.near.connect(neighbours);
    }

    /// Puts right what a crash left in the catalogue: archives that belong to nobody, and on-boarding that never ended. Call it
    /// once, before the first request.
    pub async fn recover(&self) -> Outcome<()> {
        self.catalogue.sweep().await
    }
}
