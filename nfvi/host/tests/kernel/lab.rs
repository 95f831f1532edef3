//! A small infrastructure to test on: nodes, cables, segments and ports in few words.

use async_trait::async_trait;
use ipnet::IpNet;
use manifold_call::{CallError, Context, Outcome};
use manifold_host::seams::{MachineKeeper, ProbeFrom, Prober, SeenMachine, TapPlug, Tell};
use manifold_host::{Agent, AgentConfig, Space};
use manifold_kernel_test::{Census, run_in, settles};
use manifold_nfvi_interface::*;
use std::collections::BTreeSet;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const RUN: &str = "/run/manifold-test";

/// No machines: what is tested here needs none.
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

pub(crate) async fn agent() -> Arc<Agent> {
    let config = AgentConfig {
        run_dir: PathBuf::from(RUN),
        instance: "test".to_owned(),
        service_command: Arc::new(|| {
            let mut command = Command::new("/proc/self/exe");
            command.arg("agent-service");
            command
        }),
    };
    Agent::start(config, Arc::new(NoMachines), Arc::new(NoMachines))
        .await
        .expect("the agent starts")
}

/// Runs a test's body, and then: everything is removed, and nothing is left.
pub(crate) fn with_agent<F: Future<Output = Arc<Agent>>>(body: impl FnOnce(Arc<Agent>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let before = Census::take(&[Path::new(RUN)]);
    runtime.block_on(async {
        let agent = agent().await;
        let agent = body(agent).await;
        let reports = agent.destroy().await.expect("destroyed");
        assert!(reports.iter().all(|report| report.failure.is_none()), "{reports:?}");
        agent.stop();
    });
    drop(runtime);
    let mut left = Census::default();
    let clean = settles(Duration::from_secs(10), || {
        left = Census::take(&[Path::new(RUN)]).beyond(&before);
        left.is_empty()
    });
    assert!(clean, "left behind:\n{left}");
}

pub(crate) fn context() -> Context {
    Context::root("test".into())
}

pub(crate) fn id(name: &str) -> ObjectId {
    ObjectId::named(manifold_call::Uuid::NAMESPACE_OID, name)
}

pub(crate) fn wish(name: &str, kind: WishKind) -> Wish {
    Wish {
        id: id(name),
        owner: Owner {
            manager: "lab/test".to_owned(),
            tenant: None,
        },
        kind,
    }
}

pub(crate) fn node(name: &str, role: NodeRole) -> Wish {
    wish(
        name,
        WishKind::Node(NodeWish {
            name: name.to_owned(),
            role,
            forwarding: false,
            services: Vec::new(),
        }),
    )
}

pub(crate) fn cable_end(node: &str, interface: &str, address: Option<&str>, switch: Option<&str>) -> CableEnd {
    CableEnd {
        node: id(node),
        interface: interface.to_owned(),
        addresses: address
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect(),
        switch: switch.map(id),
        routes: Vec::new(),
    }
}

pub(crate) fn cable(name: &str, mtu_bytes: u32, ends: [CableEnd; 2]) -> Wish {
    wish(
        name,
        WishKind::Cable(CableWish {
            ends,
            mtu_bytes,
            rate_bits_per_second: None,
        }),
    )
}

/// A fabric `{site}` with a switch, and hosts on it with the addresses `10.255.0.n` and `fd00:255::n`.
pub(crate) fn site(site: &str, hosts: &[&str], mtu_bytes: u32) -> Vec<Wish> {
    let fabric = format!("{site}-fabric");
    let switch = format!("{site}-switch");
    let mut wishes = vec![
        node(&fabric, NodeRole::Fabric),
        wish(
            &switch,
            WishKind::Switch(SwitchWish {
                node: id(&fabric),
                mtu_bytes,
            }),
        ),
    ];
    for (place, host) in hosts.iter().enumerate() {
        wishes.push(node(host, NodeRole::Host));
        let mut uplink = cable_end(host, "uplink", Some(&format!("10.255.0.{}/24", place + 1)), None);
        uplink
            .addresses
            .push(format!("fd00:255::{}/64", place + 1).parse().expect("an address"));
        wishes.push(cable(
            &format!("{host}-cable"),
            mtu_bytes,
            [uplink, cable_end(&fabric, &format!("to-{host}"), None, Some(&switch))],
        ));
    }
    wishes
}

pub(crate) fn vxlan(vni: u32, local: &str, peers: &[&str]) -> Option<Transport> {
    Some(Transport::Vxlan {
        vni,
        local: local.parse().expect("an address"),
        peers: peers.iter().map(|peer| peer.parse().expect("an address")).collect(),
    })
}

pub(crate) fn segment(name: &str, node: &str, mtu_bytes: u32, transport: Option<Transport>) -> Wish {
    wish(
        name,
        WishKind::Segment(SegmentWish {
            node: id(node),
            mtu_bytes,
            transport,
            dhcp: None,
        }),
    )
}

/// A port into the node `{name}-node`, as `eth0`, with these addresses; the node is wished for, too.
pub(crate) fn plugged(name: &str, segment: &str, addresses: &[&str]) -> Vec<Wish> {
    let inside = format!("{name}-node");
    let nets: Vec<IpNet> = addresses
        .iter()
        .map(|address| address.parse().expect("an address"))
        .collect();
    vec![
        node(&inside, NodeRole::Function),
        wish(
            name,
            WishKind::Port(PortWish {
                segment: id(segment),
                plug: Plug::Node {
                    node: id(&inside),
                    interface: "eth0".to_owned(),
                    addresses: nets.clone(),
                    gateway: None,
                },
                mac: MacAddr::of(id(name)),
                addresses: nets.iter().map(IpNet::addr).collect(),
                anti_spoofing: true,
                rate_bits_per_second: None,
                traffic: Traffic::default(),
            }),
        ),
    ]
}

pub(crate) fn port_mut(wish: &mut Wish) -> &mut PortWish {
    match &mut wish.kind {
        WishKind::Port(port) => port,
        _ => panic!("no port"),
    }
}

pub(crate) fn segment_mut(wish: &mut Wish) -> &mut SegmentWish {
    match &mut wish.kind {
        WishKind::Segment(segment) => segment,
        _ => panic!("no segment"),
    }
}

pub(crate) fn node_mut(wish: &mut Wish) -> &mut NodeWish {
    match &mut wish.kind {
        WishKind::Node(node) => node,
        _ => panic!("no node"),
    }
}

/// Ensures, and asserts that all went well; the ids that changed.
pub(crate) async fn ensure(agent: &Agent, wishes: &[Wish]) -> BTreeSet<ObjectId> {
    let reports = agent.ensure(&context(), wishes.to_vec()).await.expect("ensured");
    let failed: Vec<_> = reports.iter().filter(|report| report.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    reports
        .into_iter()
        .filter(|report| report.changed)
        .map(|report| report.id)
        .collect()
}

pub(crate) fn pin(name: &str) -> PathBuf {
    Space::path_of(Path::new(RUN), id(name))
}

/// Runs a tool in a node.
pub(crate) fn on(node: &str, words: &[&str]) -> Output {
    run_in(&pin(node), words)
}

/// The same, and it must succeed.
pub(crate) fn must(node: &str, words: &[&str]) -> String {
    let output = on(node, words);
    assert!(
        output.status.success(),
        "{node}: {words:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether an echo of this many bytes is answered, three times asked.
pub(crate) fn pings(node: &str, to: &str, payload_bytes: u32) -> bool {
    let size = payload_bytes.to_string();
    on(
        node,
        &[
            "ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do", "-s", &size, to,
        ],
    )
    .status
    .success()
}

/// Whether none of two echoes is answered.
pub(crate) fn silent(node: &str, to: &str) -> bool {
    !on(node, &["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", to])
        .status
        .success()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Does something on a thread inside a node; what it opens there stays there.
pub(crate) fn inside<T: Send + 'static>(node: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let space = Space::enter(Path::new(RUN), id(node)).expect("the node is there");
    space.run_blocking(work).expect("it runs")
}

/// An HTTP GET from inside a node: the body's first bytes, and its length.
pub(crate) fn get(from: &str, to: &str, port: u16, path: &str) -> std::io::Result<(Vec<u8>, u64)> {
    let (to, path) = (ip(to), path.to_owned());
    inside(from, move || {
        let limit = Duration::from_secs(20);
        let mut stream = TcpStream::connect_timeout(&(to, port).into(), Duration::from_secs(1))?;
        stream.set_read_timeout(Some(limit))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: there\r\n\r\n")?;
        let mut reader = BufReader::with_capacity(256 * 1024, stream);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let (mut first, mut length) = (Vec::new(), 0);
        loop {
            let bytes = reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok((first, length));
            }
            if first.is_empty() {
                first = bytes[..bytes.len().min(1_024)].to_vec();
            }
            let count = bytes.len();
            length += count as u64;
            reader.consume(count);
        }
    })
}
