//! A VIM without an infrastructure: it keeps what it is asked to, with the refusals and the idempotence of the interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId};
use manifold_vim_interface::{
    AddImage, AffinityGroupId, AllocateCompute, AllocateNetworkResource, ChangeNfpState, ComputeCapacity,
    ComputeFlavour, ComputeFlavours, ComputeId, ComputeOperation, CreateAffinityGroup, CreateNfp, FlavourId, ImageId,
    Metadata, NetworkForwardingPaths, NetworkId, NetworkResource, NetworkResourceData, NetworkResources, Nfp, NfpId,
    NfviPop, OperateCompute, OperationalState, PortId, ProviderNetwork, QueryFilter, ResourceZone, RunningState,
    SoftwareImageInformation, SoftwareImages, SubnetId, Topology, TrafficRule, TrafficRuleData, TrafficRuleId,
    TrafficRules, UpdateCompute, UpdateNetworkResource, UpdateNfp, UserData, VimHandle, VirtualCompute, VirtualNetwork,
    VirtualNetworkInterface, VirtualNetworkPort, VirtualisedCompute, VirtualisedNetworks,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Log;

/// What it is called.
pub(crate) const ID: &str = "vim-1";

pub(crate) struct Vim {
    log: Log,
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    networks: BTreeMap<Uuid, (TenantId, VirtualNetwork)>,
    ports: BTreeMap<Uuid, (TenantId, VirtualNetworkPort)>,
    computes: BTreeMap<Uuid, (TenantId, VirtualCompute)>,
    user_data: BTreeMap<Uuid, UserData>,
    last_address: u32,
    /// Calls whose description begins so are refused, this often, with this.
    refusals: Vec<(String, u32, CallError)>,
    ignores_stop: bool,
}

impl Vim {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            state: Mutex::default(),
        }
    }

    pub(crate) fn handle(self: &Arc<Self>) -> VimHandle {
        VimHandle {
            id: ID.to_owned(),
            compute: self.clone(),
            networks: self.clone(),
            paths: self.clone(),
            traffic: self.clone(),
            flavours: self.clone(),
            images: self.clone(),
            topology: self.clone(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A network that no VNF owns.
    pub(crate) fn provide(&self, name: &str) -> NetworkId {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let tenant = TenantId::from("a");
        self.held()
            .networks
            .insert(id, (tenant, network(id, name.to_owned(), Metadata::default())));
        NetworkId(id)
    }

    /// Refuses the next calls whose description begins so.
    pub(crate) fn refuse(&self, prefix: &str, times: u32, error: CallError) {
        self.held().refusals.push((prefix.to_owned(), times, error));
    }

    /// Machines do not stop when they are told to.
    pub(crate) fn ignore_stop(&self) {
        self.held().ignores_stop = true;
    }

    /// A machine does something by itself.
    pub(crate) fn become_state(&self, id: ComputeId, state: RunningState) {
        let mut held = self.held();
        let (_, compute) = held.computes.get_mut(&id.0).unwrap();
        compute.running_state = state;
    }

    /// A machine is gone altogether.
    pub(crate) fn lose(&self, id: ComputeId) {
        self.held().drop_compute(id.0);
    }

    pub(crate) fn compute(&self, id: &str) -> Option<VirtualCompute> {
        self.held()
            .computes
            .get(&id.parse().unwrap())
            .map(|(_, compute)| compute.clone())
    }

    pub(crate) fn user_data(&self, id: &str) -> Option<UserData> {
        self.held().user_data.get(&id.parse().unwrap()).cloned()
    }

    /// Everything that VNFs own.
    pub(crate) fn census(&self) -> Value {
        let held = self.held();
        let networks = held
            .networks
            .values()
            .filter(|(_, network)| !network.metadata.is_empty());
        json!({
            "networks": networks.map(|(_, network)| network).collect::<Vec<_>>(),
            "ports": held.ports.values().map(|(_, port)| port).collect::<Vec<_>>(),
            "computes": held.computes.values().map(|(_, compute)| compute).collect::<Vec<_>>(),
        })
    }

    /// How many networks, ports and machines VNFs own.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let held = self.held();
        let networks = held
            .networks
            .values()
            .filter(|(_, network)| !network.metadata.is_empty())
            .count();
        (networks, held.ports.len(), held.computes.len())
    }

    fn told(&self, what: String) -> Outcome<MutexGuard<'_, Held>> {
        let mut held = self.held();
        for (prefix, times, error) in &mut held.refusals {
            if *times > 0 && what.starts_with(prefix.as_str()) {
                *times -= 1;
                return Err(error.clone());
            }
        }
        self.log.tell(what);
        Ok(held)
    }
}

impl Held {
    fn drop_compute(&mut self, id: Uuid) {
        if self.computes.remove(&id).is_some() {
            self.user_data.remove(&id);
            for (_, port) in self
                .ports
                .values_mut()
                .filter(|(_, port)| port.attached_resource_id == Some(ComputeId(id)))
            {
                port.attached_resource_id = None;
            }
        }
    }

    fn port(
        &mut self,
        name: String,
        data: manifold_vim_interface::VirtualNetworkPortData,
        id: Uuid,
    ) -> Outcome<VirtualNetworkPort> {
        let network = data.network_id;
        if !self.networks.contains_key(&network.0) {
            return Err(CallError::not_found(format!("there is no network {network}")));
        }
        if let Some(taken) = data.ip_address.iter().find(|ip| {
            self.ports
                .values()
                .any(|(_, port)| port.network_id == network && port.ip_address.contains(ip))
        }) {
            return Err(CallError::conflict(format!("{taken} is taken")));
        }
        self.last_address += 1;
        let chosen = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + self.last_address));
        let [.., a, b] = self.last_address.to_be_bytes();
        Ok(VirtualNetworkPort {
            resource_id: PortId(id),
            network_resource_name: name,
            network_id: network,
            attached_resource_id: None,
            access_point: None,
            ip_address: if data.ip_address.is_empty() {
                vec![chosen]
            } else {
                data.ip_address
            },
            mac_address: data
                .mac_address
                .unwrap_or_else(|| format!("02:00:00:00:{a:02x}:{b:02x}")),
            bandwidth: 0,
            operational_state: OperationalState::Enabled,
            metadata: Metadata::default(),
        })
    }
}

fn network(id: Uuid, name: String, metadata: Metadata) -> VirtualNetwork {
    VirtualNetwork {
        network_resource_id: NetworkId(id),
        network_resource_name: name,
        subnet_id: Vec::new(),
        network_port: Vec::new(),
        bandwidth: 0,
        network_type: "vxlan".to_owned(),
        provider_network: None,
        segmentation_id: None,
        is_shared: false,
        operational_state: OperationalState::Enabled,
        connected_networks: Vec::new(),
        mtu: 1_500,
        gateway_reachable: false,
        metadata,
    }
}

/// What a request makes is named by its key.
fn made(cx: &Context) -> Uuid {
    Uuid::new_v5(
        &cx.idempotency_key.expect("who makes something gives a key").0,
        cx.tenant.as_str().as_bytes(),
    )
}

/// Of the filter's language, what the VNFM uses.
fn matches(cx: &Context, filter: &QueryFilter, tenant: &TenantId, metadata: &Metadata) -> bool {
    let holds = |expression: &str| {
        let inner = expression.trim_start_matches("(eq,metadata/").trim_end_matches(')');
        let (key, value) = inner.split_once(',').unwrap();
        metadata.get(key).is_some_and(|found| found == value.trim_matches('\''))
    };
    *tenant == cx.tenant && filter.filter.split(';').filter(|text| !text.is_empty()).all(holds)
}

#[async_trait]
impl VirtualisedNetworks for Vim {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        let AllocateNetworkResource {
            network_resource_name: name,
            data,
            metadata,
        } = ask;
        let id = made(cx);
        match data {
            NetworkResourceData::Network { data } => {
                let mut held = self.told(format!("network {name}"))?;
                let make = || {
                    let subnets = 0..data.layer3_attributes.len();
                    let mut network = network(id, name, metadata);
                    network.subnet_id = subnets
                        .map(|at| SubnetId(Uuid::new_v5(&id, format!("subnet {at}").as_bytes())))
                        .collect();
                    (cx.tenant.clone(), network)
                };
                Ok(NetworkResource::NetworkData(
                    held.networks.entry(id).or_insert_with(make).1.clone(),
                ))
            }
            NetworkResourceData::Subnet { .. } => Err(CallError::unsupported("subnets come with networks")),
            NetworkResourceData::NetworkPort { data } => {
                let mut held = self.told(format!("port {name}"))?;
                if let Some((_, port)) = held.ports.get(&id) {
                    return Ok(NetworkResource::NetworkPortData(port.clone()));
                }
                let port = VirtualNetworkPort {
                    metadata,
                    ..held.port(name, data, id)?
                };
                held.ports.insert(id, (cx.tenant.clone(), port.clone()));
                Ok(NetworkResource::NetworkPortData(port))
            }
        }
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        let held = self.held();
        let networks = held
            .networks
            .values()
            .filter(|(tenant, item)| matches(cx, &filter, tenant, &item.metadata));
        let ports = held
            .ports
            .values()
            .filter(|(tenant, item)| matches(cx, &filter, tenant, &item.metadata));
        Ok(NetworkResources {
            network_data: networks.map(|(_, item)| item.clone()).collect(),
            subnet_data: Vec::new(),
            network_port_data: ports.map(|(_, item)| item.clone()).collect(),
        })
    }

    async fn update(&self, _cx: &Context, _ask: UpdateNetworkResource) -> Outcome<NetworkResource> {
        not_here()
    }

    async fn terminate(&self, _cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        let names: Vec<String> = {
            let held = self.held();
            let port = |id| {
                held.ports
                    .get(id)
                    .map(|(_, port)| format!("port {}", port.network_resource_name))
            };
            let network = |id| {
                held.networks
                    .get(id)
                    .map(|(_, net)| format!("network {}", net.network_resource_name))
            };
            ids.iter().filter_map(|id| port(id).or_else(|| network(id))).collect()
        };
        let mut held = self.told(format!("end {}", names.join(", ")))?;
        for id in &ids {
            if held
                .ports
                .get(id)
                .is_some_and(|(_, port)| port.attached_resource_id.is_some())
            {
                return Err(CallError::conflict(format!("a machine uses port {id}")));
            }
            held.ports.remove(id);
        }
        for id in &ids {
            if held.ports.values().any(|(_, port)| port.network_id.0 == *id) {
                return Err(CallError::conflict(format!("network {id} has ports")));
            }
            let network = held.networks.get(id).map(|(_, network)| network);
            if let Some(subnet) = network.and_then(|network| network.subnet_id.iter().find(|id| !ids.contains(&id.0))) {
                return Err(CallError::conflict(format!(
                    "network {id} is in use by subnet {subnet}"
                )));
            }
            held.networks.remove(id);
        }
        Ok(ids)
    }
}

#[async_trait]
impl VirtualisedCompute for Vim {
    async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        let id = made(cx);
        let mut held = self.told(format!("machine {}", ask.compute_name))?;
        if let Some((_, compute)) = held.computes.get(&id) {
            return Ok(compute.clone());
        }
        let mut interfaces = Vec::new();
        for wanted in &ask.interface_data {
            let port = wanted.network_port_id.expect("the VNFM makes ports itself");
            let (_, port) = held
                .ports
                .get_mut(&port.0)
                .ok_or_else(|| CallError::not_found(format!("there is no port {port}")))?;
            if let Some(other) = port.attached_resource_id {
                return Err(CallError::conflict(format!(
                    "machine {other} uses port {}",
                    port.resource_id
                )));
            }
            port.attached_resource_id = Some(ComputeId(id));
            interfaces.push(VirtualNetworkInterface {
                resource_id: port.resource_id,
                owner_id: ComputeId(id),
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
            compute_id: ComputeId(id),
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
        held.computes.insert(id, (cx.tenant.clone(), compute.clone()));
        held.user_data.extend(ask.user_data.map(|data| (id, data)));
        Ok(compute)
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        let held = self.held();
        let found = held
            .computes
            .values()
            .filter(|(tenant, item)| matches(cx, &filter, tenant, &item.metadata));
        Ok(found.map(|(_, item)| item.clone()).collect())
    }

    async fn update(&self, _cx: &Context, _ask: UpdateCompute) -> Outcome<VirtualCompute> {
        not_here()
    }

    async fn terminate(&self, _cx: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        let names: Vec<String> = {
            let held = self.held();
            ids.iter()
                .filter_map(|id| held.computes.get(&id.0))
                .map(|(_, item)| item.compute_name.clone())
                .collect()
        };
        let mut held = self.told(format!("end machine {}", names.join(", ")))?;
        for id in &ids {
            held.drop_compute(id.0);
        }
        Ok(ids)
    }

    async fn operate(&self, _cx: &Context, ask: OperateCompute) -> Outcome<VirtualCompute> {
        let mut held = self.told(format!("{:?}", ask.compute_operation))?;
        let ignores = held.ignores_stop;
        let absent = || CallError::not_found("there is no such machine");
        let (_, compute) = held.computes.get_mut(&ask.compute_id.0).ok_or_else(absent)?;
        if ask.compute_operation == ComputeOperation::Stop && !ignores {
            compute.running_state = RunningState::Stopped;
        }
        Ok(compute.clone())
    }

    async fn create_affinity_group(&self, _cx: &Context, _ask: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        not_here()
    }
    async fn delete_affinity_groups(&self, _cx: &Context, _ids: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        not_here()
    }
    async fn console(&self, _cx: &Context, _id: ComputeId) -> Outcome<String> {
        not_here()
    }
}

fn not_here<T>() -> Outcome<T> {
    Err(CallError::unsupported("the VNFM never asks for this"))
}

#[async_trait]
impl ComputeFlavours for Vim {
    async fn create(&self, _cx: &Context, _ask: ComputeFlavour) -> Outcome<FlavourId> {
        not_here()
    }
    async fn query(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        not_here()
    }
    async fn delete(&self, _cx: &Context, _id: FlavourId) -> Outcome<FlavourId> {
        not_here()
    }
}

#[async_trait]
impl NetworkForwardingPaths for Vim {
    async fn create(&self, _cx: &Context, _ask: CreateNfp) -> Outcome<Nfp> {
        not_here()
    }
    async fn query(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<Nfp>> {
        not_here()
    }
    async fn update(&self, _cx: &Context, _ask: UpdateNfp) -> Outcome<Nfp> {
        not_here()
    }
    async fn delete(&self, _cx: &Context, _ids: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        not_here()
    }
    async fn change_state(&self, _cx: &Context, _ask: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        not_here()
    }
}

#[async_trait]
impl TrafficRules for Vim {
    async fn create(&self, _cx: &Context, _ask: TrafficRuleData) -> Outcome<TrafficRule> {
        not_here()
    }
    async fn query(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        not_here()
    }
    async fn update(&self, _cx: &Context, _ask: TrafficRule) -> Outcome<TrafficRule> {
        not_here()
    }
    async fn delete(&self, _cx: &Context, _ids: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        not_here()
    }
}

#[async_trait]
impl SoftwareImages for Vim {
    async fn add(&self, _cx: &Context, _ask: AddImage) -> Outcome<SoftwareImageInformation> {
        not_here()
    }
    async fn query(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        not_here()
    }
    async fn delete(&self, _cx: &Context, _id: ImageId) -> Outcome<ImageId> {
        not_here()
    }
}

#[async_trait]
impl Topology for Vim {
    async fn query_nfvi_pop(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<NfviPop>> {
        not_here()
    }
    async fn query_resource_zone(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        not_here()
    }
    async fn query_compute_capacity(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        not_here()
    }
    async fn query_provider_networks(&self, _cx: &Context, _filter: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        not_here()
    }
}
