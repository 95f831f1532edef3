//! Values with a meaning: addresses, ports, rates, times. Each is read from what the script says, or refused with the reason.

use manifold_nemo_syntax::script::{Value, ValueKind};
use std::net::IpAddr;

/// Why a value is none of the kind that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What is wrong, as the end of a sentence: "is no port".
    pub(crate) why: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

fn refused<T>(why: impl Into<String>, help: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        why: why.into(),
        help: Some(help.into()),
    })
}

/// A value as the script writes it.
pub(crate) fn shown(value: &Value) -> String {
    let text = match &value.kind {
        ValueKind::Text(text) => text.clone(),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Range(from, to) => format!("({from}, {to})"),
        ValueKind::List(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", values.join(", "))
        }
    };
    match &value.unit {
        Some(unit) => format!("{text}({})", unit.text),
        None => text,
    }
}

fn text(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Text(text) => Some(text.trim()),
        _ => None,
    }
}

/// An address or a prefix, as a prefix whose host bits are zero.
pub(crate) fn prefix(value: &Value) -> Result<String, Refused> {
    const HELP: &str = "write an address (`10.0.0.1`) or a prefix (`10.0.0.0/24`), of IPv4 or IPv6";
    let Some(text) = text(value) else {
        return refused("is no address and no prefix", HELP);
    };
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return refused("is no address and no prefix", HELP);
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = match length.map(str::parse::<u8>) {
        None => longest,
        Some(Ok(length)) if length <= longest => length,
        Some(_) => return refused(format!("has a length that is not 0 to {longest}"), HELP),
    };
    let masked = masked(address, length);
    if masked != address {
        return refused(
            "has host bits set",
            format!("write `{masked}/{length}` for the network, or `{address}` for the one address"),
        );
    }
    Ok(format!("{address}/{length}"))
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & mask).into())
        }
    }
}

/// First and last of some ports.
pub(crate) fn ports(value: &Value) -> Result<(u16, u16), Refused> {
    const HELP: &str = "write a port (`80`) or a range of ports (`(8000, 8080)`), each from 1 to 65535";
    let (first, last) = match &value.kind {
        ValueKind::Integer(port) => (*port, *port),
        ValueKind::Range(first, last) => (*first, *last),
        ValueKind::Text(text) => {
            let mut numbers = text.splitn(2, '-').map(|number| number.trim().parse::<i64>());
            match (numbers.next(), numbers.next()) {
                (Some(Ok(first)), Some(Ok(last))) => (first, last),
                (Some(Ok(port)), None) => (port, port),
                _ => return refused("is no port", HELP),
            }
        }
        ValueKind::List(_) => return refused("is a list of ports", "write a flow for each, or a range `(8000, 8080)`"),
    };
    match (u16::try_from(first), u16::try_from(last)) {
        (Ok(0), _) | (Err(_), _) | (_, Err(_)) => refused("is no port", HELP),
        (Ok(first), Ok(last)) if first > last => refused("is a range that ends before it begins", HELP),
        (Ok(first), Ok(last)) => Ok((first, last)),
    }
}

/// `tcp`, `udp`, `icmp`, … or the number of a protocol.
pub(crate) fn protocol(value: &Value) -> Result<String, Refused> {
    const NAMES: [&str; 9] = ["tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "esp", "ah", "igmp"];
    const HELP: &str =
        "write `tcp`, `udp`, `icmp`, `icmpv6`, `sctp`, `gre`, `esp`, `ah`, `igmp`, or a number up to 255";
    match &value.kind {
        ValueKind::Integer(number) if (0..=255).contains(number) => Ok(number.to_string()),
        ValueKind::Text(text) => {
            let name = text.to_ascii_lowercase();
            let port = match name.as_str() {
                "http" => 80,
                "https" => 443,
                "ssh" => 22,
                "dns" => 53,
                _ if NAMES.contains(&name.as_str()) => return Ok(name),
                _ => return refused("is no protocol over IP", HELP),
            };
            let carrier = if port == 53 { "udp" } else { "tcp" };
            refused(
                "is no protocol over IP, but what is spoken over one",
                format!("write `proto: {carrier}, dstport: {port}`"),
            )
        }
        _ => refused("is no protocol over IP", HELP),
    }
}

/// A MAC address in lower case.
pub(crate) fn mac(value: &Value) -> Result<String, Refused> {
    const HELP: &str = "write six pairs of hexadecimal digits: `02:00:00:00:00:01`";
    let Some(text) = text(value) else {
        return refused("is no MAC address", HELP);
    };
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    if pairs.len() != 6 || !pairs.iter().all(is_pair) {
        return refused("is no MAC address", HELP);
    }
    Ok(pairs.join(":").to_ascii_lowercase())
}

/// The type of an Ethernet frame.
pub(crate) fn ether_type(value: &Value) -> Result<u16, Refused> {
    const HELP: &str = "write `ipv4`, `ipv6`, `arp`, or a number: `0x0800`, `2048`";
    let number = match &value.kind {
        ValueKind::Integer(number) => u16::try_from(*number).ok(),
        ValueKind::Text(text) => match text.to_ascii_lowercase().as_str() {
            "ip" | "ipv4" => Some(0x0800),
            "ipv6" => Some(0x86DD),
            "arp" => Some(0x0806),
            text => text
                .strip_prefix("0x")
                .and_then(|digits| u16::from_str_radix(digits, 16).ok()),
        },
        _ => None,
    };
    // Below 0x0600 the field is a length (IEEE 802.3 3.2.6).
    match number.filter(|number| *number >= 0x0600) {
        Some(number) => Ok(number),
        None => refused("is no type of an Ethernet frame", HELP),
    }
}

/// Bits per second, and whether the unit is said. Without one, megabits are meant, as in OpenDaylight.
pub(crate) fn bandwidth(value: &Value) -> Result<(u64, bool), Refused> {
    const HELP: &str = "write a number with its unit: `10(mbps)`; the units are bps, kbps, mbps, gbps";
    let number = match &value.kind {
        ValueKind::Integer(number) => u64::try_from(*number).ok(),
        ValueKind::Text(text) => text.parse::<u64>().ok(),
        _ => None,
    };
    let Some(number) = number.filter(|number| *number > 0) else {
        return refused("is no rate", HELP);
    };
    let factor = match &value.unit {
        None => Some(1_000_000),
        Some(unit) => match unit.text.to_ascii_lowercase().as_str() {
            "bps" | "bit" => Some(1),
            "kbps" | "kbit" => Some(1_000),
            "mbps" | "mbit" => Some(1_000_000),
            "gbps" | "gbit" => Some(1_000_000_000),
            _ => None,
        },
    };
    match factor.map(|factor| number.checked_mul(factor)) {
        Some(Some(rate)) => Ok((rate, value.unit.is_some())),
        Some(None) => refused("is more than any link carries", HELP),
        None => refused("has a unit that is no rate", HELP),
    }
}

/// Which packets leave first: 0 to 7.
pub(crate) fn precedence(value: &Value) -> Result<u8, Refused> {
    match &value.kind {
        ValueKind::Integer(number @ 0..=7) => Ok(u8::try_from(*number).unwrap_or(7)),
        _ => refused("is no precedence", "write a number from 0 (last) to 7 (first)"),
    }
}

/// A number.
pub(crate) fn number(value: &Value) -> Result<i64, Refused> {
    match &value.kind {
        ValueKind::Integer(number) => Ok(*number),
        _ => refused("is no whole number", "write a whole number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;
    use manifold_nemo_syntax::script::Name;

    fn value(kind: ValueKind, unit: Option<&str>) -> Value {
        let span = Span::default();
        Value {
            kind,
            unit: unit.map(|unit| Name {
                text: unit.to_owned(),
                span,
            }),
            span,
        }
    }

    fn word(text: &str) -> Value {
        value(ValueKind::Text(text.to_owned()), None)
    }

    #[test]
    fn an_address_is_a_prefix_of_full_length_and_host_bits_are_refused() {
        assert_eq!(prefix(&word("10.0.0.1")).unwrap(), "10.0.0.1/32");
        assert_eq!(prefix(&word("2001:db8::/32")).unwrap(), "2001:db8::/32");
        assert_eq!(prefix(&word("0.0.0.0/0")).unwrap(), "0.0.0.0/0");
        assert_eq!(prefix(&word("::/0")).unwrap(), "::/0");
        let refused = prefix(&word("10.0.0.1/24")).unwrap_err();
        assert!(refused.help.unwrap().contains("`10.0.0.0/24`"));
        for wrong in ["10.0.0/24", "10.0.0.0/33", "10.0.0.256", "10.0.0.0/x", ""] {
            assert!(prefix(&word(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_are_one_or_a_rising_range() {
        assert_eq!(ports(&value(ValueKind::Integer(80), None)).unwrap(), (80, 80));
        assert_eq!(ports(&value(ValueKind::Range(1, 65_535), None)).unwrap(), (1, 65_535));
        assert_eq!(ports(&word("20-21")).unwrap(), (20, 21));
        for wrong in [
            ValueKind::Integer(0),
            ValueKind::Integer(65_536),
            ValueKind::Range(9, 8),
            ValueKind::List(Vec::new()),
        ] {
            assert!(ports(&value(wrong.clone(), None)).is_err(), "{wrong:?}");
        }
        assert!(ports(&word("http")).is_err());
    }

    #[test]
    fn a_rate_has_a_unit_and_megabits_are_meant_without() {
        let rate = |number, unit| bandwidth(&value(ValueKind::Integer(number), unit));
        assert_eq!(rate(128, Some("kbps")).unwrap(), (128_000, true));
        assert_eq!(rate(10, Some("Gbps")).unwrap(), (10_000_000_000, true));
        assert_eq!(rate(5, None).unwrap(), (5_000_000, false));
        assert!(rate(5, Some("apples")).is_err());
        assert!(rate(0, Some("mbps")).is_err());
        assert!(rate(-1, Some("mbps")).is_err());
        assert!(rate(i64::MAX, Some("gbps")).is_err());
    }

    #[test]
    fn what_is_spoken_over_tcp_is_answered_with_its_port() {
        assert_eq!(protocol(&word("TCP")).unwrap(), "tcp");
        assert_eq!(protocol(&value(ValueKind::Integer(47), None)).unwrap(), "47");
        assert!(
            protocol(&word("http"))
                .unwrap_err()
                .help
                .unwrap()
                .contains("dstport: 80")
        );
        assert!(protocol(&value(ValueKind::Integer(256), None)).is_err());
    }

    #[test]
    fn a_length_is_no_type_of_a_frame() {
        assert_eq!(ether_type(&word("0x0800")).unwrap(), 0x0800);
        assert_eq!(ether_type(&word("arp")).unwrap(), 0x0806);
        assert!(ether_type(&word("0x05ff")).is_err());
        assert!(ether_type(&value(ValueKind::Integer(70_000), None)).is_err());
    }

    #[test]
    fn a_mac_address_has_six_pairs() {
        assert_eq!(mac(&word("02:AB:00:00:00:01")).unwrap(), "02:ab:00:00:00:01");
        assert!(mac(&word("02:AB:00:00:00")).is_err());
        assert!(mac(&word("0g:00:00:00:00:01")).is_err());
    }
}
