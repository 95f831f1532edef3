//! Links of several services that are one net, and what the net is.

use std::collections::BTreeSet;

use super::error;
use crate::code::Code;
use crate::diagnostic::{Diagnostics, Severity};
use crate::link::Bitrate;
use crate::nsd::NsVirtualLink;

/// Which links are one net.
#[derive(Default)]
pub(super) struct Nets {
    pub(super) next: Vec<usize>,
}

impl Nets {
    pub(super) fn root(&mut self, mut at: usize) -> usize {
        while self.next[at] != at {
            self.next[at] = self.next[self.next[at]];
            at = self.next[at];
        }
        at
    }

    pub(super) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.next[one.max(other)] = one.min(other);
    }
}

/// A net: its parts, the outermost first.
pub(super) fn net(
    name: &str,
    parts: &[(usize, &NsVirtualLink)],
    diagnostics: &mut Diagnostics,
) -> Option<NsVirtualLink> {
    let (depth, first) = parts.first()?;
    let all = || parts.iter().map(|(_, link)| *link);
    let provider = |link: &NsVirtualLink| link.l2.as_ref().and_then(|l2| l2.provider_network()).map(str::to_owned);
    let providers: BTreeSet<String> = all().filter_map(provider).collect();
    if providers.len() > 1 {
        let names: Vec<String> = providers.into_iter().collect();
        let message = format!(
            "net `{name}` would be on several provider networks: {}",
            names.join(", ")
        );
        error(diagnostics, Code::NestedClash, &first.place, message, None);
    }
    let addressed = all().find(|link| !link.l3.is_empty());
    let beside = parts
        .iter()
        .filter(|(other, link)| other == depth && !link.l3.is_empty());
    for (_, other) in beside {
        let cidrs = |link: &NsVirtualLink| link.l3.iter().map(|l3| l3.cidr.to_string()).collect::<Vec<_>>();
        let Some(chosen) = addressed.filter(|chosen| cidrs(chosen) != cidrs(other)) else {
            continue;
        };
        let message = format!(
            "`{}` and `{}` are one net through what they nest; its addresses are those of `{}`",
            chosen.id, other.id, chosen.id
        );
        let place = other.place.clone().unwrap_or_default();
        diagnostics.push_plain(Severity::Warning, Code::NestedClash, place, message, None);
    }
    let on_provider = all().find(|link| provider(link).is_some());
    let stated = |rate: fn(&NsVirtualLink) -> Bitrate| all().map(rate).find(|rate| *rate != Bitrate::default());
    let mut l2 = on_provider
        .or_else(|| all().find(|link| link.l2.is_some()))
        .and_then(|link| link.l2.clone());
    if let (Some(l2), Some(mtu)) = (&mut l2, all().find_map(|link| link.l2.as_ref()?.mtu_bytes)) {
        l2.mtu_bytes = Some(mtu);
    }
    Some(NsVirtualLink {
        id: name.to_owned(),
        l2,
        l3: addressed.map(|link| link.l3.clone()).unwrap_or_default(),
        max_bitrate: stated(|link| link.max_bitrate).unwrap_or_default(),
        min_bitrate: stated(|link| link.min_bitrate).unwrap_or_default(),
        ..(*first).clone()
    })
}
