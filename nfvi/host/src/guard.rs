//! What may leave a port (RFC 2827 at the edge), and that tenants cannot talk to the host: nftables, one transaction per change.
//!
//! A port's frames pass one chain of few rules, which look the port up in sets: a port more is some set elements more, not rules
//! more. The chain is the bridge's own prerouting hook and not the interface's ingress hook: the kernel leaves the latter out
//! for frames that come back from a queue (see `kinds::port`), which would free every port with a limit from its rules. A port
//! that stands in no set may send nothing.

use crate::label::name;
use crate::traffic::{self, BASE, MAPS};
use manifold_nfvi_interface::{MacAddr, ObjectId, PortWish};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The tables' name, of family `bridge` and `inet`. They are alone in their namespace, which is ours.
pub(crate) const TABLE: &str = "manifold";

/// The elements of one node's sets and maps, and its ports' own chains; absent = no tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    sets: BTreeMap<&'static str, BTreeSet<String>>,
    chains: BTreeMap<String, Vec<Line>>,
}

/// A rule in a port's own chain. It is known again by its digest, which stands in its comment: the kernel tells rules in other words.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    digest: String,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Line {}

impl Line {
    fn new(text: String) -> Self {
        let digest = ObjectId::named(uuid::Uuid::NAMESPACE_OID, &text).to_string();
        Self { text, digest }
    }

    fn words(&self) -> String {
        format!("{} comment \"{}\"", self.text, self.digest)
    }
}

const SETS: [(&str, &str); 5] = [
    ("open", "ifname"),
    ("macs", "ifname . ether_addr"),
    ("arps", "ifname . ether_addr . ipv4_addr"),
    ("v4", "ifname . ipv4_addr"),
    ("v6", "ifname . ipv6_addr"),
];

const RULES: [&str; 12] = [
    "jump lend",
    "iifname . ether saddr != @macs drop",
    "iifname . arp saddr ether . arp saddr ip @arps accept",
    "ether type arp drop",
    "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
    "udp sport 67 drop",
    "iifname . ip saddr @v4 accept",
    "icmpv6 type { nd-router-advert, nd-redirect } drop",
    "udp sport 547 drop",
    "iifname . ip6 saddr @v6 accept",
    "ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } accept",
    "drop",
];

impl Guard {
    /// Adds a port.
    pub(crate) fn port(&mut self, interface: &str, wish: &PortWish) {
        let tail = tail_of(interface);
        for chain in traffic::chains(tail, wish) {
            if let Some(map) = chain.map {
                self.add(map, format!("{interface} : jump {}", chain.name));
            }
            let lines = chain.rules.into_iter().map(Line::new).collect();
            self.chains.insert(chain.name, lines);
        }
        if !wish.anti_spoofing {
            self.add("open", interface.to_owned());
            return;
        }
        let mac = wish.mac;
        self.add("macs", format!("{interface} . {mac}"));
        // RFC 5227 2.1.1: a probe has no sender address.
        self.add("arps", format!("{interface} . {mac} . {}", Ipv4Addr::UNSPECIFIED));
        self.add("v6", format!("{interface} . {}", link_local(mac)));
        for address in &wish.addresses {
            match address {
                IpAddr::V4(address) => {
                    self.add("arps", format!("{interface} . {mac} . {address}"));
                    self.add("v4", format!("{interface} . {address}"));
                }
                IpAddr::V6(address) => self.add("v6", format!("{interface} . {address}")),
            }
        }
    }

    fn add(&mut self, set: &'static str, element: String) {
        self.sets.entry(set).or_default().insert(element);
    }

    fn elements(&self, set: &str) -> impl Iterator<Item = &String> {
        self.sets.get(set).into_iter().flatten()
    }

    /// The interfaces whose elements differ.
    pub(crate) fn differing(&self, other: &Self) -> BTreeSet<String> {
        let mut interfaces = BTreeSet::new();
        for set in names() {
            let mine: BTreeSet<_> = self.elements(set).collect();
            let theirs: BTreeSet<_> = other.elements(set).collect();
            for element in mine.symmetric_difference(&theirs) {
                interfaces.insert(element.split(' ').next().unwrap_or_default().to_owned());
            }
        }
        for name in self.chains.keys().chain(other.chains.keys()) {
            if self.chains.get(name) != other.chains.get(name)
                && let Some(tail) = name.split('_').nth(1)
            {
                interfaces.insert(format!("{}{}{tail}", name::PREFIX, name::PORT));
            }
        }
        interfaces
    }

    /// All interfaces.
    pub(crate) fn interfaces(&self) -> BTreeSet<String> {
        self.differing(&Self::default())
    }
}

/// What an interface's name tells apart.
fn tail_of(interface: &str) -> &str {
    interface
        .strip_prefix(name::PREFIX)
        .and_then(|rest| rest.strip_prefix(name::PORT))
        .unwrap_or(interface)
}

/// All sets and maps.
fn names() -> impl Iterator<Item = &'static str> {
    SETS.into_iter().map(|(set, _)| set).chain(MAPS)
}

/// One transaction from what is there (`None` = no or other tables) to what shall be (`None` = no tables).
pub(crate) fn transaction(seen: Option<&Guard>, wanted: Option<&Guard>) -> String {
    let mut script = String::new();
    match (seen, wanted) {
        (Some(seen), Some(wanted)) => {
            script.push_str(&lacking("delete", seen, wanted));
            script.push_str(&rechain(seen, wanted));
            script.push_str(&lacking("add", wanted, seen));
        }
        (_, wanted) => {
            // Replacing a table in one transaction leaves no moment without it.
            for family in ["bridge", "inet"] {
                script.push_str(&format!("add table {family} {TABLE}\ndelete table {family} {TABLE}\n"));
            }
            if let Some(wanted) = wanted {
                script.push_str(&tables(wanted));
            }
        }
    }
    script
}

/// Says a verb of all elements that are in one and not in the other.
fn lacking(verb: &str, from: &Guard, to: &Guard) -> String {
    let mut script = String::new();
    for set in names() {
        let there: BTreeSet<_> = to.elements(set).collect();
        let elements: Vec<_> = from
            .elements(set)
            .filter(|element| !there.contains(element))
            .map(quoted)
            .collect();
        if !elements.is_empty() {
            let _ = writeln!(
                script,
                "{verb} element bridge {TABLE} {set} {{ {} }}",
                elements.join(", ")
            );
        }
    }
    script
}

/// The changes of ports' own chains. What leads into a chain that goes is taken away before: by the maps, or by the chains that are
/// emptied here first.
fn rechain(seen: &Guard, wanted: &Guard) -> String {
    let mut script = String::new();
    let mut say = |words: String| {
        script.push_str(&words);
        script.push('\n');
    };
    let differs = |name: &&String| seen.chains.get(*name) != wanted.chains.get(*name);
    for name in seen.chains.keys().filter(differs) {
        say(format!("flush chain bridge {TABLE} {name}"));
    }
    for name in seen.chains.keys().filter(|name| !wanted.chains.contains_key(*name)) {
        say(format!("delete chain bridge {TABLE} {name}"));
    }
    for name in wanted.chains.keys().filter(|name| !seen.chains.contains_key(*name)) {
        say(format!("add chain bridge {TABLE} {name}"));
    }
    for (name, lines) in wanted.chains.iter().filter(|(name, _)| differs(name)) {
        for line in lines {
            say(format!("add rule bridge {TABLE} {name} {}", line.words()));
        }
    }
    script
}

fn quoted(element: &String) -> String {
    match element.split_once(' ') {
        Some((interface, rest)) => format!("\"{interface}\" {rest}"),
        None => format!("\"{element}\""),
    }
}

fn tables(guard: &Guard) -> String {
    let mut text = format!("table bridge {TABLE} {{\n");
    let kinds = SETS.into_iter().map(|(set, kind)| ("set", set, kind));
    let kinds = kinds.chain(MAPS.map(|map| ("map", map, "ifname : verdict")));
    for (what, set, kind) in kinds {
        let elements: Vec<_> = guard.elements(set).map(quoted).collect();
        let elements = if elements.is_empty() {
            String::new()
        } else {
            format!("elements = {{ {} }}", elements.join(", "))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{what} {set} {{ type {kind}\n{elements}\n}}");
    }
    for (chain, lines) in &guard.chains {
        let lines: Vec<String> = lines.iter().map(Line::words).collect();
        let _ = writeln!(text, "chain {chain} {{\n{}\n}}", lines.join("\n"));
    }
    for (chain, hook, rules) in BASE {
        let _ = writeln!(text, "chain {chain} {{\n{hook}\n{}\n}}", rules.join("\n"));
    }
    let _ = writeln!(text, "chain guard {{\n{}\n}}", RULES.join("\n"));
    let port = format!("{}{}*", name::PREFIX, name::PORT);
    let segment = format!("{}{}*", name::PREFIX, name::SEGMENT);
    let _ = writeln!(
        text,
        "chain ports {{\ntype filter hook prerouting priority -300\niifname \"{port}\" iifname != @open jump guard\n}}\n}}"
    );
    // What a tenant sends to the bridge's own address, or to whatever address the host has elsewhere, ends here.
    let _ = writeln!(
        text,
        "table inet {TABLE} {{\nchain quiet {{\ntype filter hook prerouting priority -400\niifname \"{segment}\" drop\n}}\n}}"
    );
    text
}

/// What `nft -j list ruleset` tells; `None` when our tables are not there or not whole.
pub(crate) fn observe(listing: &[u8]) -> Option<Guard> {
    let listing: Value = serde_json::from_slice(listing).ok()?;
    let mut guard = Guard::default();
    let (mut sets, mut rules, mut hooks) = (0, BTreeMap::<(String, String), usize>::new(), 0);
    for entry in listing.get("nftables")?.as_array()? {
        let of = |kind: &str| {
            entry
                .get(kind)
                .filter(|value| value.get("table").is_some_and(|table| table == TABLE))
        };
        if let Some(set) = of("set").or_else(|| of("map")) {
            let name = set.get("name")?.as_str()?;
            let Some(name) = names().find(|known| *known == name) else {
                continue; // the anonymous sets of rules
            };
            sets += 1;
            for element in set.get("elem").and_then(Value::as_array).into_iter().flatten() {
                guard.add(name, element_of(element)?);
            }
        } else if let Some(rule) = of("rule") {
            let text = |key: &str| rule.get(key).and_then(Value::as_str).map(str::to_owned);
            let chain = text("chain")?;
            if of_port(&chain) {
                let digest = text("comment").unwrap_or_default();
                let line = Line {
                    text: String::new(),
                    digest,
                };
                guard.chains.entry(chain).or_default().push(line);
            } else {
                *rules.entry((text("family")?, chain)).or_default() += 1;
            }
        } else if let Some(chain) = of("chain") {
            hooks += usize::from(chain.get("hook").is_some());
            let name = chain.get("name")?.as_str()?;
            if of_port(name) {
                guard.chains.entry(name.to_owned()).or_default();
            }
        }
    }
    let count = |family: &str, chain: &str| rules.get(&(family.to_owned(), chain.to_owned())).copied().unwrap_or(0);
    let whole = sets == names().count()
        && hooks == HOOKS
        && count("bridge", "guard") == RULES.len()
        && count("bridge", "ports") == 1
        && count("inet", "quiet") == 1
        && BASE
            .iter()
            .all(|(chain, _, rules)| count("bridge", chain) == rules.len());
    whole.then_some(guard)
}

/// Base chains: `ports`, `quiet`, and those of [`BASE`] that have a hook.
const HOOKS: usize = 6;

/// Whether a chain is a port's own: the others' names are of one word.
fn of_port(chain: &str) -> bool {
    chain.contains('_')
}

/// An element of a set, or of a map.
fn element_of(element: &Value) -> Option<String> {
    if let Some([interface, verdict]) = element.as_array().map(Vec::as_slice) {
        let target = verdict.get("jump")?.get("target")?.as_str()?;
        return Some(format!("{} : jump {target}", interface.as_str()?));
    }
    match element.get("concat").and_then(Value::as_array) {
        Some(parts) => {
            let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            Some(parts.join(" . "))
        }
        None => Some(element.as_str()?.to_owned()),
    }
}

/// The link-local address that follows from a MAC (RFC 4291 appendix A).
fn link_local(MacAddr([a, b, c, d, e, f]): MacAddr) -> Ipv6Addr {
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nfvi_interface::{ObjectId, Plug, Traffic};

    fn port(last: u8) -> PortWish {
        PortWish {
            segment: ObjectId::random(),
            plug: Plug::Tap,
            mac: MacAddr([2, 0, 0, 0, 0, last]),
            addresses: vec![[10, 0, 0, last].into()],
            anti_spoofing: true,
            rate_bits_per_second: None,
            traffic: Traffic::default(),
        }
    }

    #[test]
    fn an_equal_guard_needs_no_word_and_one_port_more_only_its_elements() {
        let mut one = Guard::default();
        one.port("mfp1", &port(1));
        let mut two = one.clone();
        two.port("mfp2", &port(2));
        assert_eq!(transaction(Some(&one), Some(&one)), "");
        let script = transaction(Some(&one), Some(&two));
        assert!(
            script
                .lines()
                .all(|line| line.starts_with("add element") && !line.contains("mfp1")),
            "{script}"
        );
        assert_eq!(one.differing(&two), BTreeSet::from(["mfp2".to_owned()]));
        let script = transaction(Some(&two), Some(&one));
        assert!(
            script
                .lines()
                .all(|line| line.starts_with("delete element") && !line.contains("mfp1")),
            "{script}"
        );
    }
}
