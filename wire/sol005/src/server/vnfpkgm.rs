//! `vnfpkgm/v2` (SOL005 9.4).

use super::catalogue::{Catalogued, Modifiable, by_handle};
use crate::Nfvo;
use manifold_call::{Context, Outcome};
use manifold_http::query::selector::Shape;
use manifold_nfvo_interface::{Content, Modify, New, Upload, VnfPkgId};
use manifold_sol::{CreateVnfPkgInfoRequest, VnfPkgInfo, VnfPkgInfoModifications};

pub(super) struct VnfPackages;

impl Catalogued for VnfPackages {
    type Id = VnfPkgId;

    const SHAPE: Shape = Shape {
        attributes: &[],
        default_exclude: &[
            "softwareImages",
            "checksum",
            "userDefinedData",
            "onboardingFailureDetails",
        ],
        mandatory: &["id", "onboardingState", "operationalState", "usageState", "_links"],
    };
    const COLLECTION: &'static str = "vnf_packages";
    const CONTENT: &'static str = "package_content";
    const CONTENT_LINK: &'static str = "packageContent";

    by_handle!(CreateVnfPkgInfoRequest => VnfPkgInfo);
    by_handle!(packages);
}

impl Modifiable for VnfPackages {
    type Changes = VnfPkgInfoModifications;

    async fn update(nfvo: &Nfvo, cx: &Context, id: VnfPkgId, changes: VnfPkgInfoModifications) -> Outcome<()> {
        nfvo.packages.update(cx, Modify { id, changes }).await.map(drop)
    }
}
