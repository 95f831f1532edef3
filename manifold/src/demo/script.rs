//! What the demo does, in order.

use super::census::Census;
use super::cluster::Cluster;
use super::matrix::{Expect, Prober, address, inside, on_link, page, ping, vnfc};
use super::packages;
use super::report::Report;
use crate::client::{Login, Session, follow::follow, print};
use crate::commands::{pnf_data, push, topology_text};
use crate::config::Config;
use crate::control::{LabText, ProbeFrom};
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use manifold_image::Progress;
use manifold_nfvi_interface::Probe;
use manifold_nfvo_interface::{NewNs, NsInstanceId, NsTopology, OnNs};
use manifold_sol::{
    CreateNsRequest, DegreeHealing, HealNsData, HealNsRequest, InstantiateNsRequest, LocationConstraints, NsScaleType,
    ScaleByStepData, ScaleNsRequest, ScaleVnfData, ScaleVnfType, TerminateNsRequest, VnfLocationConstraint,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The limit of the link over the WAN, as the NSD says.
const TRANSIT_BITS_PER_SECOND: u64 = 20_000_000;

/// How much is taken over it to measure the rate: four seconds' worth.
const TRANSIT_BYTES: u64 = 10_000_000;

/// For the VIM to notice that a machine ended.
const NOTICE: Duration = Duration::from_secs(10);

/// The second tenant.
const NEIGHBOUR: &str = "tenant-b";

/// Plays it, and takes everything away afterwards, also after a failure.
pub async fn play(config: Config, keep: bool, json: bool) -> anyhow::Result<()> {
    let mut report = Report::new(json);
    image(&config, &mut report)?;
    let folder = PathBuf::from(format!("/tmp/manifold-demo-{}", std::process::id()));
    let before = Census::take(&[&folder])?;
    std::fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
    let begun = Instant::now();
    let started = Cluster::start(&config, &folder).await;
    let (cluster, login) = match started {
        Ok(started) => started,
        Err(error) => {
            std::fs::remove_dir_all(&folder)?;
            return Err(error);
        }
    };
    report.done("the control plane and the host agent are up", begun);
    let played = tokio::select! {
        played = acts(&cluster, &login, &mut report, keep) => played,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if keep && played.is_ok() {
        report.say(&format!(
            "\nIt stays. Look at it, for example:\n  manifold topology two-site --data {0}\n  manifold op list --data {0}\nEnd it: manifold ns terminate two-site --data {0}; manifold lab destroy --data {0}; then end the processes\n  of `manifold up` and `manifold agent`, and remove {1}",
            cluster.config().data.display(),
            folder.display(),
        ));
        cluster.leave();
        if json {
            print::value(&report)?;
        }
        return Ok(());
    }
    let logs = played.is_err().then(|| cluster.logs());
    let ended = cluster.end().await;
    let after = Census::take(&[&folder])?;
    report.left_behind = after.beyond(&before);
    if json {
        print::value(&report)?;
    }
    if let Err(error) = played {
        return Err(error.context(logs.unwrap_or_default()));
    }
    ended?;
    if !report.left_behind.is_empty() {
        bail!("left behind:\n  {}", report.left_behind.join("\n  "));
    }
    report.say("✓ nothing is left: no process, namespace, mount, link or file (read from /proc, compared with before)");
    match report.failures() {
        0 => Ok(()),
        failures => bail!(
            "{failures} of {} probes did not show what they shall",
            report.probes.len()
        ),
    }
}

/// The guest image: half a minute the first time, nothing later.
fn image(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    if manifold_image::built(&config.cache).is_some() {
        return Ok(());
    }
    let begun = Instant::now();
    report.begin(&format!(
        "the guest image is built from Debian's packages into {}",
        config.cache.display()
    ));
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("  {spinner} {elapsed} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    manifold_image::build(&config.cache, &mut |progress| {
        bar.set_message(match progress {
            Progress::Waiting => "waiting for another builder".into(),
            Progress::Downloading { packages, bytes } => {
                format!("fetching {} ({} MB)", packages.join(", "), bytes / 1_000_000)
            }
            Progress::Assembling => "putting kernel and initial file system together".into(),
            Progress::Disk => "making the bootable disk".into(),
            Progress::Done => "done".into(),
        });
    })?;
    bar.finish_and_clear();
    report.done("the guest image is in the cache", begun);
    Ok(())
}

async fn acts(cluster: &Cluster, login: &Login, report: &mut Report, keep: bool) -> anyhow::Result<()> {
    let data = &cluster.config().data;
    let operator = Session::with(login, &login.tenant, data)?;
    let neighbour = Session::with(login, NEIGHBOUR, data)?;
    let begun = Instant::now();
    let file = LabText {
        text: packages::LAB.to_owned(),
    };
    operator
        .lab
        .put::<Value>(&operator.patient(Duration::from_secs(60)), &["lab"], &file)
        .await?;
    report.done(
        "the lab stands: two NFVI-PoPs, a WAN, a provider network with a meter",
        begun,
    );

    let begun = Instant::now();
    let (ours, theirs) = packages::write(&cluster.folder.join("packages"))?;
    for folder in &ours {
        push(&operator, folder).await?;
    }
    for folder in &theirs {
        push(&neighbour, folder).await?;
    }
    report.done(
        "packages are on-boarded: gateway, service, meter, two-site; and the neighbour's",
        begun,
    );

    let begun = Instant::now();
    let two_site = instantiate(
        &operator,
        "two-site",
        &[("gateway", "site-1"), ("service", "site-2")],
        &[("meter", "meter")],
        report,
    )
    .await?;
    report.done("NS two-site is instantiated", begun);
    let begun = Instant::now();
    let beside = instantiate(
        &neighbour,
        "neighbour",
        &[("probe_a", "site-1"), ("probe_b", "site-1")],
        &[],
        report,
    )
    .await?;
    report.done(
        "NS neighbour of another tenant is instantiated, with the same addresses",
        begun,
    );

    let topology = operator.nfvo.lifecycle.topology(&operator.cx(), two_site).await?;
    let next_door = neighbour.nfvo.lifecycle.topology(&neighbour.cx(), beside).await?;
    report.say(&format!("\n{}", topology_text(&topology)));
    report.say(&format!(
        "{}\nWho reaches whom, measured with packets:",
        topology_text(&next_door)
    ));
    matrix(&operator, &topology, &next_door, report).await?;
    report.resident_kib = cluster.resident_kib();
    report.say(&format!(
        "  control plane and agent together: {} MiB resident\n",
        report.resident_kib / 1_024
    ));

    scale(&operator, two_site, report).await?;
    heal(&operator, two_site, &cluster.config().run, report).await?;
    if keep {
        return Ok(());
    }
    terminate(&operator, &neighbour, two_site, beside, &topology, &next_door, report).await?;
    let begun = Instant::now();
    operator
        .lab
        .delete(&operator.patient(Duration::from_secs(60)), &["lab"], None)
        .await?;
    report.done("the lab is gone", begun);
    Ok(())
}

async fn instantiate(
    session: &Session,
    name: &str,
    at: &[(&str, &str)],
    pnfs: &[(&str, &str)],
    report: &Report,
) -> anyhow::Result<NsInstanceId> {
    let nsds = session.nfvo.nsds.query(&session.cx(), ()).await?;
    let nsd = nsds
        .iter()
        .find(|nsd| nsd.nsd_name.as_deref() == Some(name))
        .with_context(|| format!("no NSD {name}"))?;
    let create = CreateNsRequest {
        nsd_id: nsd.nsd_id.clone().context("the NSD has no id")?,
        ns_name: name.to_owned(),
        ns_description: String::new(),
    };
    let ns = session.nfvo.lifecycle.create(&session.cx(), NewNs(create)).await?;
    let location_constraints = at
        .iter()
        .map(|(profile, vim)| VnfLocationConstraint {
            vnf_profile_id: (*profile).to_owned(),
            location_constraints: Some(LocationConstraints {
                vim_id: Some((*vim).to_owned()),
                ..LocationConstraints::default()
            }),
        })
        .collect();
    let mut request = InstantiateNsRequest {
        ns_flavour_id: "default".into(),
        location_constraints,
        ..InstantiateNsRequest::default()
    };
    for (profile, function) in pnfs {
        request
            .add_pnf_data
            .push(pnf_data(session, nsd, profile, function).await?);
    }
    let ns_instance_id: NsInstanceId = ns.id.parse()?;
    let id = session
        .nfvo
        .lifecycle
        .instantiate(
            &session.cx(),
            OnNs {
                ns_instance_id,
                request,
            },
        )
        .await?;
    follow(session, id, report.is_quiet()).await?;
    Ok(ns_instance_id)
}

async fn matrix(operator: &Session, ours: &NsTopology, theirs: &NsTopology, report: &mut Report) -> anyhow::Result<()> {
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

fn neighbours(
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

async fn scale(session: &Session, ns: NsInstanceId, report: &mut Report) -> anyhow::Result<()> {
    let begun = Instant::now();
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns).await?;
    let gateway = topology
        .vnfs
        .iter()
        .find(|vnf| vnf.profile == "gateway")
        .context("no gateway")?;
    let request = ScaleNsRequest {
        scale_type: NsScaleType::ScaleVnf,
        scale_vnf_data: vec![ScaleVnfData {
            vnf_instance_id: gateway.id.clone(),
            scale_vnf_type: ScaleVnfType::ScaleOut,
            scale_by_step_data: Some(ScaleByStepData {
                aspect_id: "workers".into(),
                ..ScaleByStepData::default()
            }),
        }],
    };
    let id = session
        .nfvo
        .lifecycle
        .scale(
            &session.cx(),
            OnNs {
                ns_instance_id: ns,
                request,
            },
        )
        .await?;
    follow(session, id, report.is_quiet()).await?;
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns).await?;
    let (front, new) = (vnfc(&topology, "frontend", 0)?, vnfc(&topology, "worker", 2)?);
    report.done(&format!("scaled out: {} on {}", new.name, new.host), begun);
    let to = address(&topology, new, "internal", false)?;
    let mut prober = Prober { session, report };
    prober
        .probe(
            &format!("gateway → {}, the new worker", new.name),
            inside(front)?,
            ping(to),
            Expect::Answer,
        )
        .await
}

async fn heal(session: &Session, ns: NsInstanceId, run: &Path, report: &mut Report) -> anyhow::Result<()> {
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns).await?;
    let victim = vnfc(&topology, "worker", 0)?.clone();
    let pid = machine_process(&victim.compute_id, run)?;
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL)?;
    let begun = Instant::now();
    let noticed = loop {
        let topology = session.nfvo.lifecycle.topology(&session.cx(), ns).await?;
        let now = vnfc(&topology, "worker", 0)?;
        if now.state != "RUNNING" {
            break now.state.clone();
        }
        if begun.elapsed() > NOTICE {
            bail!("the VIM did not notice that {} was killed", victim.name);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    report.done(
        &format!("{} was killed (process {pid}), and is seen as {noticed}", victim.name),
        begun,
    );
    let begun = Instant::now();
    let request = HealNsRequest {
        heal_ns_data: Some(HealNsData {
            degree_healing: DegreeHealing::HealRestore,
        }),
        ..HealNsRequest::default()
    };
    let id = session
        .nfvo
        .lifecycle
        .heal(
            &session.cx(),
            OnNs {
                ns_instance_id: ns,
                request,
            },
        )
        .await?;
    follow(session, id, report.is_quiet()).await?;
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns).await?;
    let (front, new) = (vnfc(&topology, "frontend", 0)?, vnfc(&topology, "worker", 0)?);
    report.done(&format!("healed: {} is {}", new.name, new.state), begun);
    let to = address(&topology, &victim, "internal", false)?;
    let mut prober = Prober { session, report };
    prober
        .probe(
            &format!("gateway → {} at its old address {to}", new.name),
            inside(front)?,
            ping(to),
            Expect::Answer,
        )
        .await
}

/// The emulator's process of a machine: its command line names the machine and the demo's own run folder.
fn machine_process(compute: &str, run: &Path) -> anyhow::Result<nix::unistd::Pid> {
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if command.contains("qemu") && command.contains(compute) && command.contains(&*run.to_string_lossy()) {
            return Ok(nix::unistd::Pid::from_raw(pid));
        }
    }
    bail!("no process of the machine {compute} was found")
}

#[allow(
    clippy::too_many_arguments,
    reason = "two services, two tenants; a struct would name them once and be used once"
)]
async fn terminate(
    operator: &Session,
    neighbour: &Session,
    two_site: NsInstanceId,
    beside: NsInstanceId,
    ours: &NsTopology,
    theirs: &NsTopology,
    report: &mut Report,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    end(operator, two_site, report).await?;
    report.done("NS two-site is terminated", begun);
    let access = address(ours, vnfc(ours, "frontend", 0)?, "access", false)?;
    let (a, b) = neighbours(theirs)?;
    let to = *b
        .ports
        .first()
        .and_then(|port| port.addresses.first())
        .context("the neighbour has no address")?;
    let client = ProbeFrom::AccessPoint {
        pop: "site-1".into(),
        name: "client".into(),
    };
    let mut prober = Prober {
        session: operator,
        report,
    };
    prober
        .probe(
            "after termination: client → gateway",
            client,
            on_link(access),
            Expect::Nothing,
        )
        .await?;
    prober
        .probe(
            "  and the control: the neighbour still answers",
            inside(a)?,
            ping(to),
            Expect::Answer,
        )
        .await?;
    let begun = Instant::now();
    end(neighbour, beside, report).await?;
    report.done("NS neighbour is terminated", begun);
    Ok(())
}

async fn end(session: &Session, ns: NsInstanceId, report: &Report) -> anyhow::Result<()> {
    let ask = OnNs {
        ns_instance_id: ns,
        request: TerminateNsRequest::default(),
    };
    let id = session.nfvo.lifecycle.terminate(&session.cx(), ask).await?;
    follow(session, id, report.is_quiet()).await?;
    Ok(session.nfvo.lifecycle.delete(&session.cx(), ns).await?)
}
