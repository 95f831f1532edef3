use super::VimClient;
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_vim_interface::{AddImage, ImageId, QueryFilter, SoftwareImageInformation, SoftwareImages};

#[async_trait]
impl SoftwareImages for VimClient {
    /// The paths cross the wire, the files do not: they have to be where the VIM reads the same paths.
    async fn add(&self, cx: &Context, ask: AddImage) -> Outcome<SoftwareImageInformation> {
        self.post(cx, &["software_images"], &ask).await
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        self.list(cx, "software_images", &filter).await
    }
    async fn delete(&self, cx: &Context, id: ImageId) -> Outcome<ImageId> {
        VimClient::delete(self, cx, &["software_images", &id.to_string()]).await?;
        Ok(id)
    }
}
