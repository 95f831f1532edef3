use super::{NfvoClient, body};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_nfvo_interface::{Content, Modify, New, Upload, VnfPackageManagement, VnfPkgId, VnfdId};
use manifold_sol::{CreateVnfPkgInfoRequest, VnfPkgInfo, VnfPkgInfoModifications};

#[async_trait]
impl VnfPackageManagement for NfvoClient {
    async fn create(&self, cx: &Context, ask: New<CreateVnfPkgInfoRequest>) -> Outcome<VnfPkgInfo> {
        body(self.vnfpkgm.post(cx, &["vnf_packages"], &ask.0).await?)
    }
    async fn upload(&self, cx: &Context, ask: Upload<VnfPkgId>) -> Outcome<VnfPkgInfo> {
        let id = ask.id.to_string();
        self.upload_file(&self.vnfpkgm, cx, &["vnf_packages", &id, "package_content"], &ask.file)
            .await?;
        self.vnfpkgm.get(cx, &["vnf_packages", &id]).await
    }
    async fn update(&self, cx: &Context, ask: Modify<VnfPkgId, VnfPkgInfoModifications>) -> Outcome<VnfPkgInfo> {
        let id = ask.id.to_string();
        self.vnfpkgm
            .patch::<VnfPkgInfoModifications>(cx, &["vnf_packages", &id], &ask.changes, None)
            .await?;
        self.vnfpkgm.get(cx, &["vnf_packages", &id]).await
    }
    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<VnfPkgInfo>> {
        self.vnfpkgm.list(cx, &["vnf_packages"], &[("all_fields", "")]).await
    }
    async fn find(&self, cx: &Context, id: VnfPkgId) -> Outcome<VnfPkgInfo> {
        self.vnfpkgm.get(cx, &["vnf_packages", &id.to_string()]).await
    }
    async fn delete(&self, cx: &Context, id: VnfPkgId) -> Outcome<()> {
        self.vnfpkgm.delete(cx, &["vnf_packages", &id.to_string()], None).await
    }
    async fn content(&self, cx: &Context, id: VnfPkgId) -> Outcome<Content> {
        self.download_file(&self.vnfpkgm, cx, &["vnf_packages", &id.to_string(), "package_content"])
            .await
    }
    async fn vnfd(&self, _cx: &Context, _vnfd_id: VnfdId) -> Outcome<serde_json::Value> {
        Err(CallError::unsupported("Os-Ma-nfvo has no resource for a parsed descriptor").cure("download the package"))
    }
}
