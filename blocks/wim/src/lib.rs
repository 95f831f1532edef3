//! WIM: multi-site connectivity services over one WAN (GS NFV 006 5.3.5), offered on Or-Wi.
//!
//! ```text
//!   tenant ─< MSCS ─< end ──> a PoP's gateway, and the segment of a virtual network there
//! ```
//!
//! A service is an Ethernet segment of its own on the WAN; each end stitches it to the gateway's segment of a virtual network,
//! which the PoP's VIM made. Bandwidth is admitted against the WAN's capacity and enforced at each end. The documents are the
//! truth, and what drifts is mended (see `manifold_desired`).

mod mscs;
mod realm;
mod wishes;

pub use mscs::Mscs;
pub use wishes::wishes;

use crate::realm::WanRealm;
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Change, Decision, Desired};
use manifold_nfvi_interface::{Infrastructure, WanInventory};
use manifold_store::Store;
use manifold_wim_interface::{MscsData, MscsId, MscsInfo, MscsManagement, MscsQuery, WanCapacity};
use std::sync::Arc;
use tokio::sync::watch;

/// What a WIM is given.
#[derive(Debug, Clone)]
pub struct WimConfig {
    /// Its identifier among WIMs: at most 36 bytes of `[a-z0-9_-]`.
    pub wim_id: String,
    /// What it manages.
    pub inventory: WanInventory,
}

/// A WIM.
pub struct Wim {
    desired: Desired<WanRealm>,
}

impl Wim {
    /// Loads what it had. Errors: `Internal` (documents of another program), `Invalid` (the identifier).
    pub async fn open(
        config: WimConfig,
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
    ) -> Outcome<Arc<Self>> {
        let realm = WanRealm::new(config, infrastructure)?;
        Ok(Arc::new(Self {
            desired: Desired::open(Arc::new(realm), store).await?,
        }))
    }

    /// Answers calls, follows the infrastructure, mends what drifts, until told to stop. Calls wait until it runs.
    pub async fn run(&self, shutdown: watch::Receiver<bool>) {
        self.desired.run(shutdown).await;
    }

    /// The WIM's identifier.
    pub fn id(&self) -> &str {
        &self.desired.realm().config.wim_id
    }

    fn identity(&self, cx: &Context, operation: &str) -> Uuid {
        match cx.idempotency_key {
            Some(key) => {
                let name = format!("{} {operation} {} {}", self.id(), cx.tenant, key.0);
                Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
            }
            None => Uuid::now_v7(),
        }
    }

    fn info(&self, id: Uuid, service: &Mscs) -> MscsInfo {
        MscsInfo {
            mscs_id: MscsId(id),
            mscs_name: service.name.clone(),
            mscs_description: service.description.clone(),
            mscs_type: service.kind,
            mtu_mscs: service.mtu,
            bandwidth: service.bandwidth,
            mscs_endpoints: service.ends.clone(),
            wan_segment_id: service.wan_vni,
            active: self.desired.works(id),
        }
    }

    fn find(&self, cx: &Context, only: Option<MscsId>) -> Vec<MscsInfo> {
        let mut found = Vec::new();
        self.desired.read(|services| {
            let own = services
                .standing()
                .filter(|(id, held)| held.tenant == cx.tenant && only.is_none_or(|only| only.0 == *id));
            found.extend(own.map(|(id, held)| (id, held.body.clone())));
        });
        found.iter().map(|(id, service)| self.info(*id, service)).collect()
    }
}

#[async_trait]
impl MscsManagement for Wim {
    async fn create(&self, cx: &Context, ask: MscsData) -> Outcome<MscsInfo> {
        let id = self.identity(cx, "create mscs");
        let (inventory, tenant) = (self.desired.realm().config.inventory.clone(), cx.tenant.clone());
        mscs::check_words(&tenant, &ask)?;
        let plan = move |services: &_| mscs::create(&inventory, services, id, &tenant, ask);
        self.desired.apply(cx, Some(id), plan).await?;
        let found = self.find(cx, Some(MscsId(id))).pop();
        found.ok_or_else(|| CallError::not_found(format!("MSCS {id} was terminated meanwhile")))
    }

    async fn query(&self, cx: &Context, ask: MscsQuery) -> Outcome<Vec<MscsInfo>> {
        Ok(self.find(cx, ask.mscs_id))
    }

    async fn terminate(&self, cx: &Context, id: MscsId) -> Outcome<MscsId> {
        let tenant = cx.tenant.clone();
        let identity = self.identity(cx, "terminate mscs");
        let plan = move |services: &manifold_desired::Documents<Mscs>| {
            let own = services.find(id.0).is_some_and(|held| held.tenant == tenant);
            Ok(if own {
                Decision::Do(Change {
                    puts: Vec::new(),
                    leaves: vec![id.0],
                })
            } else {
                Decision::Already
            })
        };
        let done = self.desired.apply(cx, Some(identity), plan).await?;
        match done.staying.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(id),
        }
    }

    async fn query_endpoints(&self, _: &Context, (): ()) -> Outcome<WanCapacity> {
        let inventory = &self.desired.realm().config.inventory;
        Ok(WanCapacity {
            connectivity_service_endpoints: inventory.gateways.keys().cloned().collect(),
            total: inventory.capacity_bits_per_second,
            allocated: self.desired.read(mscs::allocated),
        })
    }
}
