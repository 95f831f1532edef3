//! What the PoP consists of and has left.

use crate::Vim;
use crate::computes::held;
use crate::filter::AttributeFilter;
use crate::world::World;
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_vim_interface::{
    Capacity, ComputeCapacity, ComputeId, NetworkId, NfviPop, PortId, ProviderAttachment, ProviderFunction,
    ProviderNetwork, QueryFilter, ResourceZone, Topology,
};

#[async_trait]
impl Topology for Vim {
    async fn query_nfvi_pop(&self, _: &Context, filter: QueryFilter) -> Outcome<Vec<NfviPop>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let pop = self.inventory();
        let gateway = pop.gateway.as_ref();
        Ok(filter.keep(vec![NfviPop {
            nfvi_pop_id: pop.pop.clone(),
            vim_id: self.id().to_owned(),
            geographical_location_info: pop.location.clone(),
            network_connectivity_endpoint: gateway
                .iter()
                .map(|gateway| gateway.connectivity_service_endpoint.clone())
                .collect(),
            access_points: pop.access_points.iter().map(|access| access.name.clone()).collect(),
            gateway_mtu: gateway.map(|_| crate::networks::most(&pop, true)),
        }]))
    }

    async fn query_resource_zone(&self, _: &Context, filter: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let pop = self.inventory();
        let zones = pop.zones.iter().map(|zone| ResourceZone {
            zone_id: zone.clone(),
            zone_name: zone.clone(),
            zone_state: "ENABLED".to_owned(),
            nfvi_pop_id: pop.pop.clone(),
        });
        Ok(filter.keep(zones.collect()))
    }

    async fn query_compute_capacity(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let pop = self.inventory();
        let capacities = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let used = held(world);
            let host = |host: &manifold_nfvi_interface::HostInventory| ComputeCapacity {
                host_id: host.name.clone(),
                zone_id: host.zone.clone(),
                total: Capacity {
                    vcpus: host.vcpus,
                    memory_mib: host.memory_mib,
                },
                allocated: used.get(host.name.as_str()).copied().unwrap_or_default(),
                // The sums are everyone's, the names only the tenant's own.
                computes: world
                    .computes()
                    .filter(|(_, held, compute)| held.tenant == cx.tenant && compute.host == host.name)
                    .map(|(id, ..)| ComputeId(id))
                    .collect(),
            };
            pop.hosts.iter().map(host).collect()
        });
        Ok(filter.keep(capacities))
    }

    async fn query_provider_networks(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let pop = self.inventory();
        let found = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let provider = |provider: &manifold_nfvi_interface::ProviderNetworkInventory| {
                let realised = |network| world.network_provider(network) == Some(provider.name.as_str());
                let networks = world
                    .networks()
                    .filter(|(id, held, _)| !held.leaving && world.sees(held) && realised(*id));
                let ports = world.ports().filter(|(_, held, port)| {
                    !held.leaving && world.sees(held) && port.compute.is_some() && realised(port.network)
                });
                let hosts = pop.hosts.iter().filter_map(|host| {
                    let cable = host.provider_cables.get(&provider.name)?;
                    Some(ProviderAttachment {
                        host_id: host.name.clone(),
                        interface: cable.to_string(),
                    })
                });
                let functions = provider.functions.iter().map(|function| ProviderFunction {
                    name: function.name.clone(),
                    addresses: function.addresses.clone(),
                });
                ProviderNetwork {
                    name: provider.name.clone(),
                    mtu: provider.mtu_bytes,
                    hosts: hosts.collect(),
                    functions: functions.collect(),
                    networks: networks.map(|(id, ..)| NetworkId(id)).collect(),
                    ports: ports.map(|(id, ..)| PortId(id)).collect(),
                }
            };
            pop.provider_networks.iter().map(provider).collect()
        });
        Ok(filter.keep(found))
    }
}
