//! From a correct file to wishes and inventories.

use crate::Lab;
use crate::file::{Family, FunctionEntry, LabFile, PopEntry, ProviderEntry};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use manifold_call::Uuid;
use manifold_nfvi_interface::{
    AccessPointInventory, CableEnd, CableWish, FunctionInventory, GatewayInventory, HostInventory, NodeRole,
    NodeService, NodeWish, ObjectId, Owner, PopInventory, ProviderNetworkInventory, SwitchWish, WanGateway,
    WanInventory, Wish, WishKind,
};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Ids of labs are made in this space of names.
const LABS: Uuid = Uuid::from_u128(0x6d61_6e69_666f_6c64_8000_6c61_6273_0001);
/// The gateway's number in its PoP's underlay, and the lowest on the WAN.
const FIRST: u8 = 1;
/// The first host's number in its PoP's underlay; those below are for equipment.
const FIRST_HOST: u8 = 11;
/// Beside the PoPs' numbers, which are below 100.
const WAN_NUMBER: u8 = 127;

pub(crate) fn build(file: &LabFile) -> Lab {
    let name = file.name.get_ref().clone();
    let mut builder = Builder {
        space: Uuid::new_v5(&LABS, name.as_bytes()),
        owner: Owner {
            manager: crate::manager(&name),
            tenant: None,
        },
        family: file.underlay,
        underlay_mtu: *file.underlay_mtu.get_ref(),
        wishes: Vec::new(),
    };
    let mut wan = file.wan.as_ref().map(|entry| {
        let node = builder.node(entry.name.get_ref(), NodeRole::Wan, Vec::new());
        let switch = builder.switch(entry.name.get_ref(), node, *entry.mtu.get_ref());
        let inventory = WanInventory {
            wan: entry.name.get_ref().clone(),
            gateways: BTreeMap::new(),
            capacity_bits_per_second: entry.capacity_mbit_per_second.get_ref().saturating_mul(1_000_000),
        };
        Wan {
            node,
            switch,
            mtu: *entry.mtu.get_ref(),
            inventory,
        }
    });
    let pops = (0u8..)
        .zip(&file.pop)
        .map(|(number, pop)| builder.pop(number, pop, wan.as_mut()))
        .collect();
    Lab {
        name,
        wishes: builder.wishes,
        pops,
        wan: wan.map(|wan| wan.inventory),
    }
}

struct Wan {
    node: ObjectId,
    switch: ObjectId,
    mtu: u32,
    inventory: WanInventory,
}

struct Builder {
    space: Uuid,
    owner: Owner,
    family: Family,
    underlay_mtu: u32,
    wishes: Vec<Wish>,
}

impl Builder {
    fn pop(&mut self, number: u8, pop: &PopEntry, wan: Option<&mut Wan>) -> PopInventory {
        let site = pop.name.get_ref();
        let underlay = format!("{site}/underlay");
        let fabric = self.node(&underlay, NodeRole::Fabric, Vec::new());
        let switch = self.switch(&underlay, fabric, self.underlay_mtu);

        let mut hosts: Vec<HostInventory> = (FIRST_HOST..)
            .zip(&pop.host)
            .map(|(at, entry)| {
                let name = entry.name.get_ref();
                let node = self.node(&format!("{site}/{name}"), NodeRole::Host, Vec::new());
                let address = self.address(number, at);
                let here = end(node, "underlay", vec![address]);
                self.cable(here, port(fabric, name, switch), self.underlay_mtu);
                HostInventory {
                    node,
                    name: name.clone(),
                    zone: entry.zone.get_ref().clone(),
                    underlay: address.addr(),
                    underlay_mtu_bytes: self.underlay_mtu,
                    vcpus: *entry.vcpus.get_ref(),
                    memory_mib: *entry.memory_mib.get_ref(),
                    provider_cables: BTreeMap::new(),
                }
            })
            .collect();

        let gateway = pop.gateway.as_ref().zip(wan).map(|(entry, wan)| {
            let name = entry.name.get_ref();
            let node = self.node(&format!("{site}/{name}"), NodeRole::Gateway, Vec::new());
            let inside = self.address(number, FIRST);
            let outside = self.address(WAN_NUMBER, FIRST.saturating_add(number));
            self.cable(
                end(node, "underlay", vec![inside]),
                port(fabric, name, switch),
                self.underlay_mtu,
            );
            self.cable(
                end(node, "wan", vec![outside]),
                port(wan.node, site, wan.switch),
                wan.mtu,
            );
            let endpoint = format!("{site}/{name}");
            wan.inventory.gateways.insert(
                endpoint.clone(),
                WanGateway {
                    pop: site.clone(),
                    node,
                    wan: outside.addr(),
                    wan_mtu_bytes: wan.mtu,
                },
            );
            GatewayInventory {
                node,
                underlay: inside.addr(),
                wan: outside.addr(),
                wan_mtu_bytes: wan.mtu,
                connectivity_service_endpoint: endpoint,
            }
        });

        let provider_networks = pop
            .provider_network
            .iter()
            .map(|entry| self.provider_network(site, entry, &mut hosts))
            .collect();
        let access_points = pop
            .access_point
            .iter()
            .filter_map(|entry| {
                let name = entry.name.get_ref();
                let node = self.node(&format!("{site}/{name}"), NodeRole::Access, Vec::new());
                let host = hosts.iter().find(|host| host.name == *entry.host.get_ref())?.node;
                Some(AccessPointInventory {
                    name: name.clone(),
                    node,
                    host,
                })
            })
            .collect();

        let mut zones: Vec<String> = hosts.iter().map(|host| host.zone.clone()).collect();
        zones.sort();
        zones.dedup();
        PopInventory {
            pop: site.clone(),
            location: pop.location.clone(),
            zones,
            hosts,
            gateway,
            provider_networks,
            access_points,
        }
    }

    fn provider_network(
        &mut self,
        site: &str,
        entry: &ProviderEntry,
        hosts: &mut [HostInventory],
    ) -> ProviderNetworkInventory {
        let name = entry.name.get_ref();
        let full = format!("{site}/{name}");
        let mtu = *entry.mtu.get_ref();
        let node = self.node(&full, NodeRole::Fabric, Vec::new());
        let switch = self.switch(&full, node, mtu);
        for host in hosts
            .iter_mut()
            .filter(|host| entry.hosts.iter().any(|named| *named.get_ref() == host.name))
        {
            let there = port(node, &host.name, switch);
            let cable = self.cable(end(host.node, &format!("pn-{name}"), Vec::new()), there, mtu);
            host.provider_cables.insert(name.clone(), cable);
        }
        let functions = entry
            .function
            .iter()
            .map(|function| {
                let function_node = self.function(site, function);
                let addresses: Vec<IpNet> = function.addresses.iter().map(|address| *address.get_ref()).collect();
                let there = port(node, function.name.get_ref(), switch);
                self.cable(end(function_node, "eth0", addresses.clone()), there, mtu);
                FunctionInventory {
                    node: function_node,
                    name: function.name.get_ref().clone(),
                    addresses: addresses.iter().map(IpNet::addr).collect(),
                }
            })
            .collect();
        ProviderNetworkInventory {
            name: name.clone(),
            mtu_bytes: mtu,
            functions,
        }
    }

    fn function(&mut self, site: &str, entry: &FunctionEntry) -> ObjectId {
        let name = entry.name.get_ref();
        let services = entry.http_port.as_ref().map(|port| NodeService::Http {
            port: *port.get_ref(),
            body: format!("{name} of {site}\n"),
        });
        self.node(
            &format!("{site}/{name}"),
            NodeRole::Function,
            services.into_iter().collect(),
        )
    }

    fn node(&mut self, name: &str, role: NodeRole, services: Vec<NodeService>) -> ObjectId {
        let id = ObjectId::named(self.space, &format!("node {name}"));
        // Gateways join virtual networks to the WAN by bridging; nothing in a lab routes between its own links.
        let node = NodeWish {
            name: format!("{}/{name}", self.lab_name()),
            role,
            forwarding: false,
            services,
        };
        self.wish(id, WishKind::Node(node))
    }

    fn switch(&mut self, name: &str, node: ObjectId, mtu_bytes: u32) -> ObjectId {
        let id = ObjectId::named(self.space, &format!("switch {name}"));
        self.wish(id, WishKind::Switch(SwitchWish { node, mtu_bytes }))
    }

    fn cable(&mut self, here: CableEnd, there: CableEnd, mtu_bytes: u32) -> ObjectId {
        let id = ObjectId::named(self.space, &format!("cable {} {}", here.node, here.interface));
        let cable = CableWish {
            ends: [here, there],
            mtu_bytes,
            rate_bits_per_second: None,
        };
        self.wish(id, WishKind::Cable(cable))
    }

    fn wish(&mut self, id: ObjectId, kind: WishKind) -> ObjectId {
        self.wishes.push(Wish {
            id,
            owner: self.owner.clone(),
            kind,
        });
        id
    }

    fn lab_name(&self) -> &str {
        self.owner.manager.trim_start_matches("lab/")
    }

    /// 100.64.0.0/10 (RFC 6598) and fd6c:6162::/32 (RFC 4193): nobody's, and apart from what tenants like to use.
    fn address(&self, network: u8, host: u8) -> IpNet {
        match self.family {
            Family::Ipv4 => {
                let address = Ipv4Addr::new(100, 64, network, host);
                IpNet::V4(Ipv4Net::new(address, 24).expect("24 is a prefix length of IPv4"))
            }
            Family::Ipv6 => {
                let address = Ipv6Addr::new(0xfd6c, 0x6162, 0, network.into(), 0, 0, 0, host.into());
                IpNet::V6(Ipv6Net::new(address, 64).expect("64 is a prefix length of IPv6"))
            }
        }
    }
}

fn end(node: ObjectId, interface: &str, addresses: Vec<IpNet>) -> CableEnd {
    CableEnd {
        node,
        interface: interface.to_owned(),
        addresses,
        switch: None,
        routes: Vec::new(),
    }
}

/// A switch's port, named for what is at the other end.
fn port(node: ObjectId, other: &str, switch: ObjectId) -> CableEnd {
    CableEnd {
        node,
        interface: format!("to-{other}"),
        addresses: Vec::new(),
        switch: Some(switch),
        routes: Vec::new(),
    }
}
