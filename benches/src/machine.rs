//! A machine: from the wish to its first answered ping, beside QEMU started by hand with the same kernel, initial file system, disk
//! and kind of interface.

use crate::figure::{Figure, Goal, Spread, Unit};
use crate::ground::{self, context};
use crate::stage::{self, Lacking, Outcome};
use manifold_host::kernel::TapOptions;
use manifold_host::machine::Machines;
use manifold_host::probe::Probes;
use manifold_host::seams::{ProbeFrom, Prober};
use manifold_host::{Agent, Space};
use manifold_image::GuestImage;
use manifold_nfvi_interface::{
    Boot, Infrastructure, MacAddr, MachineWish, NoCloud, NodeRole, NodeWish, ObjectId, Owner, Plug, PortWish, Power,
    Probe, ProbeAsk, ProbeSeen, SegmentWish, Traffic, Wish, WishKind,
};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const LIMIT_MS: u32 = 25_000;
const NEAR: &str = "10.9.0.1";
const FAR: &str = "10.9.0.2";
const MTU_BYTES: u32 = 1_450;

pub(crate) fn run() {
    stage::report(measure);
}

fn measure() -> Outcome<Vec<Figure>> {
    let cache = manifold_image::standard_cache(true);
    let image = manifold_image::built(&cache).ok_or_else(|| {
        Lacking(format!(
            "needs the guest image in {} (`manifold doctor` tells how to build it)",
            cache.display()
        ))
    })?;
    let found = Command::new("qemu-system-x86_64")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        return Err(Lacking("needs qemu-system-x86_64".to_owned()).into());
    }
    let folder = stage::folder()?;
    stage::runtime()?.block_on(async {
        let machines = ground::machines(&folder).await?;
        let agent = ground::agent(machines.clone(), machines.clone()).await?;
        let place = Place::build(&agent).await?;
        let bare = Bare::build(&place, machines).await?;
        let (mut ours, mut asked, mut floor) = (vec![], vec![], vec![]);
        for round in 0..=ROUNDS {
            let (took, accepted, seed) = place.boot(&agent, &image, &folder).await?;
            let bare_took = bare.boot(&image, &seed, place.mac()).await?;
            if round > 0 {
                ours.push(took);
                asked.push(accepted);
                floor.push(bare_took);
            }
        }
        bare.clear()?;
        ground::clear(&agent).await?;
        Ok(vec![
            Figure::new(
                "machine wish to first ping, emulated",
                Unit::Milliseconds,
                Spread::of_times(&ours),
            )
            .floor("bare QEMU, same kernel, disk and tap", Spread::of_times(&floor))
            .goal(Goal::Ratio(1.1))
            .note(format!(
                "the wish is answered after {:.0} ms",
                Spread::of_times(&asked).median
            )),
        ])
    })
}

fn wish(id: ObjectId, kind: WishKind) -> Wish {
    Wish {
        id,
        owner: Owner {
            manager: "vim/bench".to_owned(),
            tenant: Some("bench".into()),
        },
        kind,
    }
}

async fn ensure(agent: &Agent, wishes: Vec<Wish>) -> Outcome<()> {
    ground::judge(&agent.ensure(&context(), wishes).await?)
}

fn ping(from: ObjectId) -> Outcome<ProbeAsk> {
    Ok(ProbeAsk {
        from,
        probe: Probe::Ping {
            to: FAR.parse()?,
            source: None,
            payload_bytes: None,
        },
        limit_ms: LIMIT_MS,
    })
}

fn answered(seen: &ProbeSeen) -> Outcome<()> {
    match seen {
        ProbeSeen::Answered { .. } => Ok(()),
        other => Err(format!("the machine did not answer: {other:?}").into()),
    }
}

/// A host with a network, a tap for the machine, and a neighbour that pings.
struct Place {
    host: ObjectId,
    neighbour: ObjectId,
    tap: ObjectId,
}

impl Place {
    async fn build(agent: &Agent) -> Outcome<Self> {
        let [host, neighbour, tap, segment, port] = std::array::from_fn(|_| ObjectId::random());
        let node = |name: &str, role| {
            WishKind::Node(NodeWish {
                name: name.to_owned(),
                role,
                forwarding: false,
                services: Vec::new(),
            })
        };
        let network = SegmentWish {
            node: host,
            mtu_bytes: MTU_BYTES,
            transport: None,
            dhcp: None,
        };
        let plugged = |id: ObjectId, plug, address: &str| -> Outcome<WishKind> {
            Ok(WishKind::Port(PortWish {
                segment,
                plug,
                mac: MacAddr::of(id),
                addresses: vec![address.parse()?],
                anti_spoofing: true,
                rate_bits_per_second: None,
                traffic: Traffic::default(),
            }))
        };
        let into_neighbour = Plug::Node {
            node: neighbour,
            interface: "eth0".to_owned(),
            addresses: vec![format!("{NEAR}/24").parse()?],
            gateway: None,
        };
        let wishes = vec![
            wish(host, node("bench/host", NodeRole::Host)),
            wish(neighbour, node("bench/neighbour", NodeRole::Access)),
            wish(segment, WishKind::Segment(network)),
            wish(port, plugged(port, into_neighbour, NEAR)?),
            wish(tap, plugged(tap, Plug::Tap, FAR)?),
        ];
        ensure(agent, wishes).await?;
        Ok(Self { host, neighbour, tap })
    }

    fn mac(&self) -> MacAddr {
        MacAddr::of(self.tap)
    }

    /// To the first ping, to the wish's answer, and a copy of the machine's NoCloud disk.
    async fn boot(&self, agent: &Agent, image: &GuestImage, folder: &Path) -> Outcome<(Duration, Duration, PathBuf)> {
        let id = ObjectId::random();
        let machine = MachineWish {
            node: self.host,
            name: "bench".to_owned(),
            vcpus: 1,
            memory_mib: 96,
            boot: Boot::Kernel {
                kernel: image.kernel.clone(),
                initramfs: image.initramfs.clone(),
                command_line: "quiet".to_owned(),
            },
            interfaces: vec![self.tap],
            no_cloud: Some(NoCloud {
                meta_data: "instance-id: bench\nlocal-hostname: bench\n".to_owned(),
                user_data: "#cloud-config\n".to_owned(),
                network_config: format!(
                    "version: 2\nethernets:\n  nic0:\n    match:\n      macaddress: \"{}\"\n    addresses:\n      - {FAR}/24\n",
                    self.mac()
                ),
            }),
            power: Power::On,
            generation: 1,
        };
        let wish = wish(id, WishKind::Machine(Box::new(machine)));
        let begin = Instant::now();
        ensure(agent, vec![wish]).await?;
        let accepted = begin.elapsed();
        let seen = agent.probe(&context(), ping(self.neighbour)?).await?;
        let took = begin.elapsed();
        answered(&seen)?;
        let seed = folder.join("seed");
        std::fs::copy(
            Path::new(ground::RUN).join(format!("machines/machines/{id}/seed")),
            &seed,
        )?;
        ground::judge(&agent.remove(&context(), vec![id]).await?)?;
        Ok((took, accepted, seed))
    }
}

/// QEMU by hand, in a namespace with nothing but a tap.
struct Bare {
    space: Space,
    probes: Probes,
    image_tap: &'static str,
}

impl Bare {
    const RUN: &str = "/run/bare";

    async fn build(place: &Place, machines: Arc<Machines>) -> Outcome<Self> {
        let space = Space::make(Path::new(Self::RUN), place.neighbour)?;
        let image_tap = "tap0";
        let options = TapOptions {
            persistent: true,
            ..TapOptions::default()
        };
        drop(space.open_tap(image_tap, options).await?);
        let near = format!("{NEAR}/24");
        for words in [
            vec!["link", "set", image_tap, "mtu", "1450", "up"],
            vec!["addr", "add", &near, "dev", image_tap],
        ] {
            let mut command = Command::new("ip");
            command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
            let done = space.output(command).await?;
            if !done.status.success() {
                return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
            }
        }
        Ok(Self {
            space,
            probes: Probes::new(machines),
            image_tap,
        })
    }

    async fn boot(&self, image: &GuestImage, seed: &Path, mac: MacAddr) -> Outcome<Duration> {
        let mut command = Command::new("qemu-system-x86_64");
        command.args([
            "-no-user-config",
            "-nodefaults",
            "-display",
            "none",
            "-machine",
            "q35",
            "-accel",
            "tcg",
        ]);
        command.args([
            "-cpu",
            "max",
            "-smp",
            "1",
            "-m",
            "96M",
            "-serial",
            "null",
            "-append",
            "console=ttyS0 quiet",
        ]);
        command
            .arg("-kernel")
            .arg(&image.kernel)
            .arg("-initrd")
            .arg(&image.initramfs);
        command.args([
            "-drive",
            &format!("file={},if=virtio,format=raw,readonly=on", seed.display()),
        ]);
        command.args([
            "-netdev",
            &format!("tap,id=n0,ifname={},script=no,downscript=no", self.image_tap),
        ]);
        command.args([
            "-device",
            &format!("virtio-net-pci,netdev=n0,mac={mac},host_mtu={MTU_BYTES},romfile="),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begin = Instant::now();
        let mut qemu = self.space.spawn(command).await?;
        let from = ProbeFrom::Node(self.space.clone());
        let seen = self.probes.probe(&ping(self.space.id())?, from).await;
        let took = begin.elapsed();
        qemu.kill()?;
        qemu.wait()?;
        answered(&seen?)?;
        Ok(took)
    }

    fn clear(self) -> Outcome<()> {
        let id = self.space.id();
        drop(self);
        Space::unpin(Path::new(Self::RUN), id)?;
        Ok(())
    }
}
