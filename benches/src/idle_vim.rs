//! A VIM that does nothing: its operations answer at once, out of memory. What is left is NFV-MANO's own time.

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_vim_interface::{
    AddImage, AffinityGroupId, AllocateCompute, AllocateNetworkResource, Capacity, ChangeNfpState, ComputeCapacity,
    ComputeFlavour, ComputeFlavours, ComputeId, CreateAffinityGroup, CreateNfp, FlavourId, ImageId, Metadata,
    NetworkForwardingPaths, NetworkId, NetworkResource, NetworkResourceData, NetworkResources, Nfp, NfpId, NfviPop,
    OperateCompute, OperationalState, PortId, ProviderNetwork, QueryFilter, ResourceZone, RunningState,
    SoftwareImageInformation, SoftwareImages, SubnetId, Topology, TrafficRule, TrafficRuleData, TrafficRuleId,
    TrafficRules, UpdateCompute, UpdateNetworkResource, UpdateNfp, VirtualCompute, VirtualNetwork,
    VirtualNetworkInterface, VirtualNetworkPort, VirtualisedCompute, VirtualisedNetworks,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// What it is called, and its PoP.
pub(crate) const ID: &str = "idle";

#[derive(Default)]
pub(crate) struct IdleVim {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    networks: BTreeMap<Uuid, VirtualNetwork>,
    ports: BTreeMap<Uuid, VirtualNetworkPort>,
    computes: BTreeMap<Uuid, VirtualCompute>,
    flavours: BTreeMap<Uuid, ComputeFlavour>,
    images: BTreeMap<Uuid, SoftwareImageInformation>,
}

impl IdleVim {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is left that a network service made.
    pub(crate) fn is_empty(&self) -> bool {
        let held = self.held();
        held.networks.is_empty() && held.ports.is_empty() && held.computes.is_empty()
    }
}

/// What a call makes is named by its key.
fn identity(cx: &Context) -> Uuid {
    cx.idempotency_key.map_or_else(Uuid::now_v7, |key| key.0)
}

/// Whether metadata is what the filter asks: of its language, `(eq,metadata/KEY,VALUE)` and `;`.
fn matches(filter: &QueryFilter, metadata: &Metadata) -> bool {
    filter.filter.split(';').filter(|part| !part.is_empty()).all(|part| {
        let asked = part
            .strip_prefix("(eq,metadata/")
            .and_then(|rest| rest.strip_suffix(')'));
        let pair = asked.and_then(|rest| rest.split_once(','));
        pair.is_some_and(|(key, value)| metadata.get(key).is_some_and(|found| found == value.trim_matches('\'')))
    })
}

fn not_asked<T>() -> Outcome<T> {
    Err(CallError::unsupported("nobody asks for this here"))
}

#[async_trait]
impl VirtualisedNetworks for IdleVim {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        let id = identity(cx);
        let mut held = self.held();
        match ask.data {
            NetworkResourceData::Network { data } => {
                let network = VirtualNetwork {
                    network_resource_id: NetworkId(id),
                    network_resource_name: ask.network_resource_name,
                    subnet_id: data
                        .layer3_attributes
                        .iter()
                        .map(|_| SubnetId(Uuid::now_v7()))
                        .collect(),
                    network_port: Vec::new(),
                    bandwidth: 0,
                    network_type: "vxlan".to_owned(),
                    provider_network: None,
                    segmentation_id: Some(1),
                    is_shared: false,
                    operational_state: OperationalState::Enabled,
                    connected_networks: Vec::new(),
                    mtu: 1_500,
                    gateway_reachable: false,
                    metadata: ask.metadata,
                };
                held.networks.insert(id, network.clone());
                Ok(NetworkResource::NetworkData(network))
            }
            NetworkResourceData::Subnet { .. } => not_asked(),
            NetworkResourceData::NetworkPort { data } => {
                let chosen = vec![IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10))];
                let port = VirtualNetworkPort {
                    resource_id: PortId(id),
                    network_resource_name: ask.network_resource_name,
                    network_id: data.network_id,
                    attached_resource_id: None,
                    access_point: None,
                    ip_address: if data.ip_address.is_empty() {
                        chosen
                    } else {
                        data.ip_address
                    },
                    mac_address: "02:00:00:00:00:01".to_owned(),
                    bandwidth: 0,
                    operational_state: OperationalState::Enabled,
                    metadata: ask.metadata,
                };
                held.ports.insert(id, port.clone());
                Ok(NetworkResource::NetworkPortData(port))
            }
        }
    }

    async fn query(&self, _: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        let held = self.held();
        let networks = held.networks.values().filter(|item| matches(&filter, &item.metadata));
        let ports = held.ports.values().filter(|item| matches(&filter, &item.metadata));
        Ok(NetworkResources {
            network_data: networks.cloned().collect(),
            subnet_data: Vec::new(),
            network_port_data: ports.cloned().collect(),
        })
    }

    async fn update(&self, _: &Context, _: UpdateNetworkResource) -> Outcome<NetworkResource> {
        not_asked()
    }

    async fn terminate(&self, _: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        let mut held = self.held();
        for id in &ids {
            held.ports.remove(id);
            held.networks.remove(id);
        }
        Ok(ids)
    }
}

#[async_trait]
impl VirtualisedCompute for IdleVim {
    async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        let id = ComputeId(identity(cx));
        let mut held = self.held();
        let mut interfaces = Vec::new();
        for port in ask
            .interface_data
            .iter()
            .filter_map(|interface| interface.network_port_id)
        {
            let absent = || CallError::not_found(format!("there is no port {port}"));
            let port = held.ports.get_mut(&port.0).ok_or_else(absent)?;
            port.attached_resource_id = Some(id);
            interfaces.push(VirtualNetworkInterface {
                resource_id: port.resource_id,
                owner_id: id,
                network_id: port.network_id,
                network_port_id: port.resource_id,
                ip_address: port.ip_address.clone(),
                mac_address: port.mac_address.clone(),
                bandwidth: 0,
                operational_state: OperationalState::Enabled,
                provider_network: None,
            });
        }
        let location = ask.location_constraints.unwrap_or_default();
        let compute = VirtualCompute {
            compute_id: id,
            compute_name: ask.compute_name,
            flavour_id: ask.compute_flavour_id,
            vc_image_id: ask.vc_image_id,
            virtual_cpu: 1,
            virtual_memory: 96,
            virtual_network_interface: interfaces,
            zone_id: location.zone_id.unwrap_or_default(),
            host_id: location.host_id.unwrap_or_default(),
            operational_state: OperationalState::Enabled,
            running_state: RunningState::Running,
            fault: None,
            metadata: ask.metadata,
        };
        held.computes.insert(id.0, compute.clone());
        Ok(compute)
    }

    async fn query(&self, _: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        let held = self.held();
        Ok(held
            .computes
            .values()
            .filter(|item| matches(&filter, &item.metadata))
            .cloned()
            .collect())
    }

    async fn update(&self, _: &Context, _: UpdateCompute) -> Outcome<VirtualCompute> {
        not_asked()
    }

    async fn terminate(&self, _: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        let mut held = self.held();
        held.computes.retain(|id, _| !ids.contains(&ComputeId(*id)));
        Ok(ids)
    }

    async fn operate(&self, _: &Context, _: OperateCompute) -> Outcome<VirtualCompute> {
        not_asked()
    }

    async fn create_affinity_group(&self, _: &Context, _: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        not_asked()
    }

    async fn delete_affinity_groups(&self, _: &Context, _: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        not_asked()
    }

    async fn console(&self, _: &Context, _: ComputeId) -> Outcome<String> {
        not_asked()
    }
}

#[async_trait]
impl NetworkForwardingPaths for IdleVim {
    async fn create(&self, _: &Context, _: CreateNfp) -> Outcome<Nfp> {
        not_asked()
    }
    async fn query(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<Nfp>> {
        Ok(Vec::new())
    }
    async fn update(&self, _: &Context, _: UpdateNfp) -> Outcome<Nfp> {
        not_asked()
    }
    async fn delete(&self, _: &Context, _: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        not_asked()
    }
    async fn change_state(&self, _: &Context, _: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        not_asked()
    }
}

#[async_trait]
impl TrafficRules for IdleVim {
    async fn create(&self, _: &Context, _: TrafficRuleData) -> Outcome<TrafficRule> {
        not_asked()
    }
    async fn query(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        Ok(Vec::new())
    }
    async fn update(&self, _: &Context, _: TrafficRule) -> Outcome<TrafficRule> {
        not_asked()
    }
    async fn delete(&self, _: &Context, _: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        not_asked()
    }
}

#[async_trait]
impl ComputeFlavours for IdleVim {
    async fn create(&self, cx: &Context, ask: ComputeFlavour) -> Outcome<FlavourId> {
        let id = FlavourId(identity(cx));
        let flavour = ComputeFlavour {
            flavour_id: Some(id),
            ..ask
        };
        self.held().flavours.insert(id.0, flavour);
        Ok(id)
    }

    async fn query(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        Ok(self.held().flavours.values().cloned().collect())
    }

    async fn delete(&self, _: &Context, id: FlavourId) -> Outcome<FlavourId> {
        self.held().flavours.remove(&id.0);
        Ok(id)
    }
}

#[async_trait]
impl SoftwareImages for IdleVim {
    async fn add(&self, cx: &Context, ask: AddImage) -> Outcome<SoftwareImageInformation> {
        let image = SoftwareImageInformation {
            id: ImageId(identity(cx)),
            name: ask.name,
            provider: ask.provider,
            version: ask.version,
            format: "kernel".to_owned(),
            checksum: String::new(),
            size: 0,
            user_metadata: ask.user_metadata,
        };
        self.held().images.insert(image.id.0, image.clone());
        Ok(image)
    }

    async fn query(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        Ok(self.held().images.values().cloned().collect())
    }

    async fn delete(&self, _: &Context, id: ImageId) -> Outcome<ImageId> {
        self.held().images.remove(&id.0);
        Ok(id)
    }
}

#[async_trait]
impl Topology for IdleVim {
    async fn query_nfvi_pop(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<NfviPop>> {
        Ok(vec![NfviPop {
            nfvi_pop_id: ID.to_owned(),
            vim_id: ID.to_owned(),
            geographical_location_info: "nowhere".to_owned(),
            network_connectivity_endpoint: Vec::new(),
            access_points: Vec::new(),
            gateway_mtu: None,
        }])
    }

    async fn query_resource_zone(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        Ok(vec![ResourceZone {
            zone_id: "zone".to_owned(),
            zone_name: "zone".to_owned(),
            zone_state: "ENABLED".to_owned(),
            nfvi_pop_id: ID.to_owned(),
        }])
    }

    async fn query_compute_capacity(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        let held = self.held();
        let count = held.computes.len();
        Ok(vec![ComputeCapacity {
            host_id: "host".to_owned(),
            zone_id: "zone".to_owned(),
            total: Capacity {
                vcpus: 64,
                memory_mib: 65_536,
            },
            allocated: Capacity {
                vcpus: u32::try_from(count).unwrap_or(u32::MAX),
                memory_mib: count as u64 * 96,
            },
            computes: held.computes.keys().map(|id| ComputeId(*id)).collect(),
        }])
    }

    async fn query_provider_networks(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        Ok(Vec::new())
    }
}
