//! Machines as their tenants see them.

use crate::Vim;
use crate::documents::Compute;
use crate::networks::port_works;
use crate::world::World;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_vim_interface::{
    ComputeId, FlavourId, ImageId, NetworkId, OperationalState, PortId, RunningState, VirtualCompute,
    VirtualNetworkInterface,
};

impl Vim {
    /// The tenant's machines.
    pub(super) fn compute_views(&self, cx: &Context) -> Vec<VirtualCompute> {
        let pop = self.inventory();
        let mut views = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let own = world
                .computes()
                .filter(|(_, held, _)| !held.leaving && held.tenant == *world.tenant);
            own.map(|(id, _, compute)| view(world, id, compute)).collect::<Vec<_>>()
        });
        views.iter_mut().for_each(|view| self.add_state(view));
        views
    }

    /// One of them. Errors: `NotFound`.
    pub(super) fn compute_view(&self, cx: &Context, id: ComputeId) -> Outcome<VirtualCompute> {
        let pop = self.inventory();
        let found = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &pop,
                tenant: &cx.tenant,
            };
            let held = documents.find(id.0).filter(|held| !held.leaving && world.sees(held));
            let own = held.and_then(|_| world.computes().find(|(compute, ..)| *compute == id.0));
            own.map(|(id, _, compute)| view(world, id, compute))
        });
        let mut view = found.ok_or_else(|| CallError::not_found(format!("there is no machine {id}")))?;
        self.add_state(&mut view);
        Ok(view)
    }

    fn add_state(&self, view: &mut VirtualCompute) {
        let doing = self.desired.realm().doing(view.compute_id.0);
        view.running_state = doing.state;
        view.fault = doing.fault;
        let works = self.desired.works(view.compute_id.0);
        if works && matches!(doing.state, RunningState::Running | RunningState::Stopped) {
            view.operational_state = OperationalState::Enabled;
        }
        for interface in &mut view.virtual_network_interface {
            interface.operational_state = port_works(self, interface.network_port_id.0);
        }
    }
}

fn view(world: World<'_>, id: Uuid, compute: &Compute) -> VirtualCompute {
    let interface = |port_id: &Uuid| {
        let (.., port) = world.ports().find(|(known, ..)| known == port_id)?;
        let bandwidth = || {
            world
                .networks()
                .find(|(known, ..)| *known == port.network)
                .map(|(.., network)| network.bandwidth)
        };
        Some(VirtualNetworkInterface {
            resource_id: PortId(*port_id),
            owner_id: ComputeId(id),
            network_id: NetworkId(port.network),
            network_port_id: PortId(*port_id),
            ip_address: port.addresses.clone(),
            mac_address: port.mac.clone(),
            bandwidth: port.bandwidth.or_else(bandwidth).unwrap_or(0),
            operational_state: OperationalState::Disabled,
            provider_network: world.network_provider(port.network).map(str::to_owned),
        })
    };
    VirtualCompute {
        compute_id: ComputeId(id),
        compute_name: compute.name.clone(),
        flavour_id: FlavourId(compute.flavour),
        vc_image_id: Some(ImageId(compute.image)),
        virtual_cpu: compute.vcpus,
        virtual_memory: compute.memory_mib,
        virtual_network_interface: compute.ports.iter().filter_map(interface).collect(),
        zone_id: compute.zone.clone(),
        host_id: compute.host.clone(),
        operational_state: OperationalState::Disabled,
        running_state: RunningState::Unknown,
        fault: None,
        metadata: compute.metadata.clone(),
    }
}
