//! What VNF packages, NSDs and PNFDs have in common on the wire: a collection of resources, each with an archive. SOL005 spells them
//! differently (5.4, 9.4); what may be done with them is the same.

use super::{Producer, id, linked};
use crate::Nfvo;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, patch};
use axum::{Extension, Json, Router};
use manifold_call::{CallError, Context, ErrorKind, Outcome};
use manifold_http::api::{Links, created};
use manifold_http::auth::Caller;
use manifold_http::body::{JsonBody, MergePatch};
use manifold_http::limits::Limits;
use manifold_http::problem::{Answer, Problem};
use manifold_http::query::{ListQuery, page::Page, selector::Shape};
use manifold_nfvo_interface::{Content, Upload};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;
use tokio_util::io::ReaderStream;

/// A kind of resource that holds an archive.
pub(super) trait Catalogued: Sized + 'static {
    type Id: FromStr + Copy + Send;
    type Info: Serialize + Send + Sync;
    type Create: DeserializeOwned + Send;

    const SHAPE: Shape;
    /// `ns_descriptors`
    const COLLECTION: &'static str;
    /// `nsd_content`
    const CONTENT: &'static str;
    /// What the link to the content is called.
    const CONTENT_LINK: &'static str;

    fn id_of(info: &Self::Info) -> &str;
    fn query(nfvo: &Nfvo, cx: &Context) -> impl Future<Output = Outcome<Vec<Self::Info>>> + Send;
    fn create(nfvo: &Nfvo, cx: &Context, ask: Self::Create) -> impl Future<Output = Outcome<Self::Info>> + Send;
    fn find(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> impl Future<Output = Outcome<Self::Info>> + Send;
    fn delete(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> impl Future<Output = Outcome<()>> + Send;
    fn content(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> impl Future<Output = Outcome<Content>> + Send;
    fn upload(nfvo: &Nfvo, cx: &Context, ask: Upload<Self::Id>) -> impl Future<Output = Outcome<Self::Info>> + Send;
}

/// One whose state and user data can be changed.
pub(super) trait Modifiable: Catalogued {
    type Changes: DeserializeOwned + Serialize + Clone + Send + Sync + 'static;

    fn update(
        nfvo: &Nfvo,
        cx: &Context,
        id: Self::Id,
        changes: Self::Changes,
    ) -> impl Future<Output = Outcome<()>> + Send;
}

/// [`Catalogued`] by way of the handle of that name: all of them call their operations the same.
macro_rules! by_handle {
    ($create:ty => $info:ty) => {
        type Info = $info;
        type Create = $create;

        fn id_of(info: &$info) -> &str {
            &info.id
        }
    };
    ($handle:ident) => {
        async fn query(nfvo: &Nfvo, cx: &Context) -> Outcome<Vec<Self::Info>> {
            nfvo.$handle.query(cx, ()).await
        }
        async fn create(nfvo: &Nfvo, cx: &Context, ask: Self::Create) -> Outcome<Self::Info> {
            nfvo.$handle.create(cx, New(ask)).await
        }
        async fn find(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> Outcome<Self::Info> {
            nfvo.$handle.find(cx, id).await
        }
        async fn delete(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> Outcome<()> {
            nfvo.$handle.delete(cx, id).await
        }
        async fn content(nfvo: &Nfvo, cx: &Context, id: Self::Id) -> Outcome<Content> {
            nfvo.$handle.content(cx, id).await
        }
        async fn upload(nfvo: &Nfvo, cx: &Context, ask: Upload<Self::Id>) -> Outcome<Self::Info> {
            nfvo.$handle.upload(cx, ask).await
        }
    };
}
pub(super) use by_handle;

/// Quick routes, and those that carry archives.
pub(super) fn routes<C: Catalogued>(producer: Producer) -> (Router, Router) {
    routes_with::<C>(producer, MethodRouter::new())
}

/// The same, with PATCH.
pub(super) fn modifiable_routes<C: Modifiable>(producer: Producer) -> (Router, Router) {
    routes_with::<C>(producer, patch(update::<C>))
}

fn routes_with<C: Catalogued>(producer: Producer, more: MethodRouter<Producer>) -> (Router, Router) {
    let all = format!("/{}", C::COLLECTION);
    let (one, content_of) = (format!("{all}/{{id}}"), format!("{all}/{{id}}/{}", C::CONTENT));
    let quick = Router::new()
        .route(&all, get(list::<C>).post(create::<C>))
        .route(&one, get(find::<C>).delete(delete::<C>).merge(more));
    let slow = Router::new().route(&content_of, get(content::<C>).put(upload::<C>));
    (quick.with_state(producer.clone()), slow.with_state(producer))
}

fn show<C: Catalogued>(info: &C::Info, links: &Links) -> Answer<Value> {
    let path = [C::COLLECTION, C::id_of(info)];
    let content = links.resource(&[C::COLLECTION, C::id_of(info), C::CONTENT]);
    linked(info, links, &path, &[(C::CONTENT_LINK, content)])
}

async fn list<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    query: ListQuery,
) -> Answer<Page> {
    query.check(&C::SHAPE)?;
    let mut found = Vec::new();
    for info in C::query(&nfvo.of(&caller), &caller.context).await? {
        found.push((C::id_of(&info).to_owned(), show::<C>(&info, &links)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Page::cut(&links, &query, &C::SHAPE, &[C::COLLECTION], found))
}

async fn create<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    JsonBody(ask): JsonBody<C::Create>,
) -> Answer<Response> {
    let info = C::create(&nfvo.of(&caller), &caller.context, ask).await?;
    Ok(created(
        &links.resource(&[C::COLLECTION, C::id_of(&info)]),
        show::<C>(&info, &links)?,
    ))
}

async fn find<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    links: Links,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    let info = C::find(&nfvo.of(&caller), &caller.context, id(&key)?).await?;
    Ok(Json(show::<C>(&info, &links)?))
}

async fn update<C: Modifiable>(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    MergePatch(changes): MergePatch<C::Changes>,
) -> Answer<Json<C::Changes>> {
    C::update(&nfvo.of(&caller), &caller.context, id(&key)?, changes.clone()).await?;
    // SOL005 5.4.3.3.4, 9.4.3.3.4: the answer repeats what was changed.
    Ok(Json(changes))
}

async fn delete<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
) -> Answer<StatusCode> {
    C::delete(&nfvo.of(&caller), &caller.context, id(&key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn content<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
) -> Answer<Response> {
    let content = C::content(&nfvo.of(&caller), &caller.context, id(&key)?).await?;
    let file = tokio::fs::File::open(&content.file)
        .await
        .map_err(|error| Problem::from(CallError::internal("the archive could not be opened").caused_by(error)))?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, content.size.to_string()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

async fn upload<C: Catalogued>(
    State(nfvo): State<Producer>,
    caller: Caller,
    Path(key): Path<String>,
    Extension(limits): Extension<Limits>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let id: C::Id = id(&key)?;
    let handles = nfvo.of(&caller);
    C::find(&handles, &caller.context, id).await?;
    let spooled = nfvo.spool.take(&headers, body, &limits).await?;
    let ask = Upload {
        id,
        file: spooled.file.clone(),
    };
    match C::upload(&handles, &caller.context, ask).await {
        // SOL005 5.4.4.3.3, 5.4.7.3.3, 9.4.5.3.3: the content was accepted; what is wrong with it stands in the resource.
        Ok(_) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) if error.kind == ErrorKind::Invalid => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) => Err(error.into()),
    }
}
