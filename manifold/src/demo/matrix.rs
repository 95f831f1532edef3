//! The connectivity matrix: what shall reach what does, what shall not does not, and beside each that shall not stands one that
//! does, from the same place by the same means.

use super::prober::{Expect, Prober, address, inside, on_link, page, ping, vnfc};
use super::report::Report;
use crate::client::Session;
use crate::control::ProbeFrom;
use anyhow::{Context as _, bail};
use manifold_nfvi_interface::Probe;
use manifold_nfvo_interface::NsTopology;

/// The limit of the link over the WAN, as the NSD says.
const TRANSIT_BITS_PER_SECOND: u64 = 20_000_000;

/// How much is taken over it to measure the rate: four seconds' worth.
const TRANSIT_BYTES: u64 = 10_000_000;

/// Measures it, row by row.
pub async fn matrix(
    operator: &Session,
    ours: &NsTopology,
    theirs: &NsTopology,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (front, web) = (vnfc(ours, "frontend", 0)?, vnfc(ours, "web", 0)?);
    let workers = [vnfc(ours, "worker", 0)?, vnfc(ours, "worker", 1)?];
    let meter = ours
        .pnfs
        .first()
        .and_then(|pnf| pnf.addresses.first())
        .copied()
        .context("the meter has no address")?;
    let client = || ProbeFrom::AccessPoint {
        pop: "site-1".into(),
        name: "client".into(),
    };
    let transit = address(ours, web, "transit", false)?;
    let access = address(ours, front, "access", false)?;
    let internal = address(ours, front, "internal", false)?;
    let mut prober = Prober {
        session: operator,
        report,
    };
    prober
        .probe("client → gateway over the SAP", client(), ping(access), Expect::Answer)
        .await?;
    for worker in workers {
        let to = address(ours, worker, "internal", false)?;
        prober
            .probe(
                &format!("gateway → {} on the internal link", worker.name),
                inside(front)?,
                ping(to),
                Expect::Answer,
            )
            .await?;
    }
    prober
        .probe(
            "gateway → service across the sites, IPv4",
            inside(front)?,
            ping(transit),
            Expect::Answer,
        )
        .await?;
    let transit6 = address(ours, web, "transit", true)?;
    prober
        .probe(
            "gateway → service across the sites, IPv6",
            inside(front)?,
            ping(transit6),
            Expect::Answer,
        )
        .await?;
    prober
        .probe(
            "gateway → service across the sites, HTTP",
            inside(front)?,
            page(transit),
            Expect::Named(web.name.clone()),
        )
        .await?;
    prober
        .probe(
            "gateway → meter on the provider network, HTTP",
            inside(front)?,
            page(meter),
            Expect::Answer,
        )
        .await?;

    prober
        .probe(
            "another link: worker → service",
            inside(workers[0])?,
            on_link(transit),
            Expect::Nothing,
        )
        .await?;
    prober
        .probe(
            "  and the control: worker → gateway",
            inside(workers[0])?,
            ping(internal),
            Expect::Answer,
        )
        .await?;
    prober
        .probe(
            "another link: client → service",
            client(),
            on_link(transit),
            Expect::Nothing,
        )
        .await?;
    prober
        .probe(
            "another link: client → meter",
            client(),
            on_link(meter),
            Expect::Nothing,
        )
        .await?;
    prober
        .probe(
            "  and the control: client → gateway",
            client(),
            ping(access),
            Expect::Answer,
        )
        .await?;

    let spoofed = Probe::Ping {
        to: transit,
        source: Some(unused(transit)),
        payload_bytes: None,
    };
    prober
        .probe(
            "a spoofed source: gateway → service",
            inside(front)?,
            spoofed,
            Expect::Nothing,
        )
        .await?;
    prober
        .probe(
            "  and the control: with its own address",
            inside(front)?,
            ping(transit),
            Expect::Answer,
        )
        .await?;

    let (a, b) = neighbours(theirs)?;
    let to = *b
        .ports
        .first()
        .and_then(|port| port.addresses.first())
        .context("the neighbour has no address")?;
    prober
        .probe(
            &format!("the neighbour's own {to}"),
            inside(a)?,
            page(to),
            Expect::Named(b.name.clone()),
        )
        .await?;
    prober
        .probe(
            &format!("our {access}, the same subnet"),
            client(),
            page(access),
            Expect::Named(front.name.clone()),
        )
        .await?;
    if access != to {
        prober
            .probe(
                &format!("another tenant: neighbour → {access}, if it is not its own"),
                inside(a)?,
                foreign(access, theirs),
                Expect::Nothing,
            )
            .await?;
    }

    let bytes = Probe::Throughput {
        to: transit,
        port: 80,
        bytes: TRANSIT_BYTES,
    };
    prober
        .probe(
            "the rate over the WAN",
            inside(front)?,
            bytes,
            Expect::Rate(TRANSIT_BITS_PER_SECOND),
        )
        .await
}

/// A ping to an address that only we have: one that the neighbour has as well is moved by one bit to stay foreign.
fn foreign(ours: std::net::IpAddr, theirs: &NsTopology) -> Probe {
    let taken: Vec<_> = theirs
        .vnfs
        .iter()
        .flat_map(|vnf| &vnf.vnfcs)
        .flat_map(|vnfc| &vnfc.ports)
        .flat_map(|port| &port.addresses)
        .collect();
    if taken.contains(&&ours) {
        ping(unused(ours))
    } else {
        ping(ours)
    }
}

/// An address of the same subnet that nobody has.
fn unused(address: std::net::IpAddr) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            std::net::Ipv4Addr::new(a, b, c, 253).into()
        }
        std::net::IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[7] = 0xfffd;
            std::net::Ipv6Addr::from(segments).into()
        }
    }
}

/// The neighbour's two machines.
pub fn neighbours(
    theirs: &NsTopology,
) -> anyhow::Result<(
    &manifold_nfvo_interface::TopologyVnfc,
    &manifold_nfvo_interface::TopologyVnfc,
)> {
    let mut all = theirs.vnfs.iter().flat_map(|vnf| &vnf.vnfcs);
    match (all.next(), all.next()) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => bail!("the neighbour has fewer than two machines"),
    }
}
