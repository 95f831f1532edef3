//! Services in services are not updated, and say so.

use manifold_call::ErrorKind;
use manifold_nfvo_interface::{NsInstanceId, NsLifecycleManagement, OnNs};
use manifold_sol::{UpdateNsRequest, UpdateType};

use super::completed;
use super::nested::{anyhow, pair, query, row, site_with};
use crate::fakes::cx;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nests_and_what_is_nested_is_not_updated() {
    let site = site_with(vec![pair(), row()]).await;
    let id = site.new_ns("a", "row", "row").await;
    let started = site.instantiate("a", id, anyhow()).await.unwrap();
    completed(&site, started).await;
    let inner: NsInstanceId = query(&site).await["row-first"].id.parse().unwrap();
    site.world.log.take();
    let remove = |of: NsInstanceId| OnNs {
        ns_instance_id: of,
        request: UpdateNsRequest {
            update_type: UpdateType::RemoveVnf,
            remove_vnf_instance_id: vec!["anybody".into()],
            ..UpdateNsRequest::default()
        },
    };
    let refused = site.nfvo.plan_update(&cx("a"), remove(id)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unsupported);
    assert!(refused.detail.contains("first"), "{refused}");
    assert!(
        NsLifecycleManagement::update(&*site.nfvo, &cx("a"), remove(id))
            .await
            .is_err()
    );
    let refused = site.nfvo.plan_update(&cx("a"), remove(inner)).await.unwrap_err();
    assert!(refused.detail.contains(&id.to_string()), "{refused}");
    assert!(
        NsLifecycleManagement::update(&*site.nfvo, &cx("a"), remove(inner))
            .await
            .is_err()
    );
    assert!(site.world.log.take().is_empty());
}
