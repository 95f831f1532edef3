//! Ensure: makes or mends everything that is wished, node by node, several nodes at a time.
//!
//! ```text
//!   check all (pure) ─> labels ─> namespaces ─> per node: rules, links ─> per node: far ends of pairs ─> services ─> machines
//! ```
//!
//! A far end is made by its pair's home; it is configured once all homes are through, because only then it is surely there.

use super::{Agent, known};
use crate::kinds;
use crate::label::{self, name};
use crate::mend::{FarSide, Labelled};
use crate::place::{Job, lock};
use crate::seams::TapPlug;
use crate::space::Space;
use crate::want::{Shape, Want, World};
use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{MachineWish, ObjectId, Report, Wish, WishKind};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;

/// More wishes than one call takes: 64 MiB of JSON on the socket.
const WISHES_MAX: usize = 20_000;
/// Machines that start at the same time: each start costs a process and reading its images.
const MACHINES_AT_ONCE: usize = 8;

/// What the pure half found out.
#[derive(Default)]
struct Plan {
    failed: HashMap<ObjectId, CallError>,
    wants: HashMap<ObjectId, Vec<Labelled>>,
    taps: HashMap<ObjectId, Vec<TapPlug>>,
}

impl Agent {
    pub(super) async fn ensure_all(&self, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        if wishes.len() > WISHES_MAX {
            return Err(CallError::invalid(format!(
                "{} wishes are more than {WISHES_MAX}",
                wishes.len()
            )));
        }
        let mut ids = HashSet::new();
        if let Some(twice) = wishes.iter().find(|wish| !ids.insert(wish.id)) {
            return Err(CallError::invalid(format!("{} is wished for twice", twice.id)));
        }
        let turn = self.turn.lock().await;
        let busy = self.watch.busy(wishes.iter().map(|wish| wish.id).collect());
        let mut plan = self.plan(&wishes);
        let mut changed = HashSet::new();
        self.write_labels(&wishes, &mut plan);
        self.make_spaces(&wishes, &mut plan, &mut changed).await;
        self.make_links(&wishes, &mut plan, &mut changed).await;
        self.ensure_services(&wishes, &mut plan.failed, &mut changed).await;
        drop(turn);
        self.plug_in_again(&mut plan, &mut changed).await;
        self.ensure_machines(&wishes, &mut plan, &mut changed).await;
        drop(busy);
        Ok(wishes
            .iter()
            .map(|wish| Report {
                id: wish.id,
                failure: plan.failed.get(&wish.id).cloned(),
                changed: changed.contains(&wish.id),
            })
            .collect())
    }

    fn plan(&self, wishes: &[Wish]) -> Plan {
        let state = lock(&self.state);
        let mut world = World::new(&state.known, wishes);
        let mut plan = Plan::default();
        let mut order: Vec<_> = wishes.iter().collect();
        order.sort_by_key(|wish| wish.kind.name());
        let mut taken = HashSet::new();
        for wish in order {
            let lost = kinds::stands_on(wish)
                .into_iter()
                .find_map(|on| plan.failed.get(&on).map(|error| (on, error.clone())));
            let wants = match lost {
                Some((on, error)) => {
                    let mut failure = error;
                    failure.detail = format!("stands on {on}, which failed: {}", failure.detail);
                    Err(failure)
                }
                None => kinds::check(wish, &world),
            };
            match wants {
                Ok(wants) => {
                    for want in wants {
                        if taken.insert((want.space, want.name.clone())) {
                            let labelled = self.labelled(want, &world);
                            plan.wants.entry(labelled.want.space).or_default().push(labelled);
                        }
                    }
                    if let WishKind::Machine(machine) = &wish.kind {
                        let taps = machine
                            .interfaces
                            .iter()
                            .filter_map(|port| kinds::tap_of(*port, machine.node, &world).ok());
                        plan.taps.insert(wish.id, taps.collect());
                    }
                }
                Err(failure) => {
                    // Whoever names it meets what stood before, if anything did.
                    world.refuse(wish.id);
                    plan.failed.insert(wish.id, failure);
                }
            }
        }
        plan
    }

    fn labelled(&self, want: Want, world: &World<'_>) -> Labelled {
        let label = world.find(want.object).map_or_else(String::new, |wish| {
            label::write(&self.config.instance, wish.id, &wish.owner, wish.kind.name(), want.part)
        });
        Labelled { want, label, far: None }
    }

    fn write_labels(&self, wishes: &[Wish], plan: &mut Plan) {
        for wish in wishes {
            if plan.failed.contains_key(&wish.id) {
                continue;
            }
            let mut kept = wish.clone();
            if let WishKind::Machine(machine) = &mut kept.kind {
                machine.no_cloud = None; // may hold secrets; its keeper has it
            }
            if lock(&self.state).known.get(&wish.id) == Some(&kept) {
                continue;
            }
            match self.labels.write(&kept) {
                Ok(()) => drop(lock(&self.state).known.insert(wish.id, kept)),
                Err(error) => {
                    let failure = CallError::unavailable("the label could not be written").caused_by(error);
                    plan.failed.insert(wish.id, failure);
                }
            }
        }
    }

    async fn make_spaces(&self, wishes: &[Wish], plan: &mut Plan, changed: &mut HashSet<ObjectId>) {
        let asked: Vec<_> = wishes
            .iter()
            .filter(|wish| !plan.failed.contains_key(&wish.id))
            .filter_map(|wish| match &wish.kind {
                WishKind::Node(node) => Some((wish.id, node.forwarding)),
                WishKind::Router(_) => Some((wish.id, true)),
                _ => None,
            })
            .collect();
        let made = join_all(
            asked
                .into_iter()
                .map(|(id, forwarding)| async move { (id, self.make_space(id, forwarding).await) }),
        )
        .await;
        for (id, result) in made {
            match result {
                Ok(true) => drop(changed.insert(id)),
                Ok(false) => {}
                Err(error) => {
                    let failure = CallError::internal(format!("namespace of {id}: {error}")).caused_by(error);
                    plan.failed.insert(id, failure);
                }
            }
        }
    }

    /// Makes a namespace that is not there; answers whether anything was done.
    async fn make_space(&self, id: ObjectId, forwarding: bool) -> Result<bool, crate::SpaceError> {
        if let Some(place) = self.place(id) {
            let inode = |path: std::io::Result<std::fs::Metadata>| path.ok().map(|file| (file.dev(), file.ino()));
            if inode(std::fs::metadata(place.space.path())) == inode(place.namespace.metadata()) {
                return place.set_forwarding(forwarding).await;
            }
            // Somebody unmounted it: what is in it is lost to everybody else.
            self.watch.forget(id);
            lock(&self.state).places.remove(&id);
            Space::unpin(&self.config.run_dir, id)?;
        }
        let run_dir = self.config.run_dir.clone();
        let make = move || Space::make(&run_dir, id);
        let space = tokio::task::spawn_blocking(make)
            .await
            .map_err(|error| crate::SpaceError::Make {
                path: Space::path_of(&self.config.run_dir, id),
                source: std::io::Error::other(error),
            })??;
        let place = self.open(space).await?;
        place.settle(forwarding).await?;
        Ok(true)
    }

    async fn make_links(&self, wishes: &[Wish], plan: &mut Plan, changed: &mut HashSet<ObjectId>) {
        let (near, far) = self.jobs(plan);
        self.run_jobs(near, wishes, plan, changed).await;
        let far = far
            .into_iter()
            .map(|(space, mut job)| {
                job.wants
                    .retain(|labelled| !plan.failed.contains_key(&labelled.want.object));
                (space, job)
            })
            .collect();
        self.run_jobs(far, wishes, plan, changed).await;
    }

    /// What is done first and second in each space. An object whose space is not there fails here.
    fn jobs(&self, plan: &mut Plan) -> (HashMap<ObjectId, Job>, HashMap<ObjectId, Job>) {
        let state = lock(&self.state);
        let (mut near, mut far) = (HashMap::<ObjectId, Job>::new(), HashMap::<ObjectId, Job>::new());
        for (space, wants) in std::mem::take(&mut plan.wants) {
            for mut labelled in wants {
                let object = labelled.want.object;
                if plan.failed.contains_key(&object) {
                    continue;
                }
                let mut needed = vec![space];
                if let Shape::Pair { far_space, .. } = &labelled.want.shape {
                    needed.push(*far_space);
                }
                if let Some(absent) = needed.iter().find(|space| !state.places.contains_key(space)) {
                    let failure = CallError::conflict(format!("node {absent} is wished for but not there"))
                        .cure("ensure the node again");
                    plan.failed.insert(object, failure);
                    continue;
                }
                let round = match &labelled.want.shape {
                    Shape::Far { .. } => &mut far,
                    Shape::Pair { far_space, .. } => {
                        labelled.far = state.places.get(far_space).map(|place| FarSide {
                            namespace: place.namespace.clone(),
                            next_index: place.next_index.clone(),
                        });
                        &mut near
                    }
                    _ => &mut near,
                };
                round.entry(space).or_default().wants.push(labelled);
            }
        }
        for (space, job) in &mut near {
            let segments = job.wants.iter().any(|labelled| {
                labelled
                    .want
                    .name
                    .starts_with(&format!("{}{}", name::PREFIX, name::SEGMENT))
                    || labelled
                        .want
                        .name
                        .starts_with(&format!("{}{}", name::PREFIX, name::PORT))
            });
            if segments {
                job.guard = Some(known::guard_of(&state.known, *space));
            }
        }
        (near, far)
    }

    async fn run_jobs(
        &self,
        jobs: HashMap<ObjectId, Job>,
        wishes: &[Wish],
        plan: &mut Plan,
        changed: &mut HashSet<ObjectId>,
    ) {
        let done = join_all(jobs.into_iter().map(|(space, job)| async move {
            let objects: Vec<_> = job.wants.iter().map(|labelled| labelled.want.object).collect();
            let leases = job.guard.is_some();
            let Some(place) = self.place(space) else {
                return (space, leases, objects, None);
            };
            let done = place.work(self.config.instance.clone(), job).await;
            (space, leases, objects, Some(done))
        }))
        .await;
        for (space, leases, objects, done) in done {
            match done {
                Some(Ok(done)) => {
                    changed.extend(done.changed);
                    for (object, failure) in done.failed {
                        plan.failed.entry(object).or_insert(failure);
                    }
                    if !done.reguarded.is_empty() {
                        changed.extend(
                            wishes
                                .iter()
                                .map(|wish| wish.id)
                                .filter(|id| done.reguarded.contains(&name::of(name::PORT, *id))),
                        );
                    }
                    if leases && let Some(place) = self.place(space) {
                        known::set_leases(&lock(&self.state).known, &place, &done.indexes);
                    }
                }
                failed => {
                    let why = failed
                        .and_then(Result::err)
                        .map_or_else(String::new, |error| format!(": {error}"));
                    for object in objects {
                        let failure = CallError::unavailable(format!("node {space} cannot be worked on{why}"));
                        plan.failed.entry(object).or_insert(failure);
                    }
                }
            }
        }
    }

    /// A tap that had to be made again is of no use to a machine that held the old one.
    async fn plug_in_again(&self, plan: &mut Plan, changed: &mut HashSet<ObjectId>) {
        let machines: Vec<_> = {
            let state = lock(&self.state);
            let world = World::new(&state.known, &[]);
            let plugged = |wish: &Wish| {
                let WishKind::Machine(machine) = &wish.kind else {
                    return None;
                };
                let again: Vec<_> = machine
                    .interfaces
                    .iter()
                    .copied()
                    .filter(|port| changed.contains(port))
                    .collect();
                let taps = machine
                    .interfaces
                    .iter()
                    .map(|port| kinds::tap_of(*port, machine.node, &world));
                let taps: Vec<_> = taps.collect::<Result<_, _>>().ok()?;
                (!again.is_empty()).then_some((wish.id, again, taps))
            };
            state.known.values().filter_map(plugged).collect()
        };
        for (id, again, taps) in machines {
            match self.machines.plug_in(id, taps).await {
                Ok(true) => drop(changed.insert(id)),
                Ok(false) => {}
                Err(failure) => plan
                    .failed
                    .extend(again.into_iter().map(|port| (port, failure.clone()))),
            }
        }
    }

    async fn ensure_machines(&self, wishes: &[Wish], plan: &mut Plan, changed: &mut HashSet<ObjectId>) {
        let mut starts = Vec::new();
        for wish in wishes {
            let WishKind::Machine(machine) = &wish.kind else {
                continue;
            };
            if plan.failed.contains_key(&wish.id) {
                continue;
            }
            if let Some(failure) = machine
                .interfaces
                .iter()
                .find_map(|port| plan.failed.get(port))
                .cloned()
            {
                plan.failed.insert(wish.id, failure);
                continue;
            }
            let taps = plan.taps.remove(&wish.id).unwrap_or_default();
            starts.push(async move { (wish.id, self.ensure_machine(wish, machine, taps).await) }.boxed());
        }
        let outcomes: Vec<_> = stream::iter(starts).buffer_unordered(MACHINES_AT_ONCE).collect().await;
        for (id, outcome) in outcomes {
            match outcome {
                Ok(true) => drop(changed.insert(id)),
                Ok(false) => {}
                Err(failure) => drop(plan.failed.insert(id, failure)),
            }
        }
    }

    async fn ensure_machine(&self, wish: &Wish, machine: &MachineWish, taps: Vec<TapPlug>) -> Outcome<bool> {
        let place = self
            .place(machine.node)
            .ok_or_else(|| CallError::conflict(format!("node {} is wished for but not there", machine.node)))?;
        self.machines
            .ensure(wish.id, &wish.owner, machine, taps, &place.space)
            .await
    }
}
