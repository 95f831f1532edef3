//! Networks of internal virtual links: one network with its subnets for each link, at the VIM that the grant names.

use std::time::Duration;

use async_trait::async_trait;
use manifold_call::{CallError, Uuid};
use manifold_descriptors::vnfd::VnfVirtualLink;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_vim_interface::{
    AddressRange, AllocateNetworkResource, NetworkResource, NetworkResourceData, NetworkSubnetData, VimHandle,
    VirtualNetwork, VirtualNetworkData,
};
use manifold_vnfm_interface::VnfInstanceId;
use serde_json::Value;

use crate::grant::{Granted, network_id};
use crate::instance::Network;
use crate::label;
use crate::neighbours::Links;

/// A network takes some milliseconds; a VIM that restarts meanwhile some seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes the network of one internal link.
pub(crate) struct MakeNetwork {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vnf_name: String,
    pub(crate) link: VnfVirtualLink,
}

impl MakeNetwork {
    fn vim(&self, cx: &StepCx) -> Result<VimHandle, StepError> {
        let vim = Granted::of(cx)?.vim_of(&network_id(&self.link.id))?;
        Ok(self.links.vim(&vim)?)
    }

    fn ask(&self, cx: &StepCx) -> AllocateNetworkResource {
        let l2 = self.link.l2.as_ref();
        let subnets = self.link.l3.iter().map(|l3| NetworkSubnetData {
            network_id: None,
            cidr: l3.cidr,
            gateway_ip: l3.gateway_ip,
            is_dhcp_enabled: l3.dhcp_enabled,
            address_pool: l3
                .ip_allocation_pools
                .iter()
                .map(|pool| AddressRange {
                    first: pool.start,
                    last: pool.end,
                })
                .collect(),
        });
        let rate = self.link.max_bitrate;
        let data = VirtualNetworkData {
            bandwidth: rate.leaf_bits_per_second.or(rate.root_bits_per_second),
            network_type: None,
            provider_network: l2.and_then(|l2| l2.provider_network()).map(ToOwned::to_owned),
            layer3_attributes: subnets.collect(),
            mtu: l2.and_then(|l2| l2.mtu_bytes),
            ..VirtualNetworkData::default()
        };
        AllocateNetworkResource {
            network_resource_name: format!("{}/{}", self.vnf_name, self.link.id),
            data: NetworkResourceData::Network { data },
            metadata: label::labels(self.vnf, cx.identity(), &self.link.id),
        }
    }
}

#[async_trait]
impl Step for MakeNetwork {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let vim = self.vim(cx)?;
        let found = vim
            .networks
            .query(&cx.context_of("find"), label::made_by(cx.identity()))
            .await?;
        match found.network_data.first() {
            None => Ok(Found::Absent),
            // Its subnets come with it or not at all: one request.
            Some(network) => {
                let (link, id) = (self.link.id.clone(), network.network_resource_id);
                Found::done(&Network { link, vim: vim.id, id })
            }
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.vim(cx)?;
        match vim.networks.allocate(&cx.context(), self.ask(cx)).await? {
            NetworkResource::NetworkData(network) => {
                let (link, id) = (self.link.id.clone(), network.network_resource_id);
                Progress::done(&Network { link, vim: vim.id, id })
            }
            NetworkResource::SubnetData(_) | NetworkResource::NetworkPortData(_) => Err(StepError::internal(format!(
                "VIM {} made no network when asked for one",
                vim.id
            ))),
        }
    }

    async fn undo(&self, cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.vim(cx)?;
        let found = vim
            .networks
            .query(&cx.context_of("find"), label::made_by(cx.identity()))
            .await?;
        end(cx, &vim, "networks", with_subnets(&found.network_data)).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// Ends every network of a VNF at one VIM, also those that nobody recorded.
pub(crate) struct RemoveNetworks {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vim: String,
}

impl RemoveNetworks {
    async fn ids(&self, cx: &StepCx, vim: &VimHandle) -> Result<Vec<Uuid>, StepError> {
        let found = vim
            .networks
            .query(&cx.context_of("find"), label::owned_by(self.vnf))
            .await?;
        Ok(with_subnets(&found.network_data))
    }
}

#[async_trait]
impl Step for RemoveNetworks {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let left = self.ids(cx, &self.links.vim(&self.vim)?).await?;
        if left.is_empty() {
            Found::done(&left)
        } else {
            Ok(Found::Absent)
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.links.vim(&self.vim)?;
        let ids = self.ids(cx, &vim).await?;
        end(cx, &vim, "networks", ids.clone()).await?;
        Progress::done(&ids)
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// Networks and what came with them: a network whose subnets are not named along with it is in use and stays.
fn with_subnets(networks: &[VirtualNetwork]) -> Vec<Uuid> {
    let of = |network: &VirtualNetwork| {
        let subnets: Vec<Uuid> = network.subnet_id.iter().map(|subnet| subnet.0).collect();
        subnets.into_iter().chain([network.network_resource_id.0])
    };
    networks.iter().flat_map(of).collect()
}

/// Ends networks or ports. Errors: some are left; names them.
pub(crate) async fn end(cx: &StepCx, vim: &VimHandle, what: &str, ids: Vec<Uuid>) -> Result<(), StepError> {
    if ids.is_empty() {
        return Ok(());
    }
    // Another set is another wish: what is left over by one call is asked for again by the next.
    let part = format!("end {}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" "));
    let gone = vim.networks.terminate(&cx.context_of(&part), ids.clone()).await?;
    all_gone(
        what,
        &vim.id,
        ids.iter().filter(|id| !gone.contains(id)).map(Uuid::to_string),
    )
}

/// Errors: something is left.
pub(crate) fn all_gone(what: &str, vim: &str, left: impl Iterator<Item = String>) -> Result<(), StepError> {
    let left: Vec<String> = left.collect();
    if left.is_empty() {
        return Ok(());
    }
    let detail = format!("VIM {vim} did not end the {what} {}", left.join(", "));
    Err(StepError::transient(CallError::unavailable(detail)))
}
