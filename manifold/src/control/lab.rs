//! The lab service: creates the embedded infrastructure from a file, opens a VIM for each PoP and a WIM for the WAN on it, and
//! takes all of it away again.
//!
//! The file is kept before anything is made, so that a crash in the middle ends in the whole lab or in none. At the next start
//! the lab is made, or mended, again: after a reboot of the machine that is everything.

use super::sites::{Binding, Loops, Sites};
use manifold_call::{CallError, Context, Outcome, Role};
use manifold_lab::Lab;
use manifold_nfvi_interface::{
    BoundInfrastructure, ConsoleAsk, Filter, Infrastructure, ObjectId, ProbeAsk, ProbeSeen, Seen,
};
use manifold_store::{Batch, Expect, Kind, Put, Store};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Mutex;
use utoipa::ToSchema;

const LAB: Kind = Kind("lab");
const ONLY: &str = "lab";

/// The lab's document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    text: String,
    state: LabState,
}

/// How far the lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LabState {
    /// Being made.
    Creating,
    /// There.
    Ready,
    /// Being taken away.
    Destroying,
}

/// See the module.
pub struct LabService {
    store: Arc<dyn Store>,
    infrastructure: Arc<dyn Infrastructure>,
    sites: Sites,
    loops: Mutex<Loops>,
}

fn failed(error: manifold_store::StoreError) -> CallError {
    CallError::internal("the lab's document could not be read or written").caused_by(error)
}

impl LabService {
    /// No lab is opened yet. `infrastructure` is the agent, unbound.
    pub fn new(
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
        sites: Sites,
        binding: &Binding,
    ) -> Arc<Self> {
        let infrastructure = BoundInfrastructure::bind(infrastructure, binding.gate(Role::Lab, Role::Nfvi, "agent"));
        Arc::new(Self {
            store,
            infrastructure,
            sites,
            loops: Mutex::default(),
        })
    }

    async fn kept(&self) -> Outcome<Option<(u64, Kept)>> {
        let doc = self.store.get(LAB, ONLY).await.map_err(failed)?;
        doc.map(|doc| Ok((doc.revision, doc.read::<Kept>().map_err(failed)?)))
            .transpose()
    }

    async fn keep(&self, kept: &Kept, expect: Expect) -> Outcome<()> {
        let body = serde_json::to_value(kept)
            .map_err(|error| CallError::internal("the lab has no JSON form").caused_by(error))?;
        self.store
            .commit(Batch::new().write(Put::new(LAB, ONLY, expect, body)))
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// The lab that there is.
    pub async fn show(&self) -> Outcome<Option<(Lab, LabState)>> {
        let Some((_, kept)) = self.kept().await? else {
            return Ok(None);
        };
        Ok(Some((read(&kept.text)?, kept.state)))
    }

    /// Makes it. The same file again mends it. Errors: `Invalid` (what is wrong with the file), `Conflict` (another lab is there).
    pub async fn create(&self, cx: &Context, text: &str) -> Outcome<Lab> {
        let lab = read(text)?;
        let mut loops = self.loops.lock().await;
        let expect = match self.kept().await? {
            None => Expect::Absent,
            Some((revision, kept)) if read(&kept.text).is_ok_and(|known| known.name == lab.name) => {
                Expect::Exactly(revision)
            }
            Some((_, kept)) => {
                let name = read(&kept.text).map_or_else(|_| "?".into(), |lab| lab.name);
                return Err(CallError::conflict(format!("the lab {name} is there already"))
                    .cure("destroy it first: `manifold lab destroy`"));
            }
        };
        self.keep(
            &Kept {
                text: text.to_owned(),
                state: LabState::Creating,
            },
            expect,
        )
        .await?;
        if let Err(error) = manifold_lab::apply(&lab, &self.infrastructure, cx).await {
            self.take_back(cx, &lab, &error).await;
            return Err(error);
        }
        self.keep(
            &Kept {
                text: text.to_owned(),
                state: LabState::Ready,
            },
            Expect::Any,
        )
        .await?;
        loops.stop().await;
        *loops = self.sites.open(&lab.pops, lab.wan.as_ref()).await?;
        Ok(lab)
    }

    /// A lab that could not be made whole is not left half.
    async fn take_back(&self, cx: &Context, lab: &Lab, why: &CallError) {
        tracing::warn!(lab = %lab.name, %why, "The lab could not be made; what was made of it is taken away.");
        let gone = manifold_lab::destroy(&lab.name, &self.infrastructure, cx).await;
        let forgotten = match gone {
            Ok(_) => self
                .store
                .commit(Batch::new().delete(LAB, ONLY, Expect::Any))
                .await
                .map(|_| ())
                .map_err(failed),
            Err(error) => Err(error),
        };
        if let Err(error) = forgotten {
            tracing::error!(lab = %lab.name, %error, "What was made of the lab could not be taken away; `manifold lab destroy` tries again.");
        }
    }

    /// Takes it away. `in_use` names what still stands on it. Absent is success.
    pub async fn destroy(&self, cx: &Context, in_use: &[String]) -> Outcome<()> {
        let mut loops = self.loops.lock().await;
        let Some((_, kept)) = self.kept().await? else {
            return Ok(());
        };
        if !in_use.is_empty() {
            return Err(
                CallError::conflict(format!("the lab is in use: {}", in_use.join(", "))).cure("terminate them first")
            );
        }
        let lab = read(&kept.text)?;
        self.keep(
            &Kept {
                state: LabState::Destroying,
                ..kept
            },
            Expect::Any,
        )
        .await?;
        self.sites.close();
        loops.stop().await;
        self.finish_destroy(cx, &lab).await
    }

    async fn finish_destroy(&self, cx: &Context, lab: &Lab) -> Outcome<()> {
        manifold_lab::destroy(&lab.name, &self.infrastructure, cx).await?;
        self.store
            .commit(Batch::new().delete(LAB, ONLY, Expect::Any))
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// At the start: makes or mends the lab that is kept, or finishes taking it away. Tells whether anything had to be made.
    pub async fn recover(&self, cx: &Context) -> Outcome<usize> {
        let mut loops = self.loops.lock().await;
        let Some((_, kept)) = self.kept().await? else {
            return Ok(0);
        };
        let lab = read(&kept.text)?;
        if kept.state == LabState::Destroying {
            self.finish_destroy(cx, &lab).await?;
            return Ok(0);
        }
        let made = manifold_lab::apply(&lab, &self.infrastructure, cx).await?;
        self.keep(
            &Kept {
                state: LabState::Ready,
                ..kept
            },
            Expect::Any,
        )
        .await?;
        *loops = self.sites.open(&lab.pops, lab.wan.as_ref()).await?;
        Ok(made)
    }

    /// Ends the reconcile loops; the lab stays.
    pub async fn stop(&self) {
        self.loops.lock().await.stop().await;
    }

    /// Every object that the agent has.
    pub async fn objects(&self, cx: &Context) -> Outcome<Vec<Seen>> {
        self.infrastructure.observe(cx, Filter::default()).await
    }

    /// Sends packets from somewhere.
    pub async fn probe(&self, cx: &Context, ask: ProbeAsk) -> Outcome<ProbeSeen> {
        self.infrastructure.probe(cx, ask).await
    }

    /// The end of a machine's console log.
    pub async fn console(&self, cx: &Context, machine: ObjectId) -> Outcome<String> {
        self.infrastructure
            .console(
                cx,
                ConsoleAsk {
                    machine,
                    last_bytes: 65_536,
                },
            )
            .await
    }
}

fn read(text: &str) -> Outcome<Lab> {
    Lab::read(text).map_err(|found| CallError::invalid(format!("the lab file is not valid:\n{found}")))
}
