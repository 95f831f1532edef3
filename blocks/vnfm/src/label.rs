//! The labels that every resource of a VNF carries at its VIM, and how it is found by them.

use manifold_vim_interface::{Metadata, QueryFilter};
use manifold_vnfm_interface::VnfInstanceId;
use uuid::Uuid;

/// The VNF instance that owns the resource.
const VNF: &str = "manifold:vnf";
/// The identity of the step that made it.
const KEY: &str = "manifold:key";
/// Which of the VNF's it is: a VNFC instance or an internal link.
const PART: &str = "manifold:part";
/// The connection point, of a port.
pub(crate) const CP: &str = "manifold:cp";

/// The labels of what a step makes.
pub(crate) fn labels(vnf: VnfInstanceId, step: Uuid, part: &str) -> Metadata {
    [(VNF, vnf.to_string()), (KEY, step.to_string()), (PART, part.to_owned())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// Whether a resource with these labels is of that part of its VNF.
pub(crate) fn is_part(labels: &Metadata, part: &str) -> bool {
    labels.get(PART).is_some_and(|found| found == part)
}

/// What the step made.
pub(crate) fn made_by(step: Uuid) -> QueryFilter {
    QueryFilter {
        filter: format!("(eq,metadata/{KEY},{step})"),
    }
}

/// Everything of the VNF.
pub(crate) fn owned_by(vnf: VnfInstanceId) -> QueryFilter {
    QueryFilter {
        filter: format!("(eq,metadata/{VNF},{vnf})"),
    }
}

/// Everything of one part of the VNF.
pub(crate) fn part_of(vnf: VnfInstanceId, part: &str) -> QueryFilter {
    // A name of a template may hold what the filter's syntax means something by; SOL013 5.2.2 quotes it.
    let part = part.replace('\'', "''");
    QueryFilter {
        filter: format!("(eq,metadata/{VNF},{vnf});(eq,metadata/{PART},'{part}')"),
    }
}
