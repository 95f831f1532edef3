//! What of an NS is there already and stays while the rest is laid out around it: VNFs where they are, links as they are.

use std::collections::{BTreeMap, BTreeSet};

use manifold_descriptors::Vnfd;
use manifold_descriptors::vnfd::DeploymentFlavour;

use super::{PlannedVnf, Wanted};

/// What stays. By default nothing: an instantiation.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Staying {
    pub(crate) vnfs: Vec<StayingVnf>,
    /// Keys of VNFs that are there now, whether they stay or not: no new one has them.
    pub(crate) keys: BTreeSet<String>,
    /// Links that are there, with their sites. Their networks are not planned again.
    pub(crate) links: BTreeMap<String, BTreeSet<String>>,
    /// Of those, the provider network that realises one, and its VIM.
    pub(crate) providers: BTreeMap<String, (String, String)>,
    /// How many instances of a profile there shall be; of others, what the NSD says.
    pub(crate) counts: BTreeMap<String, u32>,
}

/// A VNF that stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StayingVnf {
    /// Without its ends.
    pub(crate) vnf: PlannedVnf,
    /// Its external connection points and their links from now on; `None`: what the profile says.
    pub(crate) ends: Option<Vec<(String, String)>>,
    /// Identifiers at its VIM.
    pub(crate) machines: BTreeSet<String>,
}

impl Staying {
    pub(super) fn count(&self, profile: &str) -> Option<u32> {
        self.counts.get(profile).copied()
    }

    pub(super) fn of<'a>(&'a self, profile: &'a str) -> impl Iterator<Item = &'a StayingVnf> {
        self.vnfs.iter().filter(move |there| there.vnf.profile == profile)
    }

    /// The numbers of the instances that lack: the lowest that are free.
    pub(super) fn new_numbers(&self, profile: &str, count: u32) -> Vec<u32> {
        let there = self.of(profile).count();
        let lacking = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(there);
        (1..)
            .filter(|n| !self.keys.contains(&format!("{profile}-{n}")))
            .take(lacking)
            .collect()
    }

    /// A link that is there does not reach further than it did: who is new on one of a single site must be at that.
    pub(super) fn pins(&self, ends: &[(String, String)]) -> Vec<(String, String)> {
        let mut pins = Vec::new();
        for (_, link) in ends {
            let Some(sites) = self.links.get(link) else { continue };
            if let (Some(site), 1) = (sites.first(), sites.len()) {
                pins.push((site.clone(), format!("link {link}, which is there only")));
            }
        }
        pins
    }
}

impl StayingVnf {
    pub(super) fn wanted<'a>(
        &'a self,
        profile: &[(String, String)],
        vnfd: &'a Vnfd,
        flavour: &'a DeploymentFlavour,
    ) -> Wanted<'a> {
        Wanted {
            vnf: PlannedVnf {
                ends: self.ends.clone().unwrap_or_else(|| profile.to_vec()),
                reaches: BTreeMap::new(),
                ..self.vnf.clone()
            },
            vnfd,
            flavour,
            pins: Vec::new(),
            machines: Some(&self.machines),
        }
    }
}
