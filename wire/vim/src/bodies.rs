//! Bodies of requests and answers that are not the interface's own types.

use manifold_vim_interface::{
    AffinityGroupId, ComputeOperation, CreateAffinityGroup, Metadata, NetworkId, NetworkResource, NetworkResourceData,
    NfpRule, PortId, VirtualInterfaceData,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Several resources of one kind, by identifier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Ids<T> {
    #[schema(value_type = Vec<String>)]
    pub(crate) ids: Vec<T>,
}

/// What a compute resource's `operate` takes: which one says the path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operate {
    pub(crate) compute_operation: ComputeOperation,
}

/// What a compute resource's `update` takes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComputeChanges {
    #[serde(default)]
    pub(crate) network_interface_new: Vec<VirtualInterfaceData>,
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub(crate) metadata: Option<Metadata>,
}

/// What a network resource's `update` takes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkChanges {
    #[serde(default)]
    pub(crate) bandwidth: Option<u64>,
    #[serde(default)]
    pub(crate) connected_networks: Option<Vec<NetworkId>>,
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub(crate) metadata: Option<Metadata>,
}

/// What a forwarding path's `update` takes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PathChanges {
    #[serde(default)]
    pub(crate) nfp_rule: Option<Vec<NfpRule>>,
    #[serde(default)]
    pub(crate) virtual_network_port: Option<Vec<PortId>>,
}

/// An affinity group as it was made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AffinityGroup {
    pub(crate) affinity_group_id: AffinityGroupId,
    #[serde(flatten)]
    pub(crate) group: CreateAffinityGroup,
}

/// The end of a console log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Console {
    pub(crate) console: String,
}

/// The three kinds of network resources, each with a container of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkKind {
    Network,
    Subnet,
    Port,
}

impl NetworkKind {
    pub(crate) fn container(self) -> &'static str {
        match self {
            NetworkKind::Network => "networks",
            NetworkKind::Subnet => "subnets",
            NetworkKind::Port => "ports",
        }
    }

    /// The attribute that identifies a resource of this kind.
    pub(crate) fn id_attribute(self) -> &'static str {
        match self {
            NetworkKind::Network => "networkResourceId",
            NetworkKind::Subnet | NetworkKind::Port => "resourceId",
        }
    }

    pub(crate) fn asked(data: &NetworkResourceData) -> Self {
        match data {
            NetworkResourceData::Network { .. } => NetworkKind::Network,
            NetworkResourceData::Subnet { .. } => NetworkKind::Subnet,
            NetworkResourceData::NetworkPort { .. } => NetworkKind::Port,
        }
    }

    pub(crate) fn of(resource: &NetworkResource) -> Self {
        match resource {
            NetworkResource::NetworkData(_) => NetworkKind::Network,
            NetworkResource::SubnetData(_) => NetworkKind::Subnet,
            NetworkResource::NetworkPortData(_) => NetworkKind::Port,
        }
    }
}
