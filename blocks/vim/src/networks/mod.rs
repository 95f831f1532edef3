//! Virtualised network resources (IFA 005 7.4.1).

mod network;
mod port;
mod subnet;
mod terminate;
mod update;
mod view;

pub(crate) use network::most;
pub(crate) use port::{PortAsk, new_port};
pub(crate) use view::port_works;

use crate::filter::AttributeFilter;
use crate::world::{World, check_words};
use crate::{Document, Vim};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Change, Decision};
use manifold_nfvi_interface::PopInventory;
use manifold_vim_interface::{
    AllocateNetworkResource, NetworkResource, NetworkResourceData, NetworkResources, QueryFilter,
    UpdateNetworkResource, VirtualisedNetworks,
};

#[async_trait]
impl VirtualisedNetworks for Vim {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        check_words(&cx.tenant, &ask.network_resource_name, &ask.metadata)?;
        let id = self.identity(cx, "allocate network resource");
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| -> Outcome<Decision<Document>> {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            if world.made(id)? {
                return Ok(Decision::Stands(vec![id]));
            }
            let AllocateNetworkResource {
                network_resource_name: name,
                data,
                metadata,
            } = ask;
            let change: Change<Document> = match data {
                NetworkResourceData::Network { data } => network::allocate(world, id, name, data, metadata)?,
                NetworkResourceData::Subnet { data } => subnet::allocate(world, id, data, metadata)?,
                NetworkResourceData::NetworkPort { data } => port::allocate(world, id, name, data, metadata)?,
            };
            Ok(Decision::Do(change))
        };
        self.desired.apply(cx, Some(id), plan).await?;
        self.network_resource(cx, id)
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let found = self.network_resources(cx);
        Ok(NetworkResources {
            network_data: filter.keep(found.network_data),
            subnet_data: filter.keep(found.subnet_data),
            network_port_data: filter.keep(found.network_port_data),
        })
    }

    async fn update(&self, cx: &Context, ask: UpdateNetworkResource) -> Outcome<NetworkResource> {
        check_words(&cx.tenant, "", ask.metadata.as_ref().unwrap_or(&Default::default()))?;
        let (inventory, tenant, id) = (self.inventory(), cx.tenant.clone(), ask.network_resource_id);
        let identity = self.identity(cx, "update network resource");
        let plan = move |documents: &_| {
            update::update(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                ask,
            )
        };
        self.desired.apply(cx, Some(identity), plan).await?;
        self.network_resource(cx, id)
    }

    async fn terminate(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        let (inventory, tenant, asked) = (self.inventory(), cx.tenant.clone(), ids.clone());
        let plan = move |documents: &_| {
            terminate::plan(
                World {
                    documents,
                    inventory: &inventory,
                    tenant: &tenant,
                },
                &asked,
            )
        };
        let identity = self.identity(cx, "terminate network resources");
        let done = self.desired.apply(cx, Some(identity), plan).await?;
        gone(ids, done.staying)
    }
}

impl Vim {
    pub(crate) fn inventory(&self) -> PopInventory {
        self.desired.realm().config.inventory.clone()
    }
}

/// Those of the ids that are gone. Errors: when none is, the reason.
pub(crate) fn gone(ids: Vec<Uuid>, staying: Vec<(Uuid, CallError)>) -> Outcome<Vec<Uuid>> {
    let gone: Vec<Uuid> = ids
        .into_iter()
        .filter(|id| !staying.iter().any(|(stays, _)| stays == id))
        .collect();
    match staying.into_iter().next() {
        Some((_, error)) if gone.is_empty() => Err(error),
        _ => Ok(gone),
    }
}
