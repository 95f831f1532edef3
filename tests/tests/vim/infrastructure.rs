//! An infrastructure that keeps what it is asked for, and runs every machine that it is told to.

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_nfvi_interface::*;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub(crate) struct Memory {
    there: Mutex<BTreeMap<ObjectId, Wish>>,
}

/// One host with room for a few machines; no gateway.
pub(crate) fn inventory() -> PopInventory {
    let host = HostInventory {
        node: ObjectId::named(Uuid::NAMESPACE_DNS, "host-a"),
        name: "host-a".into(),
        zone: "zone-1".into(),
        underlay: "100.64.0.11".parse().unwrap(),
        underlay_mtu_bytes: 9_000,
        vcpus: 4,
        memory_mib: 1_024,
        provider_cables: BTreeMap::default(),
    };
    PopInventory {
        pop: "site-1".into(),
        location: "here".into(),
        zones: vec!["zone-1".into()],
        hosts: vec![host],
        gateway: None,
        provider_networks: vec![],
        access_points: vec![],
    }
}

impl Memory {
    /// How many objects there are.
    pub(crate) fn left(&self) -> usize {
        self.there.lock().unwrap().len()
    }
}

fn done(id: ObjectId) -> Report {
    Report {
        id,
        failure: None,
        changed: true,
    }
}

fn state(wish: &Wish) -> Option<MachineState> {
    let WishKind::Machine(machine) = &wish.kind else {
        return None;
    };
    Some(match machine.power {
        Power::On => MachineState::Running {
            accelerator: "tcg".into(),
            generation: machine.generation,
        },
        Power::Off => MachineState::Stopped,
    })
}

#[async_trait]
impl Infrastructure for Memory {
    async fn ensure(&self, _: &Context, wishes: Vec<Wish>) -> Outcome<Vec<Report>> {
        let mut there = self.there.lock().unwrap();
        let reports = wishes.iter().map(|wish| done(wish.id)).collect();
        there.extend(wishes.into_iter().map(|wish| (wish.id, wish)));
        Ok(reports)
    }

    async fn remove(&self, _: &Context, ids: Vec<ObjectId>) -> Outcome<Vec<Report>> {
        let mut there = self.there.lock().unwrap();
        there.retain(|id, _| !ids.contains(id));
        Ok(ids.into_iter().map(done).collect())
    }

    async fn observe(&self, _: &Context, filter: Filter) -> Outcome<Vec<Seen>> {
        let there = self.there.lock().unwrap();
        let wanted = |wish: &&Wish| {
            let managed = filter
                .manager
                .as_ref()
                .is_none_or(|manager| *manager == wish.owner.manager);
            managed && (filter.ids.is_empty() || filter.ids.contains(&wish.id))
        };
        let seen = there.values().filter(wanted).map(|wish| Seen {
            id: wish.id,
            owner: wish.owner.clone(),
            kind: wish.kind.name(),
            place: String::new(),
            machine: state(wish),
        });
        Ok(seen.collect())
    }

    /// Nothing changes unasked.
    async fn changes(&self, cx: &Context, since: Cursor) -> Outcome<Changes> {
        let forever = std::future::pending::<()>();
        tokio::time::timeout(cx.deadline.remaining(), forever).await.ok();
        Ok(Changes {
            cursor: since,
            ids: vec![],
            lost: false,
        })
    }

    async fn console(&self, _: &Context, ask: ConsoleAsk) -> Outcome<String> {
        Ok(format!("console of {}", ask.machine))
    }

    async fn probe(&self, _: &Context, _: ProbeAsk) -> Outcome<ProbeSeen> {
        Err(CallError::unsupported("nothing moves here"))
    }

    async fn capabilities(&self, _: &Context, (): ()) -> Outcome<Capabilities> {
        Ok(Capabilities {
            cpus: 2,
            memory_mib: 4_096,
            accelerator: "tcg".into(),
            version: "test".into(),
        })
    }
}
