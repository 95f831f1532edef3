//! `lab/v1` and `trace/v1`: our own APIs, for operators (role OSS or LAB).

use super::lab::{LabService, LabState};
use super::traces;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_call::{CallError, OccurrenceId, Role, TraceRecord};
use manifold_http::Edge;
use manifold_http::api::Api;
use manifold_http::auth::Caller;
use manifold_http::body::JsonBody;
use manifold_http::problem::{Answer, Problem};
use manifold_lab::Lab;
use manifold_lcm::Engine;
use manifold_nfvi_interface::{ObjectId, Probe, ProbeAsk, ProbeSeen, Seen};
use manifold_nfvo_interface::NsLifecycleManagement;
use manifold_sol::NsState;
use manifold_store::Store;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

pub(super) const LAB: Api = Api::new("lab", "v1", &["1.0.0"]);
pub(super) const TRACE: Api = Api::new("trace", "v1", &["1.0.0"]);

/// A lab file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabText {
    /// TOML.
    pub text: String,
}

/// The lab that there is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabShown {
    /// PoPs with their hosts, zones, networks and access points; the WAN.
    pub lab: serde_json::Value,
    /// The same as a table.
    pub text: String,
    /// How far it is.
    pub state: LabState,
}

impl LabShown {
    fn of(lab: &Lab, state: LabState) -> Answer<Json<Self>> {
        let show = lab.show();
        let lab = serde_json::to_value(&show)
            .map_err(|error| CallError::internal("the lab could not be written as JSON").caused_by(error))?;
        Ok(Json(Self {
            lab,
            text: show.to_string(),
            state,
        }))
    }
}

/// From where packets are sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "from", deny_unknown_fields)]
pub enum ProbeFrom {
    /// From inside a machine.
    Machine {
        /// The compute resource's id.
        #[serde(rename = "computeId")]
        #[schema(value_type = String, format = "uuid")]
        compute_id: uuid::Uuid,
    },
    /// From an access point.
    AccessPoint {
        /// The PoP.
        pop: String,
        /// Its name.
        name: String,
    },
    /// From a physical function.
    Function {
        /// The PoP.
        pop: String,
        /// Its name.
        name: String,
    },
}

/// Packets to send.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeRequest {
    /// From where.
    pub from: ProbeFrom,
    /// What.
    pub probe: Probe,
    /// How long to wait, in milliseconds.
    pub limit_ms: u32,
}

/// A machine's console log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleAnswer {
    /// Its end.
    pub log: String,
}

#[derive(Clone)]
struct Ours {
    lab: Arc<LabService>,
    engine: Engine,
    store: Arc<dyn Store>,
    lifecycle: Arc<dyn NsLifecycleManagement>,
}

/// Adds both APIs. `lifecycle` tells which network services stand on the lab; it is bound to the operator's role.
pub fn add_to(
    edge: Edge,
    lab: Arc<LabService>,
    engine: Engine,
    store: Arc<dyn Store>,
    lifecycle: Arc<dyn NsLifecycleManagement>,
) -> Edge {
    let ours = Ours {
        lab,
        engine,
        store,
        lifecycle,
    };
    let slow = Router::new()
        .route("/lab", get(show).put(create).delete(destroy))
        .route("/probes", post(probe))
        .route("/objects", get(objects))
        .route("/machines/{id}/console", get(console));
    let traces = Router::new().route("/operations/{id}", get(trace));
    edge.api_with_slow(LAB, Router::new(), slow.with_state(ours.clone()))
        .api(TRACE, traces.with_state(ours))
}

fn operator(caller: &Caller) -> Answer<()> {
    match caller.principal.role {
        Role::Oss | Role::Lab => Ok(()),
        other => Err(CallError::forbidden(format!("the lab is the operator's; {other} may not touch it")).into()),
    }
}

async fn show(State(ours): State<Ours>, caller: Caller) -> Answer<Json<LabShown>> {
    operator(&caller)?;
    match ours.lab.show().await? {
        Some((lab, state)) => LabShown::of(&lab, state),
        None => Err(CallError::not_found("there is no lab")
            .cure("create one: `manifold lab create FILE`")
            .into()),
    }
}

async fn create(State(ours): State<Ours>, caller: Caller, JsonBody(file): JsonBody<LabText>) -> Answer<Json<LabShown>> {
    operator(&caller)?;
    let lab = ours.lab.create(&caller.context, &file.text).await?;
    LabShown::of(&lab, LabState::Ready)
}

async fn destroy(State(ours): State<Ours>, caller: Caller) -> Answer<StatusCode> {
    operator(&caller)?;
    let mut in_use = ours.running().await?;
    for ns in ours.lifecycle.query(&caller.context, ()).await? {
        if ns.ns_state == NsState::Instantiated {
            in_use.push(ns.ns_instance_name);
        }
    }
    // What other tenants have there is in the way as well; they are told by name, their services are not.
    let objects = ours.lab.objects(&caller.context).await?;
    let tenants = objects.iter().filter_map(|seen| seen.owner.tenant.as_ref());
    let others: BTreeSet<_> = tenants.filter(|tenant| **tenant != caller.context.tenant).collect();
    in_use.extend(
        others
            .into_iter()
            .map(|tenant| format!("what belongs to tenant {tenant}")),
    );
    ours.lab.destroy(&caller.context, &in_use).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Ours {
    /// Operations that still run, of any tenant.
    async fn running(&self) -> Answer<Vec<String>> {
        let filter = manifold_lcm::OccurrenceFilter::default();
        let page = self.engine.occurrences(filter).await.map_err(|error| {
            Problem::from(CallError::internal("the running operations could not be read").caused_by(error))
        })?;
        let busy = page
            .occurrences
            .iter()
            .filter(|occurrence| !occurrence.state.is_terminal());
        Ok(busy.map(|occurrence| format!("operation {}", occurrence.id)).collect())
    }
}

async fn objects(State(ours): State<Ours>, caller: Caller) -> Answer<Json<Vec<Seen>>> {
    operator(&caller)?;
    Ok(Json(ours.lab.objects(&caller.context).await?))
}

async fn probe(
    State(ours): State<Ours>,
    caller: Caller,
    JsonBody(ask): JsonBody<ProbeRequest>,
) -> Answer<Json<ProbeSeen>> {
    operator(&caller)?;
    let node = match &ask.from {
        ProbeFrom::Machine { compute_id } => ObjectId(*compute_id),
        ProbeFrom::AccessPoint { pop, name } => {
            find(&ours, pop, name, |pop, name| {
                pop.access_points
                    .iter()
                    .find(|access| access.name == name)
                    .map(|access| access.node)
            })
            .await?
        }
        ProbeFrom::Function { pop, name } => {
            find(&ours, pop, name, |pop, name| {
                let mut all = pop.provider_networks.iter().flat_map(|network| &network.functions);
                all.find(|function| function.name == name).map(|function| function.node)
            })
            .await?
        }
    };
    let ask = ProbeAsk {
        from: node,
        probe: ask.probe,
        limit_ms: ask.limit_ms,
    };
    Ok(Json(ours.lab.probe(&caller.context, ask).await?))
}

async fn find(
    ours: &Ours,
    pop: &str,
    name: &str,
    pick: impl Fn(&manifold_nfvi_interface::PopInventory, &str) -> Option<ObjectId>,
) -> Answer<ObjectId> {
    let unknown = || Problem::from(CallError::not_found(format!("there is no {name} in {pop}")));
    let (lab, _) = ours.lab.show().await?.ok_or_else(unknown)?;
    lab.pops
        .iter()
        .find(|known| known.pop == pop)
        .and_then(|pop| pick(pop, name))
        .ok_or_else(unknown)
}

async fn console(State(ours): State<Ours>, caller: Caller, Path(id): Path<uuid::Uuid>) -> Answer<Json<ConsoleAnswer>> {
    operator(&caller)?;
    Ok(Json(ConsoleAnswer {
        log: ours.lab.console(&caller.context, ObjectId(id)).await?,
    }))
}

async fn trace(State(ours): State<Ours>, caller: Caller, Path(id): Path<uuid::Uuid>) -> Answer<Json<Vec<TraceRecord>>> {
    operator(&caller)?;
    let records = traces::of_operation(&ours.store, &ours.engine, &caller.context.tenant, OccurrenceId(id)).await?;
    Ok(Json(records))
}
