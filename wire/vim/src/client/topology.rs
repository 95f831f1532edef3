use super::VimClient;
use async_trait::async_trait;
use manifold_call::{Context, Outcome};
use manifold_vim_interface::{ComputeCapacity, NfviPop, ProviderNetwork, QueryFilter, ResourceZone, Topology};

#[async_trait]
impl Topology for VimClient {
    async fn query_nfvi_pop(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<NfviPop>> {
        self.list(cx, "nfvi_pops", &filter).await
    }
    async fn query_resource_zone(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ResourceZone>> {
        self.list(cx, "zones", &filter).await
    }
    async fn query_compute_capacity(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeCapacity>> {
        self.list(cx, "capacity", &filter).await
    }
    async fn query_provider_networks(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ProviderNetwork>> {
        self.list(cx, "provider_networks", &filter).await
    }
}
