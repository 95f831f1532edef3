//! How an operation begins: the wish is recognised, the instance is read and found free, and the occurrence starts in the one
//! commit that also marks the instance.

use manifold_call::{CallError, Context, OccurrenceId, Outcome};
use manifold_lcm::{EngineError, Start, Task};
use manifold_store::{Doc, Expect, Kind, Put};
use manifold_vnfm_interface::VnfInstanceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::instance::{INSTANCE, Instance};
use crate::vnfm::{Vnfm, store_failed};

/// Idempotency keys that were used, by tenant. They are kept here and not by the engine, because an operation's parameters hold
/// what was found when it began, and the same wish finds something else later.
const KEY: Kind = Kind("vnf.key");

/// What is asked of an instance, with all that the operation needs to know.
pub(crate) enum Beginning {
    /// The same wish has begun before.
    Known(OccurrenceId),
    /// To be given to the engine.
    New(Box<Start>),
}

/// An instance that was asked something.
pub(crate) enum Opening {
    Known(OccurrenceId),
    Free(Box<Opened>),
}

/// An instance on which no operation is under way.
pub(crate) struct Opened {
    pub(crate) instance: Instance,
    doc: Doc,
    wish: Wish,
    key: Option<String>,
}

/// What a key was used for.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wish {
    operation: String,
    vnf: VnfInstanceId,
    request: Value,
}

#[derive(Serialize, Deserialize)]
struct UsedKey {
    occurrence: OccurrenceId,
    wish: Wish,
}

impl Vnfm {
    /// Reads an instance to start an operation on it. Errors: `NotFound`, `Busy` (names the occurrence), `Conflict` (the key was
    /// used for another wish), `Unavailable`.
    pub(crate) async fn open(
        &self,
        cx: &Context,
        operation: &str,
        vnf: VnfInstanceId,
        request: &impl Serialize,
    ) -> Outcome<Opening> {
        self.engine()?;
        let request = serde_json::to_value(request)
            .map_err(|error| CallError::internal("a request has no JSON form").caused_by(error))?;
        let wish = Wish {
            operation: operation.to_owned(),
            vnf,
            request,
        };
        let key = cx.idempotency_key.map(|key| format!("{}/{}", cx.tenant, key.0));
        if let Some(key) = &key
            && let Some(used) = self.store().get(KEY, key).await.map_err(store_failed)?
        {
            let used: UsedKey = used.read().map_err(store_failed)?;
            return if used.wish == wish {
                Ok(Opening::Known(used.occurrence))
            } else {
                Err(CallError::conflict(format!(
                    "the idempotency key was used before for another request, occurrence {}",
                    used.occurrence
                )))
            };
        }
        let (doc, instance) = self.read(cx, vnf).await?;
        self.check_free(&instance).await?;
        Ok(Opening::Free(Box::new(Opened {
            instance,
            doc,
            wish,
            key,
        })))
    }

    /// The tenant's instance. Errors: `NotFound`.
    pub(crate) async fn read(&self, cx: &Context, vnf: VnfInstanceId) -> Outcome<(Doc, Instance)> {
        let doc = self
            .store()
            .get(INSTANCE, &vnf.to_string())
            .await
            .map_err(store_failed)?;
        // Another tenant's is not there, for this one.
        let doc = doc.filter(|doc| doc.tenant.as_deref() == Some(cx.tenant.as_str()));
        let doc = doc.ok_or_else(|| CallError::not_found(format!("there is no VNF instance {vnf}")))?;
        let instance = Instance::read(&doc).map_err(|error| error.cause)?;
        Ok((doc, instance))
    }

    /// Errors: `Busy`.
    pub(crate) async fn check_free(&self, instance: &Instance) -> Outcome<()> {
        let Some(last) = instance.operation else { return Ok(()) };
        match self.engine()?.occurrence(last).await {
            Ok(occurrence) if !occurrence.state.is_terminal() => Err(EngineError::Busy {
                subject: format!("VNF instance {}", instance.id),
                holder: last,
            }
            .into()),
            Ok(_) | Err(EngineError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts what was begun. `None`: the instance changed since it was read; begin again.
    pub(crate) async fn launch(&self, beginning: Beginning) -> Outcome<Option<OccurrenceId>> {
        let start = match beginning {
            Beginning::Known(occurrence) => return Ok(Some(occurrence)),
            Beginning::New(start) => start,
        };
        match self.engine()?.start(*start).await {
            Ok(occurrence) => Ok(Some(occurrence)),
            Err(EngineError::Stale(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Opened {
    /// The engine's start of an operation with these parameters.
    pub(crate) fn start(self, cx: &Context, operation: &'static str, params: &impl Serialize) -> Outcome<Beginning> {
        let Self {
            mut instance,
            doc,
            wish,
            key,
        } = self;
        let params = serde_json::to_value(params)
            .map_err(|error| CallError::internal("an operation's parameters have no JSON form").caused_by(error))?;
        let occurrence = OccurrenceId::random();
        instance.operation = Some(occurrence);
        let mut start = Start::new(cx, operation, instance.id, params)
            .with_id(occurrence)
            .write(instance.put(&doc)?);
        start.idempotency_key = None;
        if let Some(key) = key {
            let used = serde_json::to_value(UsedKey { occurrence, wish })
                .map_err(|error| CallError::internal("a key has no JSON form").caused_by(error))?;
            start = start.write(Put::new(KEY, key, Expect::Absent, used).tenant(Some(cx.tenant.as_str())));
        }
        Ok(Beginning::New(Box::new(start)))
    }
}

/// Whether an operation can be rolled back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    /// It makes things, which can be removed again.
    Offered,
    /// It removes things, which do not come back (SOL003 5.6.2.2 leaves that to the VNFM).
    NotOffered,
}

/// The tasks of an operation's occurrences.
pub(crate) fn supports(task: Task, undo: Undo) -> bool {
    match task {
        Task::Retry | Task::Fail | Task::Cancel => true,
        Task::Rollback => undo == Undo::Offered,
        Task::Continue => false,
    }
}

#[cfg(test)]
mod tests {
    use manifold_call::{Context, ErrorKind, TenantId};
    use manifold_lcm::State;
    use manifold_sol::InstantiateVnfRequest;
    use manifold_vnfm_interface::{Ask, VnfInstanceId, VnfLifecycleManagement};
    use uuid::Uuid;

    use crate::testing::{Site, cx, instantiate_request, scale_request};

    fn ask(site: &Site, vnf_instance_id: VnfInstanceId) -> Ask<InstantiateVnfRequest> {
        Ask {
            vnf_instance_id,
            request: instantiate_request(site.world.outside),
        }
    }

    #[tokio::test]
    async fn the_same_wish_again_is_the_same_occurrence_and_another_wish_is_refused() {
        let site = Site::new().await;
        let id = site.created().await;
        let keyed = cx().with_key(Uuid::from_u128(7));
        let first = site.vnfm.instantiate(&keyed, ask(&site, id)).await.unwrap();
        assert_eq!(site.vnfm.instantiate(&keyed, ask(&site, id)).await.unwrap(), first);
        site.ended(first, State::Completed).await;
        assert_eq!(site.vnfm.instantiate(&keyed, ask(&site, id)).await.unwrap(), first);
        let scale = Ask {
            vnf_instance_id: id,
            request: scale_request(manifold_sol::ScaleType::ScaleOut, 1),
        };
        assert_eq!(
            site.vnfm.scale(&keyed, scale).await.unwrap_err().kind,
            ErrorKind::Conflict
        );
        assert_eq!(
            site.vnfm.instantiate(&cx(), ask(&site, id)).await.unwrap_err().kind,
            ErrorKind::Conflict
        );
    }

    #[tokio::test]
    async fn another_tenant_sees_nothing_of_it() {
        let site = Site::new().await;
        let id = site.instantiated().await;
        let other = Context::root(TenantId::from("b"));
        let operation = site.vnfm.query_operations(&cx(), ()).await.unwrap()[0]
            .id
            .parse()
            .unwrap();
        assert!(site.vnfm.query(&other, ()).await.unwrap().is_empty());
        assert!(site.vnfm.query_operations(&other, ()).await.unwrap().is_empty());
        let refused = [
            site.vnfm.find(&other, id).await.err(),
            site.vnfm.find_operation(&other, operation).await.err(),
            site.vnfm.instantiate(&other, ask(&site, id)).await.err(),
            site.vnfm.rollback(&other, operation).await.err(),
            site.vnfm.delete(&other, id).await.err(),
        ];
        for error in refused {
            assert_eq!(error.unwrap().kind, ErrorKind::NotFound);
        }
    }
}
