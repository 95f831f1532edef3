//! What is in a namespace, as far as the agent cares: read from the kernel in a few dumps.

use super::message::text;
use super::{Message, Netlink, attributes, number};
use crate::request::ROUTES_OF_OURS;
use ipnet::IpNet;
use nix::libc;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A link that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LinkSeen {
    /// Its index in its namespace.
    pub(crate) index: u32,
    /// Its name.
    pub(crate) name: String,
    /// Our label, where it has one.
    pub(crate) alias: String,
    /// `bridge`, `vxlan`, `veth`, `tun`, `ifb`, or whatever else.
    pub(crate) kind: String,
    /// Administratively up.
    pub(crate) up: bool,
    /// In bytes.
    pub(crate) mtu_bytes: u32,
    /// The bridge that it is a port of; 0 = none.
    pub(crate) master: u32,
    /// The other end's index in its own namespace; 0 = none.
    pub(crate) peer: u32,
    /// Its address.
    pub(crate) mac: [u8; 6],
    /// For a VXLAN: identifier, UDP port, tunnel address.
    pub(crate) vxlan: Option<(u32, u16, IpAddr)>,
}

/// All that a diff needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// By name.
    pub(crate) links: HashMap<String, LinkSeen>,
    /// By link.
    pub(crate) addresses: Vec<(u32, IpNet)>,
    /// Unicast routes with a next hop: by link, destination, next hop.
    pub(crate) routes: Vec<(u32, IpNet, IpAddr)>,
    /// Static flood entries of VXLANs: by link, peer.
    pub(crate) floods: Vec<(u32, IpAddr)>,
    /// Queues: link, parent, kind, rate in bytes per second (token bucket only).
    pub(crate) queues: Vec<(u32, u32, String, u64)>,
}

impl Sight {
    /// Reads the links.
    pub(crate) fn links(netlink: &mut Netlink) -> io::Result<Self> {
        let mut sight = Self::default();
        let message = Message::new(libc::RTM_GETLINK, libc::NLM_F_DUMP as u16, &[0; 16]);
        netlink.dump(message, |_, body| {
            if let Some(link) = link_of(body) {
                sight.links.insert(link.name.clone(), link);
            }
        })?;
        Ok(sight)
    }

    /// Reads everything else, too.
    pub(crate) fn whole(netlink: &mut Netlink) -> io::Result<Self> {
        let mut sight = Self::links(netlink)?;
        let dump = libc::NLM_F_DUMP as u16;
        netlink.dump(Message::new(libc::RTM_GETADDR, dump, &[0; 8]), |_, body| {
            sight.addresses.extend(address_of(body));
        })?;
        netlink.dump(Message::new(libc::RTM_GETROUTE, dump, &[0; 12]), |_, body| {
            sight.routes.extend(route_of(body));
        })?;
        let vxlans: Vec<u32> = sight
            .links
            .values()
            .filter(|link| link.vxlan.is_some())
            .map(|link| link.index)
            .collect();
        if !vxlans.is_empty() {
            let mut header = [0; 12];
            header[0] = libc::AF_BRIDGE as u8;
            netlink.dump(Message::new(libc::RTM_GETNEIGH, dump, &header), |_, body| {
                sight
                    .floods
                    .extend(flood_of(body).filter(|(link, _)| vxlans.contains(link)));
            })?;
        }
        netlink.dump(Message::new(libc::RTM_GETQDISC, dump, &[0; 20]), |_, body| {
            sight.queues.extend(queue_of(body));
        })?;
        Ok(sight)
    }
}

/// Reads `struct ifinfomsg` and its attributes.
pub(crate) fn link_of(body: &[u8]) -> Option<LinkSeen> {
    let mut link = LinkSeen {
        index: number(body, 4)?,
        up: number(body, 8)? & libc::IFF_UP as u32 != 0,
        ..LinkSeen::default()
    };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_IFALIAS => link.alias = text(value),
            libc::IFLA_MTU => link.mtu_bytes = number(value, 0)?,
            libc::IFLA_MASTER => link.master = number(value, 0)?,
            libc::IFLA_LINK => link.peer = number(value, 0)?,
            libc::IFLA_ADDRESS => link.mac = value.try_into().unwrap_or_default(),
            libc::IFLA_LINKINFO => {
                let mut data = None;
                for (kind, value) in attributes(value) {
                    match kind {
                        libc::IFLA_INFO_KIND => link.kind = text(value),
                        libc::IFLA_INFO_DATA => data = Some(value),
                        _ => {}
                    }
                }
                if link.kind == "vxlan" {
                    link.vxlan = data.and_then(vxlan_of);
                }
            }
            _ => {}
        }
    }
    Some(link)
}

fn vxlan_of(data: &[u8]) -> Option<(u32, u16, IpAddr)> {
    let (mut vni, mut port, mut local) = (None, None, None);
    for (kind, value) in attributes(data) {
        match kind {
            1 => vni = number(value, 0),                                // IFLA_VXLAN_ID
            4 | 17 => local = ip_of(value),                             // IFLA_VXLAN_LOCAL, _LOCAL6
            15 => port = value.try_into().ok().map(u16::from_be_bytes), // IFLA_VXLAN_PORT
            _ => {}
        }
    }
    Some((vni?, port?, local?))
}

fn ip_of(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
        _ => None,
    }
}

fn address_of(body: &[u8]) -> Option<(u32, IpNet)> {
    let prefix = *body.get(1)?;
    let scope = *body.get(3)?;
    let link = number(body, 4)?;
    let (mut address, mut local) = (None, None);
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            libc::IFA_ADDRESS => address = ip_of(value),
            libc::IFA_LOCAL => local = ip_of(value),
            _ => {}
        }
    }
    let address = local.or(address)?;
    // Link-local addresses are the kernel's own.
    if address.is_ipv6() && scope == libc::RT_SCOPE_LINK {
        return None;
    }
    Some((link, IpNet::new(address, prefix).ok()?))
}

fn route_of(body: &[u8]) -> Option<(u32, IpNet, IpAddr)> {
    let family = *body.first()?;
    let prefix = *body.get(1)?;
    if *body.get(4)? != libc::RT_TABLE_MAIN || *body.get(7)? != libc::RTN_UNICAST {
        return None;
    }
    if *body.get(5)? != ROUTES_OF_OURS {
        return None;
    }
    let mut destination = if i32::from(family) == libc::AF_INET {
        IpAddr::from(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::from(Ipv6Addr::UNSPECIFIED)
    };
    let (mut link, mut gateway) = (None, None);
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            libc::RTA_DST => destination = ip_of(value)?,
            libc::RTA_GATEWAY => gateway = ip_of(value),
            libc::RTA_OIF => link = number(value, 0),
            _ => {}
        }
    }
    Some((link?, IpNet::new(destination, prefix).ok()?, gateway?))
}

fn flood_of(body: &[u8]) -> impl Iterator<Item = (u32, IpAddr)> {
    let read = || {
        let link = number(body, 4)?;
        let (mut mac, mut to) = (None, None);
        for (kind, value) in attributes(body.get(12..)?) {
            match kind {
                libc::NDA_DST => to = ip_of(value),
                libc::NDA_LLADDR => mac = Some(value),
                _ => {}
            }
        }
        (mac? == [0; 6]).then_some((link, to?))
    };
    read().into_iter()
}

fn queue_of(body: &[u8]) -> Option<(u32, u32, String, u64)> {
    let link = number(body, 4)?;
    let parent = number(body, 12)?;
    let (mut kind_name, mut rate) = (String::new(), 0);
    for (kind, value) in attributes(body.get(20..)?) {
        match kind {
            1 => kind_name = text(value), // TCA_KIND
            2 if kind_name == "tbf" => {
                for (kind, value) in attributes(value) {
                    match kind {
                        // TCA_TBF_PARMS: `struct tc_tbf_qopt` begins with a `struct tc_ratespec`, whose rate is at 8.
                        1 if rate == 0 => rate = u64::from(number(value, 8)?),
                        // TCA_TBF_RATE64
                        4 => rate = u64::from_ne_bytes(value.try_into().ok()?),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some((link, parent, kind_name, rate))
}
