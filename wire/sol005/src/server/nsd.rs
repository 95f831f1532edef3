//! `nsd/v2`, the NSDs (SOL005 5.4.2 to 5.4.4).

use super::catalogue::{Catalogued, Modifiable, by_handle};
use crate::Nfvo;
use manifold_call::{Context, Outcome};
use manifold_http::query::selector::Shape;
use manifold_nfvo_interface::{Content, Modify, New, NsdInfoId, Upload};
use manifold_sol::{CreateNsdInfoRequest, NsdInfo, NsdInfoModifications};

pub(super) struct Nsds;

impl Catalogued for Nsds {
    type Id = NsdInfoId;

    const SHAPE: Shape = Shape {
        attributes: &[],
        default_exclude: &["userDefinedData"],
        mandatory: &[
            "id",
            "nsdOnboardingState",
            "nsdOperationalState",
            "nsdUsageState",
            "_links",
        ],
    };
    const COLLECTION: &'static str = "ns_descriptors";
    const CONTENT: &'static str = "nsd_content";
    const CONTENT_LINK: &'static str = "nsd_content";

    by_handle!(CreateNsdInfoRequest => NsdInfo);
    by_handle!(nsds);
}

impl Modifiable for Nsds {
    type Changes = NsdInfoModifications;

    async fn update(nfvo: &Nfvo, cx: &Context, id: NsdInfoId, changes: NsdInfoModifications) -> Outcome<()> {
        nfvo.nsds.update(cx, Modify { id, changes }).await.map(drop)
    }
}
