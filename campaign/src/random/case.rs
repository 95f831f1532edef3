//! What a seed means: two network services that stand side by side.

use crate::chance::Chance;
use std::collections::BTreeSet;

/// Of one case: each is emulated, and they boot side by side.
const MACHINES_MAX: u64 = 5;

/// How many subnets are tried before a link gets one that nobody has.
const TRIES: u32 = 4;

/// A network service.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// Which one of its seed.
    pub(super) number: u64,
    /// What its descriptors' identifiers begin with: no other case's do.
    pub(super) ids: u64,
    /// Name of the service and its NSD.
    pub(super) name: String,
    /// Links of the service and of its VNFs.
    pub(super) links: Vec<Link>,
    /// VNFs.
    pub(super) vnfs: Vec<Vnf>,
    /// The link that an access point is on.
    pub(super) sap: Option<usize>,
    /// The scope in which the first two VNFs shall not be together.
    pub(super) apart: Option<&'static str>,
}

/// A virtual link.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// Name of its node.
    pub(super) name: String,
    /// The VNF that it is inside of; `None` for the service's own.
    pub(super) inside: Option<usize>,
    /// The first three bytes of its subnet.
    pub(super) v4: [u8; 3],
    /// Two groups of its IPv6 subnet, for those that have one.
    pub(super) v6: Option<[u16; 2]>,
    /// In megabits per second.
    pub(super) mbit: u64,
}

/// A VNF, of a package of its own.
#[derive(Debug, Clone)]
pub(super) struct Vnf {
    /// Name of its node in the NSD.
    pub(super) name: String,
    /// Name of its product.
    pub(super) product: String,
    /// Its machines' descriptors.
    pub(super) vdus: Vec<Vdu>,
}

/// A VDU.
#[derive(Debug, Clone)]
pub(super) struct Vdu {
    /// Name of its node.
    pub(super) name: String,
    /// How many machines.
    pub(super) machines: u64,
    /// Whether that is an instantiation level of a scaling aspect, and not a fixed number.
    pub(super) scales: bool,
    /// The links that it is on, and the names of its connection points there.
    pub(super) on: Vec<(usize, String)>,
}

/// Names that differ by their number, of every form that a TOSCA name can have.
struct Names(u64);

impl Names {
    fn next(&mut self, chance: &mut Chance, stem: &str) -> String {
        self.0 += 1;
        let n = self.0;
        match chance.below(9) {
            0 => format!("{}_{n}", stem.to_uppercase()),
            1 => format!("{stem}-{n}.local"),
            2 => format!("{n}{stem}"),
            3 => format!("{}{n}", stem.repeat(60 / stem.len())),
            4 => format!("{stem} {n}"),
            5 => format!("Größe_{n}"),
            6 => format!("{n}e2"),
            7 => format!("_{stem}__{n}-"),
            _ => format!("{stem}{n}"),
        }
    }
}

/// Two that stand side by side, the first with this even number.
pub(super) fn neighbours(seed: u64, number: u64) -> [Case; 2] {
    let mut chance = Chance::of(seed, number);
    let first = one(&mut chance, seed, number, &[]);
    let theirs: Vec<[u8; 3]> = first.links.iter().map(|link| link.v4).collect();
    let mut second = one(&mut chance, seed, number + 1, &theirs);
    // The lab has one access point.
    second.sap = second.sap.filter(|_| first.sap.is_none());
    [first, second]
}

fn one(chance: &mut Chance, seed: u64, number: u64, theirs: &[[u8; 3]]) -> Case {
    let mut names = Names(0);
    let link = |inside, name, chance: &mut Chance| Link {
        name,
        inside,
        v4: [0; 3],
        v6: (chance.below(3) == 0).then(|| [chance.below(65_536) as u16, chance.below(65_536) as u16]),
        mbit: chance.pick(&[10, 50, 100]),
    };
    let name = names.next(chance, "service");
    let shared = 1 + chance.below(3);
    let mut links: Vec<Link> = (0..shared)
        .map(|_| link(None, names.next(chance, "net"), chance))
        .collect();
    let count = 1 + chance.below(3);
    let mut room = MACHINES_MAX - count;
    let mut vnfs = Vec::new();
    for vnf in 0..count as usize {
        let mut vdus = Vec::new();
        for nth in 0..2 {
            if nth > 0 && (room == 0 || chance.coin()) {
                break;
            }
            room -= nth;
            let more = if room > 0 { chance.below(2) } else { 0 };
            room -= more;
            vdus.push(Vdu {
                name: names.next(chance, "vdu"),
                machines: 1 + more,
                scales: more > 0 && chance.coin(),
                on: Vec::new(),
            });
        }
        let inner = chance.coin().then_some(links.len());
        if inner.is_some() {
            links.push(link(Some(vnf), names.next(chance, "inner"), chance));
        }
        for (nth, vdu) in vdus.iter_mut().enumerate() {
            let mut on: BTreeSet<usize> = inner.into_iter().collect();
            // The first is how the VNF meets others; one behind it may meet nobody else.
            if nth == 0 || inner.is_none() || chance.coin() {
                on.extend((0..=chance.below(2)).map(|_| chance.below(shared) as usize));
            }
            vdu.on = on.into_iter().map(|link| (link, names.next(chance, "cp"))).collect();
        }
        vnfs.push(Vnf {
            name: names.next(chance, "vnf"),
            product: names.next(chance, "product"),
            vdus,
        });
    }
    let mut case = Case {
        number,
        ids: Chance::of(seed, !number).below(1 << 32),
        name,
        links,
        vnfs,
        sap: None,
        apart: None,
    };
    case.forget_unused();
    case.number_links(chance, theirs);
    if chance.coin() {
        case.sap = Some(chance.below(case.shared() as u64) as usize);
    }
    if case.vnfs.len() > 1 {
        case.apart = chance.pick(&[None, Some("nfvi_node"), Some("nfvi_pop")]);
    }
    case
}

impl Case {
    /// How many links are the service's own; they come first.
    fn shared(&self) -> usize {
        self.links.iter().filter(|link| link.inside.is_none()).count()
    }

    /// All machines' descriptors.
    pub(super) fn vdus(&self) -> impl Iterator<Item = &Vdu> {
        self.vnfs.iter().flat_map(|vnf| &vnf.vdus)
    }

    /// Links that nobody is on are none of the service's.
    fn forget_unused(&mut self) {
        let used: BTreeSet<usize> = self
            .vdus()
            .flat_map(|vdu| vdu.on.iter().map(|(link, _)| *link))
            .collect();
        for vdu in self.vnfs.iter_mut().flat_map(|vnf| &mut vnf.vdus) {
            for (link, _) in &mut vdu.on {
                *link = used.range(..*link).count();
            }
        }
        let mut place = 0;
        self.links.retain(|_| {
            place += 1;
            used.contains(&(place - 1))
        });
    }

    /// Gives every link a subnet: one of its own, its neighbour's, or another link's that it has no VNF in common with.
    fn number_links(&mut self, chance: &mut Chance, theirs: &[[u8; 3]]) {
        for place in 0..self.links.len() {
            let mut known: Vec<[u8; 3]> = theirs.to_vec();
            known.extend(self.links[..place].iter().map(|link| link.v4));
            let mut v4 = subnet(chance);
            for _ in 0..TRIES {
                if known.is_empty() || chance.coin() {
                    break;
                }
                v4 = chance.pick(&known);
                if !self.meets(place, v4) {
                    break;
                }
                v4 = subnet(chance);
            }
            while self.meets(place, v4) {
                v4 = subnet(chance);
            }
            self.links[place].v4 = v4;
        }
    }

    /// Whether a VNF on this link is on another with this subnet, too: an NSD does not say which of its machines that are.
    fn meets(&self, place: usize, v4: [u8; 3]) -> bool {
        let both = |vnf: &Vnf| {
            let on = |link: usize| vnf.vdus.iter().flat_map(|vdu| &vdu.on).any(|(known, _)| *known == link);
            on(place) && (0..place).any(|other| on(other) && self.links[other].v4 == v4)
        };
        self.vnfs.iter().any(both)
    }
}

/// What is for private use, for shared address space, and for measurements.
fn subnet(chance: &mut Chance) -> [u8; 3] {
    let mut byte = |from: u64, count: u64| (from + chance.below(count)) as u8;
    match byte(0, 5) {
        0 => [10, byte(0, 256), byte(0, 256)],
        1 => [172, byte(16, 16), byte(0, 256)],
        2 => [192, 168, byte(0, 256)],
        3 => [100, byte(64, 64), byte(0, 256)],
        _ => [198, byte(18, 2), byte(0, 256)],
    }
}

#[cfg(test)]
mod tests {
    use super::{MACHINES_MAX, neighbours};
    use std::collections::BTreeSet;

    #[test]
    fn cases_repeat_keep_their_limits_and_have_every_shape_among_them() {
        let mut seen = BTreeSet::new();
        for number in (0..400).step_by(2) {
            let both = neighbours(7, number);
            assert_eq!(format!("{both:?}"), format!("{:?}", neighbours(7, number)));
            assert!(both[0].sap.is_none() || both[1].sap.is_none());
            for case in &both {
                let machines: u64 = case.vdus().map(|vdu| vdu.machines).sum();
                assert!((1..=MACHINES_MAX).contains(&machines), "{case:#?}");
                assert!((1..=3).contains(&case.vnfs.len()) && (1..=3).contains(&case.shared()));
                for vdu in case.vdus() {
                    let on: BTreeSet<[u8; 3]> = vdu.on.iter().map(|(link, _)| case.links[*link].v4).collect();
                    assert!(!on.is_empty() && on.len() == vdu.on.len(), "{case:#?}");
                }
                for (nth, link) in case.links.iter().enumerate() {
                    assert!(case.vdus().any(|vdu| vdu.on.iter().any(|(on, _)| *on == nth)));
                    seen.extend(link.inside.map(|_| "inside"));
                    seen.extend(link.v6.map(|_| "ipv6"));
                    let same =
                        |link: &super::Link, others: &[super::Link]| others.iter().any(|other| other.v4 == link.v4);
                    seen.extend(same(link, &case.links[..nth]).then_some("the same subnet twice"));
                    seen.extend(
                        (case.number % 2 == 1 && same(link, &both[0].links)).then_some("the neighbour's subnet"),
                    );
                }
                seen.extend(case.sap.map(|_| "SAP"));
                seen.extend(case.apart);
                seen.extend(case.vdus().any(|vdu| vdu.scales).then_some("levels"));
                seen.extend((machines == MACHINES_MAX).then_some("as large as can be"));
            }
        }
        let all = [
            "inside",
            "ipv6",
            "the same subnet twice",
            "the neighbour's subnet",
            "SAP",
            "nfvi_node",
            "nfvi_pop",
            "levels",
            "as large as can be",
        ];
        assert_eq!(seen, all.into());
    }
}
