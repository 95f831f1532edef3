//! Where a machine's things are.
//!
//! ```text
//!   <run>/machines/<id>/           root's, 0711
//!       wish.json   0600           the label: whose it is and what was wished (user data may hold secrets)
//!       seed        0600           the NoCloud disk
//!       console, console.old       the console's last 128 to 256 KiB
//!       q/          0700           QEMU's user's: its sockets; nothing in here is believed
//!   <disks>/<id>.qcow2             what the machine wrote, for those that boot from a disk
//! ```

use manifold_nfvi_interface::{MachineWish, ObjectId, Owner};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// A Unix socket's path, with its terminating zero (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// A machine's label.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) owner: Owner,
    pub(crate) wish: MachineWish,
    /// Of the last start.
    pub(crate) accelerator: String,
    /// The generation of the last start.
    pub(crate) run_generation: u64,
    /// Whether its last start came to its end, well or badly: what does not run after that has crashed.
    pub(crate) started: bool,
    /// Whether its last start came up: what does not run after that is not started again in the same generation.
    #[serde(default)]
    pub(crate) ran: bool,
}

/// A machine's folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    pub(crate) disk: PathBuf,
}

impl Home {
    pub(crate) fn of(run_dir: &Path, disk_dir: &Path, id: ObjectId) -> Self {
        Self {
            folder: run_dir.join("machines").join(id.to_string()),
            disk: disk_dir.join(format!("{id}.qcow2")),
        }
    }

    /// The ids for which there is a folder.
    pub(crate) fn all(run_dir: &Path) -> io::Result<Vec<ObjectId>> {
        let entries = match fs::read_dir(run_dir.join("machines")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            if let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    pub(crate) fn qmp(&self) -> PathBuf {
        self.folder.join("q/qmp")
    }

    pub(crate) fn console_socket(&self) -> PathBuf {
        self.folder.join("q/console")
    }

    pub(crate) fn channel_socket(&self) -> PathBuf {
        self.folder.join("q/channel")
    }

    pub(crate) fn console_log(&self) -> PathBuf {
        self.folder.join("console")
    }

    pub(crate) fn seed(&self) -> PathBuf {
        self.folder.join("seed")
    }

    fn label_path(&self) -> PathBuf {
        self.folder.join("wish.json")
    }

    /// `None` when there is none, or none that can be read: then nobody knows whose machine it was.
    pub(crate) fn read_label(&self) -> Option<Label> {
        serde_json::from_slice(&fs::read(self.label_path()).ok()?).ok()
    }

    /// Replaces the label, whole or not at all; makes the folder.
    pub(crate) fn write_label(&self, label: &Label) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o711).create(&self.folder)?;
        let new = self.folder.join("wish.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(label)?)?;
        file.sync_all()?;
        fs::rename(&new, self.label_path())
    }

    /// Makes QEMU's own folder, empty, for its user.
    pub(crate) fn make_qemu_folder(&self, user: Option<(u32, u32)>) -> io::Result<PathBuf> {
        let folder = self.folder.join("q");
        if self.channel_socket().as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "the run directory's path is too long for a socket: {}",
                    folder.display()
                ),
            ));
        }
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&folder)?,
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid))?;
        }
        Ok(folder)
    }

    /// Takes everything away: all is tried, the first failure is told. Absent is success (false).
    pub(crate) fn remove(&self) -> io::Result<bool> {
        let absent = |result: io::Result<()>| match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        let disk = absent(fs::remove_file(&self.disk));
        let folder = absent(fs::remove_dir_all(&self.folder));
        Ok(disk? | folder?)
    }
}
