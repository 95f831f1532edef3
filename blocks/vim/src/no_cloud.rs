//! What a machine reads at its first boot (cloud-init's NoCloud data source, network-config version 2).

use crate::documents::{Port, Subnet};
use manifold_call::Uuid;
use std::fmt::Write;
use std::net::IpAddr;

/// User data that asks for nothing.
pub(crate) const EMPTY_USER_DATA: &str = "#cloud-config\n{}\n";

/// A host name (RFC 1123 2.1) made of any name: at most 63 bytes of `[a-z0-9-]`, neither end a hyphen.
pub(crate) fn host_name(name: &str) -> String {
    let name = name.to_lowercase();
    let kept = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let text: String = kept.collect();
    let text = text.trim_matches('-');
    let text = text.get(..text.len().min(63)).unwrap_or(text).trim_end_matches('-');
    if text.is_empty() {
        "machine".to_owned()
    } else {
        text.to_owned()
    }
}

/// `meta-data`.
pub(crate) fn meta_data(id: Uuid, name: &str) -> String {
    format!("instance-id: {id}\nlocal-hostname: {}\n", host_name(name))
}

/// A port as the machine is told of it.
pub(crate) struct Interface<'a> {
    pub(crate) port: &'a Port,
    /// Its network's.
    pub(crate) subnets: Vec<&'a Subnet>,
    /// Its network's, in bytes.
    pub(crate) mtu: u32,
    /// Whether a router answers at the subnets' gateway addresses.
    pub(crate) routed: bool,
}

/// `network-config`: DHCP where the subnet has it, static addresses elsewhere. Only one interface leads to the default route of
/// each family: the first that can.
pub(crate) fn network_config(interfaces: &[Interface<'_>]) -> String {
    let mut text = String::from("version: 2\nethernets:\n");
    let mut routed = (false, false);
    for (at, interface) in interfaces.iter().enumerate() {
        one(&mut text, at, interface, &mut routed).expect("writing to a string cannot fail");
    }
    if interfaces.is_empty() {
        text = String::from("version: 2\nethernets: {}\n");
    }
    text
}

fn one(text: &mut String, at: usize, interface: &Interface<'_>, routed: &mut (bool, bool)) -> std::fmt::Result {
    let subnet_of = |address: &IpAddr| interface.subnets.iter().find(|subnet| subnet.cidr.contains(address));
    let leased = |address: &IpAddr| subnet_of(address).is_some_and(|subnet| subnet.dhcp);
    let fixed: Vec<&IpAddr> = interface
        .port
        .addresses
        .iter()
        .filter(|address| !leased(address))
        .collect();
    writeln!(text, "  net{at}:")?;
    writeln!(text, "    match:")?;
    writeln!(text, "      macaddress: \"{}\"", interface.port.mac)?;
    writeln!(text, "    set-name: eth{at}")?;
    writeln!(text, "    mtu: {}", interface.mtu)?;
    writeln!(text, "    dhcp4: {}", interface.port.addresses.iter().any(leased))?;
    writeln!(text, "    dhcp6: false")?;
    writeln!(text, "    accept-ra: false")?;
    if fixed.is_empty() {
        return Ok(());
    }
    writeln!(text, "    addresses:")?;
    for address in &fixed {
        let prefix = subnet_of(address).map_or(if address.is_ipv4() { 32 } else { 128 }, |subnet| {
            subnet.cidr.prefix_len()
        });
        writeln!(text, "      - \"{address}/{prefix}\"")?;
    }
    let mut routes = String::new();
    for address in &fixed {
        let Some(subnet) = subnet_of(address).filter(|_| interface.routed) else {
            continue;
        };
        let (done, to) = match address {
            IpAddr::V4(_) => (&mut routed.0, "0.0.0.0/0"),
            IpAddr::V6(_) => (&mut routed.1, "::/0"),
        };
        if !std::mem::replace(done, true) {
            writeln!(routes, "      - to: \"{to}\"")?;
            writeln!(routes, "        via: \"{}\"", subnet.gateway)?;
        }
    }
    if !routes.is_empty() {
        write!(text, "    routes:\n{routes}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_made_of_anything() {
        assert_eq!(host_name("Gateway_1/worker.0"), "gateway-1-worker-0");
        assert_eq!(host_name("--"), "machine");
        assert_eq!(host_name(&"é".repeat(80)), "machine");
        assert_eq!(host_name(&"a".repeat(80)).len(), 63);
    }

    #[test]
    fn a_machine_is_told_dhcp_where_there_is_and_addresses_where_not() {
        let subnet = |cidr: &str, gateway: &str, dhcp| Subnet {
            network: Uuid::nil(),
            cidr: cidr.parse().unwrap(),
            gateway: gateway.parse().unwrap(),
            dhcp,
            pools: Vec::new(),
            metadata: Default::default(),
        };
        let (four, six) = (
            subnet("10.0.0.0/24", "10.0.0.1", true),
            subnet("fd00::/64", "fd00::1", false),
        );
        let port = Port {
            name: String::new(),
            network: Uuid::nil(),
            compute: None,
            implicit: false,
            access_point: None,
            addresses: vec!["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()],
            mac: "02:00:00:00:00:05".into(),
            bandwidth: None,
            metadata: Default::default(),
        };
        let interface = Interface {
            port: &port,
            subnets: vec![&four, &six],
            mtu: 1_400,
            routed: true,
        };
        assert_eq!(
            network_config(&[interface]),
            "version: 2\nethernets:\n  net0:\n    match:\n      macaddress: \"02:00:00:00:00:05\"\n    set-name: eth0\n    \
             mtu: 1400\n    dhcp4: true\n    dhcp6: false\n    accept-ra: false\n    addresses:\n      - \"fd00::5/64\"\n    \
             routes:\n      - to: \"::/0\"\n        via: \"fd00::1\"\n"
        );
    }
}
