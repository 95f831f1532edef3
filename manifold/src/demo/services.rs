//! What is done to the network services between the measurements.

use super::matrix::neighbours;
use super::prober::{Expect, Prober, address, inside, on_link, ping, vnfc};
use super::report::Report;
use crate::client::{Session, follow::follow};
use crate::commands::pnf_data;
use crate::control::ProbeFrom;
use anyhow::{Context as _, bail};
use manifold_nfvo_interface::{NewNs, NsInstanceId, NsTopology, OnNs};
use manifold_sol::{
    CreateNsRequest, DegreeHealing, HealNsData, HealNsRequest, InstantiateNsRequest, LocationConstraints, NsScaleType,
    ScaleByStepData, ScaleNsRequest, ScaleVnfData, ScaleVnfType, TerminateNsRequest, VnfLocationConstraint,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// For the VIM to notice that a machine ended.
const NOTICE: Duration = Duration::from_secs(10);

/// Makes and instantiates one; `at`: profile and VIM; `pnfs`: profile and function.
pub async fn instantiate(
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

/// Adds a worker to the gateway, and reaches it.
pub async fn scale(session: &Session, ns: NsInstanceId, report: &mut Report) -> anyhow::Result<()> {
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

/// Kills a worker's emulator, waits until the VIM has noticed, heals, and reaches the worker where it was.
pub async fn heal(session: &Session, ns: NsInstanceId, run: &Path, report: &mut Report) -> anyhow::Result<()> {
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

/// Ends both services, and shows that one is gone while the other still answers.
#[allow(
    clippy::too_many_arguments,
    reason = "two services, two tenants; a struct would name them once and be used once"
)]
pub async fn terminate(
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
