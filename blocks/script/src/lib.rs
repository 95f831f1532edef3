//! Scripts as the desired state of services: a NEMO script is a document with revisions, and an apply makes one NS equal to it.
//!
//! ```text
//!   ScriptAsk ──compile (pure, but for descriptors of the catalogue)──> Compiled: packages, elements
//!        │                                                                  │
//!        └──> document, revision n ──── difference to revision n - 1 ───────┴──> one occurrence:
//!
//!   vnfd/<id> ──> nsd/<id>, inner ones first ──┬─> ns/create ──> ns/instantiate        the first time
//!                                              └─> ns/update (ASSOC_NEW_NSD_VERSION)   afterwards
//!                                                      └─> offboard/<id>               what the old revision alone had
//! ```
//!
//! An apply happens wholly or not at all: the engine undoes it by itself when it fails, and the document stays at the revision that
//! came true last. Everything is done through the NFVO's own interfaces, as an OSS would.

mod apply;
mod compile;
mod delete;
mod difference;
mod follow;
mod ns;
mod offboard;
mod onboard;
mod record;
mod scripts;
mod sources;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use manifold_lcm::{Engine, Operation};
use manifold_nfvo_interface::{NsLifecycleManagement, NsdManagement, VnfPackageManagement};
use manifold_store::Store;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The block.
pub struct Scripts {
    near: Arc<Near>,
}

/// Who it works with.
pub struct Neighbours {
    /// Runs its operations.
    pub engine: Engine,
    /// The NFVO's packages, as the OSS sees them.
    pub packages: Arc<dyn VnfPackageManagement>,
    /// The NFVO's NSDs.
    pub nsds: Arc<dyn NsdManagement>,
    /// The NFVO's NSs.
    pub lifecycle: Arc<dyn NsLifecycleManagement>,
}

pub(crate) struct Near {
    pub(crate) store: Arc<dyn Store>,
    /// Where archives lie until the NFVO has taken them.
    pub(crate) spool: PathBuf,
    neighbours: OnceLock<Neighbours>,
}

impl Near {
    pub(crate) fn neighbours(&self) -> manifold_call::Outcome<&Neighbours> {
        let none = || manifold_call::CallError::unavailable("the control plane is still being put together");
        self.neighbours.get().ok_or_else(none)
    }
}

impl Scripts {
    /// On a store, with a folder that is its own; nothing works before [`Self::connect`].
    pub fn new(store: Arc<dyn Store>, spool: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            near: Arc::new(Near {
                store,
                spool,
                neighbours: OnceLock::new(),
            }),
        })
    }

    /// Its operations, for the engine's registry.
    pub fn operations(&self) -> Vec<Arc<dyn Operation>> {
        let near = || Arc::clone(&self.near);
        vec![
            Arc::new(apply::Apply { near: near() }),
            Arc::new(delete::Remove { near: near() }),
        ]
    }

    /// Gives it its neighbours; a second time has no effect.
    pub fn connect(&self, neighbours: Neighbours) {
        // Composition connects once; that there were neighbours already changes nothing.
        drop(self.near.neighbours.set(neighbours));
    }
}
