//! KVM or not. That /dev/kvm opens says little: under some hypervisors it hands out CPUs on which no ordinary guest starts. So
//! the guest image is really booted once per boot of this machine, within a limit; where it does not come up, QEMU emulates.

use super::console;
use super::home::Home;
use super::launch::{BootFiles, Launch};
use super::process::Process;
use super::qmp;
use super::{MachineConfig, Trial};
use manifold_nfvi_interface::{Boot, MachineWish, ObjectId, Power};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use tokio::time::Instant;

/// A guest on true KVM is up in less than two seconds.
const LIMIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const DEVICE: &str = "/dev/kvm";

/// Which accelerator machines get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// KVM when a guest really booted with it, else emulation.
    #[default]
    Auto,
    /// KVM, tried or not.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

/// What the trial showed, for as long as this machine runs.
#[derive(Serialize, Deserialize, PartialEq)]
struct Shown {
    boot_id: String,
    image: String,
    accelerator: String,
}

/// `kvm` or `tcg`.
pub(crate) async fn choose(config: &MachineConfig) -> String {
    match (config.accelerator, &config.trial) {
        (Accelerator::Kvm, _) => "kvm".to_owned(),
        (Accelerator::Tcg, _) | (Accelerator::Auto, None) => "tcg".to_owned(),
        (Accelerator::Auto, Some(trial)) => shown(config, trial).await,
    }
}

async fn shown(config: &MachineConfig, trial: &Trial) -> String {
    if OpenOptions::new().read(true).write(true).open(DEVICE).is_err() {
        return "tcg".to_owned();
    }
    let cache = config.run_dir.join("accelerator.json");
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let image = trial.kernel.display().to_string();
    let known = fs::read(&cache)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Shown>(&bytes).ok());
    if let Some(known) = known.filter(|known| known.boot_id == boot_id && known.image == image) {
        return known.accelerator;
    }
    let accelerator = match boots(config, trial).await {
        Ok(true) => "kvm",
        Ok(false) => {
            tracing::info!("{DEVICE} is there, but a guest did not come up on it; machines are emulated.");
            "tcg"
        }
        Err(error) => {
            tracing::info!(%error, "{DEVICE} is there, but QEMU cannot use it; machines are emulated.");
            "tcg"
        }
    };
    let shown = Shown {
        boot_id,
        image,
        accelerator: accelerator.to_owned(),
    };
    let bytes = serde_json::to_vec(&shown).expect("three strings are JSON");
    if let Err(error) = fs::write(&cache, bytes) {
        tracing::warn!(%error, "What KVM can do will be tried again at the next start.");
    }
    accelerator.to_owned()
}

async fn boots(config: &MachineConfig, trial: &Trial) -> io::Result<bool> {
    let id = ObjectId::random();
    let home = Home::of(&config.run_dir, &config.disk_dir, id);
    let result = boots_in(config, trial, id, &home).await;
    if let Some(process) = Process::find(&home.qmp(), id)? {
        process.kill()?;
        process.ended().await;
    }
    home.remove()?;
    result
}

async fn boots_in(config: &MachineConfig, trial: &Trial, id: ObjectId, home: &Home) -> io::Result<bool> {
    let wish = MachineWish {
        node: id,
        name: "trial".to_owned(),
        vcpus: 1,
        memory_mib: 128,
        boot: Boot::Kernel {
            kernel: trial.kernel.clone(),
            initramfs: trial.initramfs.clone(),
            command_line: "quiet".to_owned(),
        },
        interfaces: Vec::new(),
        no_cloud: None,
        power: Power::On,
        generation: 0,
    };
    let user = user_for("kvm", config.user);
    fs::create_dir_all(&home.folder)?;
    home.make_qemu_folder(user)?;
    let open = |path| File::open(path).map(OwnedFd::from);
    let launch = Launch {
        program: config.qemu.clone(),
        user,
        accelerator: "kvm".to_owned(),
        boot: BootFiles::Kernel {
            kernel: open(&trial.kernel)?,
            initramfs: open(&trial.initramfs)?,
            command_line: "quiet".to_owned(),
        },
        seed: None,
        nics: Vec::new(),
        paused: false,
    };
    let until = Instant::now() + LIMIT;
    let arguments = launch.arguments(id, &wish, home);
    let starting = launch.start_here(arguments)?;
    let socket = home.qmp();
    starting
        .until(async || qmp::ask(&socket, "query-status").await.map_err(io::Error::other))
        .await?;
    let watch = async {
        while !console::tail(&home.console_log(), console::LOG_BYTES_MAX)?.contains(&trial.ready_mark) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(true)
    };
    tokio::select! {
        came_up = watch => came_up,
        () = console::keep(home.clone()) => Ok(false),
        () = tokio::time::sleep_until(until) => Ok(false),
    }
}

/// The user that a machine runs as: with KVM, in the group that may open the device, where others may not.
pub(crate) fn user_for(accelerator: &str, user: Option<(u32, u32)>) -> Option<(u32, u32)> {
    let (uid, gid) = user?;
    let device = fs::metadata(DEVICE).ok().filter(|_| accelerator == "kvm");
    match device {
        Some(device) if device.mode() & 0o006 != 0o006 && device.mode() & 0o060 == 0o060 => Some((uid, device.gid())),
        _ => Some((uid, gid)),
    }
}
