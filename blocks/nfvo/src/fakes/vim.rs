//! A VIM in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_vim_interface::*;
use serde_json::{Value, json};

use super::{Log, locked};

#[derive(Default)]
pub(crate) struct Held {
    pub(crate) networks: BTreeMap<NetworkId, (TenantId, VirtualNetwork, Vec<NetworkSubnetData>)>,
    pub(crate) paths: BTreeMap<NfpId, (TenantId, Nfp)>,
    pub(crate) rules: BTreeMap<TrafficRuleId, (TenantId, TrafficRule)>,
    pub(crate) ports: BTreeMap<PortId, (TenantId, VirtualNetworkPort)>,
    pub(crate) machines: BTreeMap<ComputeId, (TenantId, VirtualCompute)>,
    flavours: BTreeMap<FlavourId, (TenantId, ComputeFlavour)>,
    images: BTreeMap<ImageId, (TenantId, SoftwareImageInformation)>,
    keys: BTreeMap<Uuid, Uuid>,
    next_segment: u32,
}

pub(crate) struct Vim {
    pub(crate) id: String,
    log: Log,
    is_first: bool,
    pub(crate) held: Mutex<Held>,
    /// (virtual CPUs, MiB) of each host.
    pub(crate) host_size: Mutex<(u32, u64)>,
    pub(crate) hosts: Vec<String>,
    /// Calls whose name begins so fail once.
    pub(crate) fails: Mutex<Option<String>>,
}

impl Vim {
    pub(crate) fn new(id: &str, log: Log, is_first: bool) -> Arc<Self> {
        let hosts = ["a", "b", "c", "d"].map(|name| format!("{id}-host-{name}")).to_vec();
        Arc::new(Self {
            id: id.to_owned(),
            log,
            is_first,
            held: Mutex::new(Held {
                next_segment: 1_000,
                ..Held::default()
            }),
            host_size: Mutex::new((8, 4_096)),
            hosts,
            fails: Mutex::default(),
        })
    }

    pub(crate) fn handle(self: &Arc<Self>) -> VimHandle {
        VimHandle {
            id: self.id.clone(),
            compute: Arc::clone(self) as _,
            networks: Arc::clone(self) as _,
            paths: Arc::clone(self) as _,
            traffic: Arc::clone(self) as _,
            flavours: Arc::clone(self) as _,
            images: Arc::clone(self) as _,
            topology: Arc::clone(self) as _,
        }
    }

    pub(super) fn tell(&self, what: &str) -> Outcome<()> {
        self.log.tell(format!("{} {what}", self.id));
        let mut fails = locked(&self.fails);
        if fails.as_ref().is_some_and(|prefix| what.starts_with(prefix)) {
            *fails = None;
            return Err(CallError::exhausted("the fake was told to fail"));
        }
        Ok(())
    }

    pub(crate) fn snapshot(&self) -> Value {
        let held = locked(&self.held);
        json!({
            "networks": held.networks.values().map(|(tenant, network, subnets)| json!([tenant, network, subnets])).collect::<Vec<_>>(),
            "ports": held.ports.values().collect::<Vec<_>>(),
            "paths": super::paths::paths(&held),
            "rules": super::paths::rules(&held),
            "machines": held.machines.values().collect::<Vec<_>>(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        let held = locked(&self.held);
        held.networks.is_empty()
            && held.ports.is_empty()
            && held.machines.is_empty()
            && held.paths.is_empty()
            && held.rules.is_empty()
    }
}

/// The fake knows the filters that are used: none, or one metadata value.
pub(super) fn matches(filter: &QueryFilter, metadata: &Metadata) -> bool {
    let Some(inner) = filter.filter.strip_prefix("(eq,metadata/") else {
        assert!(filter.filter.is_empty(), "{}", filter.filter);
        return true;
    };
    let (key, value) = inner.trim_end_matches(')').split_once(',').unwrap();
    metadata.get(key).is_some_and(|found| found == value)
}

pub(super) fn key(cx: &Context) -> Uuid {
    cx.idempotency_key.expect("what makes something has a key").0
}

#[async_trait]
impl VirtualisedNetworks for Vim {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        let name = ask.network_resource_name.clone();
        match ask.data {
            NetworkResourceData::Network { data } => {
                self.tell(&format!("allocate network {name}"))?;
                let mut held = locked(&self.held);
                if let Some(first) = held.keys.get(&key(cx))
                    && let Some((_, network, _)) = held.networks.get(&NetworkId(*first))
                {
                    return Ok(NetworkResource::NetworkData(network.clone()));
                }
                held.next_segment += 1;
                let id = NetworkId::named(key(cx), &self.id);
                let is_provider = data.provider_network.is_some();
                let network = VirtualNetwork {
                    network_resource_id: id,
                    network_resource_name: name,
                    subnet_id: (0..data.layer3_attributes.len())
                        .map(|at| SubnetId::named(id.0, &at.to_string()))
                        .collect(),
                    network_port: vec![],
                    bandwidth: data.bandwidth.unwrap_or(0),
                    network_type: data.network_type.clone().unwrap(),
                    provider_network: data.provider_network.clone(),
                    segmentation_id: (!is_provider).then_some(data.segmentation_id.unwrap_or(held.next_segment)),
                    is_shared: false,
                    operational_state: OperationalState::Enabled,
                    connected_networks: vec![],
                    mtu: data.mtu.unwrap_or(1_500),
                    gateway_reachable: data.gateway_reachable,
                    metadata: ask.metadata,
                };
                held.keys.insert(key(cx), id.0);
                held.networks
                    .insert(id, (cx.tenant.clone(), network.clone(), data.layer3_attributes));
                Ok(NetworkResource::NetworkData(network))
            }
            NetworkResourceData::NetworkPort { data } => {
                self.tell(&format!(
                    "allocate port {name} at {}",
                    data.access_point.clone().unwrap_or_default()
                ))?;
                let mut held = locked(&self.held);
                assert!(
                    held.networks.contains_key(&data.network_id),
                    "the port's network is there"
                );
                let id = PortId::named(key(cx), &self.id);
                let port = VirtualNetworkPort {
                    resource_id: id,
                    network_resource_name: name,
                    network_id: data.network_id,
                    attached_resource_id: None,
                    access_point: data.access_point,
                    ip_address: vec![IpAddr::V4(Ipv4Addr::new(192, 168, 10, 2))],
                    mac_address: "02:00:00:00:00:01".to_owned(),
                    bandwidth: 0,
                    operational_state: OperationalState::Enabled,
                    metadata: ask.metadata,
                };
                held.ports.insert(id, (cx.tenant.clone(), port.clone()));
                Ok(NetworkResource::NetworkPortData(port))
            }
            NetworkResourceData::Subnet { .. } => Err(CallError::unsupported("the fake makes no subnets")),
        }
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        let held = locked(&self.held);
        let networks = held
            .networks
            .values()
            .filter(|(tenant, network, _)| *tenant == cx.tenant && matches(&filter, &network.metadata));
        let ports = held
            .ports
            .values()
            .filter(|(tenant, port)| *tenant == cx.tenant && matches(&filter, &port.metadata));
        Ok(NetworkResources {
            network_data: networks.map(|(_, network, _)| network.clone()).collect(),
            subnet_data: vec![],
            network_port_data: ports.map(|(_, port)| port.clone()).collect(),
        })
    }

    async fn update(&self, cx: &Context, ask: UpdateNetworkResource) -> Outcome<NetworkResource> {
        self.tell(&format!("update network to {}", ask.bandwidth.unwrap()))?;
        let mut held = locked(&self.held);
        let found = held.networks.get_mut(&NetworkId(ask.network_resource_id));
        let (_, network, _) = found
            .filter(|(tenant, ..)| *tenant == cx.tenant)
            .ok_or_else(|| CallError::not_found("there is no such network"))?;
        network.bandwidth = ask.bandwidth.unwrap();
        Ok(NetworkResource::NetworkData(network.clone()))
    }

    async fn terminate(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        self.tell("terminate networks and ports")?;
        let mut held = locked(&self.held);
        held.ports
            .retain(|id, (tenant, _)| *tenant != cx.tenant || !ids.contains(&id.0));
        let used: BTreeSet<NetworkId> = held.ports.values().map(|(_, port)| port.network_id).collect();
        if let Some(id) = ids.iter().find(|id| used.contains(&NetworkId(**id))) {
            return Err(CallError::conflict(format!("{id} has ports")));
        }
        held.networks
            .retain(|id, (tenant, ..)| *tenant != cx.tenant || !ids.contains(&id.0));
        Ok(ids)
    }
}

#[async_trait]
impl VirtualisedCompute for Vim {
    async fn allocate(&self, _: &Context, _: AllocateCompute) -> Outcome<VirtualCompute> {
        panic!("the NFVO asks no VIM for machines")
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        let held = locked(&self.held);
        let all = held
            .machines
            .values()
            .filter(|(tenant, machine)| *tenant == cx.tenant && matches(&filter, &machine.metadata));
        Ok(all.map(|(_, machine)| machine.clone()).collect())
    }

    async fn update(&self, _: &Context, _: UpdateCompute) -> Outcome<VirtualCompute> {
        panic!("the NFVO changes no machines")
    }

    async fn terminate(&self, _: &Context, _: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        panic!("the NFVO ends no machines")
    }

    async fn operate(&self, _: &Context, _: OperateCompute) -> Outcome<VirtualCompute> {
        panic!("the NFVO operates no machines")
    }

    async fn create_affinity_group(&self, _: &Context, _: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        panic!("the NFVO makes no groups")
    }

    async fn delete_affinity_groups(&self, _: &Context, _: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        panic!("the NFVO deletes no groups")
    }

    async fn console(&self, _: &Context, _: ComputeId) -> Outcome<String> {
        panic!("the NFVO reads no console")
    }
}

#[async_trait]
impl ComputeFlavours for Vim {
    async fn create(&self, cx: &Context, ask: ComputeFlavour) -> Outcome<FlavourId> {
        self.tell(&format!("create flavour {}", ask.name))?;
        let id = FlavourId::named(key(cx), &self.id);
        let flavour = ComputeFlavour {
            flavour_id: Some(id),
            ..ask
        };
        locked(&self.held).flavours.insert(id, (cx.tenant.clone(), flavour));
        Ok(id)
    }

    async fn query(&self, cx: &Context, _: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        let held = locked(&self.held);
        Ok(held
            .flavours
            .values()
            .filter(|(tenant, _)| *tenant == cx.tenant)
            .map(|(_, flavour)| flavour.clone())
            .collect())
    }

    async fn delete(&self, _: &Context, id: FlavourId) -> Outcome<FlavourId> {
        Ok(id)
    }
}

#[async_trait]
impl SoftwareImages for Vim {
    async fn add(&self, cx: &Context, ask: AddImage) -> Outcome<SoftwareImageInformation> {
        self.tell(&format!("add image {}", ask.name))?;
        let content = serde_json::to_vec(&ask.content).unwrap();
        let id = ImageId(Uuid::new_v5(
            &Uuid::nil(),
            &[content.as_slice(), cx.tenant.as_str().as_bytes()].concat(),
        ));
        let image = SoftwareImageInformation {
            id,
            name: ask.name,
            provider: ask.provider,
            version: ask.version,
            format: "kernel".to_owned(),
            checksum: String::new(),
            size: 0,
            user_metadata: ask.user_metadata,
        };
        locked(&self.held).images.insert(id, (cx.tenant.clone(), image.clone()));
        Ok(image)
    }

    async fn query(&self, cx: &Context, _: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        let held = locked(&self.held);
        Ok(held
            .images
            .values()
            .filter(|(tenant, _)| *tenant == cx.tenant)
            .map(|(_, image)| image.clone())
            .collect())
    }

    async fn delete(&self, _: &Context, id: ImageId) -> Outcome<ImageId> {
        Ok(id)
    }
}

#[async_trait]
impl Topology for Vim {
    async fn query_nfvi_pop(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<NfviPop>> {
        Ok(vec![NfviPop {
            nfvi_pop_id: self.id.replace("vim", "site"),
            vim_id: self.id.clone(),
            geographical_location_info: String::new(),
            network_connectivity_endpoint: vec![format!("{}-gateway", self.id)],
            access_points: if self.is_first {
                vec!["client".to_owned()]
            } else {
                vec![]
            },
            gateway_mtu: Some(if self.is_first { 1_450 } else { 1_400 }),
        }])
    }

    async fn query_resource_zone(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        Ok(vec![])
    }

    async fn query_compute_capacity(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        let (held, (vcpus, memory_mib)) = (locked(&self.held), *locked(&self.host_size));
        let capacity = |host: &String| {
            let here: Vec<&VirtualCompute> = held
                .machines
                .values()
                .map(|(_, machine)| machine)
                .filter(|machine| machine.host_id == *host)
                .collect();
            ComputeCapacity {
                host_id: host.clone(),
                zone_id: "zone-1".to_owned(),
                total: Capacity { vcpus, memory_mib },
                allocated: Capacity {
                    vcpus: here.iter().map(|machine| machine.virtual_cpu).sum(),
                    memory_mib: here.iter().map(|machine| machine.virtual_memory).sum(),
                },
                computes: here.iter().map(|machine| machine.compute_id).collect(),
            }
        };
        Ok(self.hosts.iter().map(capacity).collect())
    }

    async fn query_provider_networks(&self, _: &Context, _: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        let attached = |host: &String| ProviderAttachment {
            host_id: host.clone(),
            interface: "cable".to_owned(),
        };
        let field = ProviderNetwork {
            name: "field".to_owned(),
            mtu: 1_500,
            hosts: self.hosts.iter().map(attached).collect(),
            functions: vec![ProviderFunction {
                name: "meter".to_owned(),
                addresses: vec![IpAddr::V4(Ipv4Addr::new(192, 168, 30, 10))],
            }],
            networks: vec![],
            ports: vec![],
        };
        Ok(if self.is_first { vec![field] } else { vec![] })
    }
}
