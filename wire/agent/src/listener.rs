//! The socket's file: one agent at a time, a stale file replaced only if nobody answers there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// A bound socket. Its file goes when it is dropped.
#[derive(Debug)]
pub struct AgentListener {
    pub(crate) socket: UnixListener,
    path: PathBuf,
    /// Held for as long as we listen; the kernel gives it back however we end.
    _lock: File,
}

/// Why the socket could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another agent listens there.
    #[error("an agent already listens on {0}")]
    InUse(PathBuf),
    /// There is a file of another kind.
    #[error("{0} is no socket, so it is left alone; choose another path or remove it")]
    NotASocket(PathBuf),
    /// A step failed.
    #[error("{path}: {attempt} failed")]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl AgentListener {
    /// Binds `path` with this file mode (0o600: our own user; 0o660: the group as well). The folder has to exist.
    pub async fn bind(path: &Path, mode: u32) -> Result<Self, BindError> {
        let failed = |attempt, path: &Path| {
            let path = path.to_owned();
            move |source| BindError::Io { attempt, path, source }
        };
        let lock_path = beside(path, "lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed("opening the lock", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(BindError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(failed("locking", &lock_path)(error)),
        }
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("looking at the socket", path)(error)),
            Ok(there) if !there.file_type().is_socket() => return Err(BindError::NotASocket(path.to_owned())),
            // The lock is ours, yet something else may listen there: ask.
            Ok(_) => match UnixStream::connect(path).await {
                Ok(_) => return Err(BindError::InUse(path.to_owned())),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(failed("asking who listens", path)(error)),
            },
        }
        // Bound under another name and moved into place: nobody finds the socket before it has its mode.
        let fresh = beside(path, "new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("removing", &fresh)(error)),
            _ => {}
        }
        let socket = UnixListener::bind(&fresh).map_err(failed("binding", &fresh))?;
        fs::set_permissions(&fresh, Permissions::from_mode(mode)).map_err(failed("setting the mode", &fresh))?;
        fs::rename(&fresh, path).map_err(failed("moving the socket into place", path))?;
        Ok(Self {
            socket,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for AgentListener {
    fn drop(&mut self) {
        // The lock is still ours, so the file is, too.
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "The socket's file was gone already.");
        }
    }
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
