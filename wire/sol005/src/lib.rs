//! Os-Ma-nfvo over HTTP (GS NFV-SOL 005 V3.7.1): server and client of the NFVO's traits.
//!
//! ```text
//!   OSS ──> nsd/v2 ──────> NsdManagement, PnfdManagement        client::NfvoClient implements the same traits,
//!       ──> vnfpkgm/v2 ──> VnfPackageManagement                 so whoever holds one does not know whether
//!       ──> nslcm/v2 ────> NsLifecycleManagement                the NFVO is in this process
//!       ──> manifold/v1 ─> its progress and topology, ServiceScripts (ours)
//! ```
//!
//! Resources, methods, attributes and status codes are ETSI's; what a resource of theirs does not offer here answers 404 or 405.
//! `manifold/v1` is ours, in the style of SOL015.

pub mod client;
pub mod openapi;
pub mod server;

use manifold_nfvo_interface::{
    NsLifecycleManagement, NsdManagement, PnfdManagement, ServiceScripts, VnfPackageManagement,
};
use std::sync::Arc;

/// The NFVO's interfaces, bound to one role.
#[derive(Clone)]
pub struct Nfvo {
    /// See [`VnfPackageManagement`].
    pub packages: Arc<dyn VnfPackageManagement>,
    /// See [`NsdManagement`].
    pub nsds: Arc<dyn NsdManagement>,
    /// See [`PnfdManagement`].
    pub pnfds: Arc<dyn PnfdManagement>,
    /// See [`NsLifecycleManagement`].
    pub lifecycle: Arc<dyn NsLifecycleManagement>,
    /// See [`ServiceScripts`].
    pub scripts: Arc<dyn ServiceScripts>,
}

/// The versions of SOL005's APIs that are spoken: those of V3.7.1, and the plain major for clients that name only that.
pub(crate) const NSD: &[&str] = &["2.3.0", "2.0.0"];
pub(crate) const VNFPKGM: &[&str] = &["2.4.0", "2.0.0"];
pub(crate) const NSLCM: &[&str] = &["2.3.0", "2.0.0"];
pub(crate) const OURS: &[&str] = &["1.0.0"];
