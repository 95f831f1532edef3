//! Placement: machines onto hosts by hard constraints, and near to each other where these allow it. The VIM asks for one machine
//! at a time; whoever grants asks for all of an operation's machines at once, over several PoPs.
//!
//! Deterministic: demands that can stand in the fewest places go first, each on the host with the most memory left, ties by
//! name. When a later one finds no place, earlier choices are taken back, up to a bound. What fits nowhere is told host by host.

mod prefer;
mod search;

use std::collections::BTreeSet;
use std::fmt;

pub use prefer::place_near;
pub use search::place;

/// Names a host among all PoPs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId {
    /// The NFVI-PoP.
    pub pop: String,
    /// The host's name there.
    pub host: String,
}

/// A host as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Which.
    pub id: HostId,
    /// The zone that it is in; zones of different PoPs are different zones.
    pub zone: String,
    /// Virtual CPUs left.
    pub vcpus_free: u32,
    /// Memory left, in mebibytes.
    pub memory_mib_free: u64,
    /// Provider networks that it reaches.
    pub reaches: BTreeSet<String>,
}

/// A machine that stands already: it counts for rules only, its size is in the hosts' figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// What rules call it.
    pub name: String,
    /// Where it stands.
    pub host: HostId,
}

/// A machine that looks for a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// What rules call it; unique among demands and residents.
    pub name: String,
    /// Virtual CPUs needed.
    pub vcpus: u32,
    /// Memory needed, in mebibytes.
    pub memory_mib: u64,
    /// Only in this PoP.
    pub pop: Option<String>,
    /// Only in this zone.
    pub zone: Option<String>,
    /// Only on the host of this name.
    pub host: Option<String>,
    /// Provider networks that the host must reach.
    pub reaches: BTreeSet<String>,
}

/// Together or apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// All members in the same.
    Together,
    /// No two members in the same.
    Apart,
}

/// What members share, or do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A host.
    Host,
    /// A zone.
    Zone,
    /// A PoP.
    Pop,
}

/// A rule over demands and residents, by name. A member that is neither binds nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Together or apart.
    pub relation: Relation,
    /// In what.
    pub scope: Scope,
    /// Whom it binds.
    pub members: BTreeSet<String>,
}

/// Machines that would like to be in one PoP, as those on one network would. Unlike a [`Rule`] it never keeps a placement from
/// being found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preference {
    /// Who, among the demands.
    pub members: BTreeSet<String>,
    /// PoPs where something that they want to be near to is already.
    pub pops: BTreeSet<String>,
}

/// Why a host cannot take a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is not the host that was asked for.
    NotTheHost(String),
    /// It is in another zone.
    NotTheZone(String),
    /// It is in another PoP.
    NotThePop(String),
    /// It does not reach this provider network.
    Unreached(String),
    /// Too few virtual CPUs.
    Vcpus {
        /// Needed.
        needed: u32,
        /// Left.
        left: u32,
    },
    /// Too little memory, in mebibytes.
    Memory {
        /// Needed.
        needed: u64,
        /// Left.
        left: u64,
    },
    /// A rule keeps it apart from this one.
    Apart(String),
    /// A rule wants it where this one is, and that is elsewhere.
    Elsewhere(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NotTheHost(host) => write!(f, "only {host} is allowed"),
            Why::NotTheZone(zone) => write!(f, "not in zone {zone}"),
            Why::NotThePop(pop) => write!(f, "not in {pop}"),
            Why::Unreached(network) => write!(f, "does not reach provider network {network}"),
            Why::Vcpus { needed, left } => write!(f, "{needed} vCPU needed, {left} left"),
            Why::Memory { needed, left } => write!(f, "{needed} MiB needed, {left} left"),
            Why::Apart(other) => write!(f, "anti-affine with {other}"),
            Why::Elsewhere(other) => write!(f, "affine with {other}, which is elsewhere"),
        }
    }
}

/// Nothing fits, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlace {
    /// The machine that found no place when the most others had one.
    pub demand: String,
    /// Each host and why it could not take it.
    pub refusals: Vec<(HostId, Why)>,
    /// Whether the search was broken off: there may be a placement that was not tried.
    pub gave_up: bool,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no host can take {}: ", self.demand)?;
        if self.refusals.is_empty() {
            f.write_str("there is no host")?;
        }
        let several_pops = self.refusals.windows(2).any(|pair| pair[0].0.pop != pair[1].0.pop);
        for (at, (id, why)) in self.refusals.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            if several_pops {
                write!(f, "{}/", id.pop)?;
            }
            write!(f, "{}: {why}", id.host)?;
        }
        if self.gave_up {
            f.write_str(" (not every combination was tried)")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoPlace {}
