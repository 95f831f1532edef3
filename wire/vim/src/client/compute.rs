use super::VimClient;
use crate::bodies::{AffinityGroup, ComputeChanges, Console, Ids, Operate};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_vim_interface::{
    AffinityGroupId, AllocateCompute, ComputeFlavour, ComputeFlavours, ComputeId, CreateAffinityGroup, FlavourId,
    OperateCompute, QueryFilter, UpdateCompute, VirtualCompute, VirtualisedCompute,
};

#[async_trait]
impl VirtualisedCompute for VimClient {
    async fn allocate(&self, cx: &Context, ask: AllocateCompute) -> Outcome<VirtualCompute> {
        self.post(cx, &["compute_resources"], &ask).await
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<VirtualCompute>> {
        self.list(cx, "compute_resources", &filter).await
    }
    async fn update(&self, cx: &Context, ask: UpdateCompute) -> Outcome<VirtualCompute> {
        let changes = ComputeChanges {
            network_interface_new: ask.network_interface_new,
            metadata: ask.metadata,
        };
        let id = ask.compute_id.to_string();
        self.post(cx, &["compute_resources", &id, "update"], &changes).await
    }
    async fn terminate(&self, cx: &Context, ids: Vec<ComputeId>) -> Outcome<Vec<ComputeId>> {
        let gone: Ids<ComputeId> = self.post(cx, &["compute_resources", "terminate"], &Ids { ids }).await?;
        Ok(gone.ids)
    }
    async fn operate(&self, cx: &Context, ask: OperateCompute) -> Outcome<VirtualCompute> {
        let task = Operate {
            compute_operation: ask.compute_operation,
        };
        let id = ask.compute_id.to_string();
        self.post(cx, &["compute_resources", &id, "operate"], &task).await
    }
    async fn create_affinity_group(&self, cx: &Context, ask: CreateAffinityGroup) -> Outcome<AffinityGroupId> {
        let made: AffinityGroup = self.post(cx, &["affinity_groups"], &ask).await?;
        Ok(made.affinity_group_id)
    }
    async fn delete_affinity_groups(&self, cx: &Context, ids: Vec<AffinityGroupId>) -> Outcome<Vec<AffinityGroupId>> {
        let gone: Ids<AffinityGroupId> = self.post(cx, &["affinity_groups", "terminate"], &Ids { ids }).await?;
        Ok(gone.ids)
    }
    async fn console(&self, cx: &Context, id: ComputeId) -> Outcome<String> {
        let log: Console = self.get(cx, &["compute_resources", &id.to_string(), "console"]).await?;
        Ok(log.console)
    }
}

#[async_trait]
impl ComputeFlavours for VimClient {
    async fn create(&self, cx: &Context, ask: ComputeFlavour) -> Outcome<FlavourId> {
        let made: ComputeFlavour = self.post(cx, &["flavours"], &ask).await?;
        made.flavour_id.ok_or_else(|| {
            CallError::internal(format!("{} made a flavour without an identifier", self.api.neighbour()))
        })
    }
    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        self.list(cx, "flavours", &filter).await
    }
    async fn delete(&self, cx: &Context, id: FlavourId) -> Outcome<FlavourId> {
        VimClient::delete(self, cx, &["flavours", &id.to_string()]).await?;
        Ok(id)
    }
}
