//! Steps that bring a package into the catalogue. What is there already under the same descriptor id is taken as it is: ids of what
//! the compiler writes are made of its content.

use crate::Near;
use crate::follow::{STEP_LIMIT, creation};
use crate::record::Onboarded;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifold_call::{CallError, ErrorKind, Outcome};
use manifold_lcm::{Found, Progress, Step, StepCx, StepError, UndoProgress};
use manifold_nfvo_interface::{Modify, New, Upload};
use manifold_sol::{
    CreateNsdInfoRequest, CreateVnfPkgInfoRequest, NsdInfoModifications, PackageOnboardingState,
    PackageOperationalState, VnfPkgInfoModifications,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A package to bring in, as a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parcel {
    pub(crate) sort: Sort,
    /// `vnfdId` or `nsdId`.
    pub(crate) descriptor: String,
    /// The archive in base64: a few kilobytes, since none carries an image.
    pub(crate) archive: String,
}

/// What is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    Vnfd,
    Nsd,
}

/// What a step made or found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Brought {
    pub(crate) sort: Sort,
    pub(crate) onboarded: Onboarded,
    /// Whether this step made it: only then is it taken back.
    pub(crate) is_ours: bool,
}

impl Parcel {
    pub(crate) fn new(sort: Sort, descriptor: String, bytes: &[u8]) -> Self {
        Self {
            sort,
            descriptor,
            archive: STANDARD.encode(bytes),
        }
    }

    pub(crate) fn step(&self) -> String {
        let sort = match self.sort {
            Sort::Vnfd => "vnfd",
            Sort::Nsd => "nsd",
        };
        format!("{sort}/{}", self.descriptor)
    }
}

pub(crate) struct Onboard {
    pub(crate) near: Arc<Near>,
    pub(crate) parcel: Parcel,
}

impl Onboard {
    /// The archive in a file that the NFVO takes away.
    async fn spool(&self) -> Outcome<PathBuf> {
        let bytes = STANDARD
            .decode(&self.parcel.archive)
            .map_err(|error| CallError::internal("the archive is no base64").caused_by(error))?;
        let folder = self.near.spool.clone();
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut file, &bytes)?;
            file.into_temp_path().keep().map_err(|error| error.error)
        });
        let failed =
            |error: std::io::Error| CallError::unavailable("the archive could not be written").caused_by(error);
        written
            .await
            .map_err(|error| failed(std::io::Error::other(error)))?
            .map_err(failed)
    }

    /// The resource that has the descriptor and is on-boarded.
    async fn there(&self, cx: &StepCx) -> Outcome<Option<String>> {
        let near = self.near.neighbours()?;
        let (context, wanted) = (cx.context_of("there"), Some(self.parcel.descriptor.as_str()));
        Ok(match self.parcel.sort {
            Sort::Vnfd => {
                let all = near.packages.query(&context, ()).await?;
                let is_it = |state| state == PackageOnboardingState::Onboarded;
                all.into_iter()
                    .find(|one| one.vnfd_id.as_deref() == wanted && is_it(one.onboarding_state))
                    .map(|one| one.id)
            }
            Sort::Nsd => {
                let all = near.nsds.query(&context, ()).await?;
                let is_it = |state| state == PackageOnboardingState::Onboarded;
                all.into_iter()
                    .find(|one| one.nsd_id.as_deref() == wanted && is_it(one.nsd_onboarding_state))
                    .map(|one| one.id)
            }
        })
    }

    async fn bring(&self, cx: &StepCx) -> Outcome<String> {
        let near = self.near.neighbours()?;
        let (create, upload) = (creation(cx), cx.context_of("upload"));
        Ok(match self.parcel.sort {
            Sort::Vnfd => {
                let made = near
                    .packages
                    .create(&create, New(CreateVnfPkgInfoRequest::default()))
                    .await?;
                if made.onboarding_state != PackageOnboardingState::Onboarded {
                    let ask = Upload {
                        id: parse(&made.id)?,
                        file: self.spool().await?,
                    };
                    near.packages.upload(&upload, ask).await?;
                }
                made.id
            }
            Sort::Nsd => {
                let made = near.nsds.create(&create, New(CreateNsdInfoRequest::default())).await?;
                if made.nsd_onboarding_state != PackageOnboardingState::Onboarded {
                    let ask = Upload {
                        id: parse(&made.id)?,
                        file: self.spool().await?,
                    };
                    near.nsds.upload(&upload, ask).await?;
                }
                made.id
            }
        })
    }

    /// The resource that this step's own creation made, whether it was uploaded to or not.
    async fn made(&self, cx: &StepCx) -> Outcome<String> {
        let near = self.near.neighbours()?;
        // Created again under the same key it is the same resource.
        let create = creation(cx);
        Ok(match self.parcel.sort {
            Sort::Vnfd => {
                near.packages
                    .create(&create, New(CreateVnfPkgInfoRequest::default()))
                    .await?
                    .id
            }
            Sort::Nsd => {
                near.nsds
                    .create(&create, New(CreateNsdInfoRequest::default()))
                    .await?
                    .id
            }
        })
    }

    fn brought(&self, id: String, is_ours: bool) -> Brought {
        Brought {
            sort: self.parcel.sort,
            onboarded: Onboarded {
                descriptor: self.parcel.descriptor.clone(),
                id,
            },
            is_ours,
        }
    }
}

#[async_trait]
impl Step for Onboard {
    async fn find(&self, cx: &StepCx) -> Result<Found, StepError> {
        match self.there(cx).await? {
            // What this step made has an id that its key gives.
            Some(id) => {
                let is_ours = self.made(cx).await? == id;
                Found::done(&self.brought(id, is_ours))
            }
            None => Ok(Found::Absent),
        }
    }

    async fn act(&self, cx: &StepCx) -> Result<Progress, StepError> {
        if let Some(id) = self.there(cx).await? {
            return Progress::done(&self.brought(id, false));
        }
        let id = self.bring(cx).await?;
        Progress::done(&self.brought(id, true))
    }

    async fn undo(&self, cx: &StepCx, made: Option<&Value>) -> Result<UndoProgress, StepError> {
        let id = match made {
            Some(made) => {
                let brought = Brought::deserialize(made).map_err(|error| StepError::internal(error.to_string()))?;
                if !brought.is_ours {
                    return Ok(UndoProgress::Done);
                }
                brought.onboarded.id
            }
            None => self.made(cx).await?,
        };
        take_away(&self.near, cx, self.parcel.sort, &id).await?;
        Ok(UndoProgress::Done)
    }

    fn limit(&self) -> Duration {
        STEP_LIMIT
    }
}

fn parse<T: std::str::FromStr>(id: &str) -> Outcome<T> {
    id.parse()
        .map_err(|_| CallError::internal(format!("the resource {id} has no UUID")))
}

/// Disables and deletes; what is not there is gone. What others use stays, and is theirs from now on.
pub(crate) async fn take_away(near: &Near, cx: &StepCx, sort: Sort, id: &str) -> Outcome<()> {
    let near = near.neighbours()?;
    let (disable, delete) = (cx.context_of("disable"), cx.context_of("delete"));
    let state = Some(PackageOperationalState::Disabled);
    let (disabled, deleted) = match sort {
        Sort::Vnfd => {
            let changes = VnfPkgInfoModifications {
                operational_state: state,
                ..VnfPkgInfoModifications::default()
            };
            let ask = Modify {
                id: parse(id)?,
                changes,
            };
            let disabled = near.packages.update(&disable, ask).await.map(drop);
            (disabled, near.packages.delete(&delete, parse(id)?).await)
        }
        Sort::Nsd => {
            let changes = NsdInfoModifications {
                nsd_operational_state: state,
                ..NsdInfoModifications::default()
            };
            let ask = Modify {
                id: parse(id)?,
                changes,
            };
            let disabled = near.nsds.update(&disable, ask).await.map(drop);
            (disabled, near.nsds.delete(&delete, parse(id)?).await)
        }
    };
    let gone = |outcome: Outcome<()>| match outcome {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    match (gone(disabled), gone(deleted)) {
        (_, Ok(())) => Ok(()),
        (_, Err(error)) if error.kind == ErrorKind::Conflict => {
            tracing::info!(resource = id, %error, "Something else uses what a script brought in: it stays.");
            Ok(())
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
