//! What a lab consists of, for people and for scripts.

use crate::Lab;
use serde::Serialize;
use std::fmt;
use std::net::IpAddr;

/// A lab at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Show {
    /// Its name.
    pub name: String,
    /// Its PoPs.
    pub pops: Vec<ShowPop>,
    /// Its WAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wan: Option<ShowWan>,
}

/// A PoP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShowPop {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub location: String,
    /// Its hosts.
    pub hosts: Vec<ShowHost>,
    /// Its gateway's connectivity service endpoint and address on the WAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<(String, IpAddr)>,
    /// Its physical functions.
    pub functions: Vec<ShowFunction>,
    /// Its access points.
    pub access_points: Vec<String>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShowHost {
    /// Its name.
    pub name: String,
    /// The zone that it is in.
    pub zone: String,
    /// Its address on the underlay.
    pub underlay: IpAddr,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// In mebibytes.
    pub memory_mib: u64,
    /// The provider networks that it reaches.
    pub provider_networks: Vec<String>,
}

/// A physical function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShowFunction {
    /// Its name.
    pub name: String,
    /// The provider network that it is on.
    pub provider_network: String,
    /// Its addresses there.
    pub addresses: Vec<IpAddr>,
}

/// The WAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShowWan {
    /// Its name.
    pub name: String,
    /// In bits per second.
    pub capacity_bits_per_second: u64,
    /// The connectivity service endpoints that it joins.
    pub endpoints: Vec<String>,
}

impl Lab {
    /// The lab at a glance. It prints as a table.
    pub fn show(&self) -> Show {
        let pops = self.pops.iter().map(|pop| ShowPop {
            name: pop.pop.clone(),
            location: pop.location.clone(),
            hosts: pop
                .hosts
                .iter()
                .map(|host| ShowHost {
                    name: host.name.clone(),
                    zone: host.zone.clone(),
                    underlay: host.underlay,
                    vcpus: host.vcpus,
                    memory_mib: host.memory_mib,
                    provider_networks: host.provider_cables.keys().cloned().collect(),
                })
                .collect(),
            gateway: pop
                .gateway
                .as_ref()
                .map(|gateway| (gateway.connectivity_service_endpoint.clone(), gateway.wan)),
            functions: pop
                .provider_networks
                .iter()
                .flat_map(|network| {
                    network.functions.iter().map(|function| ShowFunction {
                        name: function.name.clone(),
                        provider_network: network.name.clone(),
                        addresses: function.addresses.clone(),
                    })
                })
                .collect(),
            access_points: pop.access_points.iter().map(|access| access.name.clone()).collect(),
        });
        Show {
            name: self.name.clone(),
            pops: pops.collect(),
            wan: self.wan.as_ref().map(|wan| ShowWan {
                name: wan.wan.clone(),
                capacity_bits_per_second: wan.capacity_bits_per_second,
                endpoints: wan.gateways.keys().cloned().collect(),
            }),
        }
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lab {}", self.name)?;
        let mut row = |pop: &str, what: &str, name: &str, rest: String| {
            writeln!(f, "  {pop:<12}  {what:<12}  {name:<20}  {rest}")
        };
        for pop in &self.pops {
            for host in &pop.hosts {
                let mut rest = format!(
                    "{}  {}  {} vCPU  {} MiB",
                    host.underlay, host.zone, host.vcpus, host.memory_mib
                );
                if !host.provider_networks.is_empty() {
                    rest = format!("{rest}  on {}", host.provider_networks.join(", "));
                }
                row(&pop.name, "host", &host.name, rest)?;
            }
            if let Some((endpoint, address)) = &pop.gateway {
                row(&pop.name, "gateway", endpoint, address.to_string())?;
            }
            for function in &pop.functions {
                let addresses: Vec<String> = function.addresses.iter().map(IpAddr::to_string).collect();
                let rest = format!("{}  on {}", addresses.join(", "), function.provider_network);
                row(&pop.name, "function", &function.name, rest)?;
            }
            for access in &pop.access_points {
                row(&pop.name, "access point", access, String::new())?;
            }
        }
        if let Some(wan) = &self.wan {
            let rest = format!(
                "{} Mbit/s  joins {}",
                wan.capacity_bits_per_second / 1_000_000,
                wan.endpoints.join(", ")
            );
            row("", "wan", &wan.name, rest)?;
        }
        Ok(())
    }
}
