//! What happens to packets: the rules of forwarding paths (SOL001's NfpRule) and traffic rules, an extension of ours.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Nfp, NfpElement};
use crate::code::Code;
use crate::source::Report;
use crate::tosca::template::{NodeTemplate, Policy};
use crate::tosca::types::Sort;
use crate::tosca::values::Env;
use crate::yaml::Node;

/// Which packets take a path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfpRule {
    /// The name of the policy.
    pub id: String,
    /// What they must have.
    pub classifier: NfpClassifier,
    /// Of two paths that fit a packet, the one with the higher number counts (ours).
    pub priority: u32,
    /// In one of these times; empty = always (ours).
    pub schedule: Vec<Window>,
}

/// What a packet must have, as far as it is said; a bare address is a prefix of its whole length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NfpClassifier {
    /// Source address.
    pub source_ip_address_prefix: Option<IpNet>,
    /// Destination address.
    pub destination_ip_address_prefix: Option<IpNet>,
    /// The IP protocol's number.
    pub protocol: Option<u8>,
    /// Of TCP, UDP or SCTP.
    pub source_port_range: Option<PortRange>,
    /// Of TCP, UDP or SCTP.
    pub destination_port_range: Option<PortRange>,
    /// The frame's source.
    pub ether_source_address: Option<String>,
    /// The frame's destination.
    pub ether_destination_address: Option<String>,
    /// The frame's type.
    pub ether_type: Option<u16>,
    /// Differentiated services code point.
    pub dscp: Option<u8>,
    /// One of these VLANs; empty = any.
    pub vlan_tag: Vec<u16>,
}

/// Ports, first and last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortRange {
    /// The first.
    pub lower: u16,
    /// The last.
    pub upper: u16,
}

/// What happens to packets of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRule {
    /// The name of the policy.
    pub id: String,
    /// Profiles, virtual links and SAPs.
    pub targets: Vec<String>,
    /// The class.
    pub classifier: NfpClassifier,
    /// Higher goes first.
    pub priority: u32,
    /// What happens.
    pub action: TrafficAction,
    /// In one of these times; empty = always.
    pub schedule: Vec<Window>,
}

/// What happens to packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrafficAction {
    /// They are dropped.
    Block,
    /// They pass, whatever a rule of lower priority says.
    Allow,
    /// At most so many of them pass.
    Limit {
        /// At each connection point.
        bits_per_second: u64,
    },
    /// They leave before those of lower precedence: 0 (last) to 7 (first).
    Precedence(u8),
}

/// A time, in UTC: between two moments, and of each day between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Seconds since 1970, the first one that belongs to it; `None` = from ever.
    pub from: Option<u64>,
    /// Seconds since 1970, the first one that no longer belongs to it; `None` = for ever.
    pub until: Option<u64>,
    /// Seconds of the day, the first one that belongs to it.
    pub daily_from: u32,
    /// Seconds of the day, the first one that no longer belongs to it: at most 86,400.
    pub daily_until: u32,
}

/// Seconds of a day.
pub(crate) const DAY: u32 = 86_400;
/// IP protocols by the names that are written for them; some have a second one.
pub(crate) const PROTOCOLS: [(&str, u8); 11] = [
    ("icmp", 1),
    ("igmp", 2),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("sctp", 132),
];
/// Ethernet types by the names that are written for them.
pub(crate) const ETHER_TYPES: [(&str, u16); 3] = [("ipv4", 0x0800), ("arp", 0x0806), ("ipv6", 0x86dd)];
/// Classifiers, windows and VLANs of one rule.
const MANY: usize = 64;

/// A path, with what stands at its positions and the rules that are for it.
pub(super) fn path(report: &mut Report, env: &Env<'_>, nfp: &NodeTemplate) -> Nfp {
    let mut path = Nfp {
        id: nfp.name.clone(),
        ..Nfp::default()
    };
    for (position, _) in nfp.targets("profile_element") {
        let Some(position) = env.topology.node(position) else {
            continue;
        };
        for (element, _) in position.targets("element") {
            path.positions.push(element.clone());
            path.elements
                .extend(env.topology.node(element).and_then(|node| passed(report, node)));
        }
    }
    for policy in env.topology.policies_of(env.types, "tosca.policies.nfv.NfpRule") {
        if policy.targets.iter().any(|(target, _)| *target == nfp.name) {
            let properties = properties(report, env, policy);
            path.rules.push(NfpRule {
                id: policy.name.clone(),
                classifier: classifier(report, &properties),
                priority: properties.u32_of("priority").unwrap_or(0),
                schedule: schedule(report, &properties),
            });
        }
    }
    path
}

/// What an element names: once for a way in and out, twice for two.
fn passed(report: &Report, node: &NodeTemplate) -> Option<NfpElement> {
    let mut ends = node
        .requirements
        .iter()
        .filter(|requirement| requirement.name == "profile_element" && requirement.target.is_some());
    let first = ends.next()?;
    let (profile, _) = first.target.as_ref()?;
    let second = ends.find(|end| end.target.as_ref().is_some_and(|(name, _)| name == profile));
    Some(NfpElement {
        id: node.name.clone(),
        profile: profile.clone(),
        ingress: first.capability.clone(),
        egress: second.and_then(|end| end.capability.clone()),
        place: Some(report.place(node.span)),
    })
}

/// The traffic rules.
pub(super) fn rules(report: &mut Report, env: &Env<'_>) -> Vec<TrafficRule> {
    let mut all = Vec::new();
    for policy in env.topology.policies_of(env.types, "manifold.policies.Traffic") {
        let properties = properties(report, env, policy);
        let lacks = |report: &mut Report, name: &str| {
            let message = format!("`{}` does not say its {name}", policy.name);
            report.error(Code::TrafficBad, policy.span, message);
        };
        let action = match properties.str_of("action").as_str() {
            "block" => TrafficAction::Block,
            "allow" => TrafficAction::Allow,
            "limit" => match properties.u64_of("max_bitrate") {
                Some(bits_per_second) => TrafficAction::Limit { bits_per_second },
                None => {
                    lacks(report, "max_bitrate");
                    continue;
                }
            },
            "precedence" => match properties
                .u32_of("precedence")
                .and_then(|level| u8::try_from(level).ok())
            {
                Some(level) => TrafficAction::Precedence(level),
                None => {
                    lacks(report, "precedence");
                    continue;
                }
            },
            // Told of by the property's constraint.
            _ => continue,
        };
        let targets = policy.targets.iter();
        let targets = targets.flat_map(|target| env.topology.spelled_out(target));
        all.push(TrafficRule {
            id: policy.name.clone(),
            targets: targets.map(|(name, _)| name.clone()).collect(),
            classifier: properties
                .get("classifier")
                .map(|node| classifier(report, node))
                .unwrap_or_default(),
            priority: properties.u32_of("priority").unwrap_or(0),
            action,
            schedule: schedule(report, &properties),
        });
    }
    all
}

fn properties(report: &mut Report, env: &Env<'_>, policy: &Policy) -> Node {
    env.properties(
        report,
        Sort::Policy,
        &policy.type_name,
        policy.properties.as_ref(),
        &policy.name,
        policy.span,
    )
}

/// A key's text, read; what cannot be read is told.
fn read<T>(report: &mut Report, from: &Node, key: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let node = from.get(key)?;
    let value = node.text().map(str::trim).and_then(read);
    if value.is_none() {
        report.error(Code::TrafficBad, node.span, format!("`{key}` is no {what}"));
    }
    value
}

fn classifier(report: &mut Report, from: &Node) -> NfpClassifier {
    let mac = |text: &str| is_mac(text).then(|| text.to_ascii_lowercase());
    NfpClassifier {
        source_ip_address_prefix: read(report, from, "source_ip_address_prefix", "address or prefix", prefix),
        destination_ip_address_prefix: read(
            report,
            from,
            "destination_ip_address_prefix",
            "address or prefix",
            prefix,
        ),
        protocol: read(report, from, "protocol", "IP protocol", protocol),
        source_port_range: ports(report, from, "source_port_range"),
        destination_port_range: ports(report, from, "destination_port_range"),
        ether_source_address: read(report, from, "ether_source_address", "Ethernet address", mac),
        ether_destination_address: read(report, from, "ether_destination_address", "Ethernet address", mac),
        ether_type: read(report, from, "ether_type", "Ethernet type", ether_type),
        dscp: read(report, from, "dscp", "DSCP (0 to 63)", |text| {
            number(text)
                .and_then(|dscp| u8::try_from(dscp).ok())
                .filter(|dscp| *dscp < 64)
        }),
        vlan_tag: vlans(report, from),
    }
}

/// An address, or a prefix, whose host bits count for nothing.
pub fn prefix(text: &str) -> Option<IpNet> {
    let whole = text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or(whole).ok().map(|net| net.trunc())
}

fn is_mac(text: &str) -> bool {
    let mut bytes = 0;
    text.split(':').all(|byte| {
        bytes += 1;
        byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit())
    }) && bytes == 6
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// An IP protocol by its name or number.
pub fn protocol(text: &str) -> Option<u8> {
    let named = PROTOCOLS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    let numbered = || number(text).and_then(|number| u8::try_from(number).ok());
    named.map(|(_, number)| *number).or_else(numbered)
}

fn ether_type(text: &str) -> Option<u16> {
    let named = ETHER_TYPES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    let numbered = || number(text).and_then(|number| u16::try_from(number).ok());
    // Below, the field is a length (IEEE 802.3 3.2.6).
    let numbered = || numbered().filter(|number| *number > 1_535);
    named.map(|(_, number)| *number).or_else(numbered)
}

fn ports(report: &mut Report, from: &Node, key: &str) -> Option<PortRange> {
    let node = from.get(key)?;
    let port = |node: &Node| node.text().and_then(|text| text.parse::<u16>().ok());
    let range = match node.items() {
        [lower, upper] => port(lower).zip(port(upper)),
        _ => port(node).map(|port| (port, port)),
    };
    let range = range.filter(|(lower, upper)| lower <= upper);
    if range.is_none() {
        let message = format!("`{key}` is no range of ports: write `[ first, last ]`");
        report.error(Code::TrafficBad, node.span, message);
    }
    range.map(|(lower, upper)| PortRange { lower, upper })
}

fn vlans(report: &mut Report, from: &Node) -> Vec<u16> {
    let Some(node) = from.get("vlan_tag") else {
        return Vec::new();
    };
    let one = [node.clone()];
    let items = if node.text().is_some() { &one[..] } else { node.items() };
    let vlan = |node: &Node| {
        let vlan = node.text().and_then(|text| text.parse::<u16>().ok());
        vlan.filter(|vlan| (1..=4_094).contains(vlan))
    };
    match items.iter().map(vlan).collect::<Option<Vec<u16>>>() {
        Some(vlans) if !vlans.is_empty() && vlans.len() <= MANY => vlans,
        _ => {
            let message = format!("`vlan_tag` lists 1 to {MANY} VLANs between 1 and 4,094");
            report.error(Code::TrafficBad, node.span, message);
            Vec::new()
        }
    }
}

fn schedule(report: &mut Report, from: &Node) -> Vec<Window> {
    let Some(node) = from.get("schedule") else {
        return Vec::new();
    };
    if node.items().len() > MANY {
        report.error(
            Code::TrafficBad,
            node.span,
            format!("a schedule has at most {MANY} times"),
        );
        return Vec::new();
    }
    let mut windows = Vec::new();
    for item in node.items() {
        let window = Window {
            from: read(report, item, "from", "moment (`2026-01-31T12:00:00`)", moment),
            until: read(report, item, "until", "moment (`2026-01-31T12:00:00`)", moment),
            daily_from: read(report, item, "daily_from", "time of day (`12:00:00`)", clock).unwrap_or(0),
            daily_until: read(report, item, "daily_until", "time of day (`12:00:00`)", clock).unwrap_or(DAY),
        };
        let dates = window.until.is_none_or(|until| window.from.unwrap_or(0) < until);
        if !dates || window.daily_from >= window.daily_until {
            let message = "no second is in this time: one over midnight is two";
            report.error(Code::TrafficBad, item.span, message);
        }
        windows.push(window);
    }
    windows
}

/// `HH:MM:SS`, up to `24:00:00`.
fn clock(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let whole = parts.next().is_none() && minute < 60 && second < 60 && hour <= 24;
    Some(hour * 3_600 + minute * 60 + second).filter(|seconds| whole && *seconds <= DAY)
}

/// `YYYY-MM-DDTHH:MM:SS`, perhaps with a `Z` behind it, or the date alone.
pub(crate) fn moment(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=2200).contains(&year) {
        return None;
    }
    let days = months(year);
    let index = usize::try_from(month).ok()?.checked_sub(1)?;
    if parts.next().is_some() || day == 0 || day > *days.get(index)? {
        return None;
    }
    let before = year - 1;
    // Days before the year since the year 1, less those before 1970.
    let since = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let days = since + days[..index].iter().sum::<u64>() + day - 1;
    Some(days * u64::from(DAY) + u64::from(clock(time)?))
}

/// Days of the months of a year.
pub(crate) fn months(year: u64) -> [u64; 12] {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let february = if is_leap { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment("1970-01-01T00:00:00"), Some(0));
        assert_eq!(moment("2000-02-29T12:00:01Z"), Some(951_825_601));
        assert_eq!(moment("2026-11-21"), Some(1_795_219_200));
        for wrong in [
            "2001-02-29",
            "2026-13-01",
            "2026-00-01",
            "1969-12-31",
            "2026-1",
            "9".repeat(30).as_str(),
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_day_end_with_the_day() {
        assert_eq!(clock("24:00:00"), Some(DAY));
        assert_eq!(clock("08:30"), Some(30_600));
        for wrong in ["24:00:01", "12:60:00", "12", "a:b:c", "1:2:3:4"] {
            assert_eq!(clock(wrong), None, "{wrong}");
        }
    }
}
