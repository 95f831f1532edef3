//! The NFVO's documents.
//!
//! ```text
//!   nfvo.vnf-package, nfvo.nsd, nfvo.pnfd ──> nfvo.descriptor (the parsed model, by the same id)
//!   nfvo.ns ──> nsd          index nsd              one for each nested NS, too, while the outermost one has resources
//!   nfvo.vnf ──> ns, package  index ns (the outermost), package      from its creation at the VNFM on, so that its grants find their place
//!   nfvo.grant                one for each VNF operation that was granted resources
//!   nfvo.reservations         one for each VIM: what is granted and may not be allocated yet
//! ```

use std::collections::{BTreeMap, BTreeSet};

use manifold_call::{CallError, Outcome, TenantId};
use manifold_sol::{NsState, NsVirtualLinkInfo, PnfInfo, SapInfo, WanConnectionInfo};
use manifold_store::{Doc, Expect, Kind, PAGE_LIMIT_MAX, Put, Query, Store};
use manifold_vim_interface::{NetworkId, SubnetId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault;
use crate::ns::paths::Packets;

pub(crate) const PACKAGE: Kind = Kind("nfvo.vnf-package");
pub(crate) const NSD: Kind = Kind("nfvo.nsd");
pub(crate) const PNFD: Kind = Kind("nfvo.pnfd");
pub(crate) const DESCRIPTOR: Kind = Kind("nfvo.descriptor");
pub(crate) const NS: Kind = Kind("nfvo.ns");
pub(crate) const VNF: Kind = Kind("nfvo.vnf");
pub(crate) const GRANT: Kind = Kind("nfvo.grant");
pub(crate) const RESERVATIONS: Kind = Kind("nfvo.reservations");

/// The key of the metadata by which everything of an NS is found at VIM and VNFM.
pub(crate) const NS_KEY: &str = "nsInstanceId";

/// An NS instance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) nsd_id: String,
    pub(crate) nsd_info_id: String,
    pub(crate) state: NsState,
    /// The occurrence that works on it, or was the last to do so. Each start writes it, so that nobody deletes the NS meanwhile.
    #[serde(default)]
    pub(crate) operation: Option<String>,
    #[serde(default)]
    pub(crate) flavour_id: Option<String>,
    /// The NS level that was asked for; `None`: the NSD's default.
    #[serde(default)]
    pub(crate) level_id: Option<String>,
    /// The NSD in the catalogue that an update under way associates: it must not be deleted meanwhile.
    #[serde(default)]
    pub(crate) next_nsd: Option<String>,
    #[serde(default)]
    pub(crate) vnfs: Vec<NsVnf>,
    #[serde(default)]
    pub(crate) pnfs: Vec<NsPnf>,
    #[serde(default)]
    pub(crate) links: Vec<NsLink>,
    #[serde(default)]
    pub(crate) saps: Vec<NsSap>,
    #[serde(default)]
    pub(crate) wan: Vec<WanConnectionInfo>,
    /// VIMs that have, or may have, something of it.
    #[serde(default)]
    pub(crate) vims: BTreeSet<String>,
    /// VIMs that have, or may have, forwarding paths or traffic rules of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) packet_vims: BTreeSet<String>,
    /// The paths and rules that it has.
    #[serde(default, skip_serializing_if = "Packets::is_empty")]
    pub(crate) packets: Packets,
    /// Whether a WIM has, or may have, something of it.
    #[serde(default)]
    pub(crate) asked_wim: bool,
    /// Whether an operation was given up: there may be more than is written here.
    #[serde(default)]
    pub(crate) doubtful: bool,
    /// NSs that it holds; what they consist of was made by its operations and is taken away by them.
    #[serde(default)]
    pub(crate) nested: Vec<NsNested>,
    /// The NS that holds it: only through that one it can be changed.
    #[serde(default)]
    pub(crate) parent: Option<String>,
}

/// An NS inside of an NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsNested {
    pub(crate) profile: String,
    pub(crate) id: String,
    /// It was there before, and stays when the NS that holds it goes.
    #[serde(default)]
    pub(crate) is_adopted: bool,
}

/// A VNF of an NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsVnf {
    pub(crate) id: String,
    /// `<profile>-<n>`, after the path of a nested NS: names it in plans.
    pub(crate) key: String,
    pub(crate) profile: String,
    pub(crate) name: String,
    pub(crate) vnfd_id: String,
    pub(crate) vim: String,
}

/// A PNF of an NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsPnf {
    pub(crate) info: PnfInfo,
    pub(crate) vim: String,
    /// The links of its connection points, by descriptor.
    pub(crate) links: BTreeMap<String, String>,
}

/// A link of an NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsLink {
    /// Its id is the same in every NS that the link is a part of.
    pub(crate) info: NsVirtualLinkInfo,
    /// Further links of the NSD that are one net with it, through what the NS nests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) also: Vec<String>,
    pub(crate) networks: Vec<NsNetwork>,
    #[serde(default)]
    pub(crate) mscs: Option<String>,
}

/// A network of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsNetwork {
    pub(crate) vim: String,
    pub(crate) id: NetworkId,
    pub(crate) subnets: Vec<SubnetId>,
    pub(crate) segmentation_id: Option<u32>,
    pub(crate) provider_network: Option<String>,
}

/// A SAP of an NS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NsSap {
    pub(crate) info: SapInfo,
    pub(crate) vim: String,
    pub(crate) link: String,
}

/// Where a VNF instance belongs: written as soon as the VNFM has made it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VnfRecord {
    pub(crate) id: String,
    pub(crate) ns: String,
    pub(crate) profile: String,
    pub(crate) package: String,
    pub(crate) vnfd_id: String,
    pub(crate) flavour_id: String,
    pub(crate) vim: String,
    /// Only in this resource zone.
    #[serde(default)]
    pub(crate) zone: Option<String>,
    /// Provider networks that a machine must reach, by VDU.
    #[serde(default)]
    pub(crate) reaches: BTreeMap<String, BTreeSet<String>>,
}

impl NsRecord {
    /// The document, as every write of it has it.
    pub(crate) fn put(&self, tenant: &TenantId, expect: Expect) -> Outcome<Put> {
        let put = Put::new(NS, &self.id, expect, json(self)?).tenant(Some(tenant.as_str()));
        let next = self.next_nsd.iter().filter(|next| **next != self.nsd_info_id);
        Ok(next.fold(put.index("nsd", &self.nsd_info_id), |put, next| put.index("nsd", next)))
    }
}

impl VnfRecord {
    pub(crate) fn put(&self, tenant: &TenantId) -> Outcome<Put> {
        Ok(Put::new(VNF, &self.id, Expect::Any, json(self)?)
            .tenant(Some(tenant.as_str()))
            .index("ns", &self.ns)
            .index("package", &self.package))
    }
}

/// A document's body.
pub(crate) fn json(value: &impl Serialize) -> Outcome<Value> {
    serde_json::to_value(value).map_err(|error| CallError::internal("a document is no JSON").caused_by(error))
}

/// The tenant's document and what it says; `what` names it for people. Another tenant's is not found.
pub(crate) async fn find<T: DeserializeOwned>(
    store: &dyn Store,
    tenant: &TenantId,
    kind: Kind,
    id: &str,
    what: &str,
) -> Outcome<(Doc, T)> {
    let doc = store.get(kind, id).await.map_err(fault::store)?;
    let doc = doc
        .filter(|doc| doc.tenant.as_deref() == Some(tenant.as_str()))
        .ok_or_else(|| CallError::not_found(format!("there is no {what} {id}")))?;
    let body = doc.read().map_err(fault::store)?;
    Ok((doc, body))
}

/// All documents of a kind that match.
pub(crate) async fn list<T: DeserializeOwned>(store: &dyn Store, kind: Kind, query: Query) -> Outcome<Vec<(Doc, T)>> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let page = query.clone().limit(PAGE_LIMIT_MAX).after(token);
        let page = store.list(kind, page).await.map_err(fault::store)?;
        for doc in page.docs {
            let body = doc.read().map_err(fault::store)?;
            all.push((doc, body));
        }
        token = page.next;
        if token.is_none() {
            return Ok(all);
        }
    }
}
