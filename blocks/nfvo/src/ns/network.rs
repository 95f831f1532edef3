//! Networks and SAPs of an NS at its VIMs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{Uuid, uuid_id};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_vim_interface::{
    AllocateNetworkResource, Metadata, NetworkId, NetworkResource, NetworkResourceData, NetworkResources, QueryFilter,
    SubnetId, VimHandle, VirtualNetworkPortData,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::{PlannedNetwork, PlannedSap};
use crate::near::Near;
use crate::record::NS_KEY;

uuid_id! {
    /// What a step calls what it makes, in the manager's metadata.
    pub Mark
}

/// The key of the metadata that holds a [`Mark`].
pub(super) const MARK_KEY: &str = "nfvoMark";

/// A network that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeNetwork {
    pub(crate) id: NetworkId,
    pub(crate) subnets: Vec<SubnetId>,
    pub(crate) segmentation_id: Option<u32>,
    pub(crate) provider_network: Option<String>,
}

/// A port that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadePort {
    pub(crate) id: Uuid,
    pub(crate) addresses: Vec<std::net::IpAddr>,
    pub(crate) mac: String,
}

/// The metadata of what a step makes: whose it is, and which it is.
pub(super) fn metadata(ns: &str, cx: &StepCx) -> Metadata {
    Metadata::from([
        (NS_KEY.to_owned(), ns.to_owned()),
        (MARK_KEY.to_owned(), cx.identity().to_string()),
    ])
}

/// Everything of the NS that the VIM has. The filter is the VIM's work; what it answers is looked at again, because what is not the
/// NS's must not be taken away.
async fn of_ns(vim: &VimHandle, cx: &StepCx, part: &str, ns: &str) -> Result<NetworkResources, StepError> {
    let filter = QueryFilter {
        filter: format!("(eq,metadata/{NS_KEY},{ns})"),
    };
    let mut all = vim.networks.query(&cx.context_of(part), filter).await?;
    let is_own = |metadata: &Metadata| metadata.get(NS_KEY).is_some_and(|value| value == ns);
    all.network_data.retain(|network| is_own(&network.metadata));
    all.network_port_data.retain(|port| is_own(&port.metadata));
    all.subnet_data.clear();
    Ok(all)
}

/// Ends these; what is gone already is gone.
pub(super) async fn end(vim: &VimHandle, cx: &StepCx, ids: Vec<Uuid>) -> Result<(), StepError> {
    if ids.is_empty() {
        return Ok(());
    }
    let gone = vim.networks.terminate(&cx.context_of("terminate"), ids.clone()).await?;
    match ids.iter().find(|id| !gone.contains(id)) {
        None => Ok(()),
        Some(left) => Err(StepError::transient(manifold_call::CallError::unavailable(format!(
            "VIM {} still has {left}",
            vim.id
        )))),
    }
}

/// One network, with its subnets; nothing is made if another NS has it.
pub(super) struct MakeNetwork {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) planned: PlannedNetwork,
}

#[async_trait]
impl Step for MakeNetwork {
    // Nothing to look for: the same key again answers with the first result.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        if let Some(existing) = &self.planned.existing {
            return Progress::done(existing);
        }
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = AllocateNetworkResource {
            network_resource_name: self.planned.name.clone(),
            data: NetworkResourceData::Network {
                data: self.planned.data.clone(),
            },
            metadata: metadata(&self.ns, cx),
        };
        match vim.networks.allocate(&cx.context(), ask).await? {
            NetworkResource::NetworkData(made) => Progress::done(&MadeNetwork {
                id: made.network_resource_id,
                subnets: made.subnet_id,
                segmentation_id: made.segmentation_id,
                provider_network: made.provider_network,
            }),
            NetworkResource::SubnetData(_) | NetworkResource::NetworkPortData(_) => Err(StepError::internal(format!(
                "VIM {} made something else than a network",
                vim.id
            ))),
        }
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        if self.planned.existing.is_some() {
            return Ok(UndoProgress::Done);
        }
        let vim = self.near.vim(&self.planned.vim)?;
        let made = made
            .map(MadeNetwork::deserialize)
            .transpose()
            .map_err(|error| StepError::internal(error.to_string()))?;
        let ids = match made {
            Some(made) => made.subnets.iter().map(|subnet| subnet.0).chain([made.id.0]).collect(),
            None => {
                let mark = cx.identity().to_string();
                let found = of_ns(&vim, cx, "find", &self.ns).await?.network_data;
                let mine = found
                    .into_iter()
                    .filter(|network| network.metadata.get(MARK_KEY) == Some(&mark));
                mine.flat_map(|network| {
                    network
                        .subnet_id
                        .into_iter()
                        .map(|subnet| subnet.0)
                        .chain([network.network_resource_id.0])
                })
                .collect()
            }
        };
        end(&vim, cx, ids).await?;
        Ok(UndoProgress::Done)
    }

    // A network is made in a second; the VIM may have to repeat that on a host that restarts.
    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// A port at the SAP's access point.
pub(super) struct MakeSap {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) planned: PlannedSap,
}

#[async_trait]
impl Step for MakeSap {
    // As with networks.
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let network: MadeNetwork = cx.output(&PlannedNetwork::step(&self.planned.link, &self.planned.vim))?;
        let vim = self.near.vim(&self.planned.vim)?;
        let ask = AllocateNetworkResource {
            network_resource_name: super::layout::plain(&format!("sap.{}", self.planned.sapd)),
            data: NetworkResourceData::NetworkPort {
                data: VirtualNetworkPortData {
                    network_id: network.id,
                    bandwidth: None,
                    ip_address: self.planned.addresses.clone(),
                    mac_address: None,
                    access_point: Some(self.planned.name.clone()),
                },
            },
            metadata: metadata(&self.ns, cx),
        };
        match vim.networks.allocate(&cx.context(), ask).await? {
            NetworkResource::NetworkPortData(made) => Progress::done(&MadePort {
                id: made.resource_id.0,
                addresses: made.ip_address,
                mac: made.mac_address,
            }),
            NetworkResource::SubnetData(_) | NetworkResource::NetworkData(_) => Err(StepError::internal(format!(
                "VIM {} made something else than a port",
                vim.id
            ))),
        }
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.near.vim(&self.planned.vim)?;
        let made = made
            .map(MadePort::deserialize)
            .transpose()
            .map_err(|error| StepError::internal(error.to_string()))?;
        let ids = match made {
            Some(made) => vec![made.id],
            None => {
                let mark = cx.identity().to_string();
                let found = of_ns(&vim, cx, "find", &self.ns).await?.network_port_data;
                found
                    .into_iter()
                    .filter(|port| port.metadata.get(MARK_KEY) == Some(&mark))
                    .map(|port| port.resource_id.0)
                    .collect()
            }
        };
        end(&vim, cx, ids).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Takes away every port and network that a VIM has of the NS, those that no record knows of too.
pub(super) struct RemoveNetworks {
    pub(super) near: Arc<Near>,
    pub(super) ns: String,
    pub(super) vim: String,
    /// SAPs' ports only: networks go when the WAN service between them is gone.
    pub(super) ports_only: bool,
}

#[async_trait]
impl Step for RemoveNetworks {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.near.vim(&self.vim)?;
        let found = of_ns(&vim, cx, "find", &self.ns).await?;
        let ports = found.network_port_data.into_iter().map(|port| port.resource_id.0);
        let networks = found.network_data.into_iter().filter(|_| !self.ports_only);
        let networks = networks.flat_map(|network| {
            network
                .subnet_id
                .into_iter()
                .map(|subnet| subnet.0)
                .chain([network.network_resource_id.0])
        });
        end(&vim, cx, ports.chain(networks).collect()).await?;
        Progress::done(&())
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }
}
