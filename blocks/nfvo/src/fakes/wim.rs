//! A WIM in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId};
use manifold_wim_interface::*;
use serde_json::{Value, json};

use super::{Log, locked};

pub(crate) struct Wim {
    log: Log,
    pub(crate) services: Mutex<BTreeMap<MscsId, (TenantId, MscsInfo)>>,
    /// Bits per second that are left on the WAN; `None`: more than anybody asks for.
    pub(crate) room: Mutex<Option<u64>>,
}

impl Wim {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            services: Mutex::default(),
            room: Mutex::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!(locked(&self.services).values().collect::<Vec<_>>())
    }

    pub(crate) fn is_empty(&self) -> bool {
        locked(&self.services).is_empty()
    }
}

#[async_trait]
impl MscsManagement for Wim {
    async fn create(&self, cx: &Context, ask: MscsData) -> Outcome<MscsInfo> {
        self.log.tell(format!("wim create {}", ask.mscs_name));
        if ask.mscs_endpoints.len() < 2 {
            return Err(CallError::invalid("fewer than two endpoints"));
        }
        if let Some(room) = locked(&self.room).filter(|room| ask.bandwidth.is_some_and(|wished| wished > *room)) {
            return Err(CallError::exhausted(format!("{room} bit/s are left")));
        }
        let mscs_id = MscsId::named(cx.idempotency_key.expect("what makes something has a key").0, "mscs");
        let info = MscsInfo {
            mscs_id,
            mscs_name: ask.mscs_name,
            mscs_description: ask.mscs_description,
            mscs_type: ask.mscs_type,
            mtu_mscs: ask.mtu_mscs,
            bandwidth: ask.bandwidth,
            mscs_endpoints: ask.mscs_endpoints,
            wan_segment_id: 1,
            active: true,
        };
        locked(&self.services).insert(mscs_id, (cx.tenant.clone(), info.clone()));
        Ok(info)
    }

    async fn query(&self, cx: &Context, _: MscsQuery) -> Outcome<Vec<MscsInfo>> {
        Ok(locked(&self.services)
            .values()
            .filter(|(tenant, _)| *tenant == cx.tenant)
            .map(|(_, info)| info.clone())
            .collect())
    }

    async fn terminate(&self, _: &Context, id: MscsId) -> Outcome<MscsId> {
        self.log.tell("wim terminate".to_owned());
        locked(&self.services).remove(&id);
        Ok(id)
    }

    async fn query_endpoints(&self, _: &Context, (): ()) -> Outcome<WanCapacity> {
        Err(CallError::unsupported("the fake has no figures"))
    }
}
