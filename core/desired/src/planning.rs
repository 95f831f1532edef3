//! Calls become documents: each is planned over what those before it left, and all that come together share a commit.

use crate::handle::{Job, Plan};
use crate::pending::{Effect, Pending, answer};
use crate::worker::{WAITING, Worker};
use crate::{Change, Decision, Done, Held, Phase, Realm, documents};
use manifold_call::{CallError, Outcome, Uuid};
use manifold_store::{Expect, Write};
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Calls that are planned together and share a commit.
pub(crate) const TOGETHER: usize = 256;
/// How often more calls are taken before a request is made for those that are planned: calls that come together come while the first
/// are being written, and one request for all of them costs the outside less than one for each few.
const GATHERINGS: usize = 3;

impl<R: Realm> Worker<R> {
    /// Plans what has come in meanwhile, if a request is about to be made for others.
    pub(crate) async fn gather(
        &mut self,
        queue: &mut mpsc::Receiver<Job<R::Document>>,
        jobs: &mut Vec<Job<R::Document>>,
    ) {
        for _ in 0..GATHERINGS {
            if self.pending.is_empty() || self.pending.len() >= WAITING || queue.is_empty() {
                return;
            }
            queue.recv_many(jobs, TOGETHER).await;
            self.plan(std::mem::take(jobs)).await;
        }
    }

    /// Plans each job over the documents as the jobs before left them, then commits once.
    pub(crate) async fn plan(&mut self, jobs: Vec<Job<R::Document>>) {
        let mut planned = Vec::new();
        let mut writes = Vec::new();
        for job in jobs {
            if let Some(same) = self.same_call(job.identity, &mut planned) {
                same.replies.push(job.reply);
                continue;
            }
            match self.decide(job.plan, &mut planned, &mut writes) {
                Ok(None) => answer(vec![job.reply], Ok(Done::default())),
                Ok(Some(Effect { puts, leaves, awaits })) => planned.push(Pending {
                    cx: job.cx,
                    identity: job.identity,
                    puts,
                    leaves,
                    awaits,
                    failed: None,
                    replies: vec![job.reply],
                }),
                Err(error) => answer(vec![job.reply], Err(error)),
            }
        }
        if planned.is_empty() {
            return;
        }
        match self.commit(writes).await {
            Ok(()) => {
                let (surplus, lacking) = self.difference();
                let mut asked: BTreeSet<Uuid> = lacking.into_iter().flat_map(|wished| wished.documents).collect();
                {
                    let shared = self.shared();
                    let going = surplus.iter().filter_map(|id| shared.known.get(id));
                    asked.extend(going.flat_map(|known| known.documents.iter().copied()));
                }
                for call in planned {
                    // A call that changes nothing outside does not wait for those that do.
                    if call.leaves.is_empty() && !call.wished().any(|id| asked.contains(&id)) {
                        self.settle(&call);
                        answer(call.replies, Ok(Done::default()));
                    } else {
                        self.pending.push(call);
                    }
                }
            }
            Err(error) => {
                // Whether it was written cannot be known: what was before is written with the next commit.
                for call in planned.into_iter().rev() {
                    let back = self.put_back(&call.puts, &call.leaves);
                    self.unsaved.extend(back);
                    answer(call.replies, Err(error.clone()));
                }
            }
        }
    }

    /// The call of this identity that is under way, if one is.
    fn same_call<'a>(
        &'a mut self,
        identity: Option<Uuid>,
        planned: &'a mut [Pending<R::Document>],
    ) -> Option<&'a mut Pending<R::Document>> {
        let identity = identity?;
        let under_way = self.pending.iter_mut().chain(&mut self.served).chain(planned);
        under_way.into_iter().find(|call| call.identity == Some(identity))
    }

    fn decide(
        &self,
        plan: Plan<R::Document>,
        planned: &mut [Pending<R::Document>],
        writes: &mut Vec<Write>,
    ) -> Outcome<Option<Effect<R::Document>>> {
        let mut shared = self.shared();
        let Change { puts, leaves } = match plan(&shared.documents)? {
            Decision::Already => return Ok(None),
            Decision::Stands(awaits) => {
                return Ok(Some(Effect {
                    puts: Vec::new(),
                    leaves: Vec::new(),
                    awaits,
                }));
            }
            Decision::Do(change) => change,
        };
        let touched: BTreeSet<Uuid> = puts.iter().map(|(id, ..)| *id).chain(leaves.iter().copied()).collect();
        let mut under_way = self.pending.iter().chain(&self.served).chain(planned.iter());
        if let Some(held) = under_way.find_map(|call| call.touches().find(|id| touched.contains(id))) {
            return Err(CallError::busy(format!("{held} is in the hands of another call")).cure("repeat it later"));
        }
        let mut before = Vec::new();
        for (id, tenant, body) in puts {
            let old = shared.documents.held.get(&id).cloned();
            let phase = if old.is_some() { Phase::Changing } else { Phase::Making };
            let held = Held {
                body,
                tenant,
                leaving: false,
                phase,
            };
            writes.push(documents::put(R::KIND, self.realm.instance(), id, &held)?);
            shared.documents.held.insert(id, held);
            before.push((id, old));
        }
        for id in &leaves {
            let Some(held) = shared.documents.held.get_mut(id) else {
                continue;
            };
            held.leaving = true;
            writes.push(documents::put(R::KIND, self.realm.instance(), *id, held)?);
        }
        Ok(Some(Effect {
            puts: before,
            leaves,
            awaits: Vec::new(),
        }))
    }

    /// In memory as before the call, with the writes that make the store so, too.
    fn put_back(&self, puts: &[(Uuid, Option<Held<R::Document>>)], leaves: &[Uuid]) -> Vec<Write> {
        let mut shared = self.shared();
        let mut writes = Vec::new();
        let instance = self.realm.instance();
        for (id, before) in puts {
            match before {
                Some(before) => {
                    writes.extend(documents::put(R::KIND, instance, *id, before));
                    shared.documents.held.insert(*id, before.clone());
                }
                None => {
                    writes.push(Write::delete(R::KIND, id.to_string(), Expect::Any));
                    shared.documents.held.remove(id);
                }
            }
        }
        for id in leaves {
            if let Some(held) = shared.documents.held.get_mut(id) {
                held.leaving = false;
                writes.extend(documents::put(R::KIND, instance, *id, held));
            }
        }
        writes
    }
}
