//! VIM: the virtualised resources of one NFVI-PoP (GS NFV 006 5.3.3), offered on Or-Vi, Vi-Vnfm and CCM–VIM.
//!
//! ```text
//!   tenant ─< network ─< subnet ─< address            zone ─< host
//!      │         └────< port ──────> machine ────────────────┘         ─< owns many    ──> refers to
//!      ├────< flavour, image, affinity group <── machine
//!      ├────< forwarding path ──> port, port, …
//!      └────< traffic rule ──> network, port
//! ```
//!
//! What owns something cannot be terminated. Nothing here crosses a tenant except a shared network.
//!
//! The documents are the truth and hold enough to compute every wish to the infrastructure ([`wishes`], pure). An operation is a
//! plan over all documents, one commit, and the difference of wishes before and after (see `manifold_desired`). A port without
//! a machine is nowhere yet; it comes to be on the machine's host. A network is on every host that has one of its ports, and
//! on the PoP's gateway when asked for; its parts know each other as VXLAN peers.
//!
//! A machine that crashed is reported ([`Vim::subscribe`]) and left alone: to heal it is its manager's business. What vanished
//! (a host's reboot, a hand on a bridge) is made again, with the same addresses.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod computes;
mod documents;
mod filter;
mod flavours;
mod images;
mod networks;
mod no_cloud;
mod paths;
mod realm;
mod topology;
mod traffic;
mod wishes;
mod world;

pub use documents::{Compute, Document, Flavour, Group, Image, Network, Path, Port, Rule, Subnet, Transport};
pub use realm::ComputeEvent;
pub use wishes::{Site, wishes};

use crate::realm::PopRealm;
use manifold_call::{Context, Outcome, Uuid};
use manifold_desired::Desired;
use manifold_nfvi_interface::{Infrastructure, PopInventory};
use manifold_store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// What a VIM is given.
#[derive(Debug, Clone)]
pub struct VimConfig {
    /// Its identifier among VIMs: at most 36 bytes of `[a-z0-9_-]`.
    pub vim_id: String,
    /// What it manages.
    pub inventory: PopInventory,
    /// Where it keeps images; made if absent. The agent reads them there.
    pub image_dir: PathBuf,
}

/// A VIM. Implements every interface of `manifold_vim_interface`.
pub struct Vim {
    desired: Desired<PopRealm>,
    infrastructure: Arc<dyn Infrastructure>,
}

impl Vim {
    /// Loads what it had. Errors: `Internal` (documents of another program, secrets of another key), `Invalid` (the
    /// identifier).
    pub async fn open(
        config: VimConfig,
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
    ) -> Outcome<Arc<Self>> {
        let realm = PopRealm::new(config, store.clone(), infrastructure.clone())?;
        let desired = Desired::open(Arc::new(realm), store).await?;
        desired.read(|documents| desired.realm().check_secrets(documents))?;
        Ok(Arc::new(Self {
            desired,
            infrastructure,
        }))
    }

    /// Answers calls, follows the infrastructure, mends what drifts, until told to stop. Calls wait until it runs.
    pub async fn run(&self, shutdown: watch::Receiver<bool>) {
        self.desired.run(shutdown).await;
    }

    /// Tells of machines whose running state changed unasked. A receiver that falls behind misses events and is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<ComputeEvent> {
        self.desired.realm().subscribe()
    }

    /// The VIM's identifier.
    pub fn id(&self) -> &str {
        &self.desired.realm().config.vim_id
    }

    /// What a call makes is named by its key, so that the same call again names the same. Without a key it is new.
    fn identity(&self, cx: &Context, operation: &str) -> Uuid {
        match cx.idempotency_key {
            Some(key) => {
                let name = format!("{} {operation} {} {}", self.id(), cx.tenant, key.0);
                Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
            }
            None => Uuid::now_v7(),
        }
    }
}
