//! What the demo does, in order.

use super::census::Census;
use super::cluster::Cluster;
use super::matrix::matrix;
use super::packages;
use super::report::Report;
use super::services::{heal, instantiate, scale, terminate};
use crate::client::{Login, Session, print};
use crate::commands::{push, topology_text};
use crate::config::Config;
use crate::control::LabText;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use manifold_image::Progress;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

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
