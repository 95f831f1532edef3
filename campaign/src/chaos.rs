//! SIGKILL at random moments of a small network service's life, while numbered packets cross another one.
//!
//! A life is instantiate → scale out → heal (of a machine whose process was killed) → scale in → terminate, each by the command
//! line, and any of them may be struck: at a moment between its start and a little after the end that it has when nobody strikes.
//! Then what was killed is started again, every operation comes to rest in a state that ETSI's machine has, what failed for the
//! time being is retried or rolled back, and the life goes on from the state that the service is in. At its end the agent's
//! objects, and the kernel's as `ip` and `nft` tell of them, are the ones from before.

use crate::chance::Chance;
use crate::cluster::{COMMAND, Cluster, Victim};
use crate::command::Running;
use crate::life::{Objects, Operations, Services, each, kernel, objects, state_of, text};
use crate::stream::Stream;
use crate::wait::wait_for;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// After its last operation a life may leave work to the loops that reconcile: objects whose maker was killed before it knew them.
const SETTLE: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Chaos {
    /// How many kills.
    pub kills: u32,
    /// Repeats all choices.
    pub seed: u64,
    /// Begins with this life instead of the first: one that failed is repeated without those before it.
    pub first_life: u64,
}

const PHASES: [(&str, &[&str]); 5] = [
    ("instantiate", &["ns", "instantiate", "small"]),
    (
        "scale out",
        &[
            "ns", "scale", "small", "--vnf", "worker", "--aspect", "size", "--steps", "+1",
        ],
    ),
    ("heal", &["ns", "heal", "small"]),
    (
        "scale in",
        &[
            "ns", "scale", "small", "--vnf", "worker", "--aspect", "size", "--steps", "-1",
        ],
    ),
    ("terminate", &["ns", "terminate", "small"]),
];

/// How long each phase takes when nobody strikes.
type Spans = BTreeMap<&'static str, Duration>;

struct Campaign<'a> {
    cluster: Cluster,
    operations: Operations,
    streams: Vec<Stream>,
    spans: Spans,
    kills: u32,
    wanted: u32,
    slowest_settling: Duration,
    tally: BTreeMap<String, u32>,
    seed: u64,
    run_dir: &'a Path,
}

/// Panics when anything is not as the module says.
pub fn chaos(program: &Path, cache: &Path, folder: &Path, what: Chaos) {
    println!(
        "chaos: {} kills, seed {}, from life {}",
        what.kills, what.seed, what.first_life
    );
    let begun = Instant::now();
    let cluster = Cluster::start(program, cache, folder);
    let services = Services::prepare(&cluster);
    let access = services.access(&cluster, "standing");
    let machines = services.addresses(&cluster, "standing", "lan");
    assert_eq!(machines.len(), 2, "{machines:?}");
    let streams = machines.values().map(|to| Stream::begin(&access, *to)).collect();
    let run_dir = cluster.run_dir();
    let mut campaign = Campaign {
        cluster,
        operations: Operations::default(),
        streams,
        spans: Spans::new(),
        kills: 0,
        wanted: what.kills,
        slowest_settling: Duration::ZERO,
        tally: BTreeMap::new(),
        seed: what.seed,
        run_dir: &run_dir,
    };
    campaign.undisturbed();
    let mut life = what.first_life;
    while campaign.kills < campaign.wanted {
        campaign.life(life);
        life += 1;
    }
    let packets: Vec<u64> = campaign.streams.iter().map(Stream::unbroken).collect();
    let silence = campaign
        .streams
        .iter()
        .map(Stream::longest_silence)
        .max()
        .unwrap_or_default();
    println!(
        "chaos: {} kills in {} lives, seed {}: {}; packets {packets:?}, none lost, longest silence {} ms; slowest settling {} ms; {} s",
        campaign.kills,
        life - what.first_life,
        what.seed,
        campaign
            .tally
            .iter()
            .map(|(what, times)| format!("{what} {times}"))
            .collect::<Vec<_>>()
            .join(", "),
        silence.as_millis(),
        campaign.slowest_settling.as_millis(),
        begun.elapsed().as_secs(),
    );
}

impl Campaign<'_> {
    /// A life without a kill: it tells how long each phase takes.
    fn undisturbed(&mut self) {
        let before = (objects(&self.cluster), kernel(self.run_dir));
        for (name, words) in PHASES {
            self.ready_for(name);
            let begun = Instant::now();
            self.cluster.json(words);
            self.spans.insert(name, begun.elapsed());
        }
        self.as_before(&before, "an undisturbed life");
        println!("chaos: undisturbed: {:?}", self.spans);
    }

    fn life(&mut self, life: u64) {
        let mut chance = Chance::of(self.seed, life);
        let before = (objects(&self.cluster), kernel(self.run_dir));
        // At least one phase is struck.
        let sure = chance.below(PHASES.len() as u64 - 1);
        for (at, (name, words)) in PHASES.into_iter().enumerate() {
            let strike = chance.coin() || at as u64 == sure;
            let victim = chance.pick(&Victim::ALL);
            // Up to a sixth later than its usual end.
            let permille = chance.below(1_167);
            if !self.ready_for(name) {
                continue;
            }
            if strike && self.kills < self.wanted {
                let delay = self.spans[name].mul_f64(permille as f64 / 1_000.0);
                self.strike(life, name, words, victim, delay, &mut chance);
            } else {
                self.cluster.json(words);
            }
            match state_of(&self.cluster, "small").as_deref() {
                Some("INSTANTIATED") => self.all_run(name),
                // Rolled back, or struck before it began: this life is over.
                Some("NOT_INSTANTIATED") => break,
                None => break,
                Some(other) => panic!("life {life}: {name} left the service {other}"),
            }
        }
        if state_of(&self.cluster, "small").is_some() {
            // Of one that is not instantiated there is no operation to tell of.
            self.cluster.run(&["ns", "terminate", "small", "--json"]).ok();
        }
        self.as_before(&before, &format!("life {life} of seed {}", self.seed));
        self.streams.iter().for_each(|stream| {
            stream.unbroken();
        });
    }

    /// What a phase needs beforehand: a machine to heal, or one too many. False when there is none, because an earlier phase was
    /// struck before it began.
    fn ready_for(&self, name: &str) -> bool {
        match name {
            "scale in" => machines(&self.cluster).len() == 2,
            "heal" => {
                let pid = *emulators()
                    .first()
                    .unwrap_or_else(|| panic!("the small service has no machine"));
                kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap_or_else(|errno| panic!("SIGKILL: {errno}"));
                wait_for("a killed machine is noticed", SETTLE, || {
                    machines(&self.cluster)
                        .iter()
                        .any(|state| state != "RUNNING")
                        .then_some(())
                });
                true
            }
            _ => true,
        }
    }

    /// After a phase that makes machines: those that the service has run, and no others.
    fn all_run(&self, name: &str) {
        if !["instantiate", "scale out"].contains(&name) {
            return;
        }
        let end = Instant::now() + SETTLE;
        loop {
            let (machines, emulators) = (machines(&self.cluster), emulators());
            if machines.iter().all(|state| state == "RUNNING") && machines.len() == emulators.len() {
                return;
            }
            assert!(
                Instant::now() < end,
                "after {name}: machines {machines:?}, processes {emulators:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn strike(&mut self, life: u64, name: &str, words: &[&str], victim: Victim, delay: Duration, chance: &mut Chance) {
        self.kills += 1;
        let command = Running::start(self.cluster.line(&[words, &["--json"]].concat()));
        std::thread::sleep(delay);
        self.cluster.kill(victim);
        let killed = Instant::now();
        self.cluster.go_on();
        let back = killed.elapsed();
        // It may have ended before, or have lost its connection; what counts is what the operations say.
        let code = command.end(COMMAND).code;
        let cures = self.operations.rest(&self.cluster, chance);
        let rested = killed.elapsed();
        let state = state_of(&self.cluster, "small");
        println!(
            "chaos: kill {} (life {life}): {victim:?} {} ms into {name}; back after {} ms, at rest after {} ms; the command ended {code:?}; {cures:?}; the service is {state:?}",
            self.kills,
            delay.as_millis(),
            back.as_millis(),
            rested.as_millis(),
        );
        for what in [format!("{victim:?}"), name.to_owned()].into_iter().chain(cures) {
            *self.tally.entry(what).or_default() += 1;
        }
    }

    fn as_before(&mut self, before: &(Objects, BTreeSet<String>), what: &str) {
        let begun = Instant::now();
        let mut last = String::new();
        let end = begun + SETTLE;
        loop {
            let now = (objects(&self.cluster), kernel(self.run_dir));
            if now == *before {
                break;
            }
            let agent: Vec<_> = now.0.symmetric_difference(&before.0).collect();
            let seen: Vec<_> = now.1.symmetric_difference(&before.1).collect();
            last = format!("{agent:#?}\n{seen:#?}");
            assert!(Instant::now() < end, "{what} left what differs from before:\n{last}");
            std::thread::sleep(Duration::from_millis(100));
        }
        if !last.is_empty() {
            println!("chaos: {what}: settled after {} ms", begun.elapsed().as_millis());
        }
        self.slowest_settling = self.slowest_settling.max(begun.elapsed());
    }
}

/// The states of the small service's machines.
fn machines(cluster: &Cluster) -> Vec<String> {
    let topology = cluster.json(&["topology", "small"]);
    let vnfcs = each(&topology["vnfs"]).flat_map(|vnf| each(&vnf["vnfcs"]));
    vnfcs.map(|vnfc| text(&vnfc["state"])).collect()
}

/// The processes of the small service's machines, as /proc tells of them.
fn emulators() -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_ours = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("qemu-system") && line.contains("small-worker")
    };
    pids.filter(is_ours).collect()
}
