//! The floor that benches print beside the agent's own figure: the same kernel objects made by a bare loop of batched netlink
//! requests, without wishes, labels, comparison, rules or events.

use crate::kernel::{TapOptions, open_tap};
use crate::label::Part;
use crate::netlink::{Batch, Netlink};
use crate::request::{self, Change};
use crate::want::{Shape, Want};
use crate::{Space, SpaceError};
use manifold_nfvi_interface::ObjectId;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// What is made in one namespace: `networks` bridges with a tunnel each to all `peers`, and `taps` taps, spread over them.
#[derive(Debug, Clone)]
pub struct Floor {
    /// How many bridges.
    pub networks: u32,
    /// How many taps.
    pub taps: u32,
    /// The tunnels' own address.
    pub local: IpAddr,
    /// The tunnels' peers.
    pub peers: Vec<IpAddr>,
}

/// Makes a namespace; not part of what is measured.
pub fn namespace(run_dir: &Path, id: ObjectId) -> Result<Space, SpaceError> {
    Space::make(run_dir, id)
}

impl Floor {
    /// Makes everything in the calling thread's namespace.
    pub fn make(&self) -> io::Result<()> {
        let object = ObjectId(manifold_call::Uuid::nil());
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        let mut batch = Batch::default();
        let mut index = 1_000;
        let up = |master: u32| Change {
            up: true,
            master: Some(master),
            ..Change::default()
        };
        for tap in 0..self.taps {
            index += 1;
            let options = TapOptions {
                persistent: true,
                index: Some(index),
                owner_uid: None,
            };
            drop(open_tap(&format!("tap{tap}"), options)?);
        }
        for network in 0..self.networks {
            let want = |name: String, shape: Shape| Want::plain(object, object, Part::Main, name, shape, 1_450);
            let bridge = index + 1;
            let tunnel = index + 2;
            index += 2;
            let vxlan = Shape::Vxlan {
                vni: network + 1,
                udp_port: 4_789,
                local: self.local,
            };
            for (link, want) in [
                (bridge, want(format!("br{network}"), Shape::Bridge)),
                (tunnel, want(format!("vx{network}"), vxlan)),
            ] {
                if let Some(message) = request::make(&want, link, None) {
                    batch.push(object, "make", message);
                }
            }
            batch.push(object, "up", request::change(bridge, &up(0)));
            batch.push(object, "up", request::change(tunnel, &up(bridge)));
            for peer in &self.peers {
                batch.push(object, "flood", request::flood(tunnel, *peer, true));
            }
            for tap in (0..self.taps).filter(|tap| tap % self.networks == network) {
                batch.push(object, "up", request::change(1_001 + tap, &up(bridge)));
            }
        }
        match netlink.send(batch)?.pop() {
            Some(refusal) => Err(io::Error::other(format!("{}: {}", refusal.what, refusal.error))),
            None => Ok(()),
        }
    }

    /// Deletes everything in the calling thread's namespace by link group.
    pub fn delete() -> io::Result<()> {
        let object = ObjectId(manifold_call::Uuid::nil());
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        let sight = crate::netlink::Sight::links(&mut netlink)?;
        let mut batch = Batch::default();
        for link in sight.links.values().filter(|link| link.index > 1_000) {
            batch.push(object, "group", request::join_group(link.index, 7));
        }
        batch.push(object, "delete", request::delete_group(7));
        netlink.send(batch).map(drop)
    }
}
