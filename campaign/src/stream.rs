//! Numbered packets, twenty a second: every number that was sent must come back.

use crate::wait::wait_for;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two packets, in seconds, as `ping` takes it.
const PACE: &str = "0.05";

/// Numbers that must come back after the last one that is judged: a second's worth, so that none that is judged is on its way.
const AFTER: u64 = 20;

/// For these to come back while two cores boot machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// A machine that boots, until it answers first.
const BOOT: Duration = Duration::from_secs(90);

#[derive(Debug, Default)]
struct Seen {
    latest: u64,
    missing: BTreeSet<u64>,
    last: Option<Instant>,
    silence: Duration,
    rubbish: Vec<String>,
}

/// A stream of echo requests from inside a network namespace.
pub struct Stream {
    what: String,
    child: Child,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    /// `number` is counted in 16 bits and wraps.
    fn take(&mut self, number: u16) {
        let step = number.wrapping_sub(self.latest as u16) as i16;
        let at = self.latest.saturating_add_signed(i64::from(step));
        self.missing.remove(&at);
        if at > self.latest {
            self.missing.extend(self.latest + 1..at);
            self.latest = at;
        }
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            self.silence = self.silence.max(now - last);
        }
    }
}

fn number(line: &str) -> Option<u16> {
    let at = line.find("icmp_seq=")? + "icmp_seq=".len();
    let digits = line[at..].split(' ').next()?;
    line.contains("bytes from").then(|| digits.parse().ok())?
}

impl Stream {
    /// Waits until `to` answers from inside `namespace`, then begins.
    pub fn begin(namespace: &Path, to: IpAddr) -> Stream {
        let what = format!("the stream to {to}");
        wait_for(&format!("{to} answers"), BOOT, || answers(namespace, to).then_some(()));
        let mut child = Command::new("nsenter")
            .arg(format!("--net={}", namespace.display()))
            .args(["ping", "-n", "-i", PACE, &to.to_string()])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (from, shared) = (child.stdout.take().expect("its output is piped"), seen.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                match number(&line) {
                    Some(number) => lock(&shared).take(number),
                    None if line.starts_with("PING ") || line.is_empty() => {}
                    None => lock(&shared).rubbish.push(line),
                }
            }
        });
        Stream {
            what,
            child,
            seen,
            reader: Some(reader),
        }
    }

    /// Panics when a number that was sent before this call is not answered. Gives how many were.
    pub fn unbroken(&self) -> u64 {
        let sent = lock(&self.seen).latest;
        wait_for(&format!("{} goes on after {sent}", self.what), PATIENCE, || {
            (lock(&self.seen).latest >= sent + AFTER).then_some(())
        });
        let seen = lock(&self.seen);
        let lost: Vec<u64> = seen.missing.range(..=sent).copied().collect();
        assert!(
            lost.is_empty(),
            "{}: {} of {sent} packets were not answered: {lost:?}; it also said {:?}",
            self.what,
            lost.len(),
            seen.rubbish
        );
        sent
    }

    /// The longest time between two answers.
    pub fn longest_silence(&self) -> Duration {
        lock(&self.seen).silence
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // nsenter has become ping: one process.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Whether one packet is answered within a second.
pub fn answers(namespace: &Path, to: IpAddr) -> bool {
    let enter = format!("--net={}", namespace.display());
    let status = Command::new("nsenter")
        .args([
            enter.as_str(),
            "ping",
            "-n",
            "-q",
            "-c",
            "1",
            "-W",
            "1",
            &to.to_string(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{Seen, number};

    #[test]
    fn what_is_late_is_not_missing_and_numbers_go_on_after_sixteen_bits() {
        let mut seen = Seen::default();
        for number in [1, 2, 5, 4] {
            seen.take(number);
        }
        assert_eq!(seen.missing.iter().copied().collect::<Vec<_>>(), [3]);
        seen.take(3);
        assert!(seen.missing.is_empty());
        let mut seen = Seen::default();
        for number in 1..=70_000_u64 {
            seen.take(number as u16);
        }
        assert_eq!((seen.latest, seen.missing.len()), (70_000, 0));
    }

    #[test]
    fn a_line_gives_its_number_only_when_it_is_an_answer() {
        assert_eq!(
            number("64 bytes from 10.0.0.2: icmp_seq=12 ttl=64 time=0.3 ms"),
            Some(12)
        );
        assert_eq!(number("From 10.0.0.1 icmp_seq=12 Destination Host Unreachable"), None);
        assert_eq!(number("PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data."), None);
    }
}
