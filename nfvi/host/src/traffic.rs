//! A port's traffic rules and path hops, as chains of nftables. Pure.
//!
//! ```text
//!   prerouting  -300  guard     may the port send this at all? (`guard`; the packets of its paths' classes: `foreign`)
//!               -290  from      rules on what the port sends
//!               -280  hops      the frame is addressed to the next function of its path
//!   (the bridge looks up where the frame goes)
//!   postrouting -300  towards   rules on what the port is sent
//!               -290  order     precedence: the class of the port's queue
//! ```
//!
//! Each of these looks the port up in a map and jumps to a chain that is the port's own; who has no rules is in no map. A frame
//! that goes to another host goes on in the network's tunnel, for its new destination is a port of the same network.
//!
//! A rule carries its own text's digest as its comment: so it is seen when somebody removed or replaced one.

use manifold_call::{CallError, Outcome};
use manifold_nfvi_interface::{
    Classifier, MacAddr, PathHop, PortWish, Traffic, TrafficAction, TrafficRule, Weekday, Window,
};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Rules, hops, and classifiers of a hop.
const MANY: usize = 128;
const DAY_S: u32 = 86_400;
/// The queue's handle, which names its classes in nftables: `order` beneath a limit.
pub(crate) const QUEUE_MAJOR: u32 = 2;

/// The maps from ports to their own chains.
pub(crate) const MAPS: [&str; 5] = ["foreign", "from", "hops", "towards", "order"];

/// The chains' fixed parts: family `bridge`.
pub(crate) const BASE: [(&str, &str, &[&str]); 5] = [
    (
        "lend",
        "",
        &[
            "ether type != { ip, ip6 } return",
            // Whatever its class is: a function of a path is neither DHCP server nor router to its neighbours.
            "udp sport { 67, 547 } return",
            "icmpv6 type { nd-router-advert, nd-redirect, nd-neighbor-solicit, nd-neighbor-advert } return",
            "iifname vmap @foreign",
        ],
    ),
    (
        "sent",
        "type filter hook prerouting priority -290",
        &["iifname vmap @from"],
    ),
    (
        "steered",
        "type filter hook prerouting priority -280",
        &[
            "ether type != { ip, ip6 } return",
            "ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 return",
            "icmpv6 type { nd-router-advert, nd-redirect, nd-neighbor-solicit, nd-neighbor-advert } return",
            "iifname vmap @hops",
        ],
    ),
    (
        "delivered",
        "type filter hook postrouting priority -300",
        &["oifname vmap @towards"],
    ),
    (
        "ordered",
        "type filter hook postrouting priority -290",
        &["oifname vmap @order"],
    ),
];

/// A chain of a port's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Unique in the node.
    pub(crate) name: String,
    /// The map that leads to it; `None` = another chain of the port does.
    pub(crate) map: Option<&'static str>,
    /// Its rules.
    pub(crate) rules: Vec<String>,
}

/// Refuses what has no meaning. Errors: `Invalid`.
pub(crate) fn check(traffic: &Traffic) -> Outcome<()> {
    let refuse = |why: String| Err(CallError::invalid(why));
    if traffic.rules.len() > MANY || traffic.hops.len() > MANY {
        return refuse(format!("a port has at most {MANY} rules and as many hops"));
    }
    for rule in &traffic.rules {
        check_classifier(&rule.classifier)?;
        rule.windows.iter().try_for_each(check_window)?;
        match rule.action {
            _ if rule.windows.len() > MANY => return refuse(format!("a rule has at most {MANY} times")),
            TrafficAction::Limit { bits_per_second } if bits_per_second < 8_000 => {
                return refuse(format!("a limit of {bits_per_second} bit/s is below 8,000"));
            }
            TrafficAction::Precedence { level } if level > 7 => {
                return refuse(format!("a precedence of {level} is above 7"));
            }
            TrafficAction::Precedence { .. } if !rule.direction.is_towards() => {
                return refuse("a precedence is of packets that are sent towards a port".to_owned());
            }
            _ => {}
        }
    }
    for hop in &traffic.hops {
        if hop.classifiers.len() > MANY || hop.windows.len() > MANY {
            return refuse(format!("a hop has at most {MANY} classifiers and as many times"));
        }
        hop.classifiers.iter().try_for_each(check_classifier)?;
        hop.windows.iter().try_for_each(check_window)?;
        if let Some(next) = hop.next
            && (next.0[0] & 1 != 0 || next.0 == [0; 6])
        {
            return refuse(format!("{next} is no address of one interface"));
        }
    }
    Ok(())
}

fn check_classifier(classifier: &Classifier) -> Outcome<()> {
    let refuse = |why: String| Err(CallError::invalid(why));
    if let (Some(source), Some(destination)) = (classifier.source, classifier.destination)
        && source.addr().is_ipv4() != destination.addr().is_ipv4()
    {
        return refuse(format!(
            "no packet goes from {source} to {destination}: they are of two families"
        ));
    }
    for ports in [classifier.source_ports, classifier.destination_ports]
        .into_iter()
        .flatten()
    {
        if ports.first > ports.last {
            return refuse(format!("ports {} to {} are none", ports.first, ports.last));
        }
        if let Some(protocol) = classifier.protocol
            && !PORTED.contains(&protocol)
        {
            return refuse(format!("protocol {protocol} has no ports"));
        }
    }
    match classifier {
        Classifier { dscp: Some(dscp), .. } if *dscp > 63 => refuse(format!("a DSCP of {dscp} is above 63")),
        Classifier { vlan: Some(vlan), .. } if !(1..=4_094).contains(vlan) => {
            refuse(format!("VLAN {vlan} is not between 1 and 4,094"))
        }
        Classifier {
            ether_type: Some(kind), ..
        } if *kind < 1_536 => refuse(format!("{kind} is a length, not an Ethernet type")),
        Classifier {
            ether_type: Some(kind), ..
        } if needs_ip(classifier) && ![0x0800, 0x86dd].contains(kind) => refuse(format!(
            "frames of Ethernet type {kind:#06x} have no IP addresses or ports"
        )),
        _ => Ok(()),
    }
}

fn check_window(window: &Window) -> Outcome<()> {
    let (from, until) = (window.from_s.unwrap_or(0), window.until_s.unwrap_or(DAY_S));
    if from >= until || until > DAY_S {
        return Err(
            CallError::invalid(format!("no second of a day is between {from} and {until}"))
                .cure("a time over midnight is two windows"),
        );
    }
    // Beyond this, seconds no longer fit where nftables counts in nanoseconds.
    let end = window.not_after.unwrap_or(LATEST_S);
    if end > LATEST_S || window.not_before.unwrap_or(0) >= end {
        return Err(CallError::invalid("a window's dates hold no second"));
    }
    Ok(())
}

const LATEST_S: u64 = 8_000_000_000;
/// TCP, UDP, SCTP.
const PORTED: [u8; 3] = [6, 17, 132];

fn needs_ip(classifier: &Classifier) -> bool {
    classifier.source.is_some()
        || classifier.destination.is_some()
        || classifier.protocol.is_some()
        || classifier.source_ports.is_some()
        || classifier.destination_ports.is_some()
        || classifier.dscp.is_some()
}

/// The chains of a port, whose interface's name ends in `tail`.
pub(crate) fn chains(tail: &str, wish: &PortWish) -> Vec<Chain> {
    let mut rules: Vec<(usize, &TrafficRule)> = wish.traffic.rules.iter().enumerate().collect();
    rules.sort_by_key(|(_, rule)| std::cmp::Reverse(rule.priority));
    let mut chains = Vec::new();
    let (mut from, mut towards, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for (place, rule) in rules {
        let verdict = match rule.action {
            TrafficAction::Block => "counter drop".to_owned(),
            TrafficAction::Allow => "counter accept".to_owned(),
            TrafficAction::Limit { bits_per_second } => {
                // One chain for all that leads there: they share the one bucket.
                let name = format!("limit_{tail}_{place}");
                let bytes = bits_per_second / 8;
                // The kernel lets a second pass besides. A sender's segments may come as one piece of 64 KiB.
                let burst = (bytes / 10).max(128 << 10);
                let limit = format!("limit rate over {bytes} bytes/second burst {burst} bytes counter drop");
                let verdict = format!("jump {name}");
                chains.push(Chain {
                    name,
                    map: None,
                    rules: vec![limit, "counter accept".to_owned()],
                });
                verdict
            }
            TrafficAction::Precedence { level } => {
                order.extend(lines(
                    rule,
                    &format!("meta priority set {QUEUE_MAJOR}:{} counter accept", level + 1),
                ));
                continue;
            }
        };
        if rule.direction.is_from() {
            from.extend(lines(rule, &verdict));
        }
        if rule.direction.is_towards() {
            towards.extend(lines(rule, &verdict));
        }
    }
    let (hops, foreign) = paths(wish);
    let own = [
        ("from", from),
        ("towards", towards),
        ("order", order),
        ("hops", hops),
        ("foreign", foreign),
    ];
    chains.extend(
        own.into_iter()
            .filter(|(_, rules)| !rules.is_empty())
            .map(|(map, rules)| Chain {
                name: format!("{map}_{tail}"),
                map: Some(map),
                rules,
            }),
    );
    chains
}

/// What the port's hops do, and what they let in.
fn paths(wish: &PortWish) -> (Vec<String>, Vec<String>) {
    let mut sorted: Vec<&PathHop> = wish.traffic.hops.iter().collect();
    sorted.sort_by_key(|hop| std::cmp::Reverse(hop.priority));
    let (mut hops, mut foreign) = (Vec::new(), Vec::new());
    for hop in sorted {
        let any = [Classifier::default()];
        let classifiers = if hop.classifiers.is_empty() {
            &any
        } else {
            &hop.classifiers[..]
        };
        let mut act = String::new();
        if let Some(next) = hop.next {
            let _ = write!(act, "ether daddr set {next} ");
        }
        // Or the bridges would learn that the first sender is here.
        if hop.foreign {
            let _ = write!(act, "ether saddr set {} ", wish.mac);
        }
        for matched in classifiers.iter().flat_map(matches) {
            for time in times(&hop.windows) {
                hops.push(format!("{time}{matched}{act}counter accept"));
            }
            if hop.foreign {
                foreign.push(format!("{matched}counter accept"));
            }
        }
    }
    (hops, foreign)
}

fn lines(rule: &TrafficRule, verdict: &str) -> Vec<String> {
    let times = times(&rule.windows);
    let matched = matches(&rule.classifier);
    times
        .iter()
        .flat_map(|time| matched.iter().map(move |matched| format!("{time}{matched}{verdict}")))
        .collect()
}

/// A match for each time, the empty one for always.
fn times(windows: &[Window]) -> Vec<String> {
    if windows.is_empty() {
        vec![String::new()]
    } else {
        windows.iter().map(during).collect()
    }
}

fn during(window: &Window) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if !window.days.is_empty() {
        let days: BTreeSet<Weekday> = window.days.iter().copied().collect();
        let days: Vec<String> = days.iter().map(|day| format!("\"{day:?}\"")).collect();
        let _ = write!(text, "meta day {{ {} }} ", days.join(", "));
    }
    let clock = |second: u32| format!("\"{:02}:{:02}:{:02}\"", second / 3_600, second / 60 % 60, second % 60);
    if let Some(from) = window.from_s.filter(|from| *from > 0) {
        let _ = write!(text, "meta hour >= {} ", clock(from));
    }
    if let Some(until) = window.until_s.filter(|until| *until < DAY_S) {
        let _ = write!(text, "meta hour < {} ", clock(until));
    }
    if let Some(first) = window.not_before {
        let _ = write!(text, "meta time >= {first} ");
    }
    if let Some(end) = window.not_after {
        let _ = write!(text, "meta time < {end} ");
    }
    text
}

/// One match for each IP family that a class may be of, each with a space behind it.
fn matches(classifier: &Classifier) -> Vec<String> {
    let address = classifier.source.or(classifier.destination);
    let families: &[&str] = match (address, classifier.ether_type, classifier.dscp) {
        (Some(address), ..) if address.addr().is_ipv4() => &["ip"],
        (Some(_), ..) => &["ip6"],
        (None, Some(0x0800), Some(_)) => &["ip"],
        (None, Some(0x86dd), Some(_)) => &["ip6"],
        (None, _, Some(_)) => &["ip", "ip6"],
        (None, _, None) => &["ether"],
    };
    families.iter().map(|family| one(classifier, family)).collect()
}

fn one(classifier: &Classifier, family: &str) -> String {
    let mut text = String::new();
    let mut say = |words: String| {
        text.push_str(&words);
        text.push(' ');
    };
    let mac = |mac: Option<MacAddr>| mac.map(|mac| mac.to_string());
    if let Some(source) = mac(classifier.source_mac) {
        say(format!("ether saddr {source}"));
    }
    if let Some(destination) = mac(classifier.destination_mac) {
        say(format!("ether daddr {destination}"));
    }
    if let Some(vlan) = classifier.vlan {
        say(format!("vlan id {vlan}"));
    }
    if let Some(kind) = classifier.ether_type {
        // The kernel's own view of the protocol: a tagged frame's is the one behind the tag.
        say(format!("meta protocol {kind:#06x}"));
    }
    if let Some(source) = classifier.source {
        say(format!("{family} saddr {}", source.trunc()));
    }
    if let Some(destination) = classifier.destination {
        say(format!("{family} daddr {}", destination.trunc()));
    }
    if let Some(dscp) = classifier.dscp {
        say(format!("{family} dscp {dscp}"));
    }
    let ports = [
        ("sport", classifier.source_ports),
        ("dport", classifier.destination_ports),
    ];
    match classifier.protocol {
        Some(protocol) => say(format!("meta l4proto {protocol}")),
        None if ports.iter().any(|(_, range)| range.is_some()) => {
            say(format!(
                "meta l4proto {{ {}, {}, {} }}",
                PORTED[0], PORTED[1], PORTED[2]
            ));
        }
        None => {}
    }
    for (which, range) in ports {
        match range {
            Some(range) if range.first == range.last => say(format!("th {which} {}", range.first)),
            Some(range) => say(format!("th {which} {}-{}", range.first, range.last)),
            None => {}
        }
    }
    text
}

/// What a limited port's queue distinguishes: the precedences that its rules give. Empty = all is one.
pub(crate) fn precedences(traffic: &Traffic) -> BTreeSet<u8> {
    let level = |rule: &TrafficRule| match rule.action {
        TrafficAction::Precedence { level } => Some(level),
        TrafficAction::Block | TrafficAction::Allow | TrafficAction::Limit { .. } => None,
    };
    let mut levels: BTreeSet<u8> = traffic.rules.iter().filter_map(level).collect();
    if !levels.is_empty() {
        levels.insert(0);
    }
    levels
}
