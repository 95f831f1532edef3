use crate::{CableWish, MachineWish, NodeWish, PortWish, RouterWish, SegmentWish, StitchWish, SwitchWish};
use manifold_call::{Subject, TenantId, uuid_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

uuid_id! {
    /// Names an object of the infrastructure. The consumer chooses it before the object exists.
    pub ObjectId
}

/// Whose object it is: stands as a label on the kernel object, and every query and sweep goes by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// The block instance that wishes for it: `vim/site-1`, `wim/wan`, `lab/demo`. At most 40 bytes of `[a-z0-9/_-]`.
    pub manager: String,
    /// On whose behalf, where that is a tenant's. At most 40 bytes of `[a-z0-9_-]`.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
}

/// One object as it shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Its name for ever.
    pub id: ObjectId,
    /// Whose it is.
    pub owner: Owner,
    /// What it shall be.
    pub kind: WishKind,
}

/// What an object shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum WishKind {
    /// A host, gateway, switch fabric, WAN or physical function.
    Node(NodeWish),
    /// A link between two nodes.
    Cable(CableWish),
    /// A plain bridge that joins cables inside one node.
    Switch(SwitchWish),
    /// A virtual network's presence on one node.
    Segment(SegmentWish),
    /// A plug on a segment.
    Port(PortWish),
    /// Forwarding between named segments.
    Router(RouterWish),
    /// A WAN service's end at a gateway.
    Stitch(StitchWish),
    /// A virtual machine. Boxed: it is several times larger than the rest.
    Machine(Box<MachineWish>),
}

impl WishKind {
    /// The kind's name, as it stands in labels and reports.
    pub fn name(&self) -> KindName {
        match self {
            WishKind::Node(_) => KindName::Node,
            WishKind::Cable(_) => KindName::Cable,
            WishKind::Switch(_) => KindName::Switch,
            WishKind::Segment(_) => KindName::Segment,
            WishKind::Port(_) => KindName::Port,
            WishKind::Router(_) => KindName::Router,
            WishKind::Stitch(_) => KindName::Stitch,
            WishKind::Machine(_) => KindName::Machine,
        }
    }
}

/// The kinds of objects, in the order in which they depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum KindName {
    /// See [`WishKind::Node`].
    Node,
    /// See [`WishKind::Switch`].
    Switch,
    /// See [`WishKind::Cable`].
    Cable,
    /// See [`WishKind::Segment`].
    Segment,
    /// See [`WishKind::Port`].
    Port,
    /// See [`WishKind::Router`].
    Router,
    /// See [`WishKind::Stitch`].
    Stitch,
    /// See [`WishKind::Machine`].
    Machine,
}

impl Subject for Wish {
    fn subject(&self) -> String {
        format!("{:?} {}", self.kind.name(), self.id)
    }
}
