//! What the tests stand on: one namespace with taps that carry the near ends' addresses, and a keeper of machines.

use manifold_host::Space;
use manifold_host::machine::{Accelerator, MachineConfig, Machines};
use manifold_host::probe::Probes;
use manifold_host::seams::{MachineKeeper, ProbeFrom, Prober, SeenMachine, TapPlug};
use manifold_image::GuestImage;
use manifold_nfvi_interface::{
    Boot, DiskFormat, MacAddr, MachineState, MachineWish, NoCloud, ObjectId, Owner, Power, Probe, ProbeAsk, ProbeSeen,
};
use std::future::Future;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longer than any boot under load: what is waited for comes in two to four seconds.
pub(crate) const BOOT: Duration = Duration::from_secs(40);

pub(crate) struct Bench {
    pub(crate) run_dir: PathBuf,
    pub(crate) config: MachineConfig,
    pub(crate) machines: Arc<Machines>,
    pub(crate) space: Space,
    pub(crate) told: Arc<Mutex<Vec<ObjectId>>>,
    pub(crate) image: Option<GuestImage>,
}

pub(crate) fn owner() -> Owner {
    Owner {
        manager: "vim/site-1".into(),
        tenant: None,
    }
}

/// Runs a test with a bench; without an image the test says that it did not run.
pub(crate) fn with_image<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F) {
    match manifold_image::built(&manifold_image::standard_cache(true)) {
        Some(image) => run(Some(image), test),
        None => {
            let required = std::env::var("MANIFOLD_KERNEL_TESTS").is_ok_and(|value| value == "required");
            assert!(!required, "there is no guest image");
            eprintln!("NOT RUN: needs the guest image (apt's package lists, and the network once)");
        }
    }
}

/// Runs a test whose machines never boot.
pub(crate) fn paused<F: Future<Output = ()>>(test: impl FnOnce(Bench) -> F) {
    run(None, test);
}

fn run<F: Future<Output = ()>>(image: Option<GuestImage>, test: impl FnOnce(Bench) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let run_dir = PathBuf::from("/run/m");
        std::fs::create_dir_all(&run_dir).unwrap();
        let mut config = MachineConfig::new(run_dir.clone(), PathBuf::from("/run/disks"));
        config.accelerator = Accelerator::Tcg;
        config.paused = image.is_none();
        let space = Space::make(&run_dir, ObjectId::random()).unwrap();
        let (machines, told) = keeper(&config).await;
        test(Bench {
            run_dir,
            config,
            machines,
            space,
            told,
            image,
        })
        .await;
    });
}

async fn keeper(config: &MachineConfig) -> (Arc<Machines>, Arc<Mutex<Vec<ObjectId>>>) {
    let machines = Arc::new(Machines::open(config.clone()).await.unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    machines.tell_changes_to(Arc::new(move |id| heard.lock().unwrap().push(id)));
    (machines, told)
}

impl Bench {
    /// A wish for a machine that boots the image, or (paused) that has something to load.
    pub(crate) fn wish(&self) -> MachineWish {
        let boot = match &self.image {
            Some(image) => Boot::Kernel {
                kernel: image.kernel.clone(),
                initramfs: image.initramfs.clone(),
                command_line: "quiet".into(),
            },
            None => Boot::Disk {
                image: empty_disk(),
                format: DiskFormat::Raw,
            },
        };
        MachineWish {
            node: self.space.id(),
            name: "gateway-1".into(),
            vcpus: 1,
            memory_mib: 96,
            boot,
            interfaces: vec![],
            no_cloud: None,
            power: Power::On,
            generation: 1,
        }
    }

    /// A tap with the near end's addresses on itself, and the machine's NoCloud data for the far end's.
    pub(crate) async fn plug(&self, interface: &str, near: [&str; 2], far: [&str; 2]) -> (TapPlug, NoCloud) {
        let port = ObjectId::random();
        let mac = MacAddr::of(port);
        let _kept = self
            .space
            .open_tap(
                interface,
                manifold_host::kernel::TapOptions {
                    persistent: true,
                    ..Default::default()
                },
            )
            .await
            .unwrap();
        drop(_kept);
        self.ip(&["link", "set", interface, "mtu", "1400", "up"]).await;
        for address in near {
            self.ip(&["addr", "add", address, "dev", interface, "nodad"]).await;
        }
        let plug = TapPlug {
            port,
            interface: interface.into(),
            mac,
            mtu_bytes: 1400,
        };
        let network_config = format!(
            "version: 2\nethernets:\n  nic0:\n    match:\n      macaddress: \"{mac}\"\n    addresses:\n      - {}\n      - \"{}\"\n",
            far[0], far[1]
        );
        let no_cloud = NoCloud {
            meta_data: "instance-id: i-4711\nlocal-hostname: gateway-1\n".into(),
            user_data: "#!/bin/sh\necho user data ran > /run/proof\n# s3cr3t-of-the-tenant\n".into(),
            network_config,
        };
        (plug, no_cloud)
    }

    pub(crate) async fn ip(&self, words: &[&str]) {
        let mut command = Command::new("ip");
        command
            .args(words)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let done = self.space.output(command).await.unwrap();
        assert!(
            done.status.success(),
            "ip {words:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    pub(crate) async fn ensure(&self, id: ObjectId, wish: &MachineWish, taps: &[TapPlug]) -> bool {
        self.machines
            .ensure(id, &owner(), wish, taps.to_vec(), &self.space)
            .await
            .unwrap()
    }

    pub(crate) async fn probe(&self, from: ProbeFrom, probe: Probe, limit: Duration) -> ProbeSeen {
        let ask = ProbeAsk {
            from: self.space.id(),
            probe,
            limit_ms: u32::try_from(limit.as_millis()).unwrap(),
        };
        Probes::new(self.machines.clone()).probe(&ask, from).await.unwrap()
    }

    pub(crate) fn here(&self) -> ProbeFrom {
        ProbeFrom::Node(self.space.clone())
    }

    /// Pings until there is an answer.
    pub(crate) async fn comes_up(&self, address: &str) {
        let seen = self.probe(self.here(), ping(address), BOOT).await;
        assert!(
            matches!(seen, ProbeSeen::Answered { .. }),
            "{address}: {seen:?}\n{}",
            self.consoles()
        );
    }

    pub(crate) fn consoles(&self) -> String {
        let folders = std::fs::read_dir(self.run_dir.join("machines")).unwrap();
        let logs = folders.map(|folder| std::fs::read(folder.unwrap().path().join("console")).unwrap_or_default());
        logs.map(|log| String::from_utf8_lossy(&log).into_owned()).collect()
    }

    pub(crate) async fn seen(&self, id: ObjectId) -> SeenMachine {
        let all = self.machines.observe().await.unwrap();
        all.into_iter()
            .find(|seen| seen.id == id)
            .expect("the machine is there")
    }

    pub(crate) async fn pid(&self, id: ObjectId) -> i32 {
        let place = self.seen(id).await.place;
        place
            .strip_prefix("qemu ")
            .and_then(|pid| pid.parse().ok())
            .unwrap_or_else(|| panic!("no process: {place}"))
    }

    pub(crate) async fn runs(&self, id: ObjectId) -> bool {
        matches!(self.seen(id).await.state, MachineState::Running { .. })
    }

    /// The agent goes away without a word, and another one comes.
    pub(crate) async fn agent_again(&mut self) {
        let (machines, told) = keeper(&MachineConfig {
            run_dir: "/run/nobody".into(),
            ..self.config.clone()
        })
        .await;
        self.machines = machines;
        self.told = told;
        let (machines, told) = keeper(&self.config).await;
        self.machines = machines;
        self.told = told;
    }
}

pub(crate) fn ping(to: &str) -> Probe {
    Probe::Ping {
        to: to.parse().unwrap(),
        source: None,
        payload_bytes: None,
    }
}

/// Waits for a condition, with a limit.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, limit: Duration, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + limit;
    while !holds().await {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

/// A disk for machines that never boot.
fn empty_disk() -> PathBuf {
    let path = PathBuf::from("/run/empty");
    std::fs::write(&path, [0; 4096]).unwrap();
    path
}
