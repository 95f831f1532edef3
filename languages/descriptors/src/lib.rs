//! The languages of packages and descriptors: CSAR archives (SOL004, SOL007) that hold TOSCA definitions (SOL001), read into the
//! models of VNFD, NSD and PNFD.
//!
//! ```text
//! archive ──csar──> files ──yaml──> trees with places ──tosca──> types, values, topologies ──┬─> Vnfd
//!    ^                                                                                       ├─> Nsd ──check_nsd──> against
//!    └──────build────── folder                                                               └─> Pnfd   Vnfds, Pnfds
//! ```
//! Bytes in, model or diagnostics out: no clock, no randomness, and no I/O but in [`folder`]. A package reports all of its faults
//! at once, each with a stable [`Code`], a place and the line it stands on.
//!
//! SOL001's types are built in (the table is `src/tosca/builtin.txt`); imports of ETSI's type files, of any
//! version, mean them.
//!
//! # What is ours
//!
//! SOL001 has no words for some things that this program can do. They are said like this, and only here:
//!
//! - **An image that the program builds itself**: `file: manifold:image/NAME` in an artifact of type `tosca.artifacts.nfv.SwImage`.
//!   Its checksum and size need not be stated ([`vnfd::SwImageSource::Manifold`]).
//! - **A kernel with an initramfs** instead of a disk: two artifacts of that type, each with its data in `properties`, one of
//!   `disk_format: aki` and one of `ari`. SOL001's own words, which SOL001 does not put together.
//! - **NoCloud**: the text of `boot_data` is the machine's `user-data`, key-value pairs are added to its `meta-data`.
//! - **What happens to packets** beyond forwarding paths: a policy of type `manifold.policies.Traffic`. Its targets are virtual links,
//!   profiles and SAPs; its properties are `priority` (higher goes first), `action` (`block`, `allow`, `limit` with `max_bitrate` in
//!   bits per second, at least 8000, or `precedence` with `precedence` from 0, last, to 7, first), `classifier` (what a packet must
//!   have, spelled as in `tosca.policies.nfv.NfpRule`; none: all packets) and `schedule` (when; none: always). A schedule is a list of
//!   windows, of which one is enough: `from` and `until` (`2026-01-31T00:00:00`, up to the year 2200), `daily_from` and `daily_until`
//!   (`08:00:00`, up to `24:00:00`), each `until` exclusive, all in UTC. `tosca.policies.nfv.NfpRule` may have `priority` and
//!   `schedule`, too.
//! - **Which connection points a forwarding path uses**: `profile_element: { node: PROFILE, capability: CONNECTION_POINT }`, the one that
//!   packets go in by before the one that they come out by.
//! - **A provider network**: an NS virtual link whose `l2_protocol_data` has `network_type: flat` (or `vlan`) and a `name`.
//! - **A place for a profile** in an NSD: a policy of type `manifold.policies.Location` (`nfvi_pop`, `zone`) over profiles. To say
//!   only that two go to different sites, SOL001's `NsAntiAffinityRule` of scope `nfvi_pop` does.

mod code;
pub mod csar;
mod describe;
pub mod diagnostic;
mod fields;
pub mod folder;
pub mod formats;
pub mod interfaces;
pub mod link;
pub mod man001;
pub mod nsd;
pub mod openmano;
pub mod pnfd;
pub mod sol006;
mod source;
mod tosca;
pub mod tosca_write;
pub mod vnfd;
mod yaml;

pub use code::diagnostics_page;
pub use describe::{Described, Descriptor, describe};
pub use diagnostic::{Code, Diagnostic, Diagnostics, Place, Severity};
pub use nsd::Nsd;
pub use nsd::against::check_nsd;
pub use nsd::flat::{FlatNsd, FlatService};
pub use pnfd::Pnfd;
pub use tosca::definitions::DefinitionFiles;
pub use vnfd::Vnfd;
