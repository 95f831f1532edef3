//! Networks, subnets and ports as their tenants see them.

use crate::Vim;
use crate::documents::{Document, Network, Port, Subnet, Transport};
use crate::world::World;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Held, Phase};
use manifold_vim_interface::{
    ComputeId, NetworkId, NetworkResource, NetworkResources, NetworkSubnet, OperationalState, PortId, SubnetId,
    VirtualNetwork, VirtualNetworkPort,
};

impl Vim {
    /// Everything that the tenant may see.
    pub(super) fn network_resources(&self, cx: &Context) -> NetworkResources {
        let mut found = NetworkResources::default();
        let pop = self.inventory();
        let mut views = Vec::new();
        self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let seen = documents.standing().filter(|(_, held)| world.sees(held));
            views.extend(seen.filter_map(|(id, held)| view(world, id, held)));
        });
        for view in views {
            match self.with_state(view) {
                NetworkResource::NetworkData(network) => found.network_data.push(network),
                NetworkResource::SubnetData(subnet) => found.subnet_data.push(subnet),
                NetworkResource::NetworkPortData(port) => found.network_port_data.push(port),
            }
        }
        found
    }

    /// One of them. Errors: `NotFound`.
    pub(super) fn network_resource(&self, cx: &Context, id: Uuid) -> Outcome<NetworkResource> {
        let pop = self.inventory();
        let found = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let held = documents.find(id).filter(|held| !held.leaving && world.sees(held))?;
            view(world, id, held)
        });
        let found = found.ok_or_else(|| CallError::not_found(format!("there is no network, subnet or port {id}")))?;
        Ok(self.with_state(found))
    }

    fn with_state(&self, view: NetworkResource) -> NetworkResource {
        match view {
            NetworkResource::NetworkData(mut network) => {
                if !self.desired.works(network.network_resource_id.0) {
                    network.operational_state = OperationalState::Disabled;
                }
                NetworkResource::NetworkData(network)
            }
            NetworkResource::NetworkPortData(mut port) => {
                if port.operational_state == OperationalState::Enabled {
                    port.operational_state = port_works(self, port.resource_id.0);
                }
                NetworkResource::NetworkPortData(port)
            }
            subnet @ NetworkResource::SubnetData(_) => subnet,
        }
    }
}

/// Whether a port that is somewhere works there.
pub(crate) fn port_works(vim: &Vim, port: Uuid) -> OperationalState {
    if vim.desired.works(port) {
        OperationalState::Enabled
    } else {
        OperationalState::Disabled
    }
}

fn view(world: World<'_>, id: Uuid, held: &Held<Document>) -> Option<NetworkResource> {
    match &held.body {
        Document::Network(network) => Some(NetworkResource::NetworkData(network_view(world, id, held, network))),
        Document::Subnet(subnet) => Some(NetworkResource::SubnetData(subnet_view(id, subnet))),
        Document::Port(port) => Some(NetworkResource::NetworkPortData(port_view(world, id, held, port))),
        Document::Compute(_)
        | Document::Group(_)
        | Document::Flavour(_)
        | Document::Image(_)
        | Document::Path(_)
        | Document::Rule(_) => None,
    }
}

fn network_view(world: World<'_>, id: Uuid, held: &Held<Document>, network: &Network) -> VirtualNetwork {
    let (network_type, provider_network, segmentation_id) = match &network.transport {
        Transport::Vxlan { vni } => ("vxlan", None, Some(*vni)),
        Transport::Provider { network } => ("provider", Some(network.clone()), None),
    };
    // Of a shared network each tenant sees its own ports, and its owner all.
    let visible =
        |port: &Held<Document>| !port.leaving && (port.tenant == *world.tenant || held.tenant == *world.tenant);
    let subnets = world.subnets_of(id).map(|(subnet, _)| SubnetId(subnet));
    let ports = world
        .ports_of(id)
        .filter(|(_, port, _)| visible(port))
        .map(|(port, ..)| PortId(port));
    let connected = world.connected(id).into_iter();
    let connected = connected.filter(|other| world.documents.find(*other).is_some_and(|other| world.sees(other)));
    VirtualNetwork {
        network_resource_id: NetworkId(id),
        network_resource_name: network.name.clone(),
        subnet_id: subnets.collect(),
        network_port: ports.collect(),
        bandwidth: network.bandwidth,
        network_type: network_type.to_owned(),
        provider_network,
        segmentation_id,
        is_shared: network.shared,
        operational_state: made(held),
        connected_networks: connected.map(NetworkId).collect(),
        mtu: network.mtu,
        gateway_reachable: network.gateway_reachable,
        metadata: network.metadata.clone(),
    }
}

fn subnet_view(id: Uuid, subnet: &Subnet) -> NetworkSubnet {
    NetworkSubnet {
        resource_id: SubnetId(id),
        network_id: NetworkId(subnet.network),
        cidr: subnet.cidr,
        gateway_ip: subnet.gateway,
        is_dhcp_enabled: subnet.dhcp,
        address_pool: subnet.pools.clone(),
        metadata: subnet.metadata.clone(),
    }
}

fn port_view(world: World<'_>, id: Uuid, held: &Held<Document>, port: &Port) -> VirtualNetworkPort {
    let network = world.networks().find(|(network, ..)| *network == port.network);
    VirtualNetworkPort {
        resource_id: PortId(id),
        network_resource_name: port.name.clone(),
        network_id: NetworkId(port.network),
        attached_resource_id: port.compute.map(ComputeId),
        access_point: port.access_point.clone(),
        ip_address: port.addresses.clone(),
        mac_address: port.mac.clone(),
        bandwidth: port
            .bandwidth
            .or(network.map(|(.., network)| network.bandwidth))
            .unwrap_or(0),
        operational_state: made(held),
        metadata: port.metadata.clone(),
    }
}

fn made(held: &Held<Document>) -> OperationalState {
    match held.phase {
        Phase::Making => OperationalState::Disabled,
        Phase::Settled | Phase::Changing => OperationalState::Enabled,
    }
}
