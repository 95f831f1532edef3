//! The requests that make and change links: one function for each thing that the agent says to the kernel.

use crate::netlink::{Message, Nest};
use crate::want::{Shape, Want};
use ipnet::IpNet;
use manifold_nfvi_interface::MacAddr;
use nix::libc;
use std::net::IpAddr;
use std::os::fd::RawFd;

const CREATE: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;

fn link_header(index: u32, flags: u32, change: u32) -> Vec<u8> {
    let mut header = vec![0; 4];
    header.extend_from_slice(&index.to_ne_bytes());
    header.extend_from_slice(&flags.to_ne_bytes());
    header.extend_from_slice(&change.to_ne_bytes());
    header
}

/// Makes a link with the index that was chosen for it. A pair's other end goes to the namespace of the descriptor, with the
/// index that was chosen there. Taps are not made so. Neither end is up: a pair whose other end is not there yet refuses.
pub(crate) fn make(want: &Want, index: u32, far: Option<(RawFd, u32)>) -> Option<Message> {
    let data = match &want.shape {
        Shape::Tap | Shape::Far { .. } => return None,
        Shape::Queue => None,
        Shape::Bridge => Some(
            Nest::new()
                .number(1, 0) // IFLA_BR_FORWARD_DELAY: ports forward at once
                .number(5, 0) // IFLA_BR_STP_STATE: the topology has no loops
                .put(23, &[0]), // IFLA_BR_MCAST_SNOOPING: nobody queries, so snooping would lose groups
        ),
        Shape::Vxlan { vni, udp_port, local } => {
            let nest = Nest::new()
                .number(1, *vni) // IFLA_VXLAN_ID
                .put(5, &[64]) // IFLA_VXLAN_TTL
                .put(15, &udp_port.to_be_bytes()); // IFLA_VXLAN_PORT
            Some(match local {
                IpAddr::V4(local) => nest.put(4, &local.octets()).put(29, &[1]), // IFLA_VXLAN_LOCAL, _DF: never fragment
                IpAddr::V6(local) => nest.put(17, &local.octets()),              // IFLA_VXLAN_LOCAL6
            })
        }
        Shape::Pair { far_name, far_mac, .. } => {
            let (fd, far_index) = far?;
            let mut peer = Nest::with_header(&link_header(far_index, 0, 0))
                .text(libc::IFLA_IFNAME, far_name)
                .number(libc::IFLA_MTU, want.mtu_bytes)
                .put(libc::IFLA_NET_NS_FD, &fd.to_ne_bytes());
            if let Some(MacAddr(mac)) = far_mac {
                peer = peer.put(libc::IFLA_ADDRESS, mac);
            }
            Some(Nest::new().nest(1, &peer)) // VETH_INFO_PEER
        }
    };
    let mut info = Nest::new().put(libc::IFLA_INFO_KIND, kind_of(&want.shape).as_bytes());
    if let Some(data) = &data {
        info = info.nest(libc::IFLA_INFO_DATA, data);
    }
    let mut message = Message::new(libc::RTM_NEWLINK, CREATE, &link_header(index, 0, 0))
        .text(libc::IFLA_IFNAME, &want.name)
        .number(libc::IFLA_MTU, want.mtu_bytes);
    if let Some(MacAddr(mac)) = &want.mac {
        message = message.put(libc::IFLA_ADDRESS, mac);
    }
    Some(message.nest(libc::IFLA_LINKINFO, &info))
}

/// What the kernel calls such a link.
pub(crate) fn kind_of(shape: &Shape) -> &'static str {
    match shape {
        Shape::Bridge => "bridge",
        Shape::Queue => "ifb",
        Shape::Vxlan { .. } => "vxlan",
        Shape::Tap => "tun",
        Shape::Pair { .. } | Shape::Far { .. } => "veth",
    }
}

/// What may differ on a link that is there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) alias: Option<String>,
    pub(crate) mtu_bytes: Option<u32>,
    pub(crate) mac: Option<MacAddr>,
    /// 0 = no master.
    pub(crate) master: Option<u32>,
    pub(crate) up: bool,
}

/// Changes a link.
pub(crate) fn change(index: u32, change: &Change) -> Message {
    let up = if change.up { libc::IFF_UP as u32 } else { 0 };
    let mut message = Message::new(libc::RTM_SETLINK, 0, &link_header(index, up, up));
    if let Some(alias) = &change.alias {
        message = message.put(libc::IFLA_IFALIAS, alias.as_bytes());
    }
    if let Some(mtu_bytes) = change.mtu_bytes {
        message = message.number(libc::IFLA_MTU, mtu_bytes);
    }
    if let Some(MacAddr(mac)) = &change.mac {
        message = message.put(libc::IFLA_ADDRESS, mac);
    }
    if let Some(master) = change.master {
        message = message.number(libc::IFLA_MASTER, master);
    }
    message
}

/// Deletes a link.
pub(crate) fn delete(index: u32) -> Message {
    Message::new(libc::RTM_DELLINK, 0, &link_header(index, 0, 0))
}

/// Puts a link into a group.
pub(crate) fn join_group(index: u32, group: u32) -> Message {
    Message::new(libc::RTM_SETLINK, 0, &link_header(index, 0, 0)).number(libc::IFLA_GROUP, group)
}

/// Deletes all links of a group: the kernel waits once for all of them, not once for each.
pub(crate) fn delete_group(group: u32) -> Message {
    Message::new(libc::RTM_DELLINK, 0, &link_header(0, 0, 0)).number(libc::IFLA_GROUP, group)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn family(address: IpAddr) -> u8 {
    (if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    }) as u8
}

/// Adds an address, or takes it away. IPv6 ones count at once: duplicates are excluded by the wish (RFC 4862 5.4 would wait).
pub(crate) fn address(index: u32, address: IpNet, add: bool) -> Message {
    let (kind, flags) = if add {
        (libc::RTM_NEWADDR, CREATE)
    } else {
        (libc::RTM_DELADDR, 0)
    };
    let no_duplicate_detection = if address.addr().is_ipv6() {
        libc::IFA_F_NODAD as u8
    } else {
        0
    };
    let mut header = vec![family(address.addr()), address.prefix_len(), no_duplicate_detection, 0];
    header.extend_from_slice(&index.to_ne_bytes());
    let bytes = octets(address.addr());
    Message::new(kind, flags, &header)
        .put(libc::IFA_LOCAL, &bytes)
        .put(libc::IFA_ADDRESS, &bytes)
}

/// By this protocol (RFC 3549 3.1.1: who made it) the agent's routes are told from others in the same namespace, which are the
/// operator's and stay.
pub(crate) const ROUTES_OF_OURS: u8 = b'm';

/// Adds a route, or takes it away.
pub(crate) fn route(index: u32, to: IpNet, via: IpAddr, add: bool) -> Message {
    let (kind, flags) = if add {
        (libc::RTM_NEWROUTE, (libc::NLM_F_CREATE | libc::NLM_F_REPLACE) as u16)
    } else {
        (libc::RTM_DELROUTE, 0)
    };
    let mut header = vec![family(to.addr()), to.prefix_len(), 0, 0];
    header.extend_from_slice(&[
        libc::RT_TABLE_MAIN,
        ROUTES_OF_OURS,
        libc::RT_SCOPE_UNIVERSE,
        libc::RTN_UNICAST,
    ]);
    header.extend_from_slice(&[0; 4]);
    let mut message = Message::new(kind, flags, &header);
    if to.prefix_len() > 0 {
        message = message.put(libc::RTA_DST, &octets(to.network()));
    }
    message
        .put(libc::RTA_GATEWAY, &octets(via))
        .number(libc::RTA_OIF, index)
}

/// Adds a tunnel's peer, or takes it away: where frames to everybody and to nobody known go.
pub(crate) fn flood(index: u32, peer: IpAddr, add: bool) -> Message {
    let (kind, flags) = if add {
        (libc::RTM_NEWNEIGH, (libc::NLM_F_CREATE | libc::NLM_F_APPEND) as u16)
    } else {
        (libc::RTM_DELNEIGH, 0)
    };
    let mut header = vec![libc::AF_BRIDGE as u8, 0, 0, 0];
    header.extend_from_slice(&index.to_ne_bytes());
    header.extend_from_slice(&(libc::NUD_NOARP | libc::NUD_PERMANENT).to_ne_bytes());
    header.extend_from_slice(&[libc::NTF_SELF, 0]);
    Message::new(kind, flags, &header)
        .put(libc::NDA_LLADDR, &[0; 6])
        .put(libc::NDA_DST, &octets(peer))
}

/// Where a link's own queue hangs.
pub(crate) const ROOT: u32 = 0xffff_ffff;
/// The handle of a link's limit.
const LIMIT_HANDLE: u32 = 1 << 16;
/// Where the queue beneath a limit hangs: a token bucket's one class.
pub(crate) const BENEATH: u32 = LIMIT_HANDLE | 1;
/// Where what enters a link is looked at.
pub(crate) const INGRESS: u32 = 0xffff_fff1;
const INGRESS_HANDLE: u32 = 0xffff_0000;

fn queue_header(index: u32, handle: u32, parent: u32, info: u32) -> Vec<u8> {
    let mut header = vec![libc::AF_UNSPEC as u8, 0, 0, 0];
    for number in [index, handle, parent, info] {
        header.extend_from_slice(&number.to_ne_bytes());
    }
    header
}

/// A token bucket's burst and what may wait before it, in bytes.
fn bucket(bytes_per_second: u64, mtu_bytes: u32) -> (u64, u64) {
    let frames = 3 * u64::from(mtu_bytes + 14);
    let burst = (bytes_per_second / 100).clamp(frames, frames.max(4 << 20));
    (burst, bytes_per_second / 20 + burst)
}

/// Limits what leaves through a link to `rate` bits per second, with a token bucket. Replaces what is there.
///
/// The burst is what arrives in 10 ms (at least three full frames, at most 4 MiB): a processor that is late by less costs no
/// throughput, and a transfer of a second outruns the limit by one percent. 50 ms may wait: enough for a TCP sender to fill the
/// link, short enough not to be felt.
pub(crate) fn limit(index: u32, rate: u64, mtu_bytes: u32) -> Message {
    let bytes_per_second = (rate / 8).max(1);
    let (burst, waiting) = bucket(bytes_per_second, mtu_bytes);
    let mut parameters = Vec::with_capacity(36);
    parameters.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]); // link layer 1: Ethernet, so no table of sizes is asked for
    parameters.extend_from_slice(&u32::try_from(bytes_per_second).unwrap_or(u32::MAX).to_ne_bytes());
    parameters.extend_from_slice(&[0; 12]); // no peak rate
    parameters.extend_from_slice(&u32::try_from(waiting).unwrap_or(u32::MAX).to_ne_bytes());
    parameters.extend_from_slice(&[0; 8]); // bucket and largest packet: from the burst below
    let options = Nest::new()
        .put(1, &parameters) // TCA_TBF_PARMS
        .put(4, &bytes_per_second.to_ne_bytes()) // TCA_TBF_RATE64
        .number(6, u32::try_from(burst).unwrap_or(u32::MAX)); // TCA_TBF_BURST
    Message::new(
        libc::RTM_NEWQDISC,
        (libc::NLM_F_CREATE | libc::NLM_F_REPLACE) as u16,
        &queue_header(index, LIMIT_HANDLE, ROOT, 0),
    )
    .text(1, "tbf")
    .nest(2, &options)
}

/// Takes a link's limit away.
pub(crate) fn no_limit(index: u32) -> Message {
    Message::new(libc::RTM_DELQDISC, 0, &queue_header(index, 0, ROOT, 0))
}

/// Puts a queue of classes beneath a link's limit: what is in a class of higher precedence leaves first. A packet says its class
/// itself (nftables sets its priority); what says nothing is in the first.
pub(crate) fn order(index: u32) -> Message {
    let mut global = Vec::new();
    for number in [3_u32, 10, 1, 0, 0] {
        global.extend_from_slice(&number.to_ne_bytes()); // version, rate to quantum, default class, debug, direct packets
    }
    Message::new(
        libc::RTM_NEWQDISC,
        (libc::NLM_F_CREATE | libc::NLM_F_REPLACE) as u16,
        &queue_header(index, ORDER_HANDLE, BENEATH, 0),
    )
    .text(1, "htb")
    .nest(2, &Nest::new().put(2, &global)) // TCA_HTB_INIT
}

/// Puts a plain queue in its place; what waits in the classes is lost. Were it taken away only, nothing would pass at all.
pub(crate) fn no_order(index: u32, rate: u64, mtu_bytes: u32) -> Message {
    plain_queue(index, BENEATH, rate, mtu_bytes)
}

const ORDER_HANDLE: u32 = crate::traffic::QUEUE_MAJOR << 16;

/// Where the class of a precedence stands.
pub(crate) fn class_of(precedence: u8) -> u32 {
    ORDER_HANDLE | (u32::from(precedence) + 1)
}

/// A precedence's class, without a limit of its own: of the classes that may send, the most urgent one does.
pub(crate) fn class(index: u32, precedence: u8) -> Message {
    let fast = 4_000_000_000_u32; // bytes per second: more than whatever limit is above
    let mut parameters = Vec::with_capacity(44);
    for _ in 0..2 {
        parameters.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]); // link layer 1: Ethernet, so no table of sizes is asked for
        parameters.extend_from_slice(&fast.to_ne_bytes());
    }
    // Buckets in ticks of 64 ns, as large as they can be; quantum; level; urgency, where 0 is first.
    for number in [
        u32::MAX >> 4,
        u32::MAX >> 4,
        60_000,
        0,
        7 - u32::from(precedence.min(7)),
    ] {
        parameters.extend_from_slice(&number.to_ne_bytes());
    }
    Message::new(
        libc::RTM_NEWTCLASS,
        CREATE,
        &queue_header(index, class_of(precedence), ORDER_HANDLE, 0),
    )
    .text(1, "htb")
    .nest(2, &Nest::new().put(1, &parameters)) // TCA_HTB_PARMS
}

/// Takes a class away.
pub(crate) fn no_class(index: u32, class: u32) -> Message {
    Message::new(libc::RTM_DELTCLASS, 0, &queue_header(index, class, ORDER_HANDLE, 0))
}

/// What waits in a class: as much as may wait before the limit when there are no classes.
pub(crate) fn waiting(index: u32, precedence: u8, rate: u64, mtu_bytes: u32) -> Message {
    plain_queue(index, class_of(precedence), rate, mtu_bytes)
}

fn plain_queue(index: u32, parent: u32, rate: u64, mtu_bytes: u32) -> Message {
    let (_, waiting) = bucket((rate / 8).max(1), mtu_bytes);
    Message::new(
        libc::RTM_NEWQDISC,
        (libc::NLM_F_CREATE | libc::NLM_F_REPLACE) as u16,
        &queue_header(index, 0, parent, 0),
    )
    .text(1, "bfifo")
    .put(2, &u32::try_from(waiting).unwrap_or(u32::MAX).to_ne_bytes())
}

/// Lets what enters a link be looked at by filters.
pub(crate) fn ingress(index: u32) -> Message {
    Message::new(
        libc::RTM_NEWQDISC,
        CREATE,
        &queue_header(index, INGRESS_HANDLE, INGRESS, 0),
    )
    .text(1, "ingress")
}

/// Stops that, and takes the filters away.
pub(crate) fn no_ingress(index: u32) -> Message {
    Message::new(libc::RTM_DELQDISC, 0, &queue_header(index, INGRESS_HANDLE, INGRESS, 0))
}

/// Sends everything that enters a link through another one's queue before it goes on.
pub(crate) fn redirect(index: u32, queue: u32) -> Message {
    let mut everything = vec![1, 0, 1, 0]; // terminal; one key
    everything.extend_from_slice(&[0; 12]);
    everything.extend_from_slice(&[0; 16]); // the key: mask 0, value 0
    let mut mirred = Vec::new();
    for number in [0_u32, 0, 4, 0, 0, 1, queue] {
        mirred.extend_from_slice(&number.to_ne_bytes()); // index, capabilities, TC_ACT_STOLEN, -, -, TCA_EGRESS_REDIR, device
    }
    let action = Nest::new().text(1, "mirred").nest(2, &Nest::new().put(2, &mirred));
    let options = Nest::new().put(5, &everything).nest(7, &Nest::new().nest(1, &action)); // TCA_U32_SEL, TCA_U32_ACT
    let all_protocols = u32::from((libc::ETH_P_ALL as u16).to_be());
    Message::new(
        libc::RTM_NEWTFILTER,
        CREATE,
        &queue_header(index, 0, INGRESS_HANDLE, 1 << 16 | all_protocols),
    )
    .text(1, "u32")
    .nest(2, &options)
}
