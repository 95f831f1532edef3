//! Wanted links: what the kinds of objects come down to. A kind is pure and says which links it wants in which namespace; how a
//! link is made or mended stands in one place (`mend`).

use crate::label::Part;
use ipnet::IpNet;
use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{MacAddr, ObjectId, Wish, WishKind};
use std::collections::HashMap;
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
    /// All of its routes with a next hop.
    pub(crate) routes: Vec<(IpNet, IpAddr)>,
    /// All of a tunnel's peers.
    pub(crate) floods: Vec<IpAddr>,
    /// What leaves through it: in bits per second.
    pub(crate) rate: Option<u64>,
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
}

impl<'a> World<'a> {
    /// The wish for an object.
    pub(crate) fn find(&self, id: ObjectId) -> Option<&'a Wish> {
        self.asked.get(&id).copied().or_else(|| self.known.get(&id))
    }

    /// Every wish.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'a Wish> {
        self.known
            .values()
            .filter(|wish| !self.asked.contains_key(&wish.id))
            .chain(self.asked.values().copied())
    }

    /// The wish's part that a closure picks, of the object that another one names.
    pub(crate) fn named<T>(&self, id: ObjectId, what: &str, pick: impl Fn(&'a WishKind) -> Option<T>) -> Outcome<T> {
        self.find(id)
            .and_then(|wish| pick(&wish.kind))
            .ok_or_else(|| CallError::invalid(format!("names {what} {id}, which is neither wished nor there")))
    }
}
