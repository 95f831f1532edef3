use super::{NfvoClient, body};
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_nfvo_interface::{Content, New, PnfdInfoId, PnfdManagement, Upload};
use manifold_sol::{CreatePnfdInfoRequest, PnfdInfo};

#[async_trait]
impl PnfdManagement for NfvoClient {
    async fn create(&self, cx: &Context, ask: New<CreatePnfdInfoRequest>) -> Outcome<PnfdInfo> {
        body(self.nsd.post(cx, &["pnf_descriptors"], &ask.0).await?)
    }
    async fn upload(&self, cx: &Context, ask: Upload<PnfdInfoId>) -> Outcome<PnfdInfo> {
        let id = ask.id.to_string();
        self.upload_file(&self.nsd, cx, &["pnf_descriptors", &id, "pnfd_content"], &ask.file)
            .await?;
        self.nsd.get(cx, &["pnf_descriptors", &id]).await
    }
    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<PnfdInfo>> {
        self.nsd.list(cx, &["pnf_descriptors"], &[("all_fields", "")]).await
    }
    async fn find(&self, cx: &Context, id: PnfdInfoId) -> Outcome<PnfdInfo> {
        self.nsd.get(cx, &["pnf_descriptors", &id.to_string()]).await
    }
    async fn delete(&self, cx: &Context, id: PnfdInfoId) -> Outcome<()> {
        self.nsd.delete(cx, &["pnf_descriptors", &id.to_string()], None).await
    }
    async fn content(&self, cx: &Context, id: PnfdInfoId) -> Outcome<Content> {
        self.download_file(&self.nsd, cx, &["pnf_descriptors", &id.to_string(), "pnfd_content"])
            .await
    }
}
