use super::VimClient;
use crate::bodies::{Ids, NetworkChanges, NetworkKind};
use async_trait::async_trait;
use manifold_call::{Context, Outcome, Uuid};
use manifold_vim_interface::{
    AllocateNetworkResource, NetworkResource, NetworkResources, QueryFilter, UpdateNetworkResource, VirtualisedNetworks,
};

#[async_trait]
impl VirtualisedNetworks for VimClient {
    async fn allocate(&self, cx: &Context, ask: AllocateNetworkResource) -> Outcome<NetworkResource> {
        let kind = NetworkKind::asked(&ask.data);
        let container = [kind.container()];
        Ok(match kind {
            NetworkKind::Network => NetworkResource::NetworkData(self.post(cx, &container, &ask).await?),
            NetworkKind::Subnet => NetworkResource::SubnetData(self.post(cx, &container, &ask).await?),
            NetworkKind::Port => NetworkResource::NetworkPortData(self.post(cx, &container, &ask).await?),
        })
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<NetworkResources> {
        let mut all = NetworkResources::default();
        for resource in self.list(cx, "network_resources", &filter).await? {
            match resource {
                NetworkResource::NetworkData(network) => all.network_data.push(network),
                NetworkResource::SubnetData(subnet) => all.subnet_data.push(subnet),
                NetworkResource::NetworkPortData(port) => all.network_port_data.push(port),
            }
        }
        Ok(all)
    }
    async fn update(&self, cx: &Context, ask: UpdateNetworkResource) -> Outcome<NetworkResource> {
        let changes = NetworkChanges {
            bandwidth: ask.bandwidth,
            connected_networks: ask.connected_networks,
            metadata: ask.metadata,
        };
        let id = ask.network_resource_id.to_string();
        self.post(cx, &["network_resources", &id, "update"], &changes).await
    }
    async fn terminate(&self, cx: &Context, ids: Vec<Uuid>) -> Outcome<Vec<Uuid>> {
        let gone: Ids<Uuid> = self.post(cx, &["network_resources", "terminate"], &Ids { ids }).await?;
        Ok(gone.ids)
    }
}
