//! The files of a VDU's image: taken out of the package once, or built by the program.

use std::path::PathBuf;

use manifold_call::{CallError, Outcome};
use manifold_descriptors::vnfd::{SwImageDesc, SwImageSource};
use manifold_vim_interface::ImageContent;

use super::{Catalogue, Model, archive};

/// What a kernel of a package is told: everything else its initramfs finds out.
const KERNEL_COMMAND_LINE: &str = "console=ttyS0";

impl Catalogue {
    /// Where the image's files lie. Errors: `Unsupported` (the bytes are somewhere else), `NotFound` (no such built image).
    pub(crate) async fn image(&self, package: &str, model: &Model, image: &SwImageDesc) -> Outcome<ImageContent> {
        match &image.source {
            SwImageSource::Manifold { name } => self.near.images()?.content(name).await,
            SwImageSource::Disk { path } => {
                let disk = self.unpacked(package, model, path).await?;
                match image.disk_format.to_ascii_lowercase().as_str() {
                    "qcow2" => Ok(ImageContent::Qcow2 { disk }),
                    "raw" => Ok(ImageContent::Raw { disk }),
                    other => Err(CallError::unsupported(format!(
                        "image {} has the format {other}; qcow2 and raw are known",
                        image.id
                    ))),
                }
            }
            SwImageSource::KernelAndInitramfs { kernel, initramfs, .. } => Ok(ImageContent::Kernel {
                kernel: self.unpacked(package, model, kernel).await?,
                initramfs: self.unpacked(package, model, initramfs).await?,
                command_line: KERNEL_COMMAND_LINE.to_owned(),
            }),
            SwImageSource::Uri { uri } => Err(CallError::unsupported(format!(
                "image {} lies outside of its package, at {uri}",
                image.id
            ))
            .cure("put it into the package")),
            SwImageSource::ByName => Err(CallError::unsupported(format!(
                "nothing says where the bytes of image {} are",
                image.id
            ))
            .cure("put it into the package")),
        }
    }

    /// Files are called by their hashes, so that two packages with the same image have it once.
    async fn unpacked(&self, package: &str, model: &Model, path: &str) -> Outcome<PathBuf> {
        let sha256 = model
            .files
            .get(path)
            .ok_or_else(|| CallError::internal(format!("package {package} was on-boarded without {path}")))?;
        let to = self.image_dir().join(sha256);
        let _one = self.unpacking.lock().await;
        archive::unpack(&self.archive(package), path, sha256, &to).await?;
        Ok(to)
    }
}
