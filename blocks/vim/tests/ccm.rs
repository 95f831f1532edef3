//! A client in the CCM's role drives the flows of GS NFV-IFA 052 Annex A.2 that the VIM's interfaces carry.
//!
//! The VIM has no storage resources, so the storage steps of the flows (3 and 4) are not driven.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "outside/bench.rs"]
mod bench;
mod outside;

use bench::*;
use manifold_call::{ErrorKind, Gate, Policy, Role, TraceRecord, TraceSource, Tracer, policy::Row};
use manifold_vim_interface::*;
use std::sync::Arc;

/// The VIM as a role sees it.
struct Handles {
    compute: Arc<dyn VirtualisedCompute>,
    networks: Arc<dyn VirtualisedNetworks>,
    flavours: Arc<dyn ComputeFlavours>,
    images: Arc<dyn SoftwareImages>,
}

fn handles(bench: &Bench, role: Role, policy: Policy) -> (Handles, TraceSource) {
    let (tracer, source) = Tracer::new();
    let gate = Gate::new(role, Role::Vim, "site-1", Arc::new(policy), tracer);
    let handles = Handles {
        compute: BoundVirtualisedCompute::bind(bench.vim.clone(), gate.clone()),
        networks: BoundVirtualisedNetworks::bind(bench.vim.clone(), gate.clone()),
        flavours: BoundComputeFlavours::bind(bench.vim.clone(), gate.clone()),
        images: BoundSoftwareImages::bind(bench.vim.clone(), gate),
    };
    (handles, source)
}

async fn calls(source: &mut TraceSource, most: usize) -> Vec<TraceRecord> {
    let mut records = source.take(most).await;
    records.sort_by_key(|record| record.sequence);
    records
}

fn steps(records: &[TraceRecord]) -> Vec<String> {
    records
        .iter()
        .map(|record| format!("{}.{}", record.interface, record.operation))
        .collect()
}

// proves: Ccm-Vim.001, Ccm-Vim.002, IFA052-A.2.1-1, IFA052-A.2.1-2, IFA052-A.2.1-5, IFA052-A.2.1-6, IFA052-A.2.3-1,
// proves: IFA052-A.2.3-2, IFA052-A.2.3-5, IFA052-A.2.3-6, IFA052-A.2.3-E, IFA052-A.2.5-1, IFA052-A.2.5-2, IFA052-A.2.5-5,
// proves: IFA052-A.2.5-6
#[tokio::test]
async fn the_ccm_allocates_queries_and_terminates_a_clusters_resources() {
    let bench = Bench::new().await;
    let (ccm, mut trace) = handles(&bench, Role::Ccm, Policy::etsi());
    let cx = tenant("cluster-1");
    let image = bench.image(&cx).await;
    let of_cluster = |name: &str| Metadata::from([("cluster".to_owned(), name.to_owned())]);

    // A.2.1, network first: the nodes are plugged into it. The pairs of steps may come in any order.
    let flavour = ComputeFlavour {
        flavour_id: None,
        name: "node".into(),
        num_virtual_cpu: 1,
        virtual_mem_size: 96,
        metadata: Metadata::new(),
    };
    let flavour = ccm.flavours.create(&cx, flavour).await.unwrap();
    let ask = AllocateNetworkResource {
        network_resource_name: "nodes".into(),
        data: NetworkResourceData::Network {
            data: data("10.0.0.0/24"),
        },
        metadata: of_cluster("one"),
    };
    let NetworkResource::NetworkData(network) = ccm.networks.allocate(&cx, ask).await.unwrap() else {
        panic!("a network was asked for")
    };
    let mut nodes = Vec::new();
    for name in ["node-1", "node-2"] {
        let ask = AllocateCompute {
            compute_name: name.into(),
            compute_flavour_id: flavour,
            vc_image_id: Some(image),
            interface_data: vec![on(network.network_resource_id)],
            affinity_or_anti_affinity_constraints: Vec::new(),
            location_constraints: None,
            user_data: None,
            metadata: of_cluster("one"),
        };
        let node = ccm.compute.allocate(&cx, ask).await.unwrap();
        assert_eq!(
            (node.compute_name.as_str(), node.running_state),
            (name, RunningState::Running)
        );
        nodes.push(node);
    }
    let records = calls(&mut trace, 16).await;
    assert_eq!(
        steps(&records),
        [
            "ComputeFlavours.create",
            "VirtualisedNetworks.allocate",
            "VirtualisedCompute.allocate",
            "VirtualisedCompute.allocate"
        ]
    );
    assert!(records.iter().all(|record| {
        record.consumer == Role::Ccm
            && record.producer == Role::Vim
            && record.reference_point == "CCM–VIM"
            && record.failure.is_none()
    }));

    // A.2.5: only what matches, none as well as several.
    let filter = |text: &str| QueryFilter { filter: text.into() };
    let found = ccm
        .compute
        .query(&cx, filter("(eq,metadata/cluster,one)"))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        ccm.compute.query(&cx, filter("(eq,computeName,node-2)")).await.unwrap(),
        [nodes[1].clone()]
    );
    assert!(
        ccm.compute
            .query(&cx, filter("(eq,metadata/cluster,two)"))
            .await
            .unwrap()
            .is_empty()
    );
    let found = ccm
        .networks
        .query(&cx, filter("(eq,metadata/cluster,one)"))
        .await
        .unwrap();
    assert_eq!(found.network_data[0].network_resource_id, network.network_resource_id);
    assert!(found.network_port_data.is_empty(), "ports do not match");

    // A.2.3: a part of the machines, then the rest, then the network.
    let ids: Vec<ComputeId> = nodes.iter().map(|node| node.compute_id).collect();
    bench
        .outside
        .fail_remove([outside::Fault::Kind(manifold_nfvi_interface::KindName::Machine)]);
    ccm.compute.terminate(&cx, ids.clone()).await.unwrap_err();
    until("the machines have left", async || {
        bench.computes(&cx).await.is_empty() && bench.outside.there().is_empty()
    })
    .await;
    assert_eq!(
        ccm.compute.terminate(&cx, ids.clone()).await.unwrap(),
        ids,
        "what is gone is told as gone"
    );
    let all = vec![network.network_resource_id.0, network.subnet_id[0].0];
    assert_eq!(ccm.networks.terminate(&cx, all.clone()).await.unwrap(), all);
    assert!(ccm.compute.query(&cx, filter("")).await.unwrap().is_empty());
    assert_eq!(
        ccm.networks.query(&cx, filter("")).await.unwrap(),
        NetworkResources::default()
    );
    assert!(bench.outside.there().is_empty());
}

// proves: IFA052-A.2.3-2
#[tokio::test]
async fn only_those_that_are_really_gone_are_told() {
    let bench = Bench::new().await;
    let (ccm, _trace) = handles(&bench, Role::Ccm, Policy::etsi());
    let cx = tenant("cluster-1");
    let ask = bench.machine(&cx, "node", &[]).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(ccm.compute.allocate(&cx, ask.clone()).await.unwrap().compute_id);
    }
    bench
        .outside
        .fail_remove_of(manifold_nfvi_interface::ObjectId(ids[0].0));
    assert_eq!(ccm.compute.terminate(&cx, ids.clone()).await.unwrap(), [ids[1]]);
}

#[tokio::test]
async fn what_the_ccm_may_not_call_is_refused_and_traced() {
    let bench = Bench::new().await;
    let (ccm, mut trace) = handles(&bench, Role::Ccm, Policy::etsi());
    let cx = tenant("cluster-1");
    let image = bench.image(&cx).await;
    let refused = ccm.images.delete(&cx, image).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    assert_eq!(
        SoftwareImages::delete(bench.vim.as_ref(), &cx, image).await.unwrap(),
        image,
        "it was still there"
    );
    let records = calls(&mut trace, 4).await;
    assert_eq!(
        (records[0].failure, records[0].reference_point.as_str()),
        (Some(ErrorKind::Forbidden), "none")
    );
}

/// Each operation that the CCM may call, by a role that may not, and with a policy of one row by the CCM alone.
#[tokio::test]
async fn every_operation_asks_for_the_role() {
    let bench = Bench::new().await;
    let cx = tenant("cluster-1");
    let one_row = || {
        Policy::empty().with(Row {
            reference_point: "CCM–VIM",
            consumer: Role::Ccm,
            producer: Role::Vim,
            interface: "VirtualisedCompute",
            operations: &["query"],
        })
    };
    for (role, policy, may) in [
        (Role::Em, Policy::etsi(), false),
        (Role::Cism, Policy::etsi(), false),
        (Role::Ccm, Policy::empty(), false),
        (Role::Vnfm, one_row(), false),
        (Role::Ccm, one_row(), true),
    ] {
        let (handles, _trace) = handles(&bench, role, policy);
        let asked = handles.compute.query(&cx, QueryFilter::default()).await;
        assert_eq!(asked.is_ok(), may, "{role}");
        let id = ComputeId(manifold_call::Uuid::nil());
        let operate = OperateCompute {
            compute_id: id,
            compute_operation: ComputeOperation::Start,
        };
        let update = UpdateCompute {
            compute_id: id,
            network_interface_new: Vec::new(),
            metadata: None,
        };
        let group = CreateAffinityGroup {
            group_name: "g".into(),
            kind: AffinityKind::Affinity,
            scope: AffinityScope::Zone,
        };
        for outcome in [
            handles.compute.operate(&cx, operate).await.map(drop),
            handles.compute.update(&cx, update).await.map(drop),
            handles.compute.terminate(&cx, vec![id]).await.map(drop),
            handles.compute.create_affinity_group(&cx, group).await.map(drop),
            handles.compute.delete_affinity_groups(&cx, Vec::new()).await.map(drop),
            handles.compute.console(&cx, id).await.map(drop),
            handles.flavours.query(&cx, QueryFilter::default()).await.map(drop),
        ] {
            assert_eq!(outcome.unwrap_err().kind, ErrorKind::Forbidden, "{role}");
        }
    }
}
