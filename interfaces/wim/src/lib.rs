//! Or-Wi (GS NFV 006 5.4.8, GS NFV-IFA 032): multi-site connectivity services over a WAN. Producer: WIM. ETSI specifies stage 2
//! only; the types follow SOL005's `MscsInfo` and its neighbours where those exist, and what is ours is marked.
//!
//! ```text
//!   MSCS ─< MSCS endpoint ──> connectivity service endpoint (a PoP's gateway), with the segment that is picked up there
//! ```

use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};

uuid_id! {
    /// A multi-site connectivity service.
    pub MscsId
}

interface! {
    /// MSCS management (IFA 032). Producer: WIM.
    pub trait MscsManagement as BoundMscsManagement by Wim {
        /// Makes a service and starts it. Idempotent by the context's key. Errors: `Invalid` (fewer than two endpoints, two on
        /// one PoP), `NotFound` (an endpoint; names those that exist), `Exhausted` (bandwidth, WAN segment identifiers),
        /// `Unsupported` (L3).
        async fn create(ask: MscsData) -> MscsInfo;
        /// The tenant's services; all when the id is absent.
        async fn query(ask: MscsQuery) -> Vec<MscsInfo>;
        /// Ends one. Absent is success.
        async fn terminate(id: MscsId) -> MscsId;
        /// The connectivity service endpoints that there are, and what bandwidth is left (WAN capacity).
        async fn query_endpoints(ask: ()) -> WanCapacity;
    }
}

/// A service to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MscsData {
    /// For people.
    pub mscs_name: String,
    /// In words.
    #[serde(default)]
    pub mscs_description: Option<String>,
    /// L2 or L3.
    pub mscs_type: MscsType,
    /// In bytes, of what is carried.
    pub mtu_mscs: u32,
    /// Guaranteed and enforced, in bits per second; `None` = best effort.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// Two or more, each in another PoP.
    pub mscs_endpoints: Vec<MscsEndpoint>,
}

/// What a service carries (SOL005 MscsInfo.mscsType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MscsType {
    /// Ethernet frames.
    L2vpn,
    /// IP packets.
    L3vpn,
}

/// One end of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MscsEndpoint {
    /// The PoP's gateway.
    pub connectivity_service_endpoint_id: String,
    /// The VIM whose network is picked up there.
    pub vim_id: String,
    /// The segment that is picked up (SOL005 forwardingConfig.vnSegmentIds): the virtual network's VNI in that PoP.
    pub vn_segment_id: u32,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MscsInfo {
    /// Identifier.
    pub mscs_id: MscsId,
    /// Name.
    pub mscs_name: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mscs_description: Option<String>,
    /// L2 or L3.
    pub mscs_type: MscsType,
    /// In bytes.
    pub mtu_mscs: u32,
    /// In bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u64>,
    /// Its ends.
    pub mscs_endpoints: Vec<MscsEndpoint>,
    /// Identifies it on the WAN (ours).
    pub wan_segment_id: u32,
    /// Whether it is as wished (ours).
    pub active: bool,
}

/// Which services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MscsQuery {
    /// Only this.
    pub mscs_id: Option<MscsId>,
}

/// What the WAN has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WanCapacity {
    /// Names of the connectivity service endpoints.
    pub connectivity_service_endpoints: Vec<String>,
    /// In bits per second.
    pub total: u64,
    /// In bits per second.
    pub allocated: u64,
}

impl Subject for MscsData {
    fn subject(&self) -> String {
        self.mscs_name.clone()
    }
}
impl Subject for MscsQuery {
    fn subject(&self) -> String {
        self.mscs_id.map(|id| id.to_string()).unwrap_or_default()
    }
}

/// The WIM that a consumer may use, if NFV-MANO has one: where the WAN is the business of somebody else (GS NFV 006 5.2), there
/// is none, and no Or-Wi call is made. Composition keeps it.
pub trait WimDirectory: Send + Sync + 'static {
    /// The WIM's interface, bound to the role of whoever was given this.
    fn find(&self) -> Option<std::sync::Arc<dyn MscsManagement>>;
}
