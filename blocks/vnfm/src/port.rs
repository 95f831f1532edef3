//! Ports of VNFC instances: one for each connection point, on an internal link's network or on one outside the VNF.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use manifold_call::ErrorKind;
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_vim_interface::{
    AllocateNetworkResource, NetworkId, NetworkResource, NetworkResourceData, VimHandle, VirtualNetworkPort,
    VirtualNetworkPortData,
};
use manifold_vnfm_interface::VnfInstanceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::grant::{Granted, machine_id, network_id};
use crate::instance::{Attachment, Network, Port};
use crate::label;
use crate::layout::{PortPlan, VnfcPlan};
use crate::neighbours::Links;
use crate::network::end;

/// A machine has a handful of ports, some milliseconds each; a VIM that restarts meanwhile takes some seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// The step that makes a VNFC's ports; its output is a `Vec<Port>`.
pub(crate) fn step_name(vnfc: &str) -> String {
    format!("ports/{vnfc}")
}

/// An interface of a VNFC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Slot {
    /// On a port that is there.
    Kept(Port),
    /// On one to make.
    New(PortPlan),
}

/// The ports of a VNFC, in the order of its interfaces: those that are kept and those that were made. Errors: one was not made.
pub(crate) fn filled(slots: &[Slot], made: &[Port]) -> Result<Vec<Port>, StepError> {
    let port = |slot: &Slot| match slot {
        Slot::Kept(port) => Ok(port.clone()),
        Slot::New(plan) => {
            let found = made.iter().find(|port| port.cp == plan.cp).cloned();
            found.ok_or_else(|| StepError::internal(format!("the port of {} was not made", plan.cp)))
        }
    };
    slots.iter().map(port).collect()
}

/// Makes ports of one VNFC.
pub(crate) struct MakePorts {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vnfc: VnfcPlan,
    /// Internal links whose networks were there before the operation; the others are made by its own steps.
    pub(crate) networks: BTreeMap<String, Network>,
}

impl MakePorts {
    fn vim(&self, cx: &StepCx) -> Result<VimHandle, StepError> {
        let vim = Granted::of(cx)?.vim_of(&machine_id(&self.vnfc.id))?;
        Ok(self.links.vim(&vim)?)
    }

    fn network(&self, cx: &StepCx, on: &Attachment) -> Result<NetworkId, StepError> {
        match on {
            Attachment::External { network, .. } => Ok(*network),
            Attachment::Internal { link } => match self.networks.get(link) {
                Some(network) => Ok(network.id),
                None => Ok(cx.output::<Network>(&network_id(link))?.id),
            },
        }
    }

    fn ask(&self, cx: &StepCx, plan: &PortPlan) -> Result<AllocateNetworkResource, StepError> {
        let mut metadata = label::labels(self.vnf, cx.identity(), &self.vnfc.id);
        metadata.insert(label::CP.to_owned(), plan.cp.clone());
        Ok(AllocateNetworkResource {
            network_resource_name: format!("{}/{}", self.vnfc.host_name, plan.cp),
            data: NetworkResourceData::NetworkPort {
                data: VirtualNetworkPortData {
                    network_id: self.network(cx, &plan.on)?,
                    bandwidth: None,
                    ip_address: plan.addresses.clone(),
                    mac_address: plan.mac.clone(),
                    access_point: None,
                },
            },
            metadata,
        })
    }

    /// With the addresses that it once had. `None`: it had none, or somebody has them now.
    async fn as_before(
        &self,
        cx: &StepCx,
        vim: &VimHandle,
        plan: &PortPlan,
    ) -> Result<Option<NetworkResource>, StepError> {
        let Some(former) = &plan.former else { return Ok(None) };
        let again = PortPlan {
            addresses: former.addresses.clone(),
            mac: Some(former.mac.clone()),
            ..plan.clone()
        };
        let context = cx.context_of(&format!("{} again", plan.cp));
        match vim.networks.allocate(&context, self.ask(cx, &again)?).await {
            Ok(made) => Ok(Some(made)),
            // The subnets may be others by now.
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Conflict | ErrorKind::Exhausted | ErrorKind::Invalid
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn port(plan: &PortPlan, vim: &VimHandle, made: VirtualNetworkPort) -> Port {
        Port {
            cp: plan.cp.clone(),
            vim: vim.id.clone(),
            id: made.resource_id,
            network: made.network_id,
            addresses: made.ip_address,
            mac: made.mac_address,
            on: plan.on.clone(),
        }
    }
}

#[async_trait]
impl Step for MakePorts {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let vim = self.vim(cx)?;
        let found = vim
            .networks
            .query(&cx.context_of("find"), label::made_by(cx.identity()))
            .await?;
        let mut by_cp: BTreeMap<String, VirtualNetworkPort> = found
            .network_port_data
            .into_iter()
            .filter_map(|port| Some((port.metadata.get(label::CP)?.clone(), port)))
            .collect();
        let ports: Option<Vec<Port>> = self
            .vnfc
            .ports
            .iter()
            .map(|plan| Some(Self::port(plan, &vim, by_cp.remove(&plan.cp)?)))
            .collect();
        // Some of them: acting again makes the others, as each has its own key.
        ports.map_or(Ok(Found::Absent), |ports| Found::done(&ports))
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let vim = self.vim(cx)?;
        let mut ports = Vec::with_capacity(self.vnfc.ports.len());
        for plan in &self.vnfc.ports {
            let made = match self.as_before(cx, &vim, plan).await? {
                Some(made) => made,
                None => {
                    let ask = self.ask(cx, plan)?;
                    vim.networks.allocate(&cx.context_of(&plan.cp), ask).await?
                }
            };
            match made {
                NetworkResource::NetworkPortData(made) => ports.push(Self::port(plan, &vim, made)),
                NetworkResource::NetworkData(_) | NetworkResource::SubnetData(_) => {
                    return Err(StepError::internal(format!(
                        "VIM {} made no port when asked for one",
                        vim.id
                    )));
                }
            }
        }
        Progress::done(&ports)
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let vim = self.vim(cx)?;
        let ids = match made.and_then(|made| Vec::<Port>::deserialize(made).ok()) {
            Some(ports) => ports.iter().map(|port| port.id.0).collect(),
            None => {
                let filter = label::made_by(cx.identity());
                let found = vim.networks.query(&cx.context_of("find"), filter).await?;
                found.network_port_data.iter().map(|port| port.resource_id.0).collect()
            }
        };
        end(cx, &vim, "ports", ids).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}

/// Ends ports at one VIM: of the whole VNF or of one VNFC, also those that nobody recorded.
pub(crate) struct RemovePorts {
    pub(crate) links: Links,
    pub(crate) vnf: VnfInstanceId,
    pub(crate) vim: String,
    /// `None`: of every VNFC.
    pub(crate) vnfc: Option<String>,
}

impl RemovePorts {
    async fn ids(&self, cx: &StepCx, vim: &VimHandle) -> Result<Vec<Uuid>, StepError> {
        let filter = match &self.vnfc {
            None => label::owned_by(self.vnf),
            Some(vnfc) => label::part_of(self.vnf, vnfc),
        };
        let found = vim.networks.query(&cx.context_of("find"), filter).await?;
        Ok(found.network_port_data.iter().map(|port| port.resource_id.0).collect())
    }
}

#[async_trait]
impl Step for RemovePorts {
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
        end(cx, &vim, "ports", ids.clone()).await?;
        Progress::done(&ids)
    }

    async fn undo(&self, _cx: &StepCx, _made: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        LIMIT
    }
}
