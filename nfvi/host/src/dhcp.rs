//! DHCPv4 (RFC 2131) with fixed leases, answered on each node for that node's own ports: several hosts of a network never
//! compete, and there is nothing to store. The server has no address in the network: a request is taken from the bridge's
//! device, after the port rules, and the answer is put on the port's wire alone.

use dhcproto::v4::{DhcpOption, Flags, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable};
use manifold_nfvi_interface::{DhcpWish, MacAddr, ObjectId};
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// What one node leases: by the index of the segment's bridge.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Leases {
    pub(crate) segments: HashMap<u32, SegmentLeases>,
    /// The objects on this node whose safety hangs on the port rules.
    pub(crate) guarded: Vec<ObjectId>,
}

/// What one segment leases on this node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SegmentLeases {
    pub(crate) wish: DhcpWish,
    pub(crate) mtu_bytes: u32,
    /// The address that answers come from.
    pub(crate) server_mac: MacAddr,
    /// By the port's MAC: the port's interface index and its address.
    pub(crate) ports: HashMap<MacAddr, (u32, Ipv4Addr)>,
}

/// An answer: through which interface, which frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) interface_index: u32,
    pub(crate) frame: Vec<u8>,
}

const ETHERNET_BYTES: usize = 14;
const UDP_BYTES: usize = 8;

impl Leases {
    /// Answers a frame that came up from a bridge; `None` when it is no request of a local port's.
    pub(crate) fn answer(&self, bridge_index: u32, frame: &[u8]) -> Option<Reply> {
        let segment = self.segments.get(&bridge_index)?;
        let source = MacAddr(frame.get(6..12)?.try_into().ok()?);
        let ask = Message::decode(&mut Decoder::new(payload(frame)?)).ok()?;
        // The frame's address passed the port rules; the message's own must say the same.
        if ask.opcode() != Opcode::BootRequest || ask.chaddr() != source.0 {
            return None;
        }
        let (interface_index, address) = *segment.ports.get(&source)?;
        let answer = segment.reply(&ask, address)?;
        let to_all = ask.flags().broadcast() || answer.opts().msg_type() == Some(MessageType::Nak);
        let to = if to_all { Ipv4Addr::BROADCAST } else { address };
        Some(Reply {
            interface_index,
            frame: frame_of(segment, source, to, &answer.to_vec().ok()?),
        })
    }
}

impl SegmentLeases {
    fn reply(&self, ask: &Message, address: Ipv4Addr) -> Option<Message> {
        let wish = &self.wish;
        let asked = match ask.opts().get(OptionCode::RequestedIpAddress) {
            Some(DhcpOption::RequestedIpAddress(asked)) => Some(*asked),
            _ => Some(ask.ciaddr()).filter(|asked| !asked.is_unspecified()),
        };
        let other_server = matches!(
            ask.opts().get(OptionCode::ServerIdentifier),
            Some(DhcpOption::ServerIdentifier(server)) if *server != wish.server
        );
        let kind = match ask.opts().msg_type()? {
            MessageType::Discover => MessageType::Offer,
            MessageType::Request if other_server => return None,
            // RFC 2131 4.3.2: an address that is not this client's is refused, so that it starts afresh.
            MessageType::Request if asked.is_some_and(|asked| asked != address) => MessageType::Nak,
            MessageType::Request | MessageType::Inform => MessageType::Ack,
            _ => return None,
        };
        let mut answer = Message::new_with_id(
            ask.xid(),
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            ask.chaddr(),
        );
        answer.set_opcode(Opcode::BootReply);
        answer.set_flags(if ask.flags().broadcast() {
            Flags::default().set_broadcast()
        } else {
            Flags::default()
        });
        let inform = ask.opts().msg_type() == Some(MessageType::Inform);
        if inform {
            answer.set_ciaddr(ask.ciaddr());
        }
        if kind != MessageType::Nak && !inform {
            answer.set_yiaddr(address);
        }
        let options = answer.opts_mut();
        options.insert(DhcpOption::MessageType(kind));
        options.insert(DhcpOption::ServerIdentifier(wish.server));
        if kind != MessageType::Nak {
            options.insert(DhcpOption::SubnetMask(wish.subnet.netmask()));
            if let Some(gateway) = wish.gateway {
                options.insert(DhcpOption::Router(vec![gateway]));
            }
            options.insert(DhcpOption::InterfaceMtu(
                u16::try_from(self.mtu_bytes).unwrap_or(u16::MAX),
            ));
            if !inform {
                options.insert(DhcpOption::AddressLeaseTime(wish.lease_s));
            }
        }
        Some(answer)
    }
}

/// The UDP payload of an Ethernet frame; the listener's filter has checked protocol and port already.
fn payload(frame: &[u8]) -> Option<&[u8]> {
    let packet = frame.get(ETHERNET_BYTES..)?;
    let header_bytes = usize::from(packet.first()? & 0x0f) * 4;
    let length = usize::from(u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?));
    packet.get(header_bytes + UDP_BYTES..length)
}

fn frame_of(segment: &SegmentLeases, to_mac: MacAddr, to: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    // RFC 951 3: messages have at least 300 bytes, and some clients insist.
    let message_bytes = message.len().max(300);
    let mut udp = Vec::with_capacity(UDP_BYTES + message_bytes);
    udp.extend_from_slice(&67_u16.to_be_bytes());
    udp.extend_from_slice(&68_u16.to_be_bytes());
    udp.extend_from_slice(&((UDP_BYTES + message_bytes) as u16).to_be_bytes());
    udp.extend_from_slice(&[0, 0]);
    udp.extend_from_slice(message);
    udp.resize(UDP_BYTES + message_bytes, 0);
    let from = segment.wish.server;
    let mut pseudo = Vec::with_capacity(12 + udp.len());
    pseudo.extend_from_slice(&from.octets());
    pseudo.extend_from_slice(&to.octets());
    pseudo.extend_from_slice(&[0, 17]);
    pseudo.extend_from_slice(&(udp.len() as u16).to_be_bytes());
    pseudo.extend_from_slice(&udp);
    // A sum of zero is written as all ones: zero means "no checksum" (RFC 768).
    let sum = match checksum(&pseudo) {
        0 => 0xffff,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());

    let mut header = vec![0x45, 0x10];
    header.extend_from_slice(&((20 + udp.len()) as u16).to_be_bytes());
    header.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0]);
    header.extend_from_slice(&from.octets());
    header.extend_from_slice(&to.octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());

    let mut frame = Vec::with_capacity(ETHERNET_BYTES + header.len() + udp.len());
    frame.extend_from_slice(if to == Ipv4Addr::BROADCAST {
        &[0xff; 6]
    } else {
        &to_mac.0
    });
    frame.extend_from_slice(&segment.server_mac.0);
    frame.extend_from_slice(&0x0800_u16.to_be_bytes());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(&udp);
    frame
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leases() -> Leases {
        let segment = SegmentLeases {
            wish: DhcpWish {
                subnet: "10.0.0.0/24".parse().expect("a subnet"),
                server: [10, 0, 0, 1].into(),
                gateway: None,
                lease_s: 3_600,
            },
            mtu_bytes: 1_400,
            server_mac: MacAddr([2, 0, 0, 0, 0, 1]),
            ports: HashMap::from([(MacAddr([2, 0, 0, 0, 0, 9]), (7, [10, 0, 0, 9].into()))]),
        };
        Leases {
            segments: HashMap::from([(3, segment)]),
            guarded: Vec::new(),
        }
    }

    fn frame(mac: [u8; 6], kind: MessageType, asked: Option<Ipv4Addr>) -> Vec<u8> {
        let mut message = Message::new(
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            &mac,
        );
        message.opts_mut().insert(DhcpOption::MessageType(kind));
        if let Some(asked) = asked {
            message.opts_mut().insert(DhcpOption::RequestedIpAddress(asked));
        }
        let mut sender = leases().segments.remove(&3).expect("the one segment");
        sender.server_mac = MacAddr(mac);
        frame_of(
            &sender,
            MacAddr([0xff; 6]),
            Ipv4Addr::BROADCAST,
            &message.to_vec().expect("encodes"),
        )
    }

    fn kind_of(reply: &Reply) -> (Option<MessageType>, Ipv4Addr) {
        let message = Message::decode(&mut Decoder::new(payload(&reply.frame).expect("udp"))).expect("a message");
        (message.opts().msg_type(), message.yiaddr())
    }

    #[test]
    fn a_local_port_gets_its_address_and_nobody_else_an_answer() {
        let mine = [2, 0, 0, 0, 0, 9];
        let address = Ipv4Addr::new(10, 0, 0, 9);
        let offer = leases()
            .answer(3, &frame(mine, MessageType::Discover, None))
            .expect("an offer");
        assert_eq!(
            (offer.interface_index, kind_of(&offer)),
            (7, (Some(MessageType::Offer), address))
        );
        let ack = leases()
            .answer(3, &frame(mine, MessageType::Request, Some(address)))
            .expect("an ack");
        assert_eq!(kind_of(&ack), (Some(MessageType::Ack), address));
        let nak = leases()
            .answer(3, &frame(mine, MessageType::Request, Some([10, 0, 0, 8].into())))
            .expect("a refusal");
        assert_eq!(kind_of(&nak), (Some(MessageType::Nak), Ipv4Addr::UNSPECIFIED));
        assert_eq!(
            leases().answer(3, &frame([2, 0, 0, 0, 0, 8], MessageType::Discover, None)),
            None
        );
        assert_eq!(leases().answer(4, &frame(mine, MessageType::Discover, None)), None);
    }

    proptest! {
        #[test]
        fn garbage_is_not_answered_and_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = leases().answer(3, &bytes);
            if bytes.len() > 12 {
                bytes[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
                let _ = leases().answer(3, &bytes);
            }
        }
    }
}
