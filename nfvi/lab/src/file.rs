//! The lab file as it is written, and everything that can be wrong with it beyond its grammar.

use crate::{Diagnostic, Diagnostics};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Bytes of a lab file: a thousand hosts are a tenth of it.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Each PoP has a /24 (or /64) of the underlay; the third byte is the PoP's number.
pub(crate) const POPS_MAX: usize = 100;
/// Hosts and functions have the numbers from 11 on in their PoP's /24.
pub(crate) const HOSTS_MAX: usize = 200;
/// An interface name holds 15 bytes, and `to-` or `pn-` stands before the name of what is at the other end.
const NAME_BYTES_MAX: usize = 12;
/// Stands after `lab/` in the owner's label, which holds 40 bytes.
const LAB_NAME_BYTES_MAX: usize = 30;
/// RFC 8200 5: the smallest that carries IPv6, and VXLAN on top of 1,280 for what is inside.
const UNDERLAY_MTU_MIN: u32 = 1_350;
const MTU_MAX: u32 = 65_535;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabFile {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) underlay: Family,
    #[serde(default = "jumbo")]
    pub(crate) underlay_mtu: Spanned<u32>,
    pub(crate) wan: Option<WanEntry>,
    #[serde(default)]
    pub(crate) pop: Vec<PopEntry>,
}

/// The family of the underlay's and the WAN's addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    #[default]
    Ipv4,
    Ipv6,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WanEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) capacity_mbit_per_second: Spanned<u64>,
    #[serde(default = "jumbo")]
    pub(crate) mtu: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PopEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) location: String,
    #[serde(default)]
    pub(crate) host: Vec<HostEntry>,
    pub(crate) gateway: Option<GatewayEntry>,
    #[serde(default)]
    pub(crate) provider_network: Vec<ProviderEntry>,
    #[serde(default)]
    pub(crate) access_point: Vec<AccessEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) zone: Spanned<String>,
    pub(crate) vcpus: Spanned<u32>,
    pub(crate) memory_mib: Spanned<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewayEntry {
    pub(crate) name: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) mtu: Spanned<u32>,
    pub(crate) hosts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) function: Vec<FunctionEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) addresses: Vec<Spanned<IpNet>>,
    pub(crate) http_port: Option<Spanned<u16>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) host: Spanned<String>,
}

fn jumbo() -> Spanned<u32> {
    Spanned::new(0..0, 9_000)
}

/// The file's grammar.
pub(crate) fn read(text: &str) -> Result<LabFile, Diagnostics> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes, and {FILE_BYTES_MAX} are the most", text.len());
        return Err(Diagnostics(vec![Diagnostic::at(text, 0..0, message)]));
    }
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Diagnostics(vec![Diagnostic::at(text, span, error.message())])
    })
}

/// Everything that is wrong with the file, in its order.
pub(crate) fn check(file: &LabFile, text: &str) -> Vec<Diagnostic> {
    let mut check = Check {
        text,
        found: Vec::new(),
    };
    check.name(&file.name, LAB_NAME_BYTES_MAX);
    check.mtu(&file.underlay_mtu, UNDERLAY_MTU_MIN);
    if file.pop.is_empty() {
        check.say(0..0, "a lab needs at least one [[pop]]");
    }
    if file.pop.len() > POPS_MAX {
        check.say(0..0, format!("{} PoPs, and {POPS_MAX} are the most", file.pop.len()));
    }
    let mut pops = Names::default();
    if let Some(wan) = &file.wan {
        check.name(&wan.name, NAME_BYTES_MAX);
        check.mtu(&wan.mtu, UNDERLAY_MTU_MIN);
        check.positive(&wan.capacity_mbit_per_second, "the WAN's capacity");
        // The WAN's node stands beside the PoPs' and its name with theirs.
        check.unique(&mut pops, &wan.name);
    }
    for pop in &file.pop {
        check.name(&pop.name, NAME_BYTES_MAX);
        check.unique(&mut pops, &pop.name);
        check.pop(pop, file.wan.is_some());
    }
    check
        .found
        .sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    check.found
}

type Names = BTreeMap<String, Range<usize>>;

struct Check<'a> {
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn say(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push(Diagnostic::at(self.text, span, message));
    }

    fn pop(&mut self, pop: &PopEntry, has_wan: bool) {
        let mut names = Names::default();
        if pop.host.is_empty() {
            self.say(pop.name.span(), format!("{} has no [[pop.host]]", pop.name.get_ref()));
        }
        if pop.host.len() > HOSTS_MAX {
            self.say(
                pop.name.span(),
                format!("{} hosts, and {HOSTS_MAX} are the most", pop.host.len()),
            );
        }
        for host in &pop.host {
            self.name(&host.name, NAME_BYTES_MAX);
            self.unique(&mut names, &host.name);
            self.name(&host.zone, 40);
            self.positive(&host.vcpus, "a host's vcpus");
            self.positive(&host.memory_mib, "a host's memory_mib");
        }
        let hosts: Vec<&str> = pop.host.iter().map(|host| host.name.get_ref().as_str()).collect();
        if let Some(gateway) = &pop.gateway {
            self.name(&gateway.name, NAME_BYTES_MAX);
            self.unique(&mut names, &gateway.name);
            if !has_wan {
                self.say(
                    gateway.name.span(),
                    "a gateway leads to the WAN, and the lab has no [wan]",
                );
            }
        }
        for network in &pop.provider_network {
            self.name(&network.name, NAME_BYTES_MAX);
            self.unique(&mut names, &network.name);
            self.mtu(&network.mtu, 1_280);
            let mut reached = Names::default();
            for host in &network.hosts {
                self.unique(&mut reached, host);
                self.one_of(host, &hosts, "host");
            }
            self.functions(network, &mut names);
        }
        for access in &pop.access_point {
            self.name(&access.name, NAME_BYTES_MAX);
            self.unique(&mut names, &access.name);
            self.one_of(&access.host, &hosts, "host");
        }
    }

    fn functions(&mut self, network: &ProviderEntry, names: &mut Names) {
        let mut addresses = BTreeMap::new();
        for function in &network.function {
            self.name(&function.name, NAME_BYTES_MAX);
            self.unique(names, &function.name);
            if function.addresses.is_empty() {
                self.say(
                    function.name.span(),
                    format!("{} has no address", function.name.get_ref()),
                );
            }
            for address in &function.addresses {
                let net = *address.get_ref();
                if net.addr() == net.network() && net.prefix_len() < net.max_prefix_len() - 1 {
                    self.say(
                        address.span(),
                        format!("{net} is a network's own address, not a function's"),
                    );
                }
                if let Some(other) = addresses.insert(net.addr(), function.name.get_ref().clone()) {
                    self.say(address.span(), format!("{} is {other}'s address already", net.addr()));
                }
            }
            if let Some(port) = function.http_port.as_ref().filter(|port| *port.get_ref() == 0) {
                self.say(port.span(), "0 is no TCP port");
            }
        }
    }

    fn name(&mut self, name: &Spanned<String>, most: usize) {
        let text = name.get_ref();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.is_empty() || text.len() > most || !text.chars().all(allowed) {
            self.say(
                name.span(),
                format!("{text:?} is no name here: 1 to {most} of a-z, 0-9, - and _"),
            );
        }
    }

    fn unique(&mut self, names: &mut Names, name: &Spanned<String>) {
        match names.get(name.get_ref()) {
            Some(first) => {
                let line = Diagnostic::at(self.text, first.clone(), "").line;
                self.say(
                    name.span(),
                    format!("{:?} stands already in line {line}", name.get_ref()),
                );
            }
            None => {
                names.insert(name.get_ref().clone(), name.span());
            }
        }
    }

    fn one_of(&mut self, name: &Spanned<String>, candidates: &[&str], what: &str) {
        if !candidates.contains(&name.get_ref().as_str()) {
            let message = format!("there is no {what} {:?} in this PoP", name.get_ref());
            let help = match candidates {
                [] => format!("it has no {what}s"),
                some => format!("it has {}", some.join(", ")),
            };
            self.found
                .push(Diagnostic::at(self.text, name.span(), message).help(help));
        }
    }

    fn mtu(&mut self, mtu: &Spanned<u32>, least: u32) {
        if !(least..=MTU_MAX).contains(mtu.get_ref()) {
            self.say(
                mtu.span(),
                format!(
                    "an MTU of {} bytes; {least} to {MTU_MAX} are possible here",
                    mtu.get_ref()
                ),
            );
        }
    }

    fn positive<N: Copy + Into<u64>>(&mut self, number: &Spanned<N>, what: &str) {
        if (*number.get_ref()).into() == 0 {
            self.say(number.span(), format!("{what} must be more than 0"));
        }
    }
}
