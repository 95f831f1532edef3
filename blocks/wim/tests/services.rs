//! Multi-site connectivity services, over a real store and an infrastructure in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../vim/tests/outside/mod.rs"]
mod outside;

use manifold_call::{Context, ErrorKind, Outcome, TenantId, Uuid};
use manifold_nfvi_interface::*;
use manifold_store::{Kind, Query, SqliteStore, Store};
use manifold_wim::{Wim, WimConfig};
use manifold_wim_interface::*;
use outside::{Fault, Outside};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

fn node(name: &str) -> ObjectId {
    ObjectId::named(Uuid::NAMESPACE_DNS, name)
}

fn inventory() -> WanInventory {
    let gateway = |pop: &str, address: &str| WanGateway {
        pop: pop.into(),
        node: node(pop),
        wan: address.parse().unwrap(),
        wan_mtu_bytes: 9_000,
    };
    WanInventory {
        wan: "wan".into(),
        gateways: BTreeMap::from([
            ("site-1/gateway".to_owned(), gateway("site-1", "100.64.127.1")),
            ("site-2/gateway".to_owned(), gateway("site-2", "100.64.127.2")),
            ("site-3/gateway".to_owned(), gateway("site-3", "100.64.127.3")),
        ]),
        capacity_bits_per_second: 100_000_000,
    }
}

struct Bench {
    _dir: Arc<tempfile::TempDir>,
    store: Arc<dyn Store>,
    outside: Arc<Outside>,
    wim: Arc<Wim>,
    _stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Bench {
    async fn new() -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&dir.path().join("data")).unwrap());
        let outside = Outside::new();
        // What a VIM has made: the segments at the gateways.
        for pop in ["site-1", "site-2", "site-3"] {
            for vni in [10_000, 10_001] {
                let kind = SegmentWish {
                    node: node(pop),
                    mtu_bytes: 1_500,
                    transport: None,
                    dhcp: None,
                };
                outside.place(Wish {
                    id: gateway_segment(node(pop), vni),
                    owner: Owner {
                        manager: format!("vim/{pop}"),
                        tenant: None,
                    },
                    kind: WishKind::Segment(kind),
                });
            }
        }
        Self::over(dir, store, outside).await
    }

    async fn over(dir: Arc<tempfile::TempDir>, store: Arc<dyn Store>, outside: Arc<Outside>) -> Self {
        let config = WimConfig {
            wim_id: "wan".into(),
            inventory: inventory(),
        };
        let wim = Wim::open(config, store.clone(), outside.clone()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let running = wim.clone();
        let task = tokio::spawn(async move { running.run(stopped).await });
        Self {
            _dir: dir,
            store,
            outside,
            wim,
            _stop: stop,
            task,
        }
    }

    async fn restart(self) -> Self {
        self.task.abort();
        let _aborted = self.task.await;
        Self::over(self._dir, self.store, self.outside).await
    }

    async fn create(&self, cx: &Context, ask: MscsData) -> Outcome<MscsInfo> {
        self.wim.create(cx, ask).await
    }

    fn stitches(&self) -> Vec<StitchWish> {
        let wishes = self.outside.of_kind(KindName::Stitch).into_iter();
        wishes
            .filter_map(|wish| match wish.kind {
                WishKind::Stitch(stitch) => Some(stitch),
                _ => None,
            })
            .collect()
    }

    async fn documents(&self) -> usize {
        self.store
            .list(Kind("wim.mscs"), Query::all())
            .await
            .unwrap()
            .docs
            .len()
    }
}

fn tenant(name: &str) -> Context {
    Context::root(TenantId::from(name))
}

fn ask(ends: &[(&str, u32)], bandwidth: Option<u64>) -> MscsData {
    MscsData {
        mscs_name: "between".into(),
        mscs_description: None,
        mscs_type: MscsType::L2vpn,
        mtu_mscs: 1_500,
        bandwidth,
        mscs_endpoints: ends
            .iter()
            .map(|(pop, vni)| MscsEndpoint {
                connectivity_service_endpoint_id: format!("{pop}/gateway"),
                vim_id: (*pop).into(),
                vn_segment_id: *vni,
            })
            .collect(),
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const TWO: [(&str, u32); 2] = [("site-1", 10_000), ("site-2", 10_001)];

#[tokio::test]
async fn a_service_stitches_each_end_to_the_others_with_its_bandwidth() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let service = bench.create(&cx, ask(&TWO, Some(40_000_000))).await.unwrap();
    assert!(service.active);
    let stitches = bench.stitches();
    assert_eq!(stitches.len(), 2);
    for stitch in &stitches {
        assert_eq!(
            (stitch.wan_vni, stitch.rate_bits_per_second),
            (service.wan_segment_id, Some(40_000_000))
        );
        assert_eq!(stitch.peers.len(), 1);
        assert_ne!(stitch.peers[0], stitch.local);
    }
    let segments: Vec<ObjectId> = stitches.iter().map(|stitch| stitch.segment).collect();
    assert!(segments.contains(&gateway_segment(node("site-1"), 10_000)));
    assert!(segments.contains(&gateway_segment(node("site-2"), 10_001)));

    assert_eq!(
        bench.wim.query(&cx, MscsQuery::default()).await.unwrap(),
        std::slice::from_ref(&service)
    );
    assert!(
        bench
            .wim
            .query(&tenant("red"), MscsQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    bench.wim.terminate(&tenant("red"), service.mscs_id).await.unwrap();
    assert_eq!(
        bench.stitches().len(),
        2,
        "another tenant's service is not there to terminate"
    );
    bench.wim.terminate(&cx, service.mscs_id).await.unwrap();
    bench.wim.terminate(&cx, service.mscs_id).await.unwrap();
    assert_eq!((bench.stitches().len(), bench.documents().await), (0, 0));
}

#[tokio::test]
async fn the_wans_capacity_is_given_away_once() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    let first = bench.create(&cx, ask(&TWO, Some(70_000_000))).await.unwrap();
    let more = [("site-1", 10_001), ("site-3", 10_000)];
    let refused = bench.create(&cx, ask(&more, Some(40_000_000))).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Exhausted);
    assert_eq!(
        refused.detail,
        "40000000 bit/s asked for, and 30000000 of 100000000 are left on WAN wan"
    );
    let capacity = bench.wim.query_endpoints(&cx, ()).await.unwrap();
    assert_eq!((capacity.total, capacity.allocated), (100_000_000, 70_000_000));
    let second = bench.create(&cx, ask(&more, Some(30_000_000))).await.unwrap();
    assert_ne!(first.wan_segment_id, second.wan_segment_id);
    bench.wim.terminate(&cx, first.mscs_id).await.unwrap();
    assert_eq!(bench.wim.query_endpoints(&cx, ()).await.unwrap().allocated, 30_000_000);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    bench.create(&cx, ask(&TWO, None)).await.unwrap();
    let cases = [
        (ask(&TWO[..1], None), ErrorKind::Invalid, "two endpoints or more"),
        (
            ask(&[("site-1", 10_001), ("site-1", 5)], None),
            ErrorKind::Invalid,
            "two endpoints are in site-1",
        ),
        (
            ask(&[("site-1", 10_001), ("moon", 1)], None),
            ErrorKind::NotFound,
            "site-1/gateway, site-2/gateway",
        ),
        (
            ask(&[("site-1", 10_000), ("site-3", 10_000)], None),
            ErrorKind::Conflict,
            "segment 10000 at site-1/gateway",
        ),
        (
            ask(&[("site-3", 0), ("site-1", 10_001)], None),
            ErrorKind::Invalid,
            "no segment identifier",
        ),
        (
            ask(&[("site-3", 1), ("site-1", 10_001)], Some(0)),
            ErrorKind::Invalid,
            "carries nothing",
        ),
        (
            MscsData {
                mtu_mscs: 8_951,
                ..ask(&[("site-3", 1), ("site-1", 10_001)], None)
            },
            ErrorKind::Invalid,
            "1280 to 8950",
        ),
        (
            MscsData {
                mscs_type: MscsType::L3vpn,
                ..ask(&TWO, None)
            },
            ErrorKind::Unsupported,
            "L2VPN",
        ),
    ];
    for (ask, kind, words) in cases {
        let refused = bench.create(&cx, ask).await.unwrap_err();
        assert_eq!(refused.kind, kind, "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
    assert_eq!(bench.documents().await, 1);
}

#[tokio::test]
async fn a_failed_service_leaves_nothing_and_a_lost_answer_is_found_again() {
    let bench = Bench::new().await;
    let cx = tenant("blue").with_key(Uuid::from_u128(7));
    for fault in [Fault::Refused, Fault::Lost, Fault::Kind(KindName::Stitch)] {
        bench.outside.fail_ensure([fault]);
        bench.create(&cx, ask(&TWO, Some(1_000))).await.unwrap_err();
        assert_eq!((bench.stitches().len(), bench.documents().await), (0, 0));
    }
    // A segment that no VIM has made.
    let refused = bench
        .create(&cx, ask(&[("site-1", 77), ("site-2", 10_001)], None))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert_eq!((bench.stitches().len(), bench.documents().await), (0, 0));

    let (a, b) = tokio::join!(bench.create(&cx, ask(&TWO, None)), bench.create(&cx, ask(&TWO, None)));
    let made = a.unwrap();
    assert_eq!(made.mscs_id, b.unwrap().mscs_id);
    let bench = bench.restart().await;
    assert_eq!(bench.create(&cx, ask(&TWO, None)).await.unwrap().mscs_id, made.mscs_id);
    assert_eq!(bench.stitches().len(), 2);
}

#[tokio::test]
async fn drift_and_reboots_are_mended() {
    let bench = Bench::new().await;
    let cx = tenant("blue");
    bench.create(&cx, ask(&TWO, None)).await.unwrap();
    let there = bench.outside.there();
    let stitch = *there
        .iter()
        .find(|(_, wish)| wish.kind.name() == KindName::Stitch)
        .unwrap()
        .0;
    bench.outside.take_away(stitch);
    until("the stitch is back", async || bench.stitches().len() == 2).await;
    bench.outside.reboot();
    // The VIM is slower: until its segments are there, stitches cannot be.
    until("the stitches were tried", async || bench.outside.asked_for(stitch) > 2).await;
    for wish in there.values().filter(|wish| wish.kind.name() == KindName::Segment) {
        bench.outside.place(wish.clone());
    }
    until("the stitches are back", async || bench.stitches().len() == 2).await;
    assert_eq!(bench.outside.removes(), 0);
}
