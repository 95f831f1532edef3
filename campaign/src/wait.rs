//! Waiting for a level, with a deadline.

use std::time::{Duration, Instant};

/// Between two looks.
const PACE: Duration = Duration::from_millis(25);

/// Looks until there is something to see, and gives it. Panics when `limit` has passed, with `what`.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "{what}: not within {} s", limit.as_secs());
        std::thread::sleep(PACE);
    }
}
