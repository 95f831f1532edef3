//! The API in a table, and its OpenAPI document.

use crate::bodies::{AffinityGroup, ComputeChanges, Console, Ids, NetworkChanges, Operate, PathChanges};
use crate::{MAJOR, NAME, VERSIONS};
use manifold_http::api::Api;
use manifold_http::openapi::{Content, Document, Operation, operation};
use manifold_vim_interface::*;

const OPERATIONS: &[Operation] = &[
    operation(
        "get",
        "/vims/{vimId}/compute_resources",
        "queryComputes",
        "The tenant's machines.",
    )
    .gives(Content::page::<VirtualCompute>()),
    operation(
        "post",
        "/vims/{vimId}/compute_resources",
        "allocateCompute",
        "Makes a machine and starts it.",
    )
    .takes(Content::json::<AllocateCompute>())
    .makes(Content::resource::<VirtualCompute>()),
    operation(
        "post",
        "/vims/{vimId}/compute_resources/terminate",
        "terminateComputes",
        "Ends machines; answers with those that are gone.",
    )
    .takes(Content::json::<Ids<String>>())
    .gives(Content::json::<Ids<String>>()),
    operation(
        "get",
        "/vims/{vimId}/compute_resources/{id}",
        "findCompute",
        "One machine.",
    )
    .gives(Content::resource::<VirtualCompute>()),
    operation(
        "delete",
        "/vims/{vimId}/compute_resources/{id}",
        "terminateCompute",
        "Ends one machine.",
    ),
    operation(
        "post",
        "/vims/{vimId}/compute_resources/{id}/operate",
        "operateCompute",
        "Starts, stops or reboots.",
    )
    .takes(Content::json::<Operate>())
    .gives(Content::resource::<VirtualCompute>()),
    operation(
        "post",
        "/vims/{vimId}/compute_resources/{id}/update",
        "updateCompute",
        "Adds interfaces, or changes metadata.",
    )
    .takes(Content::json::<ComputeChanges>())
    .gives(Content::resource::<VirtualCompute>()),
    operation(
        "get",
        "/vims/{vimId}/compute_resources/{id}/console",
        "readConsole",
        "The end of a machine's console log.",
    )
    .gives(Content::json::<Console>()),
    operation(
        "post",
        "/vims/{vimId}/affinity_groups",
        "createAffinityGroup",
        "Makes a group for constraints to refer to.",
    )
    .takes(Content::json::<CreateAffinityGroup>())
    .makes(Content::resource::<AffinityGroup>()),
    operation(
        "post",
        "/vims/{vimId}/affinity_groups/terminate",
        "deleteAffinityGroups",
        "Removes groups; answers with those that are gone.",
    )
    .takes(Content::json::<Ids<String>>())
    .gives(Content::json::<Ids<String>>()),
    operation(
        "delete",
        "/vims/{vimId}/affinity_groups/{id}",
        "deleteAffinityGroup",
        "Removes one group.",
    ),
    operation(
        "get",
        "/vims/{vimId}/network_resources",
        "queryNetworkResources",
        "Networks, subnets and ports.",
    )
    .gives(Content::plain_page::<NetworkResource>()),
    operation(
        "post",
        "/vims/{vimId}/network_resources/terminate",
        "terminateNetworkResources",
        "Ends networks, subnets and ports; answers with those that are gone.",
    )
    .takes(Content::json::<Ids<String>>())
    .gives(Content::json::<Ids<String>>()),
    operation(
        "post",
        "/vims/{vimId}/network_resources/{id}/update",
        "updateNetworkResource",
        "Changes a network or a port.",
    )
    .takes(Content::json::<NetworkChanges>())
    .gives(Content::json::<NetworkResource>()),
    operation("get", "/vims/{vimId}/networks", "queryNetworks", "Networks.").gives(Content::page::<VirtualNetwork>()),
    operation("post", "/vims/{vimId}/networks", "allocateNetwork", "Makes a network.")
        .takes(Content::json::<AllocateNetworkResource>())
        .makes(Content::resource::<VirtualNetwork>()),
    operation("get", "/vims/{vimId}/networks/{id}", "findNetwork", "One network.")
        .gives(Content::resource::<VirtualNetwork>()),
    operation(
        "delete",
        "/vims/{vimId}/networks/{id}",
        "terminateNetwork",
        "Ends one network.",
    ),
    operation("get", "/vims/{vimId}/subnets", "querySubnets", "Subnets.").gives(Content::page::<NetworkSubnet>()),
    operation("post", "/vims/{vimId}/subnets", "allocateSubnet", "Makes a subnet.")
        .takes(Content::json::<AllocateNetworkResource>())
        .makes(Content::resource::<NetworkSubnet>()),
    operation("get", "/vims/{vimId}/subnets/{id}", "findSubnet", "One subnet.")
        .gives(Content::resource::<NetworkSubnet>()),
    operation(
        "delete",
        "/vims/{vimId}/subnets/{id}",
        "terminateSubnet",
        "Ends one subnet.",
    ),
    operation("get", "/vims/{vimId}/ports", "queryPorts", "Ports.").gives(Content::page::<VirtualNetworkPort>()),
    operation("post", "/vims/{vimId}/ports", "allocatePort", "Makes a port.")
        .takes(Content::json::<AllocateNetworkResource>())
        .makes(Content::resource::<VirtualNetworkPort>()),
    operation("get", "/vims/{vimId}/ports/{id}", "findPort", "One port.")
        .gives(Content::resource::<VirtualNetworkPort>()),
    operation("delete", "/vims/{vimId}/ports/{id}", "terminatePort", "Ends one port."),
    operation(
        "get",
        "/vims/{vimId}/forwarding_paths",
        "queryNfps",
        "Network forwarding paths.",
    )
    .gives(Content::page::<Nfp>()),
    operation(
        "post",
        "/vims/{vimId}/forwarding_paths",
        "createNfp",
        "Makes a path: packets of a class pass these ports in this order.",
    )
    .takes(Content::json::<CreateNfp>())
    .makes(Content::resource::<Nfp>()),
    operation(
        "post",
        "/vims/{vimId}/forwarding_paths/delete",
        "deleteNfps",
        "Ends paths; answers with those that are gone.",
    )
    .takes(Content::json::<Ids<String>>())
    .gives(Content::json::<Ids<String>>()),
    operation(
        "post",
        "/vims/{vimId}/forwarding_paths/change_state",
        "changeNfpState",
        "Lets paths hold, or not.",
    )
    .takes(Content::json::<ChangeNfpState>())
    .gives(Content::json::<Ids<String>>()),
    operation("get", "/vims/{vimId}/forwarding_paths/{id}", "findNfp", "One path.").gives(Content::resource::<Nfp>()),
    operation(
        "delete",
        "/vims/{vimId}/forwarding_paths/{id}",
        "deleteNfp",
        "Ends one path.",
    ),
    operation(
        "post",
        "/vims/{vimId}/forwarding_paths/{id}/update",
        "updateNfp",
        "Changes a path's class or ports.",
    )
    .takes(Content::json::<PathChanges>())
    .gives(Content::resource::<Nfp>()),
    operation(
        "get",
        "/vims/{vimId}/traffic_rules",
        "queryTrafficRules",
        "Traffic rules.",
    )
    .gives(Content::page::<TrafficRule>()),
    operation(
        "post",
        "/vims/{vimId}/traffic_rules",
        "createTrafficRule",
        "Makes a rule: packets of a class are blocked, allowed, limited or preferred.",
    )
    .takes(Content::json::<TrafficRuleData>())
    .makes(Content::resource::<TrafficRule>()),
    operation(
        "post",
        "/vims/{vimId}/traffic_rules/delete",
        "deleteTrafficRules",
        "Ends rules; answers with those that are gone.",
    )
    .takes(Content::json::<Ids<String>>())
    .gives(Content::json::<Ids<String>>()),
    operation(
        "get",
        "/vims/{vimId}/traffic_rules/{id}",
        "findTrafficRule",
        "One rule.",
    )
    .gives(Content::resource::<TrafficRule>()),
    operation(
        "put",
        "/vims/{vimId}/traffic_rules/{id}",
        "updateTrafficRule",
        "Puts another rule in its place.",
    )
    .takes(Content::json::<TrafficRuleData>())
    .gives(Content::resource::<TrafficRule>()),
    operation(
        "delete",
        "/vims/{vimId}/traffic_rules/{id}",
        "deleteTrafficRule",
        "Ends one rule.",
    ),
    operation("get", "/vims/{vimId}/flavours", "queryFlavours", "Sizes of machines.")
        .gives(Content::page::<ComputeFlavour>()),
    operation(
        "post",
        "/vims/{vimId}/flavours",
        "createFlavour",
        "Makes a size of machines.",
    )
    .takes(Content::json::<ComputeFlavour>())
    .makes(Content::resource::<ComputeFlavour>()),
    operation("get", "/vims/{vimId}/flavours/{id}", "findFlavour", "One size.")
        .gives(Content::resource::<ComputeFlavour>()),
    operation(
        "delete",
        "/vims/{vimId}/flavours/{id}",
        "deleteFlavour",
        "Removes a size; its machines stay.",
    ),
    operation(
        "get",
        "/vims/{vimId}/software_images",
        "queryImages",
        "Software images.",
    )
    .gives(Content::page::<SoftwareImageInformation>()),
    operation(
        "post",
        "/vims/{vimId}/software_images",
        "addImage",
        "Takes an image in, from files that the VIM can read.",
    )
    .takes(Content::json::<AddImage>())
    .makes(Content::resource::<SoftwareImageInformation>()),
    operation("get", "/vims/{vimId}/software_images/{id}", "findImage", "One image.")
        .gives(Content::resource::<SoftwareImageInformation>()),
    operation(
        "delete",
        "/vims/{vimId}/software_images/{id}",
        "deleteImage",
        "Removes an image that no machine was made of.",
    ),
    operation("get", "/vims/{vimId}/nfvi_pops", "queryNfviPop", "The NFVI-PoP.")
        .gives(Content::plain_page::<NfviPop>()),
    operation(
        "get",
        "/vims/{vimId}/zones",
        "queryResourceZones",
        "Its resource zones.",
    )
    .gives(Content::plain_page::<ResourceZone>()),
    operation(
        "get",
        "/vims/{vimId}/capacity",
        "queryCapacity",
        "Its hosts, with what they have and what is given away.",
    )
    .gives(Content::plain_page::<ComputeCapacity>()),
    operation(
        "get",
        "/vims/{vimId}/provider_networks",
        "queryProviderNetworks",
        "Its infrastructure provider networks.",
    )
    .gives(Content::plain_page::<ProviderNetwork>()),
];

/// Of the API that [`crate::server::add_to`] adds.
pub fn document() -> Document {
    Document {
        api: Api::new(NAME, MAJOR, VERSIONS),
        title: "Virtualised resources (GS NFV-IFA 005, 006, 052)",
        description: "Or-Vi, Vi-Vnfm, CCM–VIM and CISM–VIM. ETSI leaves them at stage 2: operations and information elements are \
                      IFA 005's, the resource tree is ours, in the style of GS NFV-SOL 013 and SOL 015. A POST that makes something \
                      is idempotent by its Idempotency-Key. Not offered: reservations, quotas, storage, images by upload.",
        query: &["filter", "nextpage_opaque_marker"],
        operations: OPERATIONS,
    }
}
