//! A VIM that notes what it was asked, in which context, and answers with something made of the question.

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_vim_interface::*;
use serde::Serialize;
use std::sync::{Arc, Mutex};

/// One call as it reached the producer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) ask: String,
    pub(crate) tenant: TenantId,
    pub(crate) key: Option<Uuid>,
    pub(crate) occurrence: Option<Uuid>,
    pub(crate) trace: Uuid,
}

#[derive(Default)]
pub(crate) struct Echo {
    calls: Mutex<Vec<Call>>,
    fault: Mutex<Option<CallError>>,
}

impl Echo {
    pub(crate) fn handle(self: &Arc<Self>, id: &str) -> VimHandle {
        VimHandle {
            id: id.into(),
            compute: self.clone(),
            networks: self.clone(),
            paths: self.clone(),
            traffic: self.clone(),
            flavours: self.clone(),
            images: self.clone(),
            topology: self.clone(),
        }
    }

    /// What was called since the last time.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// From now on every call ends like this.
    pub(crate) fn fail(&self, fault: Option<CallError>) {
        *self.fault.lock().unwrap() = fault;
    }

    fn note(&self, cx: &Context, operation: &'static str, ask: &impl Serialize) -> Outcome<()> {
        self.calls.lock().unwrap().push(Call {
            operation,
            ask: serde_json::to_string(ask).unwrap(),
            tenant: cx.tenant.clone(),
            key: cx.idempotency_key.map(|key| key.0),
            occurrence: cx.occurrence.map(|occurrence| occurrence.0),
            trace: cx.trace.trace,
        });
        self.fault.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

fn id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

fn compute(name: &str) -> VirtualCompute {
    VirtualCompute {
        compute_id: ComputeId(id(name)),
        compute_name: name.into(),
        flavour_id: FlavourId(id("flavour")),
        vc_image_id: None,
        virtual_cpu: 2,
        virtual_memory: 256,
        virtual_network_interface: vec![VirtualNetworkInterface {
            resource_id: PortId(id("port")),
            owner_id: ComputeId(id(name)),
            network_id: NetworkId(id("network")),
            network_port_id: PortId(id("port")),
            ip_address: vec!["fd00::1".parse().unwrap(), "10.0.0.1".parse().unwrap()],
            mac_address: "02:00:00:00:00:01".into(),
            bandwidth: u64::MAX,
            operational_state: OperationalState::Enabled,
            provider_network: Some("field".into()),
        }],
        zone_id: "zone".into(),
        host_id: "host".into(),
        operational_state: OperationalState::Disabled,
        running_state: RunningState::Crashed,
        fault: Some("it crashed".into()),
        metadata: [("a".to_owned(), "b".to_owned())].into(),
    }
}

fn network(name: &str) -> VirtualNetwork {
    VirtualNetwork {
        network_resource_id: NetworkId(id(name)),
        network_resource_name: name.into(),
        subnet_id: vec![SubnetId(id("subnet"))],
        network_port: vec![PortId(id("port"))],
        bandwidth: 0,
        network_type: "provider".into(),
        provider_network: Some("field".into()),
        segmentation_id: None,
        is_shared: true,
        operational_state: OperationalState::Enabled,
        connected_networks: vec![NetworkId(id("other"))],
        mtu: 1_400,
        gateway_reachable: true,
        metadata: Metadata::new(),
    }
}

fn subnet(name: &str) -> NetworkSubnet {
    NetworkSubnet {
        resource_id: SubnetId(id(name)),
        network_id: NetworkId(id("network")),
        cidr: "fd00::/64".parse().unwrap(),
        gateway_ip: "fd00::1".parse().unwrap(),
        is_dhcp_enabled: false,
        address_pool: vec![],
        metadata: Metadata::new(),
    }
}

fn port(name: &str) -> VirtualNetworkPort {
    VirtualNetworkPort {
        resource_id: PortId(id(name)),
        network_resource_name: name.into(),
        network_id: NetworkId(id("network")),
        attached_resource_id: None,
        access_point: Some("wall".into()),
        ip_address: vec![],
        mac_address: "02:00:00:00:00:02".into(),
        bandwidth: 7,
        operational_state: OperationalState::Enabled,
        metadata: Metadata::new(),
    }
}

/// How many machines there are: three pages of them.
pub(crate) const COMPUTES: usize = 250;

#[async_trait]
impl VirtualisedCompute for Echo {
    async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        self.note(cx, "compute.allocate", &ask)?;
        Ok(compute(&ask.compute_name))
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        self.note(cx, "compute.query", &filter)?;
        let mut all: Vec<_> = (0..COMPUTES).map(|number| compute(&format!("m{number}"))).collect();
        all.sort_by_key(|compute| compute.compute_id);
        all.retain(|compute| {
            !filter.filter.starts_with("(eq,computeId,") || filter.filter.contains(&compute.compute_id.to_string())
        });
        Ok(all)
    }
    async fn update(&self, cx: &Context, ask: UpdateCompute) -> Outcome<VirtualCompute> {
        self.note(cx, "compute.update", &ask)?;
        Ok(compute("updated"))
    }
    async fn terminate(&self, cx: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        self.note(cx, "compute.terminate", &ids)?;
        Ok(ids.into_iter().take(1).collect())
    }
    async fn operate(&self, cx: &Context, ask: OperateCompute) -> Outcome<VirtualCompute> {
        self.note(cx, "compute.operate", &ask)?;
        Ok(compute("operated"))
    }
    async fn create_affinity_group(&self, cx: &Context, ask: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        self.note(cx, "compute.create_affinity_group", &ask)?;
        Ok(AffinityGroupId(id(&ask.group_name)))
    }
    async fn delete_affinity_groups(&self, cx: &Context, ids: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        self.note(cx, "compute.delete_affinity_groups", &ids)?;
        Ok(ids)
    }
    async fn console(&self, cx: &Context, id: ComputeId) -> Outcome<String> {
        self.note(cx, "compute.console", &id)?;
        Ok("booted\r\n\u{1b}[0m\"login\": ".into())
    }
}

#[async_trait]
impl VirtualisedNetworks for Echo {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        self.note(cx, "networks.allocate", &ask)?;
        let name = &ask.network_resource_name;
        Ok(match ask.data {
            NetworkResourceData::Network { .. } => NetworkResource::NetworkData(network(name)),
            NetworkResourceData::Subnet { .. } => NetworkResource::SubnetData(subnet(name)),
            NetworkResourceData::NetworkPort { .. } => NetworkResource::NetworkPortData(port(name)),
        })
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        self.note(cx, "networks.query", &filter)?;
        Ok(NetworkResources {
            network_data: vec![network("network")],
            subnet_data: vec![subnet("subnet")],
            network_port_data: vec![port("port")],
        })
    }
    async fn update(&self, cx: &Context, ask: UpdateNetworkResource) -> Outcome<NetworkResource> {
        self.note(cx, "networks.update", &ask)?;
        Ok(NetworkResource::NetworkPortData(port("updated")))
    }
    async fn terminate(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        self.note(cx, "networks.terminate", &ids)?;
        Ok(ids)
    }
}

fn a_path(id: NfpId) -> Nfp {
    Nfp {
        nfp_id: id,
        nfp_name: "path".into(),
        virtual_network_port: vec![],
        total_vnp: 0,
        nfp_rule: vec![],
        from_network: true,
        priority: 7,
        schedule: vec![],
        nfp_state: NfpState::Disabled,
        operational_state: OperationalState::Enabled,
        metadata: Metadata::new(),
    }
}

#[async_trait]
impl NetworkForwardingPaths for Echo {
    async fn create(&self, cx: &Context, ask: CreateNfp) -> Outcome<Nfp> {
        self.note(cx, "paths.create", &ask)?;
        Ok(a_path(NfpId(id(&ask.nfp_name))))
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<Nfp>> {
        self.note(cx, "paths.query", &filter)?;
        Ok(vec![])
    }
    async fn update(&self, cx: &Context, ask: UpdateNfp) -> Outcome<Nfp> {
        self.note(cx, "paths.update", &ask)?;
        Ok(a_path(ask.nfp_id))
    }
    async fn delete(&self, cx: &Context, ids: Vec<NfpId>) -> Outcome<Vec<NfpId>> {
        self.note(cx, "paths.delete", &ids)?;
        Ok(ids)
    }
    async fn change_state(&self, cx: &Context, ask: ChangeNfpState) -> Outcome<Vec<NfpId>> {
        self.note(cx, "paths.change_state", &ask)?;
        Ok(ask.nfp_id)
    }
}

#[async_trait]
impl TrafficRules for Echo {
    async fn create(&self, cx: &Context, ask: TrafficRuleData) -> Outcome<TrafficRule> {
        self.note(cx, "traffic.create", &ask)?;
        Ok(TrafficRule {
            traffic_rule_id: TrafficRuleId(id(&ask.name)),
            rule: ask,
            operational_state: OperationalState::Disabled,
        })
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<TrafficRule>> {
        self.note(cx, "traffic.query", &filter)?;
        Ok(vec![])
    }
    async fn update(&self, cx: &Context, ask: TrafficRule) -> Outcome<TrafficRule> {
        self.note(cx, "traffic.update", &ask)?;
        Ok(ask)
    }
    async fn delete(&self, cx: &Context, ids: Vec<TrafficRuleId>) -> Outcome<Vec<TrafficRuleId>> {
        self.note(cx, "traffic.delete", &ids)?;
        Ok(ids)
    }
}

#[async_trait]
impl ComputeFlavours for Echo {
    async fn create(&self, cx: &Context, ask: ComputeFlavour) -> Outcome<FlavourId> {
        self.note(cx, "flavours.create", &ask)?;
        Ok(FlavourId(id(&ask.name)))
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        self.note(cx, "flavours.query", &filter)?;
        Ok(vec![])
    }
    async fn delete(&self, cx: &Context, id: FlavourId) -> Outcome<FlavourId> {
        self.note(cx, "flavours.delete", &id)?;
        Ok(id)
    }
}

#[async_trait]
impl SoftwareImages for Echo {
    async fn add(&self, cx: &Context, ask: AddImage) -> Outcome<SoftwareImageInformation> {
        self.note(cx, "images.add", &ask)?;
        Ok(SoftwareImageInformation {
            id: ImageId(id(&ask.name)),
            name: ask.name,
            provider: ask.provider,
            version: ask.version,
            format: "kernel".into(),
            checksum: "00ff".into(),
            size: 3,
            user_metadata: ask.user_metadata,
        })
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        self.note(cx, "images.query", &filter)?;
        Ok(vec![])
    }
    async fn delete(&self, cx: &Context, id: ImageId) -> Outcome<ImageId> {
        self.note(cx, "images.delete", &id)?;
        Ok(id)
    }
}

#[async_trait]
impl Topology for Echo {
    async fn query_nfvi_pop(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<NfviPop>> {
        self.note(cx, "topology.query_nfvi_pop", &filter)?;
        Ok(vec![NfviPop {
            nfvi_pop_id: "pop".into(),
            vim_id: "site 1".into(),
            geographical_location_info: "here".into(),
            network_connectivity_endpoint: vec!["gateway".into()],
            access_points: vec!["wall".into()],
            gateway_mtu: Some(1_450),
        }])
    }
    async fn query_resource_zone(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        self.note(cx, "topology.query_resource_zone", &filter)?;
        Ok(vec![])
    }
    async fn query_compute_capacity(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        self.note(cx, "topology.query_compute_capacity", &filter)?;
        Ok(vec![ComputeCapacity {
            host_id: "host".into(),
            zone_id: "zone".into(),
            total: Capacity {
                vcpus: 8,
                memory_mib: 1_024,
            },
            allocated: Capacity {
                vcpus: 1,
                memory_mib: 128,
            },
            computes: vec![ComputeId(id("m0"))],
        }])
    }
    async fn query_provider_networks(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        self.note(cx, "topology.query_provider_networks", &filter)?;
        Ok(vec![ProviderNetwork {
            name: "field".into(),
            mtu: 1_500,
            hosts: vec![ProviderAttachment {
                host_id: "host".into(),
                interface: "cable".into(),
            }],
            functions: vec![ProviderFunction {
                name: "meter".into(),
                addresses: vec!["10.9.0.1".parse().unwrap()],
            }],
            networks: vec![NetworkId(id("network"))],
            ports: vec![PortId(id("port"))],
        }])
    }
}
