//! The outside's own changes, as they are told.

use crate::Realm;
use manifold_call::{Context, Deadline, ErrorKind, Outcome, TenantId, Uuid};
use std::time::Duration;
use tokio::sync::mpsc;

/// Told changes that wait for the loop; when it is behind, the next long poll waits with its question.
pub(crate) const EVENTS: usize = 16;
/// How long one question for changes stays open.
const POLL_LIMIT: Duration = Duration::from_secs(30);
/// How long one request may take: the 25 s leave a caller with the default limit of 30 s time for a taking back.
const REQUEST_LIMIT: Duration = Duration::from_secs(25);
/// Between questions that fail: an agent that restarts is back within a second.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What the outside told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// Look at these.
    Some(Vec<Uuid>),
    /// Look at everything.
    All,
}

/// Whose the loop's own requests are.
pub(crate) fn own() -> Context {
    Context::root(TenantId::from("operator")).within(REQUEST_LIMIT)
}

/// A request on behalf of a call: its place in the trace and its tenant, our time limit, because calls share requests.
pub(crate) fn on_behalf(cx: &Context) -> Context {
    let mut cx = cx.clone();
    cx.deadline = Deadline::within(REQUEST_LIMIT);
    cx.idempotency_key = None;
    cx
}

/// Tells of changes for ever, or until nobody listens.
pub(crate) async fn follow<R: Realm>(realm: &R, tell: mpsc::Sender<Event>) {
    let mut cursor = R::Cursor::default();
    let mut pause = PAUSE;
    loop {
        let cx = own_poll();
        let news: Outcome<_> = realm.changes(&cx, cursor.clone()).await;
        let event = match news {
            Ok(news) => {
                pause = PAUSE;
                cursor = news.cursor;
                match (news.lost, news.ids.is_empty()) {
                    (true, _) => Event::All,
                    (false, false) => Event::Some(news.ids),
                    (false, true) => continue,
                }
            }
            Err(error) if error.kind == ErrorKind::TimedOut && cx.deadline.remaining().is_zero() => continue,
            Err(error) => {
                tracing::debug!(realm = realm.instance(), %error, "changes are not told now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
                continue;
            }
        };
        if tell.send(event).await.is_err() {
            return;
        }
    }
}

fn own_poll() -> Context {
    let mut cx = own();
    cx.deadline = Deadline::within(POLL_LIMIT);
    cx
}
