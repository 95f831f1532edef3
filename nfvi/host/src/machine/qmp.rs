//! A small QMP client. Each exchange is a connection of its own: nothing has to be kept alive, a person can talk to the machine
//! in between, and a restarted agent needs no more than the socket's path.

use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// QEMU answers from its main loop within milliseconds; under a full load of emulated machines it has taken half a second.
const LIMIT: Duration = Duration::from_secs(5);
/// No answer to a question of ours is longer.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Events that may stand between a question and its answer.
const LINES_MAX: usize = 256;

/// Why QEMU gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QmpError {
    /// Nobody listens, or the connection broke.
    #[error("QEMU cannot be reached at {path}: {source}")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No answer in time.
    #[error("QEMU did not answer {command} in time")]
    Late {
        /// What was asked.
        command: &'static str,
    },
    /// It refused.
    #[error("QEMU refused {command}: {why}")]
    Refused {
        /// What was asked.
        command: &'static str,
        /// In its words.
        why: String,
    },
}

/// What is known of the process at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// As the kernel knows it: who made the socket.
    pub(crate) pid: Option<i32>,
}

/// Asks one thing: the answer's `return`, and who answered.
pub(crate) async fn ask(path: &Path, command: &'static str) -> Result<(Value, Peer), QmpError> {
    let exchange = async {
        let stream = UnixStream::connect(path).await?;
        let pid = stream.peer_cred()?.pid();
        let mut stream = BufReader::new(stream);
        read(&mut stream).await?; // the greeting
        write(&mut stream, &json!({"execute": "qmp_capabilities", "id": 0})).await?;
        answer(&mut stream, 0).await?;
        write(&mut stream, &json!({"execute": command, "id": 1})).await?;
        Ok::<_, io::Error>((answer(&mut stream, 1).await?, Peer { pid }))
    };
    match tokio::time::timeout(LIMIT, exchange).await {
        Err(_) => Err(QmpError::Late { command }),
        Ok(Err(source)) => Err(QmpError::Unreachable {
            path: path.to_owned(),
            source,
        }),
        Ok(Ok((mut reply, peer))) => match reply.get_mut("return") {
            Some(value) => Ok((value.take(), peer)),
            None => Err(QmpError::Refused {
                command,
                why: reply["error"]["desc"].as_str().unwrap_or("without a reason").to_owned(),
            }),
        },
    }
}

async fn write(stream: &mut BufReader<UnixStream>, message: &Value) -> io::Result<()> {
    stream.write_all(format!("{message}\r\n").as_bytes()).await
}

async fn read(stream: &mut BufReader<UnixStream>) -> io::Result<Value> {
    let mut line = Vec::new();
    (&mut *stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

async fn answer(stream: &mut BufReader<UnixStream>, id: u64) -> io::Result<Value> {
    for _ in 0..LINES_MAX {
        let message = read(stream).await?;
        if message["id"] == id {
            return Ok(message);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "events without an answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    async fn played(lines: &'static [&'static str]) -> Result<(Value, Peer), QmpError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qmp");
        let listener = UnixListener::bind(&path).unwrap();
        let play = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            for line in lines {
                stream.write_all(line.as_bytes()).await.unwrap();
                stream.write_all(b"\r\n").await.unwrap();
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        };
        tokio::select! { result = ask(&path, "query-uuid") => result, () = play => unreachable!() }
    }

    #[tokio::test]
    async fn events_in_between_are_passed_over_and_the_peer_is_known() {
        let (value, peer) = played(&[
            r#"{"QMP": {}}"#,
            r#"{"return": {}, "id": 0}"#,
            r#"{"event": "RESUME"}"#,
            r#"{"return": {"UUID": "x"}, "id": 1}"#,
        ])
        .await
        .unwrap();
        assert_eq!(value["UUID"], "x");
        assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
    }

    #[tokio::test]
    async fn a_refusal_tells_why_and_nonsense_is_no_answer() {
        let refused = played(&[
            r#"{"QMP": {}}"#,
            r#"{"return": {}, "id": 0}"#,
            r#"{"id": 1, "error": {"desc": "no"}}"#,
        ])
        .await;
        assert!(matches!(refused, Err(QmpError::Refused { why, .. }) if why == "no"));
        assert!(matches!(
            played(&["HTTP/1.1 200 OK"]).await,
            Err(QmpError::Unreachable { .. })
        ));
    }

    #[tokio::test]
    async fn nobody_there_is_unreachable() {
        let gone = ask(Path::new("/nonexistent/qmp"), "quit").await;
        assert!(matches!(gone, Err(QmpError::Unreachable { .. })));
    }
}
