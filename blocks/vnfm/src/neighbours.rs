//! The blocks that this one calls, handed to it once by composition.

use std::sync::{Arc, OnceLock};

use manifold_call::{CallError, Outcome};
use manifold_lcm::Engine;
use manifold_nfvo_interface::{VnfLifecycleOperationGranting, VnfPackageManagement};
use manifold_store::Store;
use manifold_vim_interface::{VimDirectory, VimHandle};

/// What the VNFM is connected to.
#[derive(Clone)]
pub struct Neighbours {
    /// The engine that has [`crate::Vnfm::operations`] in its registry.
    pub engine: Engine,
    /// Or-Vnfm: grants.
    pub granting: Arc<dyn VnfLifecycleOperationGranting>,
    /// Or-Vnfm: packages.
    pub packages: Arc<dyn VnfPackageManagement>,
    /// Vi-Vnfm.
    pub vims: Arc<dyn VimDirectory>,
}

/// What steps hold: everything but the engine, which holds them.
#[derive(Clone)]
pub(crate) struct Links {
    pub(crate) store: Arc<dyn Store>,
    outside: Arc<OnceLock<Outside>>,
}

#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) granting: Arc<dyn VnfLifecycleOperationGranting>,
    pub(crate) packages: Arc<dyn VnfPackageManagement>,
    pub(crate) vims: Arc<dyn VimDirectory>,
}

impl Links {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            outside: Arc::default(),
        }
    }

    /// The first connection holds; returns whether this was it.
    pub(crate) fn connect(&self, neighbours: &Neighbours) -> bool {
        let outside = Outside {
            granting: Arc::clone(&neighbours.granting),
            packages: Arc::clone(&neighbours.packages),
            vims: Arc::clone(&neighbours.vims),
        };
        self.outside.set(outside).is_ok()
    }

    pub(crate) fn outside(&self) -> Outcome<&Outside> {
        self.outside
            .get()
            .ok_or_else(|| CallError::unavailable("the VNFM is not connected to its neighbours yet"))
    }

    /// Errors: `Unavailable`, for a VIM may come back.
    pub(crate) fn vim(&self, id: &str) -> Outcome<VimHandle> {
        let vims = &self.outside()?.vims;
        vims.find(id).ok_or_else(|| {
            let known: Vec<String> = vims.all().into_iter().map(|vim| vim.id).collect();
            CallError::unavailable(format!("there is no VIM {id}; there are: {}", known.join(", ")))
        })
    }
}
