//! Wanted links: what the kinds of objects come down to. A kind is pure and says which links it wants in which namespace; how a
//! link is made or mended stands in one place (`mend`).

use crate::label::Part;
use ipnet::IpNet;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{CableWish, MacAddr, ObjectId, StitchWish, Transport, Wish, WishKind};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// A link that shall be in a namespace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Want {
    /// The node or router whose namespace it is.
    pub(crate) space: ObjectId,
    /// For which object.
    pub(crate) object: ObjectId,
    /// What it is to the object.
    pub(crate) part: Part,
    /// Its name there.
    pub(crate) name: String,
    /// What kind of link.
    pub(crate) shape: Shape,
    /// In bytes.
    pub(crate) mtu_bytes: u32,
    /// `None` = the kernel's choice.
    pub(crate) mac: Option<MacAddr>,
    /// The bridge in the same namespace that it is a port of.
    pub(crate) master: Option<String>,
    /// All of its addresses.
    pub(crate) addresses: Vec<IpNet>,
    /// All of its routes with a next hop, but for those that an operator made.
    pub(crate) routes: Vec<(IpNet, IpAddr)>,
    /// All of a tunnel's peers.
    pub(crate) floods: Vec<IpAddr>,
    /// What leaves through it: in bits per second.
    pub(crate) rate: Option<u64>,
    /// What its queue distinguishes; empty = nothing.
    pub(crate) precedences: BTreeSet<u8>,
    /// What enters through it is queued in this link first.
    pub(crate) queue: Option<String>,
}

/// What kind of link.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A bridge.
    Bridge,
    /// A device whose only use is its queue.
    Queue,
    /// A VXLAN.
    Vxlan { vni: u32, udp_port: u16, local: IpAddr },
    /// A tap.
    Tap,
    /// A veth pair, made from here.
    Pair {
        far_space: ObjectId,
        far_name: String,
        far_mac: Option<MacAddr>,
    },
    /// The other end of a pair, which is made from there.
    Far { home_space: ObjectId, home_name: String },
}

impl Want {
    /// A link with nothing on it.
    pub(crate) fn plain(
        space: ObjectId,
        object: ObjectId,
        part: Part,
        name: String,
        shape: Shape,
        mtu_bytes: u32,
    ) -> Self {
        Self {
            space,
            object,
            part,
            name,
            shape,
            mtu_bytes,
            mac: None,
            master: None,
            addresses: Vec::new(),
            routes: Vec::new(),
            floods: Vec::new(),
            rate: None,
            precedences: BTreeSet::new(),
            queue: None,
        }
    }

    /// Whether it needs IPv6 on the link.
    pub(crate) fn ipv6(&self) -> bool {
        self.addresses.iter().any(|address| address.addr().is_ipv6())
    }

    /// Links are made in this order: what others stand on first.
    pub(crate) fn rank(&self) -> u8 {
        match self.shape {
            Shape::Bridge => 1,
            Shape::Queue => 2,
            Shape::Vxlan { .. } => 3,
            Shape::Tap => 4,
            Shape::Pair { .. } => 5,
            Shape::Far { .. } => 6,
        }
    }
}

/// Everything that is wished for, by id: what stood before and what is asked now.
pub(crate) struct World<'a> {
    pub(crate) known: &'a HashMap<ObjectId, Wish>,
    pub(crate) asked: HashMap<ObjectId, &'a Wish>,
    index: Index,
}

/// What is looked for by something else than its id. An entry may be of a wish that was replaced since: whoever uses it looks
/// at the wish itself.
#[derive(Default)]
struct Index {
    /// Cables by a node and an address there.
    addresses: HashMap<(ObjectId, IpAddr), ObjectId>,
    /// Segments by node and VNI.
    segments: HashMap<(ObjectId, u32), Vec<ObjectId>>,
    /// Segments by node and the cable that they have taken in.
    providers: HashMap<(ObjectId, ObjectId), ObjectId>,
    /// Stitches by WAN VNI.
    stitches: HashMap<u32, Vec<ObjectId>>,
}

impl Index {
    fn add(&mut self, wish: &Wish) {
        match &wish.kind {
            WishKind::Cable(cable) => {
                for end in &cable.ends {
                    for address in &end.addresses {
                        self.addresses.insert((end.node, address.addr()), wish.id);
                    }
                }
            }
            WishKind::Segment(segment) => match &segment.transport {
                Some(Transport::Vxlan { vni, .. }) => {
                    self.segments.entry((segment.node, *vni)).or_default().push(wish.id)
                }
                Some(Transport::Provider { cable }) => drop(self.providers.insert((segment.node, *cable), wish.id)),
                None => {}
            },
            WishKind::Stitch(stitch) => self.stitches.entry(stitch.wan_vni).or_default().push(wish.id),
            _ => {}
        }
    }
}

impl<'a> World<'a> {
    /// What is known, and what is asked beside or instead of it.
    pub(crate) fn new(known: &'a HashMap<ObjectId, Wish>, asked: &'a [Wish]) -> Self {
        let mut world = Self {
            known,
            asked: asked.iter().map(|wish| (wish.id, wish)).collect(),
            index: Index::default(),
        };
        for wish in known.values().filter(|wish| !world.asked.contains_key(&wish.id)) {
            world.index.add(wish);
        }
        for wish in asked {
            world.index.add(wish);
        }
        world
    }

    /// Forgets that a wish is asked: it was refused.
    pub(crate) fn refuse(&mut self, id: ObjectId) {
        self.asked.remove(&id);
        if let Some(wish) = self.known.get(&id) {
            self.index.add(wish);
        }
    }

    /// The wish for an object.
    pub(crate) fn find(&self, id: ObjectId) -> Option<&'a Wish> {
        self.asked.get(&id).copied().or_else(|| self.known.get(&id))
    }

    /// The cable that has this address at this node.
    pub(crate) fn cable_with(&self, node: ObjectId, address: IpAddr) -> Option<(ObjectId, &'a CableWish)> {
        let id = *self.index.addresses.get(&(node, address))?;
        match &self.find(id)?.kind {
            WishKind::Cable(cable) => Some((id, cable)),
            _ => None,
        }
    }

    /// The segments on this node that have this VNI.
    pub(crate) fn segments_with(&self, node: ObjectId, vni: u32) -> impl Iterator<Item = ObjectId> {
        let there = move |id: &ObjectId| match self.find(*id).map(|wish| &wish.kind) {
            Some(WishKind::Segment(segment)) => {
                segment.node == node
                    && matches!(segment.transport, Some(Transport::Vxlan { vni: taken, .. }) if taken == vni)
            }
            _ => false,
        };
        self.index
            .segments
            .get(&(node, vni))
            .into_iter()
            .flatten()
            .copied()
            .filter(there)
    }

    /// The segment on this node that has taken in this cable.
    pub(crate) fn provider_of(&self, node: ObjectId, cable: ObjectId) -> Option<ObjectId> {
        let id = *self.index.providers.get(&(node, cable))?;
        match &self.find(id)?.kind {
            WishKind::Segment(segment) => {
                matches!(segment.transport, Some(Transport::Provider { cable: taken }) if taken == cable).then_some(id)
            }
            _ => None,
        }
    }

    /// The stitches that have this WAN VNI, on whatever gateway.
    pub(crate) fn stitches_with(&self, wan_vni: u32) -> impl Iterator<Item = (ObjectId, &'a StitchWish)> {
        let there = move |id: &ObjectId| match self.find(*id).map(|wish| &wish.kind) {
            Some(WishKind::Stitch(stitch)) if stitch.wan_vni == wan_vni => Some((*id, stitch)),
            _ => None,
        };
        self.index
            .stitches
            .get(&wan_vni)
            .into_iter()
            .flatten()
            .filter_map(there)
    }

    /// The wish's part that a closure picks, of the object that another one names.
    pub(crate) fn named<T>(&self, id: ObjectId, what: &str, pick: impl Fn(&'a WishKind) -> Option<T>) -> Outcome<T> {
        self.find(id)
            .and_then(|wish| pick(&wish.kind))
            .ok_or_else(|| CallError::invalid(format!("names {what} {id}, which is neither wished nor there")))
    }
}
