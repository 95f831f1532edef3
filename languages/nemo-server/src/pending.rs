//! Requests that wait or are being answered, and which of them the client does not want any more.

use lsp_server::{Message, RequestId};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Written by whoever reads messages, asked by whoever answers them: a cancellation overtakes the request in the queue.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    requests: Mutex<HashMap<RequestId, State>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Wanted,
    Cancelled,
}

impl Pending {
    /// A message was read, and will be queued.
    pub(crate) fn note(&self, message: &Message) {
        match message {
            Message::Request(request) => {
                self.lock().insert(request.id.clone(), State::Wanted);
            }
            Message::Notification(note) if note.method == "$/cancelRequest" => {
                let id = match &note.params["id"] {
                    Value::String(text) => Some(RequestId::from(text.clone())),
                    Value::Number(number) => number
                        .as_i64()
                        .and_then(|id| i32::try_from(id).ok())
                        .map(RequestId::from),
                    _ => None,
                };
                // A request that is answered already is not there any more; nothing is kept of its cancellation.
                if let Some(id) = id
                    && let Some(state) = self.lock().get_mut(&id)
                {
                    *state = State::Cancelled;
                }
            }
            _ => {}
        }
    }

    /// Whether the client has cancelled a request.
    pub(crate) fn is_cancelled(&self, id: &RequestId) -> bool {
        self.lock().get(id) == Some(&State::Cancelled)
    }

    /// A request was answered.
    pub(crate) fn done(&self, id: &RequestId) {
        self.lock().remove(id);
    }

    /// A map of finished insertions is whole, whoever has panicked.
    fn lock(&self) -> MutexGuard<'_, HashMap<RequestId, State>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_server::{Notification, Request};
    use serde_json::json;

    #[test]
    fn a_cancellation_meets_its_request_and_no_other() {
        let pending = Pending::default();
        let request = |id: i32| Request::new(id.into(), "m".into(), json!({})).into();
        let cancel = |id: Value| Notification::new("$/cancelRequest".into(), json!({ "id": id })).into();
        pending.note(&request(1));
        pending.note(&request(2));
        pending.note(&cancel(json!(1)));
        pending.note(&cancel(json!(7)));
        pending.note(&cancel(json!(null)));
        assert!(pending.is_cancelled(&1.into()) && !pending.is_cancelled(&2.into()));
        pending.done(&1.into());
        pending.note(&cancel(json!(1)));
        assert!(!pending.is_cancelled(&1.into()));
        // Its number may be used again.
        pending.note(&request(1));
        assert!(!pending.is_cancelled(&1.into()));
    }
}
