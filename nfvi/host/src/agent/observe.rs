//! Observe: what is there, read from the kernel by its labels, and from the machines.

use super::Agent;
use crate::label;
use crate::place::lock;
use futures_util::future::join_all;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{Filter, KindName, Seen};
use std::os::unix::fs::MetadataExt;

impl Agent {
    pub(super) async fn observe_all(&self, filter: &Filter) -> Outcome<Vec<Seen>> {
        let mut seen = Vec::new();
        let wanted = |kind: KindName| filter.kinds.is_empty() || filter.kinds.contains(&kind);
        let places: Vec<_> = lock(&self.state).places.values().cloned().collect();
        for place in &places {
            let pinned = std::fs::metadata(place.space.path())
                .ok()
                .map(|file| (file.dev(), file.ino()));
            let inside = place.namespace.metadata().ok().map(|file| (file.dev(), file.ino()));
            if let Some(wish) = lock(&self.state).known.get(&place.space.id())
                && pinned == inside
            {
                seen.push(Seen {
                    id: wish.id,
                    owner: wish.owner.clone(),
                    kind: wish.kind.name(),
                    place: place.space.path().display().to_string(),
                    machine: None,
                });
            }
        }
        let of_links = [
            KindName::Switch,
            KindName::Cable,
            KindName::Segment,
            KindName::Port,
            KindName::Stitch,
        ];
        if of_links.into_iter().any(wanted) {
            for (place, sight) in join_all(places.iter().map(|place| async move { (place, place.links().await) })).await
            {
                let sight = sight.map_err(|error| CallError::unavailable(error.to_string()).caused_by(error))?;
                for link in sight.links.values() {
                    if let Some(label) = label::read(&self.config.instance, &link.alias)
                        && label.main
                        && label.kind != KindName::Router
                    {
                        seen.push(Seen {
                            id: label.id,
                            owner: label.owner,
                            kind: label.kind,
                            place: format!("{} {}", place.space.path().display(), link.name),
                            machine: None,
                        });
                    }
                }
            }
        }
        if wanted(KindName::Machine) {
            seen.extend(self.machines.observe().await?.into_iter().map(|machine| Seen {
                id: machine.id,
                owner: machine.owner,
                kind: KindName::Machine,
                place: machine.place,
                machine: Some(machine.state),
            }));
        }
        let manager = |seen: &Seen| {
            filter
                .manager
                .as_ref()
                .is_none_or(|manager| *manager == seen.owner.manager)
        };
        let id = |seen: &Seen| filter.ids.is_empty() || filter.ids.contains(&seen.id);
        seen.retain(|seen| wanted(seen.kind) && manager(seen) && id(seen));
        seen.sort_by_key(|seen| (seen.kind, seen.id));
        Ok(seen)
    }
}
