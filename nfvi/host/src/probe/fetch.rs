//! HTTP from a node: one GET, over a connection of its own.

use manifold_nfvi_interface::ProbeSeen;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What `ProbeSeen::Answered` carries at most.
const BODY_BYTES_MAX: usize = 1_024;
const HEAD_BYTES_MAX: usize = 16 * 1024;
const CHUNK_BYTES: usize = 256 * 1024;

/// Gets a page. Call it in the namespace. Errors: no socket could be had.
pub(crate) fn page(to: SocketAddr, path: &str, until: Instant) -> io::Result<ProbeSeen> {
    let start = Instant::now();
    outcome(get(to, path, until, Some(BODY_BYTES_MAX)), |fetched| {
        ProbeSeen::Answered {
            after_us: micros(start),
            body: String::from_utf8_lossy(&fetched.begin).into_owned(),
            bits_per_second: None,
        }
    })
}

/// Takes `/bytes/N` and tells the rate, from the request to the last byte.
pub(crate) fn rate(to: SocketAddr, bytes: u64, until: Instant) -> io::Result<ProbeSeen> {
    let start = Instant::now();
    let fetched = get(to, &format!("/bytes/{bytes}"), until, None).and_then(|fetched| match fetched.bytes {
        got if got >= bytes => Ok(fetched),
        got => Err(Failure::Refused(format!("{got} bytes instead of {bytes}"))),
    });
    outcome(fetched, |fetched| {
        let after_us = micros(start);
        let rate = u128::from(fetched.bytes) * 8 * 1_000_000 / u128::from(after_us.max(1));
        ProbeSeen::Answered {
            after_us,
            body: String::new(),
            bits_per_second: u64::try_from(rate).ok(),
        }
    })
}

struct Fetched {
    /// The body's first bytes.
    begin: Vec<u8>,
    /// Of the body.
    bytes: u64,
}

enum Failure {
    Silent,
    Refused(String),
    Broken(io::Error),
}

fn outcome(fetched: Result<Fetched, Failure>, answered: impl FnOnce(Fetched) -> ProbeSeen) -> io::Result<ProbeSeen> {
    match fetched {
        Ok(fetched) => Ok(answered(fetched)),
        Err(Failure::Silent) => Ok(ProbeSeen::Silent),
        Err(Failure::Refused(why)) => Ok(ProbeSeen::Refused { why }),
        Err(Failure::Broken(error)) => Err(error),
    }
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Failure::Silent,
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::UnexpectedEof => Failure::Refused(error.to_string()),
            _ => Failure::Broken(error),
        }
    }
}

/// `enough`: stop after so many bytes of the body; `None` = at its end.
fn get(to: SocketAddr, path: &str, until: Instant, enough: Option<usize>) -> Result<Fetched, Failure> {
    let mut stream = TcpStream::connect_timeout(&to, left(until)?)?;
    stream.set_write_timeout(Some(left(until)?))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut head = Vec::new();
    let body = loop {
        let got = read(&mut stream, &mut chunk, until)?;
        head.extend_from_slice(&chunk[..got]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break head.split_off(end + 4);
        }
        if got == 0 || head.len() > HEAD_BYTES_MAX {
            return Err(Failure::Refused("no HTTP answer".to_owned()));
        }
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some(code) if status.starts_with("HTTP/1.") && code.starts_with('2') => {}
        _ => return Err(Failure::Refused(status.chars().take(80).collect())),
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<u64>().ok())?
    });
    let mut fetched = Fetched {
        bytes: body.len() as u64,
        begin: body,
    };
    let ends = |fetched: &Fetched| {
        length.is_some_and(|length| fetched.bytes >= length)
            || enough.is_some_and(|enough| fetched.begin.len() >= enough)
    };
    while !ends(&fetched) {
        let got = read(&mut stream, &mut chunk, until)?;
        if got == 0 {
            break;
        }
        fetched.bytes += got as u64;
        let room = BODY_BYTES_MAX.saturating_sub(fetched.begin.len()).min(got);
        fetched.begin.extend_from_slice(&chunk[..room]);
    }
    fetched.begin.truncate(BODY_BYTES_MAX);
    Ok(fetched)
}

fn read(stream: &mut TcpStream, chunk: &mut [u8], until: Instant) -> Result<usize, Failure> {
    stream.set_read_timeout(Some(left(until)?))?;
    Ok(stream.read(chunk)?)
}

fn left(until: Instant) -> Result<Duration, Failure> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Failure::Silent) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answering(bytes: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1_000];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(bytes).unwrap();
        });
        address
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn a_page_is_given_and_a_refusal_is_told_in_its_words() {
        let to = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and more");
        assert!(
            matches!(page(to, "/", soon()).unwrap(), ProbeSeen::Answered { body, .. } if body.starts_with("hello"))
        );
        let to = answering(b"HTTP/1.1 404 Not Found\r\n\r\n");
        assert_eq!(
            page(to, "/", soon()).unwrap(),
            ProbeSeen::Refused {
                why: "HTTP/1.1 404 Not Found".into()
            }
        );
        let to = answering(b"SSH-2.0-x\r\n\r\n");
        assert!(matches!(page(to, "/", soon()).unwrap(), ProbeSeen::Refused { .. }));
    }

    #[test]
    fn a_rate_needs_all_the_bytes() {
        let to = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        assert!(matches!(
            rate(to, 3, soon()).unwrap(),
            ProbeSeen::Answered {
                bits_per_second: Some(1..),
                ..
            }
        ));
        let to = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        assert!(matches!(rate(to, 4, soon()).unwrap(), ProbeSeen::Refused { .. }));
    }

    #[test]
    fn a_closed_port_refuses_and_a_quiet_one_is_silent() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(page(closed, "/", soon()).unwrap(), ProbeSeen::Refused { .. }));
        let quiet = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = quiet.local_addr().unwrap();
        assert_eq!(
            page(to, "/", Instant::now() + Duration::from_millis(50)).unwrap(),
            ProbeSeen::Silent
        );
    }
}
