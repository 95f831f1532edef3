use crate::ObjectId;
use manifold_call::Subject;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;

/// A virtual machine on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineWish {
    /// Where it runs.
    pub node: ObjectId,
    /// What people call it; also its host name. At most 63 bytes of `[a-z0-9-]`.
    pub name: String,
    /// Number of virtual CPUs, 1 to 64.
    pub vcpus: u32,
    /// In mebibytes, 64 or more.
    pub memory_mib: u64,
    /// What it boots.
    pub boot: Boot,
    /// Its interfaces, in order; all are taps on the same node.
    pub interfaces: Vec<ObjectId>,
    /// What cloud-init's NoCloud data source finds on its disk labelled CIDATA; `None` = no such disk.
    pub no_cloud: Option<NoCloud>,
    /// Whether it shall run. A stopped machine keeps its ports and its disk.
    pub power: Power,
    /// Raised by one whenever the machine shall be started afresh: a machine that runs with a lower number is rebooted, one that
    /// crashed with a lower number is started. One that crashed with this number stays as it is.
    pub generation: u64,
}

/// What a machine boots. Paths are files of the image cache, readable by the agent; it opens them, the machine's user does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "boot")]
pub enum Boot {
    /// A kernel with an initial RAM file system; nothing is written to disk.
    Kernel {
        /// bzImage or PVH image.
        kernel: PathBuf,
        /// cpio archive, possibly compressed.
        initramfs: PathBuf,
        /// Appended to the agent's own `console=ttyS0`.
        command_line: String,
    },
    /// A bootable disk. The machine writes to an overlay of its own, never to the image.
    Disk {
        /// qcow2 or raw.
        image: PathBuf,
        /// Which of the two.
        format: DiskFormat,
    },
}

/// Format of a disk image (`disk_format` of SOL001's SwImageData).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DiskFormat {
    /// QEMU's copy-on-write format.
    Qcow2,
    /// Bytes as they are.
    Raw,
}

/// The three files of a NoCloud disk. `user_data` may hold secrets: it is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoCloud {
    /// `meta-data`
    pub meta_data: String,
    /// `user-data`
    pub user_data: String,
    /// `network-config`, version 2
    pub network_config: String,
}

impl std::fmt::Debug for NoCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoCloud(***)")
    }
}

/// Whether a machine shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Power {
    /// Running, unless it crashes.
    On,
    /// Not running; started again by wishing [`Power::On`].
    Off,
}

/// What a machine does now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum MachineState {
    /// QEMU runs it.
    Running {
        /// KVM or TCG.
        accelerator: String,
        /// The wish's generation that this run belongs to.
        generation: u64,
    },
    /// Stopped as wished.
    Stopped,
    /// It ended although it should run.
    Crashed {
        /// The last lines of its console and of QEMU's own messages.
        why: String,
    },
}

/// Asks for a machine's console log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsoleAsk {
    /// Whose.
    pub machine: ObjectId,
    /// At most this many of its last bytes; the log itself is bounded (256 KiB).
    pub last_bytes: u32,
}

impl Subject for ConsoleAsk {
    fn subject(&self) -> String {
        self.machine.to_string()
    }
}
