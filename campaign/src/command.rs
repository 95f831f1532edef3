//! A command with a deadline: what it said, and how it ended.

use serde_json::Value;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command that runs.
pub struct Running {
    what: String,
    child: Child,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
}

/// What a command said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The command.
    pub what: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read until its end is what there is.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    /// Starts it, with nothing to read.
    pub fn start(mut command: Command) -> Running {
        let what = format!("{command:?}");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        let out = child.stdout.take().map(gather);
        let err = child.stderr.take().map(gather);
        Running { what, child, out, err }
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Waits for its end. Panics, and ends it, when that does not come within `limit`.
    pub fn end(mut self, limit: Duration) -> Answer {
        let end = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) => panic!("{}: runs longer than {} s", self.what, limit.as_secs()),
                Err(error) => panic!("{}: {error}", self.what),
            }
        };
        let take =
            |from: &mut Option<JoinHandle<String>>| from.take().and_then(|from| from.join().ok()).unwrap_or_default();
        Answer {
            what: self.what.clone(),
            code: status.code(),
            out: take(&mut self.out),
            err: take(&mut self.err),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over() {
            // It is being left because something else went wrong, which is told.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Answer {
    /// Itself, when it succeeded; else panics with all that it said.
    pub fn ok(self) -> Answer {
        assert_eq!(self.code, Some(0), "{}\n{}\n{}", self.what, self.out, self.err);
        self
    }

    /// Its output as JSON. Panics when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{}: {error} in {:?}; {}", self.what, self.out, self.err))
    }
}
