//! `nsd/v2`, the PNFDs (SOL005 5.4.5 to 5.4.7).

use super::catalogue::{Catalogued, by_handle};
use crate::Nfvo;
use manifold_call::{Context, Outcome};
use manifold_http::query::selector::Shape;
use manifold_nfvo_interface::{Content, New, PnfdInfoId, Upload};
use manifold_sol::{CreatePnfdInfoRequest, PnfdInfo};

pub(super) struct Pnfds;

impl Catalogued for Pnfds {
    type Id = PnfdInfoId;

    const SHAPE: Shape = Shape {
        attributes: &[],
        default_exclude: &["userDefinedData"],
        mandatory: &["id", "pnfdOnboardingState", "pnfdUsageState", "_links"],
    };
    const COLLECTION: &'static str = "pnf_descriptors";
    const CONTENT: &'static str = "pnfd_content";
    const CONTENT_LINK: &'static str = "pnfd_content";

    by_handle!(CreatePnfdInfoRequest => PnfdInfo);
    by_handle!(pnfds);
}
