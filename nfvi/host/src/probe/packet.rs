//! Echo requests as bytes, and what their answers and refusals look like (RFC 791, 792, 1071, 4443, 8200). Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What came in about our request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Reply,
    TooBig { mtu_bytes: Option<u32> },
    Refused { why: &'static str },
}

/// An echo request as a whole packet with its IP header, "do not fragment" set. `None`: source and target are of two kinds.
pub(crate) fn echo_request(
    source: IpAddr,
    to: IpAddr,
    ident: u16,
    sequence: u16,
    payload_bytes: usize,
) -> Option<Vec<u8>> {
    let mut echo = vec![if to.is_ipv4() { 8 } else { 128 }, 0, 0, 0];
    echo.extend_from_slice(&ident.to_be_bytes());
    echo.extend_from_slice(&sequence.to_be_bytes());
    echo.resize(8 + payload_bytes, 0x5a);
    let length = u16::try_from(echo.len()).ok()?;
    let mut packet = match (source, to) {
        (IpAddr::V4(source), IpAddr::V4(to)) => {
            let sum = checksum(&[&echo]);
            echo[2..4].copy_from_slice(&sum.to_be_bytes());
            ipv4_header(source, to, length.checked_add(20)?)
        }
        (IpAddr::V6(source), IpAddr::V6(to)) => {
            let pseudo = [0, 0, length.to_be_bytes()[0], length.to_be_bytes()[1], 0, 0, 0, 58];
            let sum = checksum(&[&source.octets(), &to.octets(), &pseudo, &echo]);
            echo[2..4].copy_from_slice(&sum.to_be_bytes());
            ipv6_header(source, to, length)
        }
        _ => return None,
    };
    packet.extend_from_slice(&echo);
    Some(packet)
}

fn ipv4_header(source: Ipv4Addr, to: Ipv4Addr, total: u16) -> Vec<u8> {
    // Identification and header checksum are the kernel's to fill in; 0x4000 = do not fragment; 64 hops; ICMP.
    let mut header = vec![0x45, 0];
    header.extend_from_slice(&total.to_be_bytes());
    header.extend_from_slice(&[0, 0, 0x40, 0, 64, 1, 0, 0]);
    header.extend_from_slice(&source.octets());
    header.extend_from_slice(&to.octets());
    header
}

fn ipv6_header(source: Ipv6Addr, to: Ipv6Addr, length: u16) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend_from_slice(&length.to_be_bytes());
    header.extend_from_slice(&[58, 64]);
    header.extend_from_slice(&source.octets());
    header.extend_from_slice(&to.octets());
    header
}

fn checksum(parts: &[&[u8]]) -> u16 {
    // Every part but the last has an even length.
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Reads what an ICMP (with its IPv4 header) or ICMPv6 (without a header) socket gave: is it about our request to `to`?
pub(crate) fn heard(packet: &[u8], from: IpAddr, to: IpAddr, ident: u16) -> Option<Heard> {
    match to {
        IpAddr::V4(target) => {
            let icmp = ipv4_payload(packet)?;
            match *icmp.get(..2)? {
                [0, _] => (from == to && ident_of(icmp) == Some(ident)).then_some(Heard::Reply),
                [3, code] => {
                    let inner = icmp.get(8..)?;
                    let ours = inner.get(16..20)? == target.octets() && ident_of(ipv4_payload(inner)?) == Some(ident);
                    ours.then_some(match code {
                        4 => Heard::TooBig {
                            mtu_bytes: Some(u32::from(u16::from_be_bytes([icmp[6], icmp[7]]))).filter(|mtu| *mtu > 0),
                        },
                        0 => Heard::Refused {
                            why: "destination net unreachable",
                        },
                        1 => Heard::Refused {
                            why: "destination host unreachable",
                        },
                        2 => Heard::Refused {
                            why: "destination protocol unreachable",
                        },
                        3 => Heard::Refused {
                            why: "destination port unreachable",
                        },
                        9 | 10 | 13 => Heard::Refused {
                            why: "communication administratively prohibited",
                        },
                        _ => Heard::Refused {
                            why: "destination unreachable",
                        },
                    })
                }
                [11, _] => {
                    let inner = icmp.get(8..)?;
                    let ours = inner.get(16..20)? == target.octets() && ident_of(ipv4_payload(inner)?) == Some(ident);
                    ours.then_some(Heard::Refused {
                        why: "time to live exceeded",
                    })
                }
                _ => None,
            }
        }
        IpAddr::V6(target) => match *packet.get(..2)? {
            [129, _] => (from == to && ident_of(packet) == Some(ident)).then_some(Heard::Reply),
            [kind @ 1..=3, code] => {
                let inner = packet.get(8..)?;
                let ours = inner.get(24..40)? == target.octets() && ident_of(inner.get(40..)?) == Some(ident);
                ours.then(|| match (kind, code) {
                    (2, _) => Heard::TooBig {
                        mtu_bytes: packet[4..8].try_into().ok().map(u32::from_be_bytes),
                    },
                    (3, _) => Heard::Refused {
                        why: "hop limit exceeded",
                    },
                    (_, 0) => Heard::Refused {
                        why: "no route to destination",
                    },
                    (_, 1) => Heard::Refused {
                        why: "communication administratively prohibited",
                    },
                    (_, 3) => Heard::Refused {
                        why: "address unreachable",
                    },
                    (_, 4) => Heard::Refused {
                        why: "port unreachable",
                    },
                    (_, 5 | 6) => Heard::Refused {
                        why: "source address or route rejected by policy",
                    },
                    _ => Heard::Refused {
                        why: "destination unreachable",
                    },
                })
            }
            _ => None,
        },
    }
}

fn ipv4_payload(packet: &[u8]) -> Option<&[u8]> {
    packet.get(usize::from(packet.first()? & 15) * 4..)
}

fn ident_of(echo: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(echo.get(4..6)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_request_sums_up_to_zero() {
        let four = echo_request(ip("10.0.0.1"), ip("10.0.0.2"), 7, 1, 5).unwrap();
        assert_eq!((four.len(), checksum(&[&four[20..]])), (33, 0));
        let six = echo_request(ip("fd00::1"), ip("fd00::2"), 7, 1, 5).unwrap();
        assert_eq!(checksum(&[&six[8..40], &[0, 0, 0, 13, 0, 0, 0, 58], &six[40..]]), 0);
        assert_eq!(echo_request(ip("fd00::1"), ip("10.0.0.2"), 7, 1, 5), None);
    }

    #[test]
    fn only_what_is_about_our_own_request_is_heard() {
        let (us, them) = (ip("10.0.0.1"), ip("10.0.0.2"));
        let request = echo_request(us, them, 7, 1, 0).unwrap();
        let mut reply = request.clone();
        reply[20] = 0;
        assert_eq!(heard(&reply, them, them, 7), Some(Heard::Reply));
        assert_eq!(heard(&reply, them, them, 8), None);
        assert_eq!(heard(&reply, us, them, 7), None);
        assert_eq!(heard(&request, them, them, 7), None);

        let mut too_big = request[..20].to_vec();
        too_big.extend_from_slice(&[3, 4, 0, 0, 0, 0, 5, 0x78]);
        too_big.extend_from_slice(&request);
        assert_eq!(
            heard(&too_big, us, them, 7),
            Some(Heard::TooBig { mtu_bytes: Some(1400) })
        );
        assert_eq!(heard(&too_big, us, ip("10.0.0.3"), 7), None);
        for end in 0..too_big.len() {
            heard(&too_big[..end], us, them, 7);
        }
    }
}
