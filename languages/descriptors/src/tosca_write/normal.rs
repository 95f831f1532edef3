//! Names that a TOSCA topology can hold: one namespace for machines, storages, interfaces and links.

use std::collections::{BTreeMap, BTreeSet};

use crate::link::AffinityType;
use crate::vnfd::{DeploymentFlavour, ExtCpInternal, StorageKind, Vnfd};

/// The model as SOL001 can say it: every node with a name of its own (the names of machines before those of links, of storages, of
/// interfaces), an exposed interface called as it is called outside. A descriptor that was read from SOL001 stays what it is.
pub fn normal(vnfd: &Vnfd) -> Vnfd {
    let mut vnfd = vnfd.clone();
    vnfd.flavours.iter_mut().for_each(flavour);
    vnfd
}

/// Names given so far.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// The first of the wished names that is free, or the last with a number.
    fn give(&mut self, wished: &[&str]) -> String {
        let last = wished.last().copied().unwrap_or("node");
        let name = wished
            .iter()
            .find(|name| !name.is_empty() && !self.0.contains(**name))
            .map(|name| (*name).to_owned())
            .unwrap_or_else(|| {
                super::free_name(if last.is_empty() { "node" } else { last }, |name| {
                    self.0.contains(name)
                })
            });
        self.0.insert(name.clone());
        name
    }
}

fn flavour(flavour: &mut DeploymentFlavour) {
    let mut names = Names::default();
    let mut vdus: BTreeMap<String, String> = BTreeMap::new();
    for vdu in &mut flavour.vdus {
        let name = names.give(&[&vdu.id]);
        vdus.entry(std::mem::replace(&mut vdu.id, name.clone())).or_insert(name);
    }
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    for link in &mut flavour.virtual_links {
        let alternative = format!("{}_net", link.id);
        let name = names.give(&[&link.id, &alternative]);
        links
            .entry(std::mem::replace(&mut link.id, name.clone()))
            .or_insert(name);
    }
    storages(flavour, &mut names);
    let mut points: BTreeMap<(String, String), String> = BTreeMap::new();
    let exposed: BTreeMap<(String, String), String> = flavour
        .ext_cpds
        .iter()
        .filter_map(|cpd| match &cpd.internal {
            ExtCpInternal::VduCp { vdu, cp } => Some(((vdus.get(vdu)?.clone(), cp.clone()), cpd.id.clone())),
            _ => None,
        })
        .collect();
    // What is seen from outside keeps its name before what is not.
    for wants_exposed in [true, false] {
        for vdu in &mut flavour.vdus {
            for cp in &mut vdu.connection_points {
                let key = (vdu.id.clone(), cp.id.clone());
                let outside = exposed.get(&key);
                if outside.is_some() != wants_exposed || points.contains_key(&key) {
                    continue;
                }
                let alternative = format!("{}_{}", vdu.id, cp.id);
                let name = match outside {
                    Some(outside) => names.give(&[outside, &cp.id, &alternative]),
                    None => names.give(&[&cp.id, &alternative]),
                };
                points.insert(key, name);
            }
        }
    }
    let renamed =
        |map: &BTreeMap<String, String>, name: &str| map.get(name).cloned().unwrap_or_else(|| name.to_owned());
    for vdu in &mut flavour.vdus {
        for cp in &mut vdu.connection_points {
            if let Some(name) = points.get(&(vdu.id.clone(), cp.id.clone())) {
                cp.id.clone_from(name);
            }
            cp.virtual_link = cp.virtual_link.as_ref().map(|link| renamed(&links, link));
            cp.ext_cpd = None;
        }
        vdu.connection_points.sort_by_key(|cp| cp.order.unwrap_or(u32::MAX));
    }
    for cpd in &mut flavour.ext_cpds {
        let outside = cpd.requirement.clone().unwrap_or_else(|| cpd.id.clone());
        match &mut cpd.internal {
            ExtCpInternal::VduCp { vdu, cp } => {
                *vdu = renamed(&vdus, vdu);
                if let Some(name) = points.get(&(vdu.clone(), cp.clone())) {
                    cp.clone_from(name);
                }
                cpd.id.clone_from(cp);
                cpd.requirement = Some(outside);
            }
            inner => {
                if let ExtCpInternal::VirtualLink { virtual_link } = inner {
                    *virtual_link = renamed(&links, virtual_link);
                }
                let alternative = format!("{}_cp", cpd.id);
                let name = names.give(&[&cpd.id, &alternative]);
                if name != cpd.id {
                    cpd.requirement = Some(outside);
                    cpd.id = name;
                }
            }
        }
    }
    flavour.ext_cpds.sort_by_key(|cpd| cpd.requirement.is_none());
    for vdu in &mut flavour.vdus {
        for cp in &mut vdu.connection_points {
            let is_exposed = flavour
                .ext_cpds
                .iter()
                .any(|cpd| matches!(&cpd.internal, ExtCpInternal::VduCp { vdu: of, cp: name } if *of == vdu.id && *name == cp.id));
            cp.ext_cpd = is_exposed.then(|| cp.id.clone());
        }
    }
    for rule in &mut flavour.affinity_rules {
        for target in &mut rule.targets {
            *target = vdus
                .get(target)
                .or_else(|| links.get(target))
                .cloned()
                .unwrap_or_else(|| target.clone());
        }
    }
    flavour
        .affinity_rules
        .sort_by_key(|rule| rule.kind == AffinityType::AntiAffinity);
    for level in flavour.instantiation_levels.values_mut() {
        level.vdu_instances = std::mem::take(&mut level.vdu_instances)
            .into_iter()
            .map(|(vdu, count)| (renamed(&vdus, &vdu), count))
            .collect();
    }
}

/// A storage that several machines have is one node as long as it is the same for all.
fn storages(flavour: &mut DeploymentFlavour, names: &mut Names) {
    type Shape = (String, u64, Option<String>);
    let mut given: BTreeMap<Shape, String> = BTreeMap::new();
    for vdu in &mut flavour.vdus {
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        for storage in &mut vdu.storages {
            let kind = match storage.kind {
                StorageKind::Block => 'b',
                StorageKind::Object => 'o',
                StorageKind::File => 'f',
            };
            let image = storage.sw_image.as_ref().map(super::content);
            let shape = (format!("{kind}{}", storage.id), storage.size_bytes, image);
            let alternative = format!("{}_{}", vdu.id, storage.id);
            let name = given
                .entry(shape)
                .or_insert_with(|| names.give(&[&storage.id, &alternative]))
                .clone();
            if let Some(image) = &mut storage.sw_image {
                image.id.clone_from(&name);
            }
            own.insert(std::mem::replace(&mut storage.id, name.clone()), name);
        }
        for boot in &mut vdu.boot_order {
            if let Some(name) = own.get(boot) {
                boot.clone_from(name);
            }
        }
        if let Some(image) = &mut vdu.sw_image {
            image.id.clone_from(&vdu.id);
        }
    }
}
