//! A difference as a client is shown it.

use manifold_nfvo_interface::{Changes, ConstituentChange, ConstituentKind};

use super::difference::Difference;
use super::family::Family;
use crate::record::NsPnf;

impl Difference {
    /// As a client is shown it.
    pub(crate) fn changes(&self, pnfs_before: &[NsPnf]) -> Changes {
        let change = |kind, name: &str, id: Option<&str>, detail: String| ConstituentChange {
            kind,
            name: name.to_owned(),
            id: id.map(str::to_owned),
            detail,
        };
        let mut all = Changes::default();
        for link in &self.create.links {
            let detail = format!("at {}", link.vims.join(", "));
            all.create.push(change(ConstituentKind::Vl, &link.link, None, detail));
        }
        for sap in &self.create.saps {
            let detail = format!("on link {}, at access point {} of {}", sap.link, sap.name, sap.vim);
            all.create.push(change(ConstituentKind::Sap, &sap.sapd, None, detail));
        }
        for vnf in &self.create.vnfs {
            let detail = format!("{} of VNFD {} at {}", vnf.name, vnf.vnfd_id, vnf.vim);
            all.create.push(change(ConstituentKind::Vnf, &vnf.key, None, detail));
        }
        self.show_family(&mut all);
        for rate in &self.rates {
            let id = self.link_ids.get(&rate.link).map(String::as_str);
            let say = |rate: u64| match rate {
                0 => "no limit".to_owned(),
                rate => format!("{rate} bit/s"),
            };
            let detail = format!("at {}: {} instead of {}", rate.vim, say(rate.after), say(rate.before));
            all.change.push(change(ConstituentKind::Vl, &rate.link, id, detail));
        }
        for one in &self.connect {
            let moves = one.moves.iter().map(|to| match to.from.as_str() {
                "" => format!("{} to {}", to.cpd, to.to),
                from => format!("{} from {from} to {}", to.cpd, to.to),
            });
            let detail = format!(
                "{}; its machines there are made anew",
                moves.collect::<Vec<_>>().join(", ")
            );
            all.change
                .push(change(ConstituentKind::Vnf, &one.vnf.key, Some(&one.vnf.id), detail));
        }
        for after in self.pnfs.iter().flatten() {
            let id = &after.info.pnf_profile_id;
            match pnfs_before.iter().find(|before| before.info.pnf_profile_id == *id) {
                None => all
                    .create
                    .push(change(ConstituentKind::Pnf, id, None, format!("at {}", after.vim))),
                Some(before) if before.links != after.links => {
                    all.change.push(change(
                        ConstituentKind::Pnf,
                        id,
                        Some(&after.info.pnf_id),
                        "its links".to_owned(),
                    ));
                }
                Some(_) => {}
            }
        }
        if let Some(after) = &self.pnfs {
            let gone = pnfs_before.iter().filter(|before| {
                after
                    .iter()
                    .all(|pnf| pnf.info.pnf_profile_id != before.info.pnf_profile_id)
            });
            for pnf in gone {
                let (name, id) = (&pnf.info.pnf_profile_id, &pnf.info.pnf_id);
                all.remove
                    .push(change(ConstituentKind::Pnf, name, Some(id), "is let go".to_owned()));
            }
        }
        self.show_packets(&mut all);
        for vnf in &self.remove.vnfs {
            let detail = format!("{} at {}", vnf.name, vnf.vim);
            all.remove
                .push(change(ConstituentKind::Vnf, &vnf.key, Some(&vnf.id), detail));
        }
        for sap in &self.remove.saps {
            let detail = format!("of link {}", sap.link);
            all.remove.push(change(
                ConstituentKind::Sap,
                &sap.info.sapd_id,
                Some(&sap.info.id),
                detail,
            ));
        }
        for link in &self.remove.links {
            let vims: Vec<&str> = link.networks.iter().map(|network| network.vim.as_str()).collect();
            let (name, id) = (&link.info.ns_virtual_link_desc_id, &link.info.id);
            all.remove.push(change(
                ConstituentKind::Vl,
                name,
                Some(id),
                format!("at {}", vims.join(", ")),
            ));
        }
        all
    }

    fn show_family(&self, all: &mut Changes) {
        let nested = |name: &str, id: Option<&str>, detail: String| ConstituentChange {
            kind: ConstituentKind::Ns,
            name: name.to_owned(),
            id: id.map(str::to_owned),
            detail,
        };
        let Family {
            kept,
            gone,
            released,
            taken,
            ..
        } = &self.family;
        for planned in &self.create.nested {
            match kept.iter().find(|held| held.id == planned.id) {
                None => {
                    let detail = format!("{} of NSD {}", planned.name, planned.nsd_id);
                    all.create.push(nested(&planned.path, None, detail));
                }
                Some(held) if held.nsd_id != planned.nsd_id && self.pnfs.is_some() => {
                    let detail = format!("follows NSD {} instead of {}", planned.nsd_id, held.nsd_id);
                    all.change.push(nested(&held.path, Some(&held.id), detail));
                }
                Some(_) => {}
            }
        }
        for held in taken {
            let detail = "is taken in with all that it has".to_owned();
            all.create.push(nested(&held.path, Some(&held.id), detail));
        }
        for held in gone {
            let detail = format!("of NSD {}", held.nsd_id);
            all.remove.push(nested(&held.path, Some(&held.id), detail));
        }
        for held in released {
            let detail = "is let go, and stays as it is".to_owned();
            all.remove.push(nested(&held.path, Some(&held.id), detail));
        }
    }

    fn show_packets(&self, all: &mut Changes) {
        for one in &self.packets.changes {
            let (list, packet, detail) = match (&one.before, &one.after) {
                (None, Some(after)) => (&mut all.create, after, ""),
                (Some(before), Some(after)) if before == after => (&mut all.change, after, ", on other ports"),
                (Some(_), Some(after)) if one.is_torn => (&mut all.change, after, ", made anew"),
                (Some(_), Some(after)) => (&mut all.change, after, ", where it is"),
                (Some(before), None) => (&mut all.remove, before, ""),
                (None, None) => continue,
            };
            list.push(ConstituentChange {
                kind: if packet.is_path() {
                    ConstituentKind::Nfp
                } else {
                    ConstituentKind::TrafficRule
                },
                name: packet.name().to_owned(),
                id: None,
                detail: format!("at {}{detail}", packet.vim()),
            });
        }
    }
}
