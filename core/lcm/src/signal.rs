//! Signals: who waits for which event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Events that somebody waits for. A signal that nobody waits for is dropped: who begins to wait looks first, after
/// it has registered, so nothing is lost between.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    waiters: Mutex<HashMap<String, (Arc<Notify>, usize)>>,
}

/// A place among those who wait for an event; given up when dropped.
pub(crate) struct Registration<'a> {
    signals: &'a Signals,
    event: String,
    pub(crate) notify: Arc<Notify>,
}

impl Signals {
    pub(crate) fn register(&self, event: &str) -> Registration<'_> {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let (notify, count) = waiters.entry(event.to_owned()).or_default();
        *count += 1;
        Registration {
            signals: self,
            event: event.to_owned(),
            notify: Arc::clone(notify),
        }
    }

    pub(crate) fn signal(&self, event: &str) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((notify, _)) = waiters.get(event) {
            notify.notify_waiters();
        }
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut waiters = self.signals.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = waiters.get_mut(&self.event) {
            *count -= 1;
            if *count == 0 {
                waiters.remove(&self.event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_waiter_leaves_nothing_behind() {
        let signals = Signals::default();
        let first = signals.register("a");
        let second = signals.register("a");
        drop(first);
        assert_eq!(signals.waiters.lock().expect("nobody panicked").len(), 1);
        drop(second);
        assert!(signals.waiters.lock().expect("nobody panicked").is_empty());
    }
}
