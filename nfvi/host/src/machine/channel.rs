//! The guest channel: questions to the inside of a machine over its second serial port, one line each way
//! (`nfvi/image/guest/channel` is the other end). The guest is not trusted: what it answers is bounded and only ever data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{Probe, ProbeSeen};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Questions that a guest works on side by side: it has few resources, and each question there is a process.
const QUESTIONS_MAX: usize = 8;
/// The longest answer is 1,024 bytes of a page in base64, and some numbers.
const LINE_BYTES_MAX: u64 = 4 * 1024;
/// How often a guest that is still booting is asked whether it listens.
const HELLO_AGAIN: Duration = Duration::from_millis(200);
/// How much longer than the guest's own limit we wait, so that it is the guest who says "silent".
const GRACE: Duration = Duration::from_millis(1_500);

struct Question {
    text: String,
    answer: oneshot::Sender<String>,
}

/// A machine's channel. Connects when it is first asked.
pub(crate) struct Channel {
    questions: mpsc::Sender<Question>,
    // Dropped with the channel: ends the task.
    _task: JoinSet<()>,
}

impl Channel {
    pub(crate) fn open(socket: PathBuf) -> Self {
        let (questions, queue) = mpsc::channel(QUESTIONS_MAX);
        let mut task = JoinSet::new();
        task.spawn(serve(socket, queue));
        Self { questions, _task: task }
    }

    /// Asks until the moment; `None` when no answer came by then.
    async fn ask(&self, text: &str, until: Instant) -> Option<String> {
        let (answer, told) = oneshot::channel();
        let question = Question {
            text: text.to_owned(),
            answer,
        };
        timeout_at(until, async {
            self.questions.send(question).await.ok()?;
            told.await.ok()
        })
        .await
        .ok()?
    }

    /// Sends a probe from inside. Errors: `Unsupported` when nobody answers on the channel.
    pub(crate) async fn probe(&self, probe: &Probe, limit: Duration) -> Outcome<ProbeSeen> {
        let until = Instant::now() + limit;
        self.greet(until).await?;
        // The limit is for the packets: waiting for a guest that boots has its own.
        let limit_s = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
        let text = match probe {
            Probe::Ping {
                to,
                source,
                payload_bytes,
            } => {
                let source = source.map_or_else(|| "-".to_owned(), |source| source.to_string());
                format!("ping {limit_s} {to} {source} {}", payload_bytes.unwrap_or(56))
            }
            Probe::PingOnLink { to } => format!("ping {limit_s} {to} @ 56"),
            Probe::Http { to, port, path } => format!("http {limit_s} {to} {port} {path}"),
            Probe::Throughput { to, port, bytes } => format!("rate {limit_s} {to} {port} {bytes}"),
        };
        match self.ask(&text, Instant::now() + limit + GRACE).await {
            None => Ok(ProbeSeen::Silent),
            Some(line) => {
                parse(&line).ok_or_else(|| CallError::internal("the machine answered a probe with something else"))
            }
        }
    }

    /// What the guest knows of itself: name, identity, addresses, routes; for people and tests.
    pub(crate) async fn facts(&self, limit: Duration) -> Outcome<String> {
        let until = Instant::now() + limit;
        self.greet(until).await?;
        let line = self.ask("facts", until).await;
        match line.as_deref().and_then(parse) {
            Some(ProbeSeen::Answered { body, .. }) => Ok(body),
            _ => Err(CallError::timed_out("the machine did not tell of itself in time")),
        }
    }

    async fn greet(&self, until: Instant) -> Outcome<()> {
        loop {
            let now = Instant::now();
            if let Some(line) = self.ask("hello", until.min(now + HELLO_AGAIN)).await
                && line.starts_with("hello 1")
            {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(CallError::unsupported("nobody answers on the machine's guest channel").cure(
                    "wait until it has booted; an image without the guest channel (only the project's own has it) cannot be probed from inside",
                ));
            }
            // A question that ended at once (no socket yet) must not spin.
            tokio::time::sleep_until(until.min(now + HELLO_AGAIN)).await;
        }
    }
}

async fn serve(socket: PathBuf, mut queue: mpsc::Receiver<Question>) {
    let mut next: u64 = 1;
    while let Some(first) = queue.recv().await {
        let Ok(stream) = UnixStream::connect(&socket).await else {
            continue; // dropping the question tells its asker
        };
        // Ended connections (the machine's end, another reader) end the questions that wait on them; the next one connects anew.
        if let Err(error) = converse(stream, first, &mut queue, &mut next).await {
            tracing::debug!(%error, socket = %socket.display(), "A guest channel ended.");
        }
    }
}

async fn converse(
    stream: UnixStream,
    first: Question,
    queue: &mut mpsc::Receiver<Question>,
    next: &mut u64,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut waiting: HashMap<u64, oneshot::Sender<String>> = HashMap::new();
    let mut asked = Some(first);
    let mut line = Vec::new();
    loop {
        if let Some(question) = asked.take() {
            waiting.retain(|_, answer| !answer.is_closed());
            // The leading newline ends whatever the guest may have taken for the beginning of a line.
            write
                .write_all(format!("\n{next} {}\n", question.text).as_bytes())
                .await?;
            waiting.insert(*next, question.answer);
            *next += 1;
        }
        let mut room = (&mut read).take(LINE_BYTES_MAX.saturating_sub(line.len() as u64));
        tokio::select! {
            // Cancel-safe: what was read stays in `line`.
            got = room.read_until(b'\n', &mut line) => {
                if got? == 0 {
                    return Ok(());
                }
                if line.ends_with(b"\n") || line.len() as u64 >= LINE_BYTES_MAX {
                    if let Some((id, rest)) = std::str::from_utf8(&line).ok().and_then(|line| line.trim().split_once(' '))
                        && is_answer(rest)
                        && let Some(answer) = id.parse().ok().and_then(|id: u64| waiting.remove(&id))
                    {
                        let _asker_gave_up = answer.send(rest.to_owned());
                    }
                    line.clear();
                }
            }
            question = queue.recv() => match question {
                Some(question) => asked = Some(question),
                None => return Ok(()),
            },
        }
    }
}

/// A port that still echoes gives our questions back.
fn is_answer(rest: &str) -> bool {
    let verb = rest.split(' ').next().unwrap_or_default();
    matches!(verb, "answered" | "silent" | "toobig" | "refused") || rest.starts_with("hello 1")
}

fn parse(line: &str) -> Option<ProbeSeen> {
    let words: Vec<&str> = line.split(' ').collect();
    let text = |word: &str| match word {
        "-" => Some(String::new()),
        word => Some(String::from_utf8_lossy(&STANDARD.decode(word).ok()?).into_owned()),
    };
    let number = |word: &str| match word {
        "-" => Some(None),
        word => word.parse::<u64>().ok().map(Some),
    };
    Some(match words.as_slice() {
        ["answered", after_us, rate, body] => ProbeSeen::Answered {
            after_us: after_us.parse().ok()?,
            body: text(body)?,
            bits_per_second: number(rate)?,
        },
        ["silent"] => ProbeSeen::Silent,
        ["toobig", mtu] => ProbeSeen::TooBig {
            mtu_bytes: number(mtu)?.and_then(|mtu| mtu.try_into().ok()),
        },
        ["refused", why] => ProbeSeen::Refused { why: text(why)? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_anything_else_is_not() {
        assert_eq!(parse("silent"), Some(ProbeSeen::Silent));
        assert_eq!(parse("toobig 1400"), Some(ProbeSeen::TooBig { mtu_bytes: Some(1400) }));
        assert_eq!(parse("refused bm8="), Some(ProbeSeen::Refused { why: "no".into() }));
        let answered = ProbeSeen::Answered {
            after_us: 12,
            body: String::new(),
            bits_per_second: Some(9),
        };
        assert_eq!(parse("answered 12 9 -"), Some(answered));
        for line in [
            "",
            "answered",
            "answered x - -",
            "refused !",
            "toobig 9999999999999999999999",
            "root:x:0:0",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn an_echo_is_no_answer() {
        assert!(!is_answer("ping 2 10.0.0.1 - 56") && !is_answer("hello"));
        assert!(is_answer("hello 1 name") && is_answer("silent"));
    }
}
