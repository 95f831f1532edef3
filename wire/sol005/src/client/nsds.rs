use super::{NfvoClient, body};
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_nfvo_interface::{Content, Modify, New, NsdInfoId, NsdManagement, Upload};
use manifold_sol::{CreateNsdInfoRequest, NsdInfo, NsdInfoModifications};

#[async_trait]
impl NsdManagement for NfvoClient {
    async fn create(&self, cx: &Context, ask: New<CreateNsdInfoRequest>) -> Outcome<NsdInfo> {
        body(self.nsd.post(cx, &["ns_descriptors"], &ask.0).await?)
    }
    async fn upload(&self, cx: &Context, ask: Upload<NsdInfoId>) -> Outcome<NsdInfo> {
        let id = ask.id.to_string();
        self.upload_file(&self.nsd, cx, &["ns_descriptors", &id, "nsd_content"], &ask.file)
            .await?;
        self.nsd.get(cx, &["ns_descriptors", &id]).await
    }
    async fn update(&self, cx: &Context, ask: Modify<NsdInfoId, NsdInfoModifications>) -> Outcome<NsdInfo> {
        let id = ask.id.to_string();
        self.nsd
            .patch::<NsdInfoModifications>(cx, &["ns_descriptors", &id], &ask.changes, None)
            .await?;
        self.nsd.get(cx, &["ns_descriptors", &id]).await
    }
    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<NsdInfo>> {
        self.nsd.list(cx, &["ns_descriptors"], &[("all_fields", "")]).await
    }
    async fn find(&self, cx: &Context, id: NsdInfoId) -> Outcome<NsdInfo> {
        self.nsd.get(cx, &["ns_descriptors", &id.to_string()]).await
    }
    async fn delete(&self, cx: &Context, id: NsdInfoId) -> Outcome<()> {
        self.nsd.delete(cx, &["ns_descriptors", &id.to_string()], None).await
    }
    async fn content(&self, cx: &Context, id: NsdInfoId) -> Outcome<Content> {
        self.download_file(&self.nsd, cx, &["ns_descriptors", &id.to_string(), "nsd_content"])
            .await
    }
}
