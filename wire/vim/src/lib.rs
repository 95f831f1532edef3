//! Or-Vi, Vi-Vnfm, CCM–VIM and CISM–VIM over HTTP: server and client of the VIM's traits.
//!
//! ```text
//!   NFVO, VNFM, CCM, CISM ──> vim/v1/vims/{vimId}/compute_resources  …/{id}/operate|update|console   VirtualisedCompute
//!                                                 affinity_groups
//!                                                 networks  subnets  ports  network_resources        VirtualisedNetworks
//!                                                 forwarding_paths                                   NetworkForwardingPaths
//!                                                 traffic_rules                                      TrafficRules
//!                                                 flavours                                           ComputeFlavours
//!                                                 software_images                                    SoftwareImages
//!                                                 nfvi_pops  zones  capacity  provider_networks      Topology
//! ```
//!
//! ETSI leaves these reference points at stage 2 (GS NFV-IFA 005, 006, 052), so the wire is ours, in the style of SOL013 and
//! SOL015: operations and information elements are those of the interface crate, the resource tree is this crate's. One server
//! speaks for every VIM of its program; which consumer may do what is the policy's word, by the role of the token.
//!
//! * Making something answers 201 with `Location`; repeated with the same `Idempotency-Key` it answers with the first result.
//! * Tasks are sub-resources that take POST. `…/terminate` of a container takes many identifiers at once, as IFA 005 does, and
//!   answers with those that are gone; DELETE takes one.
//! * Lists take `filter` (handed to the VIM as it is) and come in pages, in the order of the identifiers.
//! * An image is added by the paths of its files: client and VIM have to share a file system. There is no upload yet.

mod bodies;
pub mod client;
#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "contract")]
mod contract_paths;
pub mod openapi;
pub mod server;

/// The versions that are spoken.
pub(crate) const VERSIONS: &[&str] = &["1.0.0"];

/// Names in the URI.
pub(crate) const NAME: &str = "vim";
pub(crate) const MAJOR: &str = "v1";
