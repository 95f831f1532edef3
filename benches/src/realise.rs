//! The data plane of a network service: 100 ports on 20 networks over 4 hosts, as the agent is asked for it and as a VIM is.
//!
//! The floor makes the same links, tunnels, flood entries and taps by batched netlink alone, and sets the same nftables rules (those
//! that the agent was seen to set) in one transaction for each host; it is measured host by host and all hosts side by side, and
//! the quicker way counts. Deletion by link group is the floor of removal.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::ground::{self, Puppets, context};
use crate::stage::{self, Outcome};
use futures_util::future::try_join_all;
use manifold_host::floor::{self, Floor};
use manifold_host::{Agent, Space};
use manifold_kernel_test::run_in;
use manifold_nfvi_interface::{
    Infrastructure, MacAddr, ObjectId, Owner, Plug, PopInventory, PortWish, SegmentWish, Traffic, Transport, Wish,
    WishKind,
};
use manifold_store::SqliteStore;
use manifold_vim::{Vim, VimConfig};
use manifold_vim_interface::{
    AddImage, AllocateCompute, AllocateNetworkResource, ComputeFlavour, ComputeFlavours, ComputeId, FlavourId,
    ImageContent, ImageId, LocationConstraints, Metadata, NetworkResource, NetworkResourceData, NetworkSubnetData,
    SoftwareImages, VirtualInterfaceData, VirtualNetworkData, VirtualNetworkPortData, VirtualisedCompute,
    VirtualisedNetworks,
};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

const NETWORKS: usize = 20;
const HOSTS: usize = 4;
/// Machines of four ports each, one machine after another on the next host.
const MACHINES: usize = 25;
const PORTS_EACH: usize = 4;
const MTU_BYTES: u32 = 1_450;
const ROUNDS: usize = 9;
const WHAT: &str = "100 ports/20 nets/4 hosts";

pub(crate) fn run() {
    stage::report(measure);
}

/// The host and the networks of a machine: together they need every network on every host.
fn places(machine: usize) -> (usize, impl Iterator<Item = usize>) {
    let first = machine / HOSTS * PORTS_EACH;
    (
        machine % HOSTS,
        (first..first + PORTS_EACH).map(|network| network % NETWORKS),
    )
}

/// The `n`th address of a network's subnet.
fn address(network: usize, n: usize) -> String {
    format!("10.{network}.{}.{}", n / 250, n % 250 + 2)
}

/// What was measured of one way of doing it, with its floor beside it.
#[derive(Default)]
struct Times {
    made: Vec<Duration>,
    again: Vec<Duration>,
    gone: Vec<Duration>,
    floors: Floors,
}

/// The floor, host by host and side by side.
#[derive(Default)]
struct Floors {
    made: [Vec<Duration>; 2],
    made_bare: [Vec<Duration>; 2],
    gone: [Vec<Duration>; 2],
}

impl Floors {
    fn quicker(ways: &[Vec<Duration>; 2]) -> Spread {
        let [one, other] = [Spread::of_times(&ways[0]), Spread::of_times(&ways[1])];
        if one.median <= other.median { one } else { other }
    }
}

fn measure() -> Outcome<Vec<Figure>> {
    let folder = stage::folder()?;
    stage::runtime()?.block_on(async {
        let machines = ground::machines(&folder).await?;
        let agent = ground::agent(Arc::new(Puppets::default()), machines).await?;
        let lab = ground::lab()?;
        let infrastructure = ground::as_infrastructure(&agent);
        manifold_lab::apply(&lab, &infrastructure, &context()).await?;
        let pop = lab.pops.first().ok_or("the lab has a PoP")?;
        let direct = by_agent(&agent, pop).await?;
        let managed = by_vim(&agent, pop, &folder).await?;
        ground::clear(&agent).await?;
        let mut figures = figures("agent", &direct);
        figures.extend(self::figures("VIM + agent", &managed));
        Ok(figures)
    })
}

fn figures(who: &str, times: &Times) -> Vec<Figure> {
    let floors = &times.floors;
    let bare = Floors::quicker(&floors.made_bare).median;
    let made = Spread::of_times(&times.made);
    let against_links = format!(
        "links alone, without rules: floor {bare:.0} ms, ratio {:.2}",
        made.median / bare
    );
    let mut realise = Figure::new(format!("realise {WHAT}, {who}"), Unit::Milliseconds, made)
        .floor("bare batched netlink, same nft rules", Floors::quicker(&floors.made))
        .goal(Goal::Ratio(1.5))
        .note(against_links);
    if !times.again.is_empty() {
        realise = realise.note(format!(
            "asked for again, all there: {:.0} ms",
            Spread::of_times(&times.again).median
        ));
    }
    let remove = Figure::new(
        format!("remove {WHAT}, {who}"),
        Unit::Milliseconds,
        Spread::of_times(&times.gone),
    )
    .floor("deletion by link group", Floors::quicker(&floors.gone))
    .goal(Goal::Ratio(1.5));
    vec![realise, remove]
}

// The floor

async fn floor_round(pop: &PopInventory, rules: &[String], floors: &mut Floors) -> Outcome<()> {
    let run = Path::new("/run/bare");
    for (way, side_by_side) in [(0, false), (1, true)] {
        let spaces = (0..HOSTS)
            .map(|_| floor::namespace(run, ObjectId::random()))
            .collect::<Result<Vec<_>, _>>()?;
        let begin = Instant::now();
        let jobs = spaces
            .iter()
            .enumerate()
            .map(|(host, space)| make_links(pop, host, space));
        each(jobs, side_by_side).await?;
        floors.made_bare[way].push(begin.elapsed());
        each(
            spaces
                .iter()
                .zip(rules)
                .map(|(space, rules)| set_rules(space, rules.clone())),
            side_by_side,
        )
        .await?;
        floors.made[way].push(begin.elapsed());
        let begin = Instant::now();
        let delete = |space: &Space| {
            let space = space.clone();
            async move { Ok(space.run(Floor::delete).await??) }
        };
        each(spaces.iter().map(delete), side_by_side).await?;
        floors.gone[way].push(begin.elapsed());
        for space in spaces {
            let id = space.id();
            drop(space);
            Space::unpin(run, id)?;
        }
    }
    Ok(())
}

async fn each(jobs: impl Iterator<Item = impl Future<Output = Outcome<()>>>, side_by_side: bool) -> Outcome<()> {
    if side_by_side {
        try_join_all(jobs).await?;
    } else {
        for job in jobs {
            job.await?;
        }
    }
    Ok(())
}

async fn make_links(pop: &PopInventory, host: usize, space: &Space) -> Outcome<()> {
    let taps = (0..MACHINES).filter(|machine| places(*machine).0 == host).count() * PORTS_EACH;
    let work = Floor {
        networks: u32::try_from(NETWORKS)?,
        taps: u32::try_from(taps)?,
        local: pop.hosts[host].underlay,
        peers: peers(pop, host),
    };
    Ok(space.run(move || work.make()).await??)
}

async fn set_rules(space: &Space, rules: String) -> Outcome<()> {
    let set = move || -> std::io::Result<bool> {
        let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = nft.stdin.take() {
            stdin.write_all(rules.as_bytes())?;
        }
        Ok(nft.wait()?.success())
    };
    if space.run(set).await?? {
        Ok(())
    } else {
        Err("nft refused the rules that it had listed".into())
    }
}

/// The rules of each host, as the agent set them.
fn rules(pop: &PopInventory) -> Vec<String> {
    let listed = |host: &manifold_nfvi_interface::HostInventory| {
        let pin = Space::path_of(Path::new(ground::RUN), host.node);
        String::from_utf8_lossy(&run_in(&pin, &["nft", "list", "ruleset"]).stdout).into_owned()
    };
    pop.hosts.iter().map(listed).collect()
}

fn peers(pop: &PopInventory, host: usize) -> Vec<std::net::IpAddr> {
    let others = pop.hosts.iter().enumerate().filter(|(other, _)| *other != host);
    others.map(|(_, other)| other.underlay).collect()
}

// The agent alone

fn named(name: &str) -> ObjectId {
    ObjectId::named(Uuid::NAMESPACE_OID, name)
}

fn wishes(pop: &PopInventory) -> Outcome<Vec<Wish>> {
    let wish = |id, kind| Wish {
        id,
        owner: Owner {
            manager: "vim/bench".to_owned(),
            tenant: Some("bench".into()),
        },
        kind,
    };
    let segment = |network: usize, host: usize| named(&format!("segment {network} {host}"));
    let mut wishes = Vec::new();
    for network in 0..NETWORKS {
        for host in 0..HOSTS {
            let transport = Transport::Vxlan {
                vni: u32::try_from(network)? + 1,
                local: pop.hosts[host].underlay,
                peers: peers(pop, host),
            };
            let kind = SegmentWish {
                node: pop.hosts[host].node,
                mtu_bytes: MTU_BYTES,
                transport: Some(transport),
                dhcp: None,
            };
            wishes.push(wish(segment(network, host), WishKind::Segment(kind)));
        }
    }
    for machine in 0..MACHINES {
        let (host, networks) = places(machine);
        for network in networks {
            let id = named(&format!("port {machine} {network}"));
            let kind = PortWish {
                segment: segment(network, host),
                plug: Plug::Tap,
                mac: MacAddr::of(id),
                addresses: vec![address(network, machine).parse()?],
                anti_spoofing: true,
                rate_bits_per_second: None,
                traffic: Traffic::default(),
            };
            wishes.push(wish(id, WishKind::Port(kind)));
        }
    }
    Ok(wishes)
}

async fn by_agent(agent: &Arc<Agent>, pop: &PopInventory) -> Outcome<Times> {
    let wishes = wishes(pop)?;
    let ids: Vec<ObjectId> = wishes.iter().map(|wish| wish.id).collect();
    let mut times = Times::default();
    let mut listed = Vec::new();
    for round in 0..=ROUNDS {
        let asked = wishes.clone();
        let begin = Instant::now();
        ground::judge(&agent.ensure(&context(), asked).await?)?;
        let made = begin.elapsed();
        let asked = wishes.clone();
        let begin = Instant::now();
        ground::judge(&agent.ensure(&context(), asked).await?)?;
        let again = begin.elapsed();
        if round == 0 {
            listed = rules(pop);
        }
        let begin = Instant::now();
        ground::judge(&agent.remove(&context(), ids.clone()).await?)?;
        let gone = begin.elapsed();
        if round > 0 {
            times.made.push(made);
            times.again.push(again);
            times.gone.push(gone);
            floor_round(pop, &listed, &mut times.floors).await?;
        }
    }
    Ok(times)
}

// Through a VIM

async fn by_vim(agent: &Arc<Agent>, pop: &PopInventory, folder: &Path) -> Outcome<Times> {
    let store = Arc::new(SqliteStore::open(&folder.join("vim"))?);
    let config = VimConfig {
        vim_id: "bench".to_owned(),
        inventory: pop.clone(),
        image_dir: folder.join("images"),
    };
    let vim = Vim::open(config, store, ground::as_infrastructure(agent)).await?;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn({
        let vim = vim.clone();
        async move { vim.run(stopped).await }
    });
    let measured = vim_rounds(&vim, pop, folder).await;
    stop.send_replace(true);
    running.await?;
    measured
}

async fn vim_rounds(vim: &Vim, pop: &PopInventory, folder: &Path) -> Outcome<Times> {
    let flavour = ComputeFlavour {
        flavour_id: None,
        name: "small".to_owned(),
        num_virtual_cpu: 1,
        virtual_mem_size: 96,
        metadata: Metadata::new(),
    };
    let flavour = ComputeFlavours::create(vim, &context(), flavour).await?;
    let (kernel, initramfs) = (folder.join("kernel"), folder.join("initramfs"));
    std::fs::write(&kernel, "no kernel, for machines that never start")?;
    std::fs::write(&initramfs, "nor this")?;
    let image = AddImage {
        name: "none".to_owned(),
        provider: "bench".to_owned(),
        version: "1".to_owned(),
        content: ImageContent::Kernel {
            kernel,
            initramfs,
            command_line: String::new(),
        },
        user_metadata: Metadata::new(),
    };
    let image = SoftwareImages::add(vim, &context(), image).await?.id;
    let mut times = Times::default();
    let mut listed = Vec::new();
    for round in 0..=ROUNDS {
        let begin = Instant::now();
        let (computes, networks, ports) = allocate(vim, pop, flavour, image).await?;
        let made = begin.elapsed();
        if round == 0 {
            listed = rules(pop);
        }
        let begin = Instant::now();
        let gone = terminate(vim, computes, ports, networks).await?;
        if !gone {
            return Err("the VIM left something behind".into());
        }
        let gone = begin.elapsed();
        if round > 0 {
            times.made.push(made);
            times.gone.push(gone);
            floor_round(pop, &listed, &mut times.floors).await?;
        }
    }
    Ok(times)
}

/// As the VNFM does: networks, then ports, then machines, each kind at once.
async fn allocate(
    vim: &Vim,
    pop: &PopInventory,
    flavour: FlavourId,
    image: ImageId,
) -> Outcome<(Vec<ComputeId>, Vec<Uuid>, Vec<Uuid>)> {
    let networks = try_join_all((0..NETWORKS).map(|network| async move {
        let subnet = NetworkSubnetData {
            network_id: None,
            cidr: format!("10.{network}.0.0/16").parse()?,
            gateway_ip: None,
            is_dhcp_enabled: false,
            address_pool: Vec::new(),
        };
        let data = VirtualNetworkData {
            layer3_attributes: vec![subnet],
            mtu: Some(MTU_BYTES),
            ..VirtualNetworkData::default()
        };
        match resource(vim, format!("net-{network}"), NetworkResourceData::Network { data }).await? {
            NetworkResource::NetworkData(made) => Outcome::Ok(made),
            _ => Err("the VIM made something else than a network".into()),
        }
    }))
    .await?;
    let nics = (0..MACHINES).flat_map(|machine| places(machine).1.map(move |network| (machine, network)));
    let ports = try_join_all(nics.map(|(machine, network)| {
        let network_id = networks[network].network_resource_id;
        async move {
            let data = VirtualNetworkPortData {
                network_id,
                bandwidth: None,
                ip_address: vec![address(network, machine).parse()?],
                mac_address: None,
                access_point: None,
            };
            match resource(
                vim,
                format!("port-{machine}-{network}"),
                NetworkResourceData::NetworkPort { data },
            )
            .await?
            {
                NetworkResource::NetworkPortData(made) => Outcome::Ok(made.resource_id),
                _ => Err("the VIM made something else than a port".into()),
            }
        }
    }))
    .await?;
    let computes = try_join_all(ports.chunks(PORTS_EACH).enumerate().map(|(machine, ports)| {
        let interface = |port: &manifold_vim_interface::PortId| VirtualInterfaceData {
            network_id: None,
            network_port_id: Some(*port),
            ip_address: Vec::new(),
            mac_address: None,
        };
        let ask = AllocateCompute {
            compute_name: format!("machine-{machine}"),
            compute_flavour_id: flavour,
            vc_image_id: Some(image),
            interface_data: ports.iter().map(interface).collect(),
            affinity_or_anti_affinity_constraints: Vec::new(),
            location_constraints: Some(LocationConstraints {
                zone_id: None,
                host_id: Some(pop.hosts[places(machine).0].name.clone()),
            }),
            user_data: None,
            metadata: Metadata::new(),
        };
        async move { Outcome::Ok(VirtualisedCompute::allocate(vim, &context(), ask).await?.compute_id) }
    }))
    .await?;
    let subnets = networks
        .iter()
        .flat_map(|network| network.subnet_id.iter().map(|subnet| subnet.0));
    let networks = subnets
        .chain(networks.iter().map(|network| network.network_resource_id.0))
        .collect();
    Ok((computes, networks, ports.iter().map(|port| port.0).collect()))
}

async fn resource(vim: &Vim, name: String, data: NetworkResourceData) -> Outcome<NetworkResource> {
    let ask = AllocateNetworkResource {
        network_resource_name: name,
        data,
        metadata: Metadata::new(),
    };
    Ok(VirtualisedNetworks::allocate(vim, &context(), ask).await?)
}

/// The way back: machines, then ports, then networks. Answers whether all are gone.
async fn terminate(vim: &Vim, computes: Vec<ComputeId>, ports: Vec<Uuid>, networks: Vec<Uuid>) -> Outcome<bool> {
    let asked = computes.len() + ports.len() + networks.len();
    let mut gone = VirtualisedCompute::terminate(vim, &context(), computes).await?.len();
    gone += VirtualisedNetworks::terminate(vim, &context(), ports).await?.len();
    gone += VirtualisedNetworks::terminate(vim, &context(), networks).await?.len();
    Ok(gone == asked)
}
