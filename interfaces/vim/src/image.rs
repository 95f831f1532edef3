//! Software images (IFA 005 7.2).

use crate::{Metadata, QueryFilter};
use manifold_call::{Subject, interface, uuid_id};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;

uuid_id! {
    /// A software image.
    pub ImageId
}

interface! {
    /// Software images (IFA 005 7.2). Producer: VIM.
    pub trait SoftwareImages as BoundSoftwareImages by Vim {
        /// Takes an image in: copies its files into the VIM's own cache, checks their hashes. The same content again is the same
        /// image. Errors: `Invalid` (a hash differs, a file is missing).
        async fn add(ask: AddImage) -> SoftwareImageInformation;
        /// Those that match.
        async fn query(filter: QueryFilter) -> Vec<SoftwareImageInformation>;
        /// Removes one; `Conflict` while a machine was made of it. Absent is success.
        async fn delete(id: ImageId) -> ImageId;
    }
}

/// AddSoftwareImage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddImage {
    /// For people.
    pub name: String,
    /// Who made it.
    pub provider: String,
    /// Its version.
    pub version: String,
    /// Its files, where the VIM can read them.
    pub content: ImageContent,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub user_metadata: Metadata,
}

/// What an image consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", tag = "format")]
pub enum ImageContent {
    /// A kernel and its initial RAM file system.
    Kernel {
        /// Path.
        #[schema(value_type = String)]
        kernel: PathBuf,
        /// Path.
        #[schema(value_type = String)]
        initramfs: PathBuf,
        /// Kernel command line.
        command_line: String,
    },
    /// A bootable qcow2 disk.
    Qcow2 {
        /// Path.
        #[schema(value_type = String)]
        disk: PathBuf,
    },
    /// A bootable raw disk.
    Raw {
        /// Path.
        #[schema(value_type = String)]
        disk: PathBuf,
    },
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoftwareImageInformation {
    /// Identifier: made of the content's hash.
    pub id: ImageId,
    /// Name.
    pub name: String,
    /// Who made it.
    pub provider: String,
    /// Version.
    pub version: String,
    /// `kernel`, `qcow2` or `raw`.
    pub format: String,
    /// SHA-256 over the files' SHA-256s, in hexadecimal.
    pub checksum: String,
    /// In bytes, all files.
    pub size: u64,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub user_metadata: Metadata,
}

impl Subject for AddImage {
    fn subject(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}
