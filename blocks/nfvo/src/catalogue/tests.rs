//! The catalogue with real archives: those of the examples.

use manifold_call::ErrorKind;
use manifold_nfvo_interface::{
    Modify, New, NsdInfoId, NsdManagement, PnfdInfoId, PnfdManagement, Upload, VnfPackageManagement, VnfPkgId, VnfdId,
};
use manifold_sol::{
    NsdInfo, NsdInfoModifications, PackageOnboardingState, PackageOperationalState, PackageUsageState, PnfdInfo,
    VnfPkgInfo, VnfPkgInfoModifications,
};

use crate::Nfvo;
use crate::fakes::{Site, TWO_SITE, World, archive_of, archive_with, cx};

const GATEWAY: &str = "6d1b0c52-8f4e-4a2b-9a61-3c1f6f2a0001";

fn spool(site: &Site, bytes: &[u8]) -> std::path::PathBuf {
    let file = site.world.dir.path().join(manifold_call::Uuid::now_v7().to_string());
    std::fs::write(&file, bytes).unwrap();
    file
}

async fn package(site: &Site, bytes: &[u8]) -> (VnfPkgId, manifold_call::Outcome<VnfPkgInfo>) {
    let nfvo: &Nfvo = &site.nfvo;
    let made = VnfPackageManagement::create(nfvo, &cx("a"), New::default())
        .await
        .unwrap();
    assert_eq!(made.onboarding_state, PackageOnboardingState::Created);
    let id: VnfPkgId = made.id.parse().unwrap();
    let file = spool(site, bytes);
    (
        id,
        VnfPackageManagement::upload(nfvo, &cx("a"), Upload { id, file }).await,
    )
}

async fn nsd(site: &Site) -> (NsdInfoId, manifold_call::Outcome<NsdInfo>) {
    nsd_of(site, &archive_of("demo/ns")).await
}

async fn nsd_of(site: &Site, bytes: &[u8]) -> (NsdInfoId, manifold_call::Outcome<NsdInfo>) {
    let nfvo: &Nfvo = &site.nfvo;
    let made = NsdManagement::create(nfvo, &cx("a"), New::default()).await.unwrap();
    let id: NsdInfoId = made.id.parse().unwrap();
    let file = spool(site, bytes);
    (id, NsdManagement::upload(nfvo, &cx("a"), Upload { id, file }).await)
}

async fn pnfd(site: &Site) -> (PnfdInfoId, PnfdInfo) {
    let nfvo: &Nfvo = &site.nfvo;
    let made = PnfdManagement::create(nfvo, &cx("a"), New::default()).await.unwrap();
    let id: PnfdInfoId = made.id.parse().unwrap();
    let file = spool(site, &archive_of("demo/pnf"));
    (
        id,
        PnfdManagement::upload(nfvo, &cx("a"), Upload { id, file })
            .await
            .unwrap(),
    )
}

fn archives(site: &Site) -> usize {
    std::fs::read_dir(site.world.dir.path().join("catalogue/archives")).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_used_is_not_deleted_and_says_by_whom() {
    let site = World::new(true).site();
    let nfvo: &Nfvo = &site.nfvo;
    let a = cx("a");
    // Without its constituents, the NSD is refused, with all that is missing.
    let (_, refused) = nsd(&site).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(
        refused.detail.contains("MFD0601") && refused.detail.contains("MFD0606"),
        "{refused}"
    );

    let (gateway, info) = package(&site, &archive_of("demo/gateway")).await;
    let info = info.unwrap();
    assert_eq!(info.vnfd_id.as_deref(), Some(GATEWAY));
    assert_eq!(info.operational_state, PackageOperationalState::Enabled);
    assert!(info.checksum.is_some());
    package(&site, &archive_of("demo/service")).await.1.unwrap();
    let (meter, _) = pnfd(&site).await;
    let (two_site, info) = nsd(&site).await;
    assert_eq!(info.unwrap().vnf_pkg_ids.len(), 2);
    let vnfd = nfvo.vnfd(&a, VnfdId::from(GATEWAY)).await.unwrap();
    assert_eq!(vnfd["descriptorId"], GATEWAY);

    let enabled = VnfPackageManagement::delete(nfvo, &a, gateway).await.unwrap_err();
    assert!(
        enabled.kind == ErrorKind::Conflict && enabled.detail.contains("ENABLED"),
        "{enabled}"
    );
    let changes = VnfPkgInfoModifications {
        operational_state: Some(PackageOperationalState::Disabled),
        ..Default::default()
    };
    VnfPackageManagement::update(nfvo, &a, Modify { id: gateway, changes })
        .await
        .unwrap();
    let used = VnfPackageManagement::delete(nfvo, &a, gateway).await.unwrap_err();
    assert!(used.detail.contains(&format!("NSD {TWO_SITE}")), "{used}");
    let used = PnfdManagement::delete(nfvo, &a, meter).await.unwrap_err();
    assert!(used.detail.contains(&format!("NSD {TWO_SITE}")), "{used}");

    let ns = site.new_ns("a", TWO_SITE, "demo").await;
    assert_eq!(
        NsdManagement::find(nfvo, &a, two_site).await.unwrap().nsd_usage_state,
        PackageUsageState::InUse
    );
    let changes = NsdInfoModifications {
        nsd_operational_state: Some(PackageOperationalState::Disabled),
        ..Default::default()
    };
    NsdManagement::update(nfvo, &a, Modify { id: two_site, changes })
        .await
        .unwrap();
    let used = NsdManagement::delete(nfvo, &a, two_site).await.unwrap_err();
    assert!(used.detail.contains("NS instance demo"), "{used}");
    manifold_nfvo_interface::NsLifecycleManagement::delete(nfvo, &a, ns)
        .await
        .unwrap();
    NsdManagement::delete(nfvo, &a, two_site).await.unwrap();
    PnfdManagement::delete(nfvo, &a, meter).await.unwrap();
    VnfPackageManagement::delete(nfvo, &a, gateway).await.unwrap();
    assert_eq!(archives(&site), 1, "the service's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_nsd_needs_those_that_it_nests_and_they_stay_while_it_does() {
    const SEGMENT: &str = "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c3001";
    const AROUND: &str = "0d3f5c1e-6a0b-4a53-8f0e-5d5f1a0c4001";
    let site = World::new(true).site();
    let nfvo: &Nfvo = &site.nfvo;
    package(&site, &archive_of("minimal/vnf")).await.1.unwrap();
    let refused = nsd_of(&site, &archive_of("nested/ns")).await.1.unwrap_err();
    for profile in ["left", "right"] {
        let missing = format!("`{profile}` uses NSD `{SEGMENT}`, which is not known");
        assert!(refused.detail.contains(&missing), "{refused}");
    }

    let (segment, _) = nsd_of(&site, &archive_of("nested/segment")).await;
    let (around, info) = nsd_of(&site, &archive_of("nested/ns")).await;
    assert_eq!(info.unwrap().nested_nsd_info_ids, [segment.to_string()]);
    // What nests itself, by way of another one.
    let text = std::fs::read_to_string(crate::fakes::example("nested/segment/Definitions/segment.yaml")).unwrap();
    let round = text.replace(
        "    one:\n      type: example.minimal.One\n      requirements:\n        - net: net\n",
        &format!(
            "    again:\n      type: tosca.nodes.nfv.NS\n      properties: {{ descriptor_id: {AROUND}, designer: a, \
             version: '1', name: b, invariant_id: c, flavour_id: default }}\n"
        ),
    );
    let refused = nsd_of(&site, &archive_with("Definitions/segment.yaml", &round))
        .await
        .1
        .unwrap_err();
    let way = format!("{SEGMENT} -> {AROUND} -> {SEGMENT}");
    assert!(refused.detail.contains(&way), "{refused}");

    let changes = || NsdInfoModifications {
        nsd_operational_state: Some(PackageOperationalState::Disabled),
        ..Default::default()
    };
    for id in [segment, around] {
        let ask = Modify { id, changes: changes() };
        NsdManagement::update(nfvo, &cx("a"), ask).await.unwrap();
    }
    let used = NsdManagement::delete(nfvo, &cx("a"), segment).await.unwrap_err();
    assert_eq!(used.kind, ErrorKind::Conflict);
    assert!(used.detail.contains(&format!("NSD {AROUND}")), "{used}");
    NsdManagement::delete(nfvo, &cx("a"), around).await.unwrap();
    NsdManagement::delete(nfvo, &cx("a"), segment).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_archive_leaves_its_faults_and_no_file_and_can_be_replaced() {
    let site = World::new(true).site();
    let nfvo: &Nfvo = &site.nfvo;
    let (id, refused) = package(&site, b"no archive").await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    let kept = VnfPackageManagement::find(nfvo, &cx("a"), id).await.unwrap();
    assert_eq!(kept.onboarding_state, PackageOnboardingState::Error);
    assert!(kept.onboarding_failure_details.unwrap().detail.contains("MFD0101"));
    assert_eq!(archives(&site), 0);
    let file = spool(&site, &archive_of("demo/gateway"));
    VnfPackageManagement::upload(nfvo, &cx("a"), Upload { id, file })
        .await
        .unwrap();

    let (_, twin) = package(&site, &archive_of("demo/gateway")).await;
    let twin = twin.unwrap_err();
    assert_eq!(twin.kind, ErrorKind::Conflict);
    assert!(
        twin.detail.contains(GATEWAY) && twin.detail.contains(&id.to_string()),
        "{twin}"
    );
    let (_, wrong) = package(&site, &archive_of("demo/pnf")).await;
    assert!(wrong.unwrap_err().detail.contains("not a VNFD"));
    assert_eq!(archives(&site), 1);
    let foreign = VnfPackageManagement::find(nfvo, &cx("b"), id).await.unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_is_swept() {
    let site = World::new(true).site();
    let (id, ready) = package(&site, &archive_of("demo/gateway")).await;
    ready.unwrap();
    // As a crash leaves them: an entry that is being taken in, with its archive, and an archive of nobody.
    let nfvo: &Nfvo = &site.nfvo;
    let half: VnfPkgId = VnfPackageManagement::create(nfvo, &cx("a"), New::default())
        .await
        .unwrap()
        .id
        .parse()
        .unwrap();
    drop(
        site.nfvo
            .catalogue
            .begin::<VnfPkgInfo>(&cx("a"), &half.to_string())
            .await
            .unwrap(),
    );
    for name in [half.to_string(), "stray".to_owned()] {
        std::fs::write(
            site.world.dir.path().join(format!("catalogue/archives/{name}.csar")),
            b"half",
        )
        .unwrap();
    }
    assert_eq!(archives(&site), 3);
    site.nfvo.recover().await.unwrap();
    assert_eq!(archives(&site), 1);
    let swept = VnfPackageManagement::find(nfvo, &cx("a"), half).await.unwrap();
    assert_eq!(swept.onboarding_state, PackageOnboardingState::Created);
    assert!(
        nfvo.catalogue
            .content(VnfPackageManagement::find(nfvo, &cx("a"), id).await.unwrap())
            .await
            .unwrap()
            .size
            > 0
    );
}
