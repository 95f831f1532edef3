//! Which VNFC instances a VNF is to have, and what each of their interfaces is on. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, Vdu, VduCp, VduKind};
use manifold_sol::{ExtVirtualLinkData, VnfExtCpConfig};
use manifold_vim_interface::NetworkId;
use serde::{Deserialize, Serialize};

use crate::instance::{Attachment, Vnfc};

/// The longest host name (RFC 1123 2.1 allows more in all; one label has at most this, RFC 1035 2.3.4).
const HOST_NAME_LEN_MAX: usize = 63;

/// The most VNFC instances of a VNF: beyond this, a descriptor has a slip of the pen in it.
const VNFCS_MAX: u32 = 2_000;

/// A VNFC instance to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VnfcPlan {
    pub(crate) id: String,
    pub(crate) vdu: String,
    pub(crate) number: u32,
    pub(crate) host_name: String,
    /// In the order of the machine's interfaces.
    pub(crate) ports: Vec<PortPlan>,
}

/// A port to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PortPlan {
    pub(crate) cp: String,
    pub(crate) on: Attachment,
    /// Empty = the VIM chooses.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) mac: Option<String>,
    /// What a port of the connection point once had on this network, to be had again if nobody else took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) former: Option<Former>,
}

/// Addresses that a connection point once had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Former {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) mac: String,
}

/// What VNFC instances are to be.
pub(crate) struct Wish<'a> {
    pub(crate) vnf_name: &'a str,
    pub(crate) flavour: &'a DeploymentFlavour,
    pub(crate) ext_links: &'a [ExtVirtualLinkData],
    /// How many instances of each VDU there shall be.
    pub(crate) counts: BTreeMap<String, u32>,
    /// The numbers of those that there are.
    pub(crate) have: BTreeMap<String, BTreeSet<u32>>,
}

impl Wish<'_> {
    /// The VNFC instances that lack. Errors: everything that is wrong with the wish.
    pub(crate) fn lacking(&self) -> Result<Vec<VnfcPlan>, Vec<String>> {
        let mut faults = Vec::new();
        let total: u32 = self.counts.values().fold(0, |sum, count| sum.saturating_add(*count));
        if total > VNFCS_MAX {
            return Err(vec![format!(
                "{total} VNFC instances are asked for, and {VNFCS_MAX} are the most"
            )]);
        }
        let outside = Outside::of(self.flavour, self.ext_links, &mut faults);
        let mut vnfcs = Vec::new();
        for vdu in &self.flavour.vdus {
            let wanted = self.counts.get(&vdu.id).copied().unwrap_or(0);
            let none = BTreeSet::new();
            let have = self.have.get(&vdu.id).unwrap_or(&none);
            let lacks = wanted.saturating_sub(u32::try_from(have.len()).unwrap_or(u32::MAX));
            if lacks > 0 {
                check_vdu(vdu, &outside, self.flavour, &mut faults);
            }
            let newest = have.last().copied().unwrap_or(0);
            for number in newest + 1..=newest + lacks {
                vnfcs.push(VnfcPlan {
                    id: format!("{}-{number}", vdu.id),
                    vdu: vdu.id.clone(),
                    number,
                    host_name: host_name(self.vnf_name, &vdu.id, number),
                    ports: vdu
                        .connection_points
                        .iter()
                        .filter_map(|cp| port(cp, number, &outside))
                        .collect(),
                });
            }
        }
        if faults.is_empty() { Ok(vnfcs) } else { Err(faults) }
    }

    /// What VNFC instances that there are shall be plugged into, whatever they are plugged into now. Errors: everything that is
    /// wrong with the wish.
    pub(crate) fn present(&self, vnfcs: &[Vnfc]) -> Result<Vec<VnfcPlan>, Vec<String>> {
        let mut faults = Vec::new();
        let outside = Outside::of(self.flavour, self.ext_links, &mut faults);
        let mut plans = Vec::new();
        for vdu in &self.flavour.vdus {
            let mut own = vnfcs.iter().filter(|vnfc| vnfc.vdu == vdu.id).peekable();
            if own.peek().is_some() {
                check_vdu(vdu, &outside, self.flavour, &mut faults);
            }
            plans.extend(own.map(|vnfc| {
                VnfcPlan {
                    id: vnfc.id.clone(),
                    vdu: vnfc.vdu.clone(),
                    number: vnfc.number,
                    host_name: vnfc.host_name.clone(),
                    ports: vdu
                        .connection_points
                        .iter()
                        .filter_map(|cp| port(cp, vnfc.number, &outside))
                        .collect(),
                }
            }));
        }
        if faults.is_empty() { Ok(plans) } else { Err(faults) }
    }
}

/// One place where an external connection point can be put.
struct Spot {
    link: String,
    vim: Option<String>,
    network: NetworkId,
    config: String,
    addresses: Vec<IpAddr>,
    mac: Option<String>,
}

impl Spot {
    /// Whether two connection points can use it: fixed addresses are for one.
    fn is_reusable(&self) -> bool {
        self.addresses.is_empty() && self.mac.is_none()
    }
}

/// External connection points and where the request puts them.
struct Outside {
    by_cpd: BTreeMap<String, Vec<Spot>>,
}

impl Outside {
    fn of(flavour: &DeploymentFlavour, links: &[ExtVirtualLinkData], faults: &mut Vec<String>) -> Self {
        let mut by_cpd: BTreeMap<String, Vec<Spot>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for link in links {
            if !seen.insert(&link.id) {
                faults.push(format!("there are two external links {}", link.id));
            }
            let Ok(network) = link.resource_id.parse::<NetworkId>() else {
                faults.push(format!(
                    "external link {}: {} is no network's identifier",
                    link.id, link.resource_id
                ));
                continue;
            };
            for ext in &link.ext_cps {
                let Some(cpd) = flavour.ext_cpd(&ext.cpd_id) else {
                    let known: Vec<&str> = flavour.ext_cpds.iter().map(|cpd| cpd.id.as_str()).collect();
                    let known = known.join(", ");
                    faults.push(format!(
                        "external link {}: the VNF has no external connection point {}; it has: {known}",
                        link.id, ext.cpd_id
                    ));
                    continue;
                };
                if let ExtCpInternal::VirtualLink { virtual_link } = &cpd.internal {
                    faults.push(format!(
                        "external connection point {} exposes the internal link {virtual_link}, which is not offered; expose a VDU's",
                        cpd.id
                    ));
                    continue;
                }
                let spots = by_cpd.entry(cpd.id.clone()).or_default();
                if ext.cp_config.is_empty() {
                    let (link, vim) = (link.id.clone(), link.vim_connection_id.clone());
                    let config = cpd.id.clone();
                    spots.push(Spot {
                        link,
                        vim,
                        network,
                        config,
                        addresses: Vec::new(),
                        mac: None,
                    });
                }
                for (config, wish) in &ext.cp_config {
                    let (addresses, mac) = wished(&format!("external link {}, {config}", link.id), wish, faults);
                    let (link, vim) = (link.id.clone(), link.vim_connection_id.clone());
                    spots.push(Spot {
                        link,
                        vim,
                        network,
                        config: config.clone(),
                        addresses,
                        mac,
                    });
                }
            }
        }
        Self { by_cpd }
    }

    /// Where the connection point of the instance with this number is: each takes a configuration of its own in their order;
    /// when there are no more, the last that has no fixed addresses serves the rest.
    fn spot(&self, cpd: &str, number: u32) -> Option<&Spot> {
        let spots = self.by_cpd.get(cpd)?;
        let own = usize::try_from(number)
            .ok()
            .and_then(|number| spots.get(number.checked_sub(1)?));
        own.or_else(|| spots.iter().rev().find(|spot| spot.is_reusable()))
    }

    /// Instances beyond the configurations with fixed addresses get what the VIM chooses, on the same link.
    fn any(&self, cpd: &str) -> Option<&Spot> {
        self.by_cpd.get(cpd)?.last()
    }
}

fn wished(where_: &str, config: &VnfExtCpConfig, faults: &mut Vec<String>) -> (Vec<IpAddr>, Option<String>) {
    let (mut addresses, mut mac) = (Vec::new(), None);
    for ethernet in config
        .cp_protocol_data
        .iter()
        .filter_map(|data| data.ip_over_ethernet.as_ref())
    {
        mac = mac.or_else(|| ethernet.mac_address.clone());
        for text in ethernet.ip_addresses.iter().flat_map(|data| &data.fixed_addresses) {
            match text.parse() {
                Ok(address) => addresses.push(address),
                Err(_) => faults.push(format!("{where_}: {text} is no IP address")),
            }
        }
    }
    (addresses, mac)
}

fn check_vdu(vdu: &Vdu, outside: &Outside, flavour: &DeploymentFlavour, faults: &mut Vec<String>) {
    if vdu.kind != VduKind::VirtualMachine || vdu.compute.is_none() {
        faults.push(format!(
            "VDU {} is no virtual machine, and nothing else is offered",
            vdu.id
        ));
    }
    for cp in &vdu.connection_points {
        match (&cp.ext_cpd, &cp.virtual_link) {
            (Some(cpd), _) if outside.by_cpd.contains_key(cpd) => {}
            (_, Some(link)) if flavour.virtual_link(link).is_some() => {}
            (_, Some(link)) => faults.push(format!(
                "connection point {} is on {link}, which is no internal link",
                cp.id
            )),
            (Some(cpd), None) => {
                faults.push(format!(
                    "external connection point {cpd} is on no external link: name it in extVirtualLinks"
                ));
            }
            (None, None) => faults.push(format!("connection point {} of VDU {} is on no link", cp.id, vdu.id)),
        }
    }
}

fn port(cp: &VduCp, number: u32, outside: &Outside) -> Option<PortPlan> {
    if let Some(cpd) = &cp.ext_cpd
        && let Some(any) = outside.any(cpd)
    {
        let own = outside.spot(cpd, number);
        let spot = own.unwrap_or(any);
        return Some(PortPlan {
            cp: cp.id.clone(),
            on: Attachment::External {
                link: spot.link.clone(),
                vim: spot.vim.clone(),
                network: spot.network,
                cpd: cpd.clone(),
                config: spot.config.clone(),
            },
            addresses: own.map(|spot| spot.addresses.clone()).unwrap_or_default(),
            mac: own.and_then(|spot| spot.mac.clone()),
            former: None,
        });
    }
    let link = cp.virtual_link.clone()?;
    Some(PortPlan {
        cp: cp.id.clone(),
        on: Attachment::Internal { link },
        addresses: Vec::new(),
        mac: None,
        former: None,
    })
}

/// `<vnf>-<vdu>-<number>` as a host name: what no host name has becomes a hyphen, and what is too long loses its middle.
fn host_name(vnf: &str, vdu: &str, number: u32) -> String {
    let clean = |text: &str| {
        let text: String = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
        text.trim_matches('-').to_owned()
    };
    let mut end = format!("-{}-{number}", clean(vdu));
    let numbered = format!("-{number}");
    if end.len() > HOST_NAME_LEN_MAX / 2 {
        let head = end[..HOST_NAME_LEN_MAX / 2 - numbered.len()].trim_end_matches('-');
        end = format!("{head}{numbered}");
    }
    let mut start = clean(vnf);
    start.truncate(HOST_NAME_LEN_MAX - end.len());
    let start = start.trim_end_matches('-');
    format!("{start}{end}").trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use manifold_sol::{CpProtocolData, IpAddressData, IpAddressType, IpOverEthernetAddressData, LayerProtocol};

    use super::*;
    use crate::testing::{ext_link, gateway};

    fn fixed(address: &str) -> VnfExtCpConfig {
        let ip = IpAddressData {
            kind: IpAddressType::Ipv4,
            fixed_addresses: vec![address.to_owned()],
            ..IpAddressData::default()
        };
        let ethernet = IpOverEthernetAddressData {
            mac_address: None,
            ip_addresses: vec![ip],
        };
        let data = CpProtocolData {
            layer_protocol: LayerProtocol::IpOverEthernet,
            ip_over_ethernet: Some(ethernet),
        };
        VnfExtCpConfig {
            cp_protocol_data: vec![data],
        }
    }

    fn addresses(configs: &[(&str, VnfExtCpConfig)], instances: u32) -> Vec<(String, usize)> {
        let mut flavour = gateway().flavours.remove(0);
        flavour.vdus[0].max_number_of_instances = instances;
        let mut link = ext_link(NetworkId(uuid::Uuid::nil()), &["access"]);
        link.ext_cps[0].cp_config = configs
            .iter()
            .map(|(id, config)| ((*id).to_owned(), config.clone()))
            .collect();
        let wish = Wish {
            vnf_name: "v",
            flavour: &flavour,
            ext_links: &[link],
            counts: [("frontend".to_owned(), instances)].into(),
            have: BTreeMap::new(),
        };
        let ports = wish.lacking().unwrap().into_iter().map(|vnfc| vnfc.ports[1].clone());
        ports
            .map(|port| match port.on {
                Attachment::External { config, .. } => (config, port.addresses.len()),
                Attachment::Internal { link } => panic!("{link}"),
            })
            .collect()
    }

    #[test]
    fn each_instance_takes_a_configuration_of_its_own_and_fixed_addresses_serve_one() {
        let free = VnfExtCpConfig::default();
        let told = |all: &[(&str, usize)]| {
            all.iter()
                .map(|(id, count)| ((*id).to_owned(), *count))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            addresses(&[("a", fixed("192.0.2.1")), ("b", free.clone())], 3),
            told(&[("a", 1), ("b", 0), ("b", 0)])
        );
        assert_eq!(addresses(&[("a", fixed("192.0.2.1"))], 2), told(&[("a", 1), ("a", 0)]));
        assert_eq!(addresses(&[], 1), told(&[("access", 0)]));
    }

    #[test]
    fn a_link_is_named_by_requirement_or_connection_point() {
        let flavour = gateway().flavours.remove(0);
        for cpd in ["access", "virtual_link"] {
            let wish = Wish {
                vnf_name: "v",
                flavour: &flavour,
                ext_links: &[ext_link(NetworkId(uuid::Uuid::nil()), &[cpd])],
                counts: [("frontend".to_owned(), 1)].into(),
                have: BTreeMap::new(),
            };
            assert_eq!(wish.lacking().unwrap()[0].ports.len(), 2);
        }
    }

    #[test]
    fn new_instances_take_the_numbers_after_the_newest() {
        let flavour = gateway().flavours.remove(0);
        let wish = Wish {
            vnf_name: "v",
            flavour: &flavour,
            ext_links: &[],
            counts: [("worker".to_owned(), 4)].into(),
            have: [("worker".to_owned(), [1, 3].into())].into(),
        };
        let made: Vec<u32> = wish.lacking().unwrap().iter().map(|vnfc| vnfc.number).collect();
        assert_eq!(made, [4, 5]);
    }

    #[test]
    fn whatever_the_names_are_the_host_name_is_one() {
        for (vnf, vdu) in [
            ("My Gateway", "Worker_A"),
            ("-x-", "--"),
            ("ü", "ß"),
            ("v".repeat(200).as_str(), "d".repeat(200).as_str()),
        ] {
            let name = host_name(vnf, vdu, 12);
            assert!(!name.is_empty() && name.len() <= HOST_NAME_LEN_MAX, "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{name}"
            );
            assert!(
                !name.starts_with('-') && name.ends_with("-12") || name == "12",
                "{name}"
            );
        }
        assert_eq!(host_name("My Gateway", "worker", 2), "my-gateway-worker-2");
    }
}
