//! The two-site lab on the real kernel, with a VIM in each site and a WIM between them: packets from one site's access point
//! to the other's, and to the physical function. Machines are not needed to show it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, TenantId, Uuid};
use manifold_host::seams::{MachineKeeper, ProbeFrom, Prober, SeenMachine, TapPlug, Tell};
use manifold_host::{Agent, AgentConfig, Space};
use manifold_kernel_test::{Census, Test, run_in, settles};
use manifold_lab::{Lab, apply, destroy};
use manifold_nfvi_interface::*;
use manifold_store::{SqliteStore, Store};
use manifold_vim::{Vim, VimConfig};
use manifold_vim_interface::*;
use manifold_wim::{Wim, WimConfig};
use manifold_wim_interface::*;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const RUN: &str = "/run/manifold-test";
const DATA: &str = "/run/manifold-test-data";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "agent-service") {
        return match manifold_host::service::main(&arguments[1..]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let two_sites = Test {
        name: "two_sites_are_joined_and_a_function_is_reached",
        limit_s: 120,
        run: two_sites,
    };
    let connected = Test {
        name: "networks_that_are_connected_are_routed_and_others_are_not",
        limit_s: 120,
        run: connected,
    };
    manifold_kernel_test::main(&[two_sites, connected])
}

struct NoMachines;

#[async_trait]
impl MachineKeeper for NoMachines {
    fn tell_changes_to(&self, _tell: Tell) {}
    async fn ensure(&self, _: ObjectId, _: &Owner, _: &MachineWish, _: Vec<TapPlug>, _: &Space) -> Outcome<bool> {
        Err(CallError::unsupported("no machines here"))
    }
    async fn remove(&self, _: ObjectId) -> Outcome<bool> {
        Ok(false)
    }
    async fn observe(&self) -> Outcome<Vec<SeenMachine>> {
        Ok(Vec::new())
    }
    async fn console(&self, _: ObjectId, _: u32) -> Outcome<String> {
        Err(CallError::not_found("no machines here"))
    }
    async fn accelerator(&self) -> String {
        "tcg".to_owned()
    }
}

#[async_trait]
impl Prober for NoMachines {
    async fn probe(&self, _: &ProbeAsk, _: ProbeFrom) -> Outcome<ProbeSeen> {
        Err(CallError::unsupported("no probes here"))
    }
}

/// The example, and access points in site-2 as well.
fn lab() -> Lab {
    let text = include_str!("../labs/two-sites.toml");
    let more = |name: &str, host: &str| format!("\n[[pop.access_point]]\nname = \"{name}\"\nhost = \"{host}\"\n");
    let more =
        [("visitor", "host-d"), ("guest", "host-c"), ("stranger", "host-c")].map(|(name, host)| more(name, host));
    Lab::read(&format!("{text}{}", more.concat())).unwrap()
}

/// An agent on the kernel, the lab that it made, a VIM in each site and a WIM.
struct Ground {
    agent: Arc<Agent>,
    infrastructure: Arc<dyn Infrastructure>,
    lab: Lab,
    operator: Context,
    vims: Vec<Arc<Vim>>,
    wim: Arc<Wim>,
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Ground {
    async fn make() -> Self {
        let config = AgentConfig {
            run_dir: PathBuf::from(RUN),
            instance: "test".to_owned(),
            service_command: Arc::new(|| {
                let mut command = Command::new("/proc/self/exe");
                command.arg("agent-service");
                command
            }),
        };
        let agent = Agent::start(config, Arc::new(NoMachines), Arc::new(NoMachines))
            .await
            .unwrap();
        let infrastructure: Arc<dyn Infrastructure> = agent.clone();
        let lab = lab();
        let operator = Context::root(TenantId::from("operator"));
        apply(&lab, &infrastructure, &operator).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Path::new(DATA)).unwrap());
        let (stop, stopped) = watch::channel(false);
        let mut loops = JoinSet::new();
        let mut vims = Vec::new();
        for pop in &lab.pops {
            let config = VimConfig {
                vim_id: pop.pop.clone(),
                inventory: pop.clone(),
                image_dir: Path::new(DATA).join("images"),
            };
            let vim = Vim::open(config, store.clone(), infrastructure.clone()).await.unwrap();
            let (running, stopped) = (vim.clone(), stopped.clone());
            loops.spawn(async move { running.run(stopped).await });
            vims.push(vim);
        }
        let config = WimConfig {
            wim_id: "wan".into(),
            inventory: lab.wan.clone().unwrap(),
        };
        let wim = Wim::open(config, store.clone(), infrastructure.clone()).await.unwrap();
        let running = wim.clone();
        loops.spawn(async move { running.run(stopped).await });
        Self {
            agent,
            infrastructure,
            lab,
            operator,
            vims,
            wim,
            stop,
            loops,
        }
    }

    /// Nothing is there but the lab, and then not that.
    async fn end(mut self) {
        let seen = self.agent.observe(&self.operator, Filter::default()).await.unwrap();
        assert_eq!(seen.len(), self.lab.wishes.len());
        self.stop.send_replace(true);
        while self.loops.join_next().await.is_some() {}
        destroy(&self.lab.name, &self.infrastructure, &self.operator)
            .await
            .unwrap();
        let left = self.agent.observe(&self.operator, Filter::default()).await.unwrap();
        assert!(left.is_empty());
        let reports = self.agent.destroy().await.unwrap();
        assert!(reports.iter().all(|report| report.failure.is_none()), "{reports:?}");
        self.agent.stop();
    }

    /// The node of an access point of site-2.
    fn second(&self, name: &str) -> ObjectId {
        let mut points = self.lab.pops[1].access_points.iter();
        points.find(|point| point.name == name).unwrap().node
    }
}

/// Runs it, and looks for what it left behind.
fn cleanly(scenario: impl Future<Output = ()>) {
    let before = Census::take(&[Path::new(RUN)]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(scenario);
    drop(runtime);
    let mut left = Census::default();
    let clean = settles(Duration::from_secs(10), || {
        left = Census::take(&[Path::new(RUN)]).beyond(&before);
        left.is_empty()
    });
    assert!(clean, "left behind:\n{left}");
}

fn ping(from: ObjectId, to: &str, payload_bytes: u32) -> bool {
    let namespace = Space::path_of(Path::new(RUN), from);
    let size = payload_bytes.to_string();
    let words = [
        "ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do", "-s", &size, to,
    ];
    run_in(&namespace, &words).status.success()
}

/// Whether it is reached within some seconds: a neighbour that was asked for in vain before is asked for again only after one.
fn reached(from: ObjectId, to: &str, payload_bytes: u32) -> bool {
    settles(Duration::from_secs(10), || ping(from, to, payload_bytes))
}

/// What an HTTP server answers, asked from inside a node.
fn fetched(from: ObjectId, server: SocketAddr) -> String {
    let space = Space::enter(Path::new(RUN), from).unwrap();
    let ask = move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: meter\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    space.run_blocking(ask).unwrap().unwrap()
}

async fn network(vim: &Vim, cx: &Context, data: VirtualNetworkData) -> VirtualNetwork {
    let ask = AllocateNetworkResource {
        network_resource_name: "front".into(),
        data: NetworkResourceData::Network { data },
        metadata: Metadata::new(),
    };
    match VirtualisedNetworks::allocate(vim, cx, ask).await.unwrap() {
        NetworkResource::NetworkData(network) => network,
        other => panic!("{other:?}"),
    }
}

async fn sap(vim: &Vim, cx: &Context, network: &VirtualNetwork, access_point: &str, address: &str) -> Uuid {
    let data = VirtualNetworkPortData {
        network_id: network.network_resource_id,
        bandwidth: None,
        ip_address: vec![address.parse().unwrap()],
        mac_address: None,
        access_point: Some(access_point.into()),
    };
    let ask = AllocateNetworkResource {
        network_resource_name: "sap".into(),
        data: NetworkResourceData::NetworkPort { data },
        metadata: Metadata::new(),
    };
    match VirtualisedNetworks::allocate(vim, cx, ask).await.unwrap() {
        NetworkResource::NetworkPortData(port) => port.resource_id.0,
        other => panic!("{other:?}"),
    }
}

fn subnet(cidr: &str) -> NetworkSubnetData {
    NetworkSubnetData {
        network_id: None,
        cidr: cidr.parse().unwrap(),
        gateway_ip: None,
        is_dhcp_enabled: true,
        address_pool: Vec::new(),
    }
}

// proves: NFV006-WIM-01
fn two_sites() {
    cleanly(scenario());
}

/// Networks that the VIM is asked to connect explicitly are routed, those that it is not are apart, also when only some hosts have
/// them; what is connected later is reached from then on, what is taken back is not.
// proves: Enh632.009, Enh633.009, ifa043.func.008, ifa043.if.008
fn connected() {
    cleanly(routed());
}

async fn routed() {
    let ground = Ground::make().await;
    let vim = ground.vims[1].as_ref();
    let cx = Context::root(TenantId::from("blue"));
    let wish = |cidr: &str, connected_networks: Vec<NetworkId>| VirtualNetworkData {
        layer3_attributes: vec![subnet(cidr)],
        connected_networks,
        ..VirtualNetworkData::default()
    };
    let front = network(vim, &cx, wish("10.0.0.0/24", vec![])).await;
    let back = network(vim, &cx, wish("10.0.1.0/24", vec![front.network_resource_id])).await;
    let other = network(vim, &cx, wish("10.0.2.0/24", vec![])).await;
    let mut ports = vec![
        sap(vim, &cx, &front, "guest", "10.0.0.10").await,
        sap(vim, &cx, &back, "visitor", "10.0.1.20").await,
        sap(vim, &cx, &other, "stranger", "10.0.2.30").await,
    ];
    let (guest, visitor, stranger) = (
        ground.second("guest"),
        ground.second("visitor"),
        ground.second("stranger"),
    );
    assert!(reached(guest, "10.0.1.20", 56), "another network, on another host");
    assert!(reached(visitor, "10.0.0.10", 56));
    assert!(!ping(stranger, "10.0.0.10", 56), "nobody connected it");
    assert!(!ping(guest, "10.0.2.30", 56));

    let connect = async |to: Vec<NetworkId>| {
        let update = UpdateNetworkResource {
            network_resource_id: other.network_resource_id.0,
            bandwidth: None,
            connected_networks: Some(to),
            metadata: None,
        };
        VirtualisedNetworks::update(vim, &cx, update).await.unwrap();
    };
    connect(vec![front.network_resource_id]).await;
    assert!(reached(stranger, "10.0.0.10", 56), "connected while it is there");
    assert!(reached(guest, "10.0.1.20", 56), "and the others still are");
    connect(vec![]).await;
    assert!(!ping(stranger, "10.0.0.10", 56), "and taken back");
    assert!(reached(guest, "10.0.1.20", 56));

    let networks = [&front, &back, &other].into_iter();
    ports.extend(
        networks
            .clone()
            .flat_map(|network| network.subnet_id.iter().map(|subnet| subnet.0)),
    );
    ports.extend(networks.map(|network| network.network_resource_id.0));
    VirtualisedNetworks::terminate(vim, &cx, ports).await.unwrap();
    ground.end().await;
}

async fn scenario() {
    let ground = Ground::make().await;
    let Ground {
        agent,
        infrastructure,
        lab,
        operator,
        vims,
        wim,
        ..
    } = &ground;
    assert_eq!(
        apply(lab, infrastructure, operator).await.unwrap(),
        0,
        "what is so already is left alone"
    );

    // Hosts of a site reach each other with large frames; those of another site they do not.
    let (one, two) = (&lab.pops[0], &lab.pops[1]);
    assert!(reached(
        one.hosts[0].node,
        &one.hosts[1].underlay.to_string(),
        9_000 - 28
    ));
    assert!(!ping(one.hosts[0].node, &two.hosts[0].underlay.to_string(), 56));

    // One link over both sites: a network in each, and a service between the gateways.
    let cx = Context::root(TenantId::from("blue"));
    let wide = || VirtualNetworkData {
        gateway_reachable: true,
        layer3_attributes: vec![subnet("10.0.0.0/24")],
        ..VirtualNetworkData::default()
    };
    let (here, there) = (
        network(&vims[0], &cx, wide()).await,
        network(&vims[1], &cx, wide()).await,
    );
    let ports = [
        sap(&vims[0], &cx, &here, "client", "10.0.0.10").await,
        sap(&vims[1], &cx, &there, "visitor", "10.0.0.20").await,
    ];
    let (client, visitor) = (one.access_points[0].node, two.access_points[0].node);
    assert!(!ping(client, "10.0.0.20", 56), "nothing joins the sites yet");
    let end = |pop: &PopInventory, network: &VirtualNetwork| MscsEndpoint {
        connectivity_service_endpoint_id: pop.gateway.as_ref().unwrap().connectivity_service_endpoint.clone(),
        vim_id: pop.pop.clone(),
        vn_segment_id: network.segmentation_id.unwrap(),
    };
    let ask = MscsData {
        mscs_name: "between".into(),
        mscs_description: None,
        mscs_type: MscsType::L2vpn,
        mtu_mscs: 1_500,
        bandwidth: Some(100_000_000),
        mscs_endpoints: vec![end(one, &here), end(two, &there)],
    };
    let service = wim.create(&cx, ask).await.unwrap();
    assert!(
        reached(client, "10.0.0.20", 1_500 - 28),
        "the whole MTU crosses the WAN"
    );
    assert!(reached(visitor, "10.0.0.10", 1_500 - 28));

    // The same addresses of another tenant stay apart.
    let red = Context::root(TenantId::from("red"));
    let theirs = network(&vims[0], &red, wide()).await;
    assert_ne!(theirs.segmentation_id, here.segmentation_id);

    // Somebody removes the segment at the gateway by hand: it comes back, and so does the stitch that hung on it.
    let segment = gateway_segment(one.gateway.as_ref().unwrap().node, here.segmentation_id.unwrap());
    let filter = Filter {
        ids: vec![segment],
        ..Filter::default()
    };
    let place = agent.observe(operator, filter).await.unwrap().remove(0).place;
    let bridge = place.rsplit([' ', '/', ':']).next().unwrap().to_owned();
    let gateway = Space::path_of(Path::new(RUN), one.gateway.as_ref().unwrap().node);
    let deleted = run_in(&gateway, &["ip", "link", "delete", &bridge]);
    assert!(
        deleted.status.success(),
        "{place}: {}",
        String::from_utf8_lossy(&deleted.stderr)
    );
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !ping(client, "10.0.0.20", 1_500 - 28) {
        assert!(tokio::time::Instant::now() < deadline, "the link did not come back");
    }

    // The provider network: no host of site-2 reaches it, and the meter answers in site-1.
    let meter = one.provider_networks[0].functions[0].addresses[0];
    let IpAddr::V4(number) = meter else {
        panic!("the example's meter has an IPv4 address")
    };
    let beside = |last: u8| {
        let [a, b, c, _] = number.octets();
        Ipv4Addr::new(a, b, c, last).to_string()
    };
    let field = VirtualNetworkData {
        provider_network: Some("field".into()),
        layer3_attributes: vec![subnet(&format!("{}/24", beside(0)))],
        ..VirtualNetworkData::default()
    };
    let field = network(&vims[0], &cx, field).await;
    let reader = sap(&vims[0], &cx, &field, "client", &beside(20)).await;
    assert!(reached(client, &meter.to_string(), 1_500 - 28));
    let port = lab.wishes.iter().find_map(|wish| match &wish.kind {
        WishKind::Node(NodeWish { services, .. }) => services.first().map(|NodeService::Http { port, .. }| *port),
        _ => None,
    });
    let answer = fetched(client, SocketAddr::new(meter, port.unwrap()));
    assert!(answer.ends_with("meter of site-1\n"), "{answer}");

    // Everything ends, and then nothing is there but the lab.
    wim.terminate(&cx, service.mscs_id).await.unwrap();
    assert!(!ping(client, "10.0.0.20", 56), "nothing joins the sites any more");
    let all = |network: &VirtualNetwork, ports: &[Uuid]| {
        let mut ids = vec![network.network_resource_id.0];
        ids.extend(network.subnet_id.iter().map(|subnet| subnet.0));
        ids.extend(ports);
        ids
    };
    VirtualisedNetworks::terminate(vims[0].as_ref(), &cx, all(&here, &ports[..1]))
        .await
        .unwrap();
    VirtualisedNetworks::terminate(vims[1].as_ref(), &cx, all(&there, &ports[1..]))
        .await
        .unwrap();
    VirtualisedNetworks::terminate(vims[0].as_ref(), &cx, all(&field, &[reader]))
        .await
        .unwrap();
    VirtualisedNetworks::terminate(vims[0].as_ref(), &red, all(&theirs, &[]))
        .await
        .unwrap();
    ground.end().await;
}
