//! Remove: what is named and all that stands on it. What to remove is read from the kernel by its label, not from what was wished.
//!
//! Order: machines and services first, so that nothing sends any more; then the links of each namespace that stays, all at once;
//! then the namespaces, which take their links with them; then the labels. Whatever fails is reported, and the rest goes on.

use super::{Agent, known};
use crate::kinds;
use crate::label::{self, name};
use crate::netlink::LinkSeen;
use crate::place::lock;
use crate::space::Space;
use crate::want::World;
use futures_util::future::join_all;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{KindName, ObjectId, Report, WishKind};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl Agent {
    pub(super) async fn remove_all(&self, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        let _turn = self.turn.lock().await;
        let doomed = self.with_dependents(&ids);
        let _busy = self.watch.busy(doomed.iter().copied().collect());
        let mut failed: HashMap<ObjectId, CallError> = HashMap::new();

        let of_kind = |wanted: KindName| -> Vec<ObjectId> {
            let state = lock(&self.state);
            let is = |id: &ObjectId| state.known.get(id).is_some_and(|wish| wish.kind.name() == wanted);
            doomed.iter().copied().filter(is).collect()
        };
        let machines = of_kind(KindName::Machine);
        for (id, outcome) in join_all(
            machines
                .iter()
                .map(|id| async move { (*id, self.machines.remove(*id).await) }),
        )
        .await
        {
            if let Err(failure) = outcome {
                failed.insert(id, failure);
            }
        }
        let nodes = of_kind(KindName::Node);
        self.end_services(&nodes, &mut failed).await;
        let spaces: HashSet<_> = nodes.into_iter().chain(of_kind(KindName::Router)).collect();
        self.delete_links(&doomed, &spaces, &mut failed).await;
        self.delete_spaces(&spaces, &doomed, &mut failed);

        let mut reports: HashMap<ObjectId, Report> = HashMap::new();
        for id in &doomed {
            let mut failure = failed.remove(id);
            let there = lock(&self.state).known.contains_key(id);
            if failure.is_none() {
                match self.labels.remove(*id) {
                    Ok(()) => drop(lock(&self.state).known.remove(id)),
                    Err(error) => {
                        failure = Some(CallError::unavailable("the label could not be removed").caused_by(error))
                    }
                }
            }
            reports.insert(
                *id,
                Report {
                    id: *id,
                    failure,
                    changed: there,
                },
            );
        }
        // The objects that were asked for, in their order; what hung on them only where it failed.
        let mut answer: Vec<_> = ids.iter().filter_map(|id| reports.remove(id)).collect();
        answer.extend(reports.into_values().filter(|report| report.failure.is_some()));
        Ok(answer)
    }

    fn with_dependents(&self, ids: &[ObjectId]) -> HashSet<ObjectId> {
        let state = lock(&self.state);
        let mut standing: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for wish in state.known.values() {
            for on in kinds::stands_on(wish) {
                standing.entry(on).or_default().push(wish.id);
            }
        }
        let mut doomed = HashSet::new();
        let mut next = ids.to_vec();
        while let Some(id) = next.pop() {
            if doomed.insert(id) {
                next.extend(standing.get(&id).into_iter().flatten());
            }
        }
        doomed
    }

    /// In each namespace that stays and may hold a link of these objects.
    async fn delete_links(
        &self,
        doomed: &HashSet<ObjectId>,
        dying: &HashSet<ObjectId>,
        failed: &mut HashMap<ObjectId, CallError>,
    ) {
        let doomed = Arc::new(doomed.clone());
        let mut left = lock(&self.state).known.clone();
        left.retain(|id, _| !doomed.contains(id));
        let work: Vec<_> = {
            let state = lock(&self.state);
            let world = World::new(&state.known, &[]);
            let mut spaces = HashSet::new();
            for wish in doomed.iter().filter_map(|id| state.known.get(id)) {
                match (kinds::check(wish, &world), &wish.kind) {
                    (Ok(wants), _) => spaces.extend(wants.into_iter().map(|want| want.space)),
                    // Something that it names is gone already: it may be anywhere.
                    (Err(_), WishKind::Node(_) | WishKind::Machine(_)) => {}
                    (Err(_), _) => spaces.extend(state.places.keys().copied()),
                }
            }
            spaces
                .into_iter()
                .filter(|space| !dying.contains(space))
                .filter_map(|space| state.places.get(&space).cloned())
                .map(|place| {
                    let node = place.space.id();
                    let guard = known::guard_of(&left, node);
                    let had = known::guard_of(&state.known, node).is_some();
                    (place, (had || guard.is_some()).then_some(guard))
                })
                .collect()
        };
        let done = join_all(work.into_iter().map(|(place, guard)| {
            let (instance, doomed) = (self.config.instance.clone(), doomed.clone());
            async move {
                let which = move |link: &LinkSeen| match label::read(&instance, &link.alias) {
                    Some(label) => doomed.contains(&label.id).then_some(label.id),
                    // A tap whose maker died before it could label it.
                    None if link.alias.is_empty() => {
                        doomed.iter().copied().find(|id| link.name == name::of(name::PORT, *id))
                    }
                    None => None,
                };
                let done = place.delete(which, guard).await;
                (place, done)
            }
        }))
        .await;
        for (place, done) in done {
            let node = place.space.id();
            match done {
                Ok(done) => {
                    // A failure that is the whole group's is each one's.
                    for (object, failure) in done.failed {
                        let of = if object == node {
                            done.changed.iter().copied().collect()
                        } else {
                            vec![object]
                        };
                        failed.extend(of.into_iter().map(|object| (object, failure.clone())));
                    }
                }
                Err(error) => {
                    let failure = CallError::unavailable(format!("node {node} cannot be worked on: {error}"));
                    failed.extend(doomed.iter().map(|object| (*object, failure.clone())));
                }
            }
            let indexes = match place.links().await {
                Ok(sight) => sight.links.into_values().map(|link| (link.name, link.index)).collect(),
                Err(_) => HashMap::new(),
            };
            known::set_leases(&left, &place, &indexes);
        }
    }

    fn delete_spaces(
        &self,
        spaces: &HashSet<ObjectId>,
        doomed: &HashSet<ObjectId>,
        failed: &mut HashMap<ObjectId, CallError>,
    ) {
        for space in spaces.iter().filter(|space| doomed.contains(space)) {
            self.watch.forget(*space);
            lock(&self.state).places.remove(space);
            if let Err(error) = Space::unpin(&self.config.run_dir, *space) {
                failed.insert(*space, CallError::unavailable(error.to_string()).caused_by(error));
            }
        }
    }
}
