//! Steps on the NS that a script is.

use crate::Near;
use crate::follow::{STEP_LIMIT, Standing, begin, creation, look, settle, waited};
use async_trait::async_trait;
use manifold_call::{CallError, ErrorKind};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_nfvo_interface::{NewNs, NsInstanceId, OnNs};
use manifold_sol::{
    AssocNewNsdVersionData, CreateNsRequest, InstantiateNsRequest, NsState, SapData, TerminateNsRequest,
    UpdateNsRequest, UpdateType,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const CREATE: &str = "ns/create";
pub(crate) const INSTANTIATE: &str = "ns/instantiate";
pub(crate) const UPDATE: &str = "ns/update";
pub(crate) const TERMINATE: &str = "ns/terminate";

/// The NS that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeNs {
    pub(crate) id: String,
}

/// Where users plug in: a SAP at the access point that the script's user named; others are where one is called as they are.
pub(crate) fn saps(access_points: &BTreeMap<String, String>) -> Vec<SapData> {
    let sap = |(sapd, point): (&String, &String)| SapData {
        sapd_id: sapd.clone(),
        sap_name: point.clone(),
        description: String::new(),
        sap_protocol_data: vec![],
    };
    access_points.iter().map(sap).collect()
}

fn parse(id: &str) -> Result<NsInstanceId, StepError> {
    id.parse()
        .map_err(|_| StepError::internal(format!("the NS {id} has no UUID")))
}

fn held(why: CallError) -> StepError {
    StepError::permanent(why)
}

// create: an instance without resources

pub(crate) struct CreateNs {
    pub(crate) near: Arc<Near>,
    pub(crate) name: String,
    pub(crate) nsd_id: String,
}

impl CreateNs {
    async fn made(&self, cx: &StepCx) -> Result<MadeNs, StepError> {
        let ask = NewNs(CreateNsRequest {
            nsd_id: self.nsd_id.clone(),
            ns_name: self.name.clone(),
            ns_description: format!("of the script {}", self.name),
        });
        // Created again under the same key it is the same NS.
        let made = self.near.neighbours()?.lifecycle.create(&creation(cx), ask).await?;
        Ok(MadeNs { id: made.id })
    }
}

#[async_trait]
impl Step for CreateNs {
    async fn find(&self, _: &StepCx) -> Result<Found, StepError> {
        // Making it again tells whether it is there.
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        Progress::done(&self.made(cx).await?)
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let made = match made {
            Some(made) => MadeNs::deserialize(made).map_err(|error| StepError::internal(error.to_string()))?,
            None => self.made(cx).await?,
        };
        remove(&self.near, cx, &made.id).await
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}

/// Terminates if need be, and deletes.
async fn remove(near: &Near, cx: &StepCx, ns: &str) -> Result<UndoProgress, StepError> {
    let nfvo = &near.neighbours()?.lifecycle;
    let id = parse(ns)?;
    if let Some(wait) = settle(&**nfvo, cx, ns).await? {
        return Ok(UndoProgress::Pending(wait));
    }
    let state = match nfvo.find(&cx.context_of("find"), id).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(UndoProgress::Done),
        found => found?.ns_state,
    };
    if state == NsState::NotInstantiated {
        return forget(near, cx, id).await;
    }
    let start = |context: manifold_call::Context| {
        let nfvo = Arc::clone(nfvo);
        let request = TerminateNsRequest::default();
        async move {
            nfvo.terminate(
                &context,
                OnNs {
                    ns_instance_id: id,
                    request,
                },
            )
            .await
        }
    };
    match begin(&**nfvo, cx, "terminate", start).await? {
        Standing::Running(wait) => Ok(UndoProgress::Pending(wait)),
        Standing::Held(why) | Standing::Ended(why) => Err(held(why)),
        Standing::Completed => forget(near, cx, id).await,
    }
}

async fn forget(near: &Near, cx: &StepCx, id: NsInstanceId) -> Result<UndoProgress, StepError> {
    let nfvo = &near.neighbours()?.lifecycle;
    match nfvo.delete(&cx.context_of("delete"), id).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(UndoProgress::Done),
    }
}

// instantiate

pub(crate) struct InstantiateNs {
    pub(crate) near: Arc<Near>,
    pub(crate) flavour: String,
    pub(crate) access_points: BTreeMap<String, String>,
}

#[async_trait]
impl Step for InstantiateNs {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        let Some(occurrence) = waited(cx) else {
            return Ok(Found::Absent);
        };
        match look(&*self.near.neighbours()?.lifecycle, cx, occurrence).await? {
            Standing::Running(wait) => Ok(Found::Pending(wait)),
            Standing::Completed => Found::done(&()),
            Standing::Held(why) | Standing::Ended(why) => match cx.occurrence().error {
                // Asked again after a failure: another is begun, or this one retried.
                Some(_) => Ok(Found::Absent),
                None => Err(held(why)),
            },
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        let made: MadeNs = cx.output(CREATE)?;
        let (nfvo, id) = (&self.near.neighbours()?.lifecycle, parse(&made.id)?);
        let start = |context: manifold_call::Context| {
            let nfvo = Arc::clone(nfvo);
            let request = InstantiateNsRequest {
                ns_flavour_id: self.flavour.clone(),
                sap_data: saps(&self.access_points),
                ..InstantiateNsRequest::default()
            };
            async move {
                nfvo.instantiate(
                    &context,
                    OnNs {
                        ns_instance_id: id,
                        request,
                    },
                )
                .await
            }
        };
        act_of(begin(&**nfvo, cx, "instantiate", start).await?)
    }

    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        // The NS goes as a whole with the step before.
        let nfvo = &self.near.neighbours()?.lifecycle;
        let Some(made) = cx.find_output::<MadeNs>(CREATE)? else {
            return Ok(UndoProgress::Done);
        };
        match settle(&**nfvo, cx, &made.id).await? {
            Some(wait) => Ok(UndoProgress::Pending(wait)),
            None => Ok(UndoProgress::Done),
        }
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}

fn act_of(standing: Standing) -> Result<Progress, StepError> {
    match standing {
        Standing::Running(wait) => Ok(Progress::Pending(wait)),
        Standing::Completed => Progress::done(&()),
        Standing::Held(why) | Standing::Ended(why) => Err(held(why)),
    }
}

// update: to the NSD of the new revision, and back

pub(crate) struct UpdateNs {
    pub(crate) near: Arc<Near>,
    pub(crate) ns: String,
    pub(crate) nsd_id: String,
    /// What it followed before.
    pub(crate) before: String,
    pub(crate) access_points: BTreeMap<String, String>,
}

impl UpdateNs {
    async fn to(&self, cx: &StepCx, part: &str, nsd: &str) -> Result<Standing, StepError> {
        let (nfvo, id) = (&self.near.neighbours()?.lifecycle, parse(&self.ns)?);
        let start = |context: manifold_call::Context| {
            let nfvo = Arc::clone(nfvo);
            let request = UpdateNsRequest {
                assoc_new_nsd_version_data: Some(AssocNewNsdVersionData {
                    new_nsd_id: nsd.to_owned(),
                    sync: Some(true),
                }),
                add_sap: saps(&self.access_points),
                update_type: UpdateType::AssocNewNsdVersion,
                ..UpdateNsRequest::default()
            };
            async move {
                nfvo.update(
                    &context,
                    OnNs {
                        ns_instance_id: id,
                        request,
                    },
                )
                .await
            }
        };
        begin(&**nfvo, cx, part, start).await
    }

    async fn follows(&self, cx: &StepCx) -> Result<String, StepError> {
        let nfvo = &self.near.neighbours()?.lifecycle;
        Ok(nfvo.find(&cx.context_of("find"), parse(&self.ns)?).await?.nsd_id)
    }
}

#[async_trait]
impl Step for UpdateNs {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        if let Some(occurrence) = waited(cx) {
            match look(&*self.near.neighbours()?.lifecycle, cx, occurrence).await? {
                Standing::Running(wait) => return Ok(Found::Pending(wait)),
                Standing::Completed => return Found::done(&()),
                Standing::Held(why) | Standing::Ended(why) if cx.occurrence().error.is_none() => return Err(held(why)),
                Standing::Held(_) | Standing::Ended(_) => {}
            }
        }
        Ok(Found::Absent)
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        act_of(self.to(cx, "update", &self.nsd_id).await?)
    }

    async fn undo(&self, cx: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        let nfvo = &self.near.neighbours()?.lifecycle;
        if let Some(wait) = settle(&**nfvo, cx, &self.ns).await? {
            return Ok(UndoProgress::Pending(wait));
        }
        if self.follows(cx).await? == self.before {
            return Ok(UndoProgress::Done);
        }
        match self.to(cx, "back", &self.before).await? {
            Standing::Running(wait) => Ok(UndoProgress::Pending(wait)),
            Standing::Completed => Ok(UndoProgress::Done),
            Standing::Held(why) | Standing::Ended(why) => Err(held(why)),
        }
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}

// terminate, and delete

pub(crate) struct RemoveNs {
    pub(crate) near: Arc<Near>,
    pub(crate) ns: String,
}

impl RemoveNs {
    pub(crate) const FORWARD_ONLY: &'static str = "what was terminated is not brought back: its machines are gone";
}

#[async_trait]
impl Step for RemoveNs {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match remove(&self.near, cx, &self.ns).await? {
            UndoProgress::Done => Found::done(&()),
            UndoProgress::Pending(wait) => Ok(Found::Pending(wait)),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        match remove(&self.near, cx, &self.ns).await? {
            UndoProgress::Done => Progress::done(&()),
            UndoProgress::Pending(wait) => Ok(Progress::Pending(wait)),
        }
    }

    async fn undo(&self, _: &StepCx, _: Option<&Value>) -> Result<UndoProgress, StepError> {
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}
