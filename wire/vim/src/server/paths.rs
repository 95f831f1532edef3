//! `forwarding_paths` (IFA 005 7.10) and `traffic_rules` (ours).

use super::Producer;
use super::list::List;
use super::resource::At;
use crate::bodies::{Ids, PathChanges};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use manifold_http::body::JsonBody;
use manifold_http::problem::Answer;
use manifold_http::query::page::Page;
use manifold_vim_interface::{
    ChangeNfpState, CreateNfp, Nfp, NfpId, OperationalState, TrafficRule, TrafficRuleData, TrafficRuleId, UpdateNfp,
};
use serde_json::Value;

const PATHS: &str = "forwarding_paths";
const RULES: &str = "traffic_rules";

pub(super) fn routes() -> Router<Producer> {
    Router::new()
        .route("/forwarding_paths", get(list_paths).post(create_path))
        .route("/forwarding_paths/delete", post(delete_paths))
        .route("/forwarding_paths/change_state", post(change_state))
        .route("/forwarding_paths/{id}", get(find_path).delete(delete_path))
        .route("/forwarding_paths/{id}/update", post(update_path))
        .route("/traffic_rules", get(list_rules).post(create_rule))
        .route("/traffic_rules/delete", post(delete_rules))
        .route(
            "/traffic_rules/{id}",
            get(find_rule).put(update_rule).delete(delete_rule),
        )
}

fn path_id(path: &Nfp) -> String {
    path.nfp_id.to_string()
}

async fn list_paths(at: At, list: List) -> Answer<Page> {
    let found = at.vim.paths.query(&at.context, list.filter()).await?;
    list.linked(&at, PATHS, found, path_id)
}

async fn create_path(at: At, JsonBody(ask): JsonBody<CreateNfp>) -> Answer<Response> {
    let made = at.vim.paths.create(&at.context, ask).await?;
    at.created(PATHS, &path_id(&made), made)
}

async fn find_path(at: At) -> Answer<Json<Value>> {
    let filter = at.only::<NfpId>("nfpId")?;
    let path = at.found(at.vim.paths.query(&at.context, filter).await?)?;
    at.linked(PATHS, &path_id(&path), path).map(Json)
}

async fn update_path(at: At, JsonBody(changes): JsonBody<PathChanges>) -> Answer<Json<Value>> {
    let ask = UpdateNfp {
        nfp_id: at.id()?,
        nfp_rule: changes.nfp_rule,
        virtual_network_port: changes.virtual_network_port,
    };
    let path = at.vim.paths.update(&at.context, ask).await?;
    at.linked(PATHS, &path_id(&path), path).map(Json)
}

async fn delete_path(at: At) -> Answer<StatusCode> {
    let id: NfpId = at.id()?;
    let gone = at.vim.paths.delete(&at.context, vec![id]).await?;
    at.gone(id, &gone)
}

async fn delete_paths(at: At, JsonBody(which): JsonBody<Ids<NfpId>>) -> Answer<Json<Ids<NfpId>>> {
    let ids = at.vim.paths.delete(&at.context, which.ids).await?;
    Ok(Json(Ids { ids }))
}

async fn change_state(at: At, JsonBody(ask): JsonBody<ChangeNfpState>) -> Answer<Json<Ids<NfpId>>> {
    let ids = at.vim.paths.change_state(&at.context, ask).await?;
    Ok(Json(Ids { ids }))
}

fn rule_id(rule: &TrafficRule) -> String {
    rule.traffic_rule_id.to_string()
}

async fn list_rules(at: At, list: List) -> Answer<Page> {
    let found = at.vim.traffic.query(&at.context, list.filter()).await?;
    list.linked(&at, RULES, found, rule_id)
}

async fn create_rule(at: At, JsonBody(ask): JsonBody<TrafficRuleData>) -> Answer<Response> {
    let made = at.vim.traffic.create(&at.context, ask).await?;
    at.created(RULES, &rule_id(&made), made)
}

async fn find_rule(at: At) -> Answer<Json<Value>> {
    let filter = at.only::<TrafficRuleId>("trafficRuleId")?;
    let rule = at.found(at.vim.traffic.query(&at.context, filter).await?)?;
    at.linked(RULES, &rule_id(&rule), rule).map(Json)
}

async fn update_rule(at: At, JsonBody(rule): JsonBody<TrafficRuleData>) -> Answer<Json<Value>> {
    let ask = TrafficRule {
        traffic_rule_id: at.id()?,
        rule,
        operational_state: OperationalState::Enabled,
    };
    let rule = at.vim.traffic.update(&at.context, ask).await?;
    at.linked(RULES, &rule_id(&rule), rule).map(Json)
}

async fn delete_rule(at: At) -> Answer<StatusCode> {
    let id: TrafficRuleId = at.id()?;
    let gone = at.vim.traffic.delete(&at.context, vec![id]).await?;
    at.gone(id, &gone)
}

async fn delete_rules(at: At, JsonBody(which): JsonBody<Ids<TrafficRuleId>>) -> Answer<Json<Ids<TrafficRuleId>>> {
    let ids = at.vim.traffic.delete(&at.context, which.ids).await?;
    Ok(Json(Ids { ids }))
}
