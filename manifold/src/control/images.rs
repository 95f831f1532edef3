//! The images that the program builds itself: `manifold:image/guest`, `manifold:image/guest-disk`.

use async_trait::async_trait;
use manifold_call::{CallError, Outcome};
use manifold_nfvo::BuiltinImages;
use manifold_vim_interface::ImageContent;
use std::path::PathBuf;

/// Builds into, and finds in, the cache folder.
pub struct Images {
    /// The cache folder.
    pub cache: PathBuf,
}

#[async_trait]
impl BuiltinImages for Images {
    async fn content(&self, name: &str) -> Outcome<ImageContent> {
        if !["guest", "guest-disk"].contains(&name) {
            return Err(CallError::not_found(format!("there is no built-in image {name:?}"))
                .cure("there are manifold:image/guest and manifold:image/guest-disk"));
        }
        let cache = self.cache.clone();
        // Building takes half a minute the first time and has its own thread.
        let image = tokio::task::spawn_blocking(move || match manifold_image::built(&cache) {
            Some(image) => Ok(image),
            None => manifold_image::build(&cache, &mut |_| {}),
        })
        .await
        .map_err(|error| CallError::internal("the image builder ended early").caused_by(error))?
        .map_err(|error| {
            CallError::unavailable(format!("the guest image could not be built: {error}"))
                .cure("`manifold doctor` tells what is missing")
                .caused_by(error)
        })?;
        Ok(match name {
            "guest-disk" => ImageContent::Qcow2 { disk: image.disk },
            _ => ImageContent::Kernel {
                kernel: image.kernel,
                initramfs: image.initramfs,
                command_line: "quiet".into(),
            },
        })
    }
}
