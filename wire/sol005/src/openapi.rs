//! The APIs in tables, and their OpenAPI documents.

use crate::{NSD, NSLCM, OURS, VNFPKGM};
use manifold_http::api::Api;
use manifold_http::openapi::{Content, Document, Operation, operation};
use manifold_nfvo_interface::{AppliedScript, Changes, NsTopology, Progress, ScriptAsk, ScriptInfo, ScriptOperation};
use manifold_sol::*;

const ZIP: Content = Content::Bytes("application/zip");

const NSD_V2: &[Operation] = &[
    operation("get", "/ns_descriptors", "queryNsds", "All NSDs.").gives(Content::page::<NsdInfo>()),
    operation(
        "post",
        "/ns_descriptors",
        "createNsd",
        "Makes the resource that an NSD is then uploaded to.",
    )
    .takes(Content::json::<CreateNsdInfoRequest>())
    .makes(Content::resource::<NsdInfo>()),
    operation("get", "/ns_descriptors/{id}", "findNsd", "One NSD.").gives(Content::resource::<NsdInfo>()),
    operation(
        "patch",
        "/ns_descriptors/{id}",
        "updateNsd",
        "Changes an NSD's state and user data.",
    )
    .takes(Content::patch::<NsdInfoModifications>())
    .gives(Content::json::<NsdInfoModifications>()),
    operation(
        "delete",
        "/ns_descriptors/{id}",
        "deleteNsd",
        "Deletes an NSD that nothing uses.",
    ),
    operation("get", "/ns_descriptors/{id}/nsd_content", "fetchNsd", "The archive.").gives(ZIP),
    operation(
        "put",
        "/ns_descriptors/{id}/nsd_content",
        "uploadNsd",
        "Uploads the archive; its faults stand in the resource.",
    )
    .takes(ZIP)
    .accepts(),
    operation("get", "/pnf_descriptors", "queryPnfds", "All PNFDs.").gives(Content::page::<PnfdInfo>()),
    operation(
        "post",
        "/pnf_descriptors",
        "createPnfd",
        "Makes the resource that a PNFD is then uploaded to.",
    )
    .takes(Content::json::<CreatePnfdInfoRequest>())
    .makes(Content::resource::<PnfdInfo>()),
    operation("get", "/pnf_descriptors/{id}", "findPnfd", "One PNFD.").gives(Content::resource::<PnfdInfo>()),
    operation(
        "delete",
        "/pnf_descriptors/{id}",
        "deletePnfd",
        "Deletes a PNFD that nothing uses.",
    ),
    operation("get", "/pnf_descriptors/{id}/pnfd_content", "fetchPnfd", "The archive.").gives(ZIP),
    operation(
        "put",
        "/pnf_descriptors/{id}/pnfd_content",
        "uploadPnfd",
        "Uploads the archive; its faults stand in the resource.",
    )
    .takes(ZIP)
    .accepts(),
];

const VNFPKGM_V2: &[Operation] = &[
    operation("get", "/vnf_packages", "queryPackages", "All VNF packages.").gives(Content::page::<VnfPkgInfo>()),
    operation(
        "post",
        "/vnf_packages",
        "createPackage",
        "Makes the resource that a package is then uploaded to.",
    )
    .takes(Content::json::<CreateVnfPkgInfoRequest>())
    .makes(Content::resource::<VnfPkgInfo>()),
    operation("get", "/vnf_packages/{id}", "findPackage", "One VNF package.").gives(Content::resource::<VnfPkgInfo>()),
    operation(
        "patch",
        "/vnf_packages/{id}",
        "updatePackage",
        "Changes a package's state and user data.",
    )
    .takes(Content::patch::<VnfPkgInfoModifications>())
    .gives(Content::json::<VnfPkgInfoModifications>()),
    operation(
        "delete",
        "/vnf_packages/{id}",
        "deletePackage",
        "Deletes a disabled package that nothing uses.",
    ),
    operation(
        "get",
        "/vnf_packages/{id}/package_content",
        "fetchPackage",
        "The archive.",
    )
    .gives(ZIP),
    operation(
        "put",
        "/vnf_packages/{id}/package_content",
        "uploadPackage",
        "Uploads the archive; its faults stand in the resource.",
    )
    .takes(ZIP)
    .accepts(),
];

const NSLCM_V2: &[Operation] = &[
    operation("get", "/ns_instances", "queryNss", "All NS instances.").gives(Content::page::<NsInstance>()),
    operation(
        "post",
        "/ns_instances",
        "createNs",
        "Makes an NS instance without resources.",
    )
    .takes(Content::json::<CreateNsRequest>())
    .makes(Content::resource::<NsInstance>()),
    operation("get", "/ns_instances/{id}", "findNs", "One NS instance.").gives(Content::resource::<NsInstance>()),
    operation(
        "delete",
        "/ns_instances/{id}",
        "deleteNs",
        "Forgets an NS instance without resources.",
    ),
    operation(
        "post",
        "/ns_instances/{id}/instantiate",
        "instantiateNs",
        "Gives an NS its constituents.",
    )
    .takes(Content::json::<InstantiateNsRequest>())
    .starts(),
    operation("post", "/ns_instances/{id}/scale", "scaleNs", "Scales VNFs of an NS.")
        .takes(Content::json::<ScaleNsRequest>())
        .starts(),
    operation(
        "post",
        "/ns_instances/{id}/update",
        "updateNs",
        "Changes what an NS consists of: all of it or nothing.",
    )
    .takes(Content::json::<UpdateNsRequest>())
    .starts(),
    operation(
        "post",
        "/ns_instances/{id}/heal",
        "healNs",
        "Heals an NS or VNFs of it.",
    )
    .takes(Content::json::<HealNsRequest>())
    .starts(),
    operation(
        "post",
        "/ns_instances/{id}/terminate",
        "terminateNs",
        "Takes away what was made for an NS.",
    )
    .takes(Content::json::<TerminateNsRequest>())
    .starts(),
    operation(
        "get",
        "/ns_lcm_op_occs",
        "queryOperations",
        "All operation occurrences.",
    )
    .gives(Content::page::<NsLcmOpOcc>()),
    operation(
        "get",
        "/ns_lcm_op_occs/{id}",
        "findOperation",
        "One operation occurrence.",
    )
    .gives(Content::resource::<NsLcmOpOcc>()),
    operation(
        "post",
        "/ns_lcm_op_occs/{id}/retry",
        "retryOperation",
        "FAILED_TEMP: goes on where it stopped.",
    )
    .accepts(),
    operation(
        "post",
        "/ns_lcm_op_occs/{id}/rollback",
        "rollBackOperation",
        "FAILED_TEMP: undoes what was done.",
    )
    .accepts(),
    operation(
        "post",
        "/ns_lcm_op_occs/{id}/continue",
        "continueOperation",
        "FAILED_TEMP: accepts the failures and finishes the rest.",
    )
    .accepts(),
    operation(
        "post",
        "/ns_lcm_op_occs/{id}/fail",
        "failOperation",
        "FAILED_TEMP: gives up; what was made stays.",
    )
    .gives(Content::resource::<NsLcmOpOcc>()),
    operation(
        "post",
        "/ns_lcm_op_occs/{id}/cancel",
        "cancelOperation",
        "PROCESSING, ROLLING_BACK: stops it.",
    )
    .takes(Content::json::<CancelMode>())
    .accepts(),
];

const MANIFOLD_V1: &[Operation] = &[
    operation(
        "get",
        "/ns_lcm_op_occs/{id}/progress",
        "showProgress",
        "An operation's steps, with their states and times.",
    )
    .gives(Content::json::<Progress>()),
    operation(
        "get",
        "/ns_instances/{id}/topology",
        "showTopology",
        "An NS as a graph, with live addresses and states.",
    )
    .gives(Content::json::<NsTopology>()),
    operation(
        "post",
        "/ns_instances/{id}/update_plan",
        "planUpdate",
        "What an update would make, change and take away; nothing is done.",
    )
    .takes(Content::json::<UpdateNsRequest>())
    .gives(Content::json::<Changes>()),
    operation(
        "get",
        "/scripts",
        "queryScripts",
        "All script documents, without their sources.",
    )
    .gives(Content::page::<ScriptInfo>()),
    operation(
        "get",
        "/scripts/{name}",
        "findScript",
        "One script document, with the sources of its newest revision.",
    )
    .gives(Content::resource::<ScriptInfo>()),
    operation(
        "put",
        "/scripts/{name}",
        "applyScript",
        "Keeps the script as the next revision and makes the service equal to it. 200 where there is nothing to do. With \
         `dryRun=true` nothing is done, and 200 carries a ScriptPlan: what would be.",
    )
    .asking(&["dryRun"])
    .takes(Content::json::<ScriptAsk>())
    .starts()
    .telling(Content::json::<AppliedScript>()),
    operation(
        "delete",
        "/scripts/{name}",
        "deleteScript",
        "Takes away the service, what was on-boarded for it, and the document.",
    )
    .starts()
    .telling(Content::json::<AppliedScript>()),
    operation(
        "get",
        "/scripts/{name}/revisions/{revision}",
        "findScriptRevision",
        "One revision of a script document.",
    )
    .gives(Content::resource::<ScriptInfo>()),
    operation(
        "get",
        "/script_operations/{id}",
        "findScriptOperation",
        "How far an operation on a script is.",
    )
    .gives(Content::resource::<ScriptOperation>()),
    operation(
        "post",
        "/script_operations/{id}/retry",
        "retryScriptOperation",
        "FAILED_TEMP: goes on where it stopped.",
    )
    .accepts(),
    operation(
        "post",
        "/script_operations/{id}/rollback",
        "rollBackScriptOperation",
        "FAILED_TEMP: undoes what was done.",
    )
    .accepts(),
    operation(
        "post",
        "/script_operations/{id}/fail",
        "failScriptOperation",
        "FAILED_TEMP: gives up; what was made stays, and the document is as it was.",
    ),
];

const QUERY: &[&str] = &[
    "filter",
    "all_fields",
    "fields",
    "exclude_fields",
    "exclude_default",
    "nextpage_opaque_marker",
];

/// Of every API that [`crate::server::add_to`] adds.
pub fn documents() -> [Document; 4] {
    let document = |name, major, versions, title, description, operations| Document {
        api: Api::new(name, major, versions),
        title,
        description,
        query: QUERY,
        operations,
    };
    [
        document(
            "nsd",
            "v2",
            NSD,
            "NSD management (GS NFV-SOL 005 5)",
            "The part of SOL005's API that is offered: NSDs and PNFDs, their archives as a whole. Not offered: artifacts and \
             manifests on their own, subscriptions.",
            NSD_V2,
        ),
        document(
            "vnfpkgm",
            "v2",
            VNFPKGM,
            "VNF package management (GS NFV-SOL 005 9)",
            "The part of SOL005's API that is offered: packages and their archives as a whole. Not offered: upload from a URI, \
             artifacts and manifests on their own, subscriptions.",
            VNFPKGM_V2,
        ),
        document(
            "nslcm",
            "v2",
            NSLCM,
            "NS lifecycle management (GS NFV-SOL 005 6)",
            "The part of SOL005's API that is offered: NS instances with instantiate, scale, update, heal and terminate; \
             operation occurrences with all their tasks. Not offered: subscriptions; of the update types, those beside \
             INSTANTIATE_VNF, REMOVE_VNF, CHANGE_EXTERNAL_VNF_CONNECTIVITY, ADD_SAP, REMOVE_SAP and ASSOC_NEW_NSD_VERSION. Attributes of SOL005 that no schema names here \
             are not read.",
            NSLCM_V2,
        ),
        document(
            "manifold",
            "v1",
            OURS,
            "What SOL005 has no resource for",
            "Progress of operations, NSs as graphs, what an update would change, and NEMO scripts as the desired state of services. \
             Not ETSI's; in the style of GS NFV-SOL 015.",
            MANIFOLD_V1,
        ),
    ]
}
