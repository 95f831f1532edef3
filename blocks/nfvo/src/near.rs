//! Who the NFVO works with: handed to it by composition, after everything that refers to one another has been made.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use manifold_call::{CallError, Outcome};
use manifold_lcm::Engine;
use manifold_store::Store;
use manifold_vim_interface::{ImageContent, VimDirectory, VimHandle};
use manifold_vnfm_interface::VnfLifecycleManagement;
use manifold_wim_interface::{MscsManagement, WimDirectory};

/// Images that the program builds itself. Composition offers them.
#[async_trait]
pub trait BuiltinImages: Send + Sync + 'static {
    /// The image that descriptors call `manifold:image/NAME`, built if need be. Errors: `NotFound` (names those that exist).
    async fn content(&self, name: &str) -> Outcome<ImageContent>;
}

/// The NFVO's neighbours, each bound to its role.
#[derive(Clone)]
pub struct Neighbours {
    /// Runs the operations.
    pub engine: Engine,
    /// Or-Vnfm.
    pub vnfm: Arc<dyn VnfLifecycleManagement>,
    /// Or-Vi.
    pub vims: Arc<dyn VimDirectory>,
    /// Or-Wi, where there is a WIM.
    pub wim: Arc<dyn WimDirectory>,
    /// Images that no package brings along.
    pub images: Arc<dyn BuiltinImages>,
}

/// The store, and the neighbours once they are there. Operations and steps hold it.
pub(crate) struct Near {
    pub(crate) store: Arc<dyn Store>,
    neighbours: OnceLock<Neighbours>,
}

impl Near {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            neighbours: OnceLock::new(),
        }
    }

    pub(crate) fn connect(&self, neighbours: Neighbours) {
        if self.neighbours.set(neighbours).is_err() {
            tracing::warn!("The NFVO was connected twice; the first neighbours stay.");
        }
    }

    fn neighbours(&self) -> Outcome<&Neighbours> {
        self.neighbours
            .get()
            .ok_or_else(|| CallError::unavailable("the NFVO is starting"))
    }

    pub(crate) fn engine(&self) -> Outcome<&Engine> {
        Ok(&self.neighbours()?.engine)
    }

    pub(crate) fn vnfm(&self) -> Outcome<&Arc<dyn VnfLifecycleManagement>> {
        Ok(&self.neighbours()?.vnfm)
    }

    pub(crate) fn vims(&self) -> Outcome<Vec<VimHandle>> {
        Ok(self.neighbours()?.vims.all())
    }

    /// Errors: `NotFound`, naming those that there are.
    pub(crate) fn vim(&self, id: &str) -> Outcome<VimHandle> {
        let vims = &self.neighbours()?.vims;
        vims.find(id).ok_or_else(|| {
            let known: Vec<String> = vims.all().into_iter().map(|vim| vim.id).collect();
            CallError::not_found(format!("there is no VIM {id}; there are: {}", known.join(", ")))
        })
    }

    /// `None`: the WAN is the business of somebody else (GS NFV 006 5.2).
    pub(crate) fn wim(&self) -> Outcome<Option<Arc<dyn MscsManagement>>> {
        Ok(self.neighbours()?.wim.find())
    }

    pub(crate) fn images(&self) -> Outcome<&Arc<dyn BuiltinImages>> {
        Ok(&self.neighbours()?.images)
    }
}
