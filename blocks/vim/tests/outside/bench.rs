//! A VIM over a real store and the infrastructure in memory.

#![allow(dead_code)]

use super::outside::Outside;
use ipnet::IpNet;
use manifold_call::{Context, Outcome, TenantId, Uuid};
use manifold_nfvi_interface::*;
use manifold_store::{Kind, Query, SqliteStore, Store};
use manifold_vim::{Vim, VimConfig};
use manifold_vim_interface::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) vim: Arc<Vim>,
    pub(crate) dir: Arc<tempfile::TempDir>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

pub(crate) fn node(name: &str) -> ObjectId {
    ObjectId::named(Uuid::NAMESPACE_DNS, name)
}

/// Two hosts in two zones, a gateway, a provider network that host-a alone reaches, an access point on host-b.
pub(crate) fn inventory() -> PopInventory {
    let host = |name: &str, zone: &str, number: u8, provider: &[&str]| HostInventory {
        node: node(name),
        name: name.into(),
        zone: zone.into(),
        underlay: IpAddr::V4(Ipv4Addr::new(100, 64, 0, number)),
        underlay_mtu_bytes: 9_000,
        vcpus: 4,
        memory_mib: 512,
        provider_cables: provider
            .iter()
            .map(|name| ((*name).to_owned(), node(&format!("cable {name}"))))
            .collect(),
    };
    PopInventory {
        pop: "site-1".into(),
        location: "here".into(),
        zones: vec!["zone-1".into(), "zone-2".into()],
        hosts: vec![
            host("host-a", "zone-1", 11, &["field"]),
            host("host-b", "zone-2", 12, &[]),
        ],
        gateway: Some(GatewayInventory {
            node: node("gateway"),
            underlay: "100.64.0.1".parse().unwrap(),
            wan: "100.64.127.1".parse().unwrap(),
            wan_mtu_bytes: 9_000,
            connectivity_service_endpoint: "site-1/gateway".into(),
        }),
        provider_networks: vec![ProviderNetworkInventory {
            name: "field".into(),
            mtu_bytes: 1_500,
            functions: vec![FunctionInventory {
                node: node("meter"),
                name: "meter".into(),
                addresses: vec!["198.51.100.10".parse().unwrap()],
            }],
        }],
        access_points: vec![AccessPointInventory {
            name: "client".into(),
            node: node("client"),
            host: node("host-b"),
        }],
    }
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&dir.path().join("data")).unwrap());
        Self::over(dir, store, Outside::new()).await
    }

    async fn over(dir: Arc<tempfile::TempDir>, store: Arc<dyn Store>, outside: Arc<Outside>) -> Self {
        let config = VimConfig {
            vim_id: "site-1".into(),
            inventory: inventory(),
            image_dir: dir.path().join("images"),
        };
        let vim = Vim::open(config, store.clone(), outside.clone()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let running = vim.clone();
        let task = tokio::spawn(async move { running.run(stopped).await });
        Self {
            store,
            outside,
            vim,
            dir,
            stop,
            task,
        }
    }

    /// The program dies here and starts again.
    pub(crate) async fn restart(self) -> Self {
        self.task.abort();
        let _aborted = self.task.await;
        Self::over(self.dir, self.store, self.outside).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    /// What is in the store, by id.
    pub(crate) async fn documents(&self) -> BTreeMap<String, serde_json::Value> {
        let page = self
            .store
            .list(Kind("vim.resource"), Query::all().limit(1_000))
            .await
            .unwrap();
        page.docs.into_iter().map(|doc| (doc.id, doc.body)).collect()
    }

    pub(crate) async fn snapshot(&self) -> (BTreeMap<String, serde_json::Value>, BTreeMap<ObjectId, Wish>) {
        (self.documents().await, self.outside.there())
    }

    pub(crate) async fn flavour(&self, cx: &Context, memory_mib: u64) -> FlavourId {
        let ask = ComputeFlavour {
            flavour_id: None,
            name: "small".into(),
            num_virtual_cpu: 1,
            virtual_mem_size: memory_mib,
            metadata: Metadata::new(),
        };
        ComputeFlavours::create(self.vim.as_ref(), &key(cx, &format!("flavour {memory_mib}")), ask)
            .await
            .unwrap()
    }

    pub(crate) async fn image(&self, cx: &Context) -> ImageId {
        let (kernel, initramfs) = (self.dir.path().join("vmlinuz"), self.dir.path().join("initramfs"));
        std::fs::write(&kernel, b"a kernel").unwrap();
        std::fs::write(&initramfs, b"its files").unwrap();
        let ask = AddImage {
            name: "guest".into(),
            provider: "us".into(),
            version: "1".into(),
            content: ImageContent::Kernel {
                kernel,
                initramfs,
                command_line: "quiet".into(),
            },
            user_metadata: Metadata::new(),
        };
        self.vim.add(cx, ask).await.unwrap().id
    }

    pub(crate) async fn network(&self, cx: &Context, name: &str, cidr: &str) -> VirtualNetwork {
        self.try_network(cx, name, data(cidr)).await.unwrap()
    }

    pub(crate) async fn try_network(
        &self,
        cx: &Context,
        name: &str,
        data: VirtualNetworkData,
    ) -> Outcome<VirtualNetwork> {
        let ask = AllocateNetworkResource {
            network_resource_name: name.into(),
            data: NetworkResourceData::Network { data },
            metadata: Metadata::new(),
        };
        match VirtualisedNetworks::allocate(self.vim.as_ref(), cx, ask).await? {
            NetworkResource::NetworkData(network) => Ok(network),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn try_port(&self, cx: &Context, data: VirtualNetworkPortData) -> Outcome<VirtualNetworkPort> {
        let ask = AllocateNetworkResource {
            network_resource_name: "port".into(),
            data: NetworkResourceData::NetworkPort { data },
            metadata: Metadata::new(),
        };
        match VirtualisedNetworks::allocate(self.vim.as_ref(), cx, ask).await? {
            NetworkResource::NetworkPortData(port) => Ok(port),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn machine(&self, cx: &Context, name: &str, networks: &[NetworkId]) -> AllocateCompute {
        AllocateCompute {
            compute_name: name.into(),
            compute_flavour_id: self.flavour(cx, 96).await,
            vc_image_id: Some(self.image(cx).await),
            interface_data: networks.iter().map(|network| on(*network)).collect(),
            affinity_or_anti_affinity_constraints: Vec::new(),
            location_constraints: None,
            user_data: None,
            metadata: Metadata::new(),
        }
    }

    pub(crate) async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        VirtualisedCompute::allocate(self.vim.as_ref(), cx, ask).await
    }

    pub(crate) async fn computes(&self, cx: &Context) -> Vec<VirtualCompute> {
        VirtualisedCompute::query(self.vim.as_ref(), cx, QueryFilter::default())
            .await
            .unwrap()
    }

    pub(crate) async fn networks(&self, cx: &Context) -> NetworkResources {
        VirtualisedNetworks::query(self.vim.as_ref(), cx, QueryFilter::default())
            .await
            .unwrap()
    }

    pub(crate) async fn end_machines(&self, cx: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        VirtualisedCompute::terminate(self.vim.as_ref(), cx, ids).await
    }

    pub(crate) async fn end_networks(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        VirtualisedNetworks::terminate(self.vim.as_ref(), cx, ids).await
    }
}

pub(crate) fn tenant(name: &str) -> Context {
    Context::root(TenantId::from(name))
}

/// The same context, for this wish.
pub(crate) fn key(cx: &Context, wish: &str) -> Context {
    cx.clone().with_key(Uuid::new_v5(&Uuid::NAMESPACE_URL, wish.as_bytes()))
}

pub(crate) fn subnet(cidr: &str) -> NetworkSubnetData {
    let cidr: IpNet = cidr.parse().unwrap();
    let is_dhcp_enabled = cidr.addr().is_ipv4();
    NetworkSubnetData {
        network_id: None,
        cidr,
        gateway_ip: None,
        is_dhcp_enabled,
        address_pool: Vec::new(),
    }
}

pub(crate) fn data(cidr: &str) -> VirtualNetworkData {
    VirtualNetworkData {
        layer3_attributes: vec![subnet(cidr)],
        ..VirtualNetworkData::default()
    }
}

pub(crate) fn on(network: NetworkId) -> VirtualInterfaceData {
    VirtualInterfaceData {
        network_id: Some(network),
        network_port_id: None,
        ip_address: Vec::new(),
        mac_address: None,
    }
}

pub(crate) fn port_at(network: NetworkId, access_point: Option<&str>) -> VirtualNetworkPortData {
    VirtualNetworkPortData {
        network_id: network,
        bandwidth: None,
        ip_address: Vec::new(),
        mac_address: None,
        access_point: access_point.map(str::to_owned),
    }
}

pub(crate) fn host(name: &str) -> Option<LocationConstraints> {
    Some(LocationConstraints {
        zone_id: None,
        host_id: Some(name.into()),
    })
}

/// Waits until it holds, or fails the test.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
