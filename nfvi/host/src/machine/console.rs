//! The console's log: bounded, and still there after the machine and the agent are not.
//!
//! QEMU offers the console on a socket; a task reads it into two files of at most half the log's bound each and lets the newer
//! replace the older. Not chosen: QEMU's ring buffer (gone with QEMU, just when it is needed), QEMU's own log file (without bound,
//! a guest could fill the disk), a pipe (a full one stops the guest). What a guest writes while no agent runs is lost.

use super::home::Home;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

/// Of the whole log; the contract of `ConsoleAsk`.
pub(crate) const LOG_BYTES_MAX: u64 = 256 * 1024;
/// QEMU's socket takes one reader at a time: another agent's may be ending just now.
const RETRY: Duration = Duration::from_millis(200);

/// Reads until QEMU ends. For a task; may be dropped at any point.
pub(crate) async fn keep(home: Home) {
    loop {
        match UnixStream::connect(home.console_socket()).await {
            Ok(stream) => match copy(stream, &home.console_log()).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, log = %home.console_log().display(), "A console's log could not be kept.")
                }
            },
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return,
            Err(_) => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn copy(mut stream: UnixStream, log: &Path) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let got = stream.read(&mut buffer).await?;
        if got == 0 {
            return Ok(());
        }
        // Small writes into the page cache of a run directory: not worth another thread.
        append(log, &buffer[..got])?;
    }
}

fn append(log: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(log)?;
    if file.metadata()?.len() + bytes.len() as u64 > LOG_BYTES_MAX / 2 {
        fs::rename(log, older(log))?;
        file = OpenOptions::new().append(true).create(true).mode(0o600).open(log)?;
    }
    file.write_all(bytes)
}

fn older(log: &Path) -> PathBuf {
    log.with_extension("old")
}

/// The last bytes, as text; what is no UTF-8 is replaced.
pub(crate) fn tail(log: &Path, last_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    for path in [older(log), log.to_owned()] {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => {
                let mut file = file?;
                let skip = file.metadata()?.len().saturating_sub(last_bytes);
                file.seek(SeekFrom::Start(skip))?;
                file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
            }
        }
    }
    let skip = bytes
        .len()
        .saturating_sub(usize::try_from(last_bytes).unwrap_or(usize::MAX));
    Ok(String::from_utf8_lossy(&bytes[skip..]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_the_end_and_stays_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("console");
        assert_eq!(tail(&log, 10).unwrap(), "");
        for number in 0..60_000 {
            append(&log, format!("line {number}\n").as_bytes()).unwrap();
        }
        let kept = fs::metadata(&log).unwrap().len() + fs::metadata(older(&log)).unwrap().len();
        assert!(kept <= LOG_BYTES_MAX && kept > LOG_BYTES_MAX / 2 - 20, "{kept}");
        assert_eq!(tail(&log, 11).unwrap(), "line 59999\n");
        let all = tail(&log, LOG_BYTES_MAX).unwrap();
        assert!(all.len() as u64 > LOG_BYTES_MAX / 2 && all.ends_with("line 59998\nline 59999\n"));
    }
}
