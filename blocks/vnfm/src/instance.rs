//! A VNF instance: the document that is kept of it, and SOL003's `VnfInstance` made of that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use manifold_call::{CallError, OccurrenceId, Outcome};
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_lcm::StepError;
use manifold_sol::{
    CpProtocolInfo, ExtLinkPortInfo, ExtVirtualLinkData, ExtVirtualLinkInfo, InstantiatedVnfInfo, InstantiationState,
    IpAddressInfo, IpAddressType, IpOverEthernetAddressInfo, LayerProtocol, ResourceHandle, ScaleInfo,
    VimConnectionInfo, VnfExtCpInfo, VnfInstance, VnfLinkPortInfo, VnfState, VnfVirtualLinkResourceInfo, VnfcCpInfo,
    VnfcInfo, VnfcResourceInfo,
};
use manifold_store::{Doc, Expect, Kind, Put, Sealed, Write};
use manifold_vim_interface::{ComputeId, NetworkId, PortId};
use manifold_vnfm_interface::VnfInstanceId;
use serde::{Deserialize, Serialize};

/// The kind of the instances' documents, which the operations work on.
pub const INSTANCE: Kind = Kind("vnf.instance");

/// The form of the document; another form is not read.
const FORMAT: u32 = 1;

/// What is kept of a VNF instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) format: u32,
    pub(crate) id: VnfInstanceId,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) vnfd_id: String,
    pub(crate) vnfd_version: String,
    pub(crate) provider: String,
    pub(crate) product_name: String,
    pub(crate) software_version: String,
    pub(crate) metadata: BTreeMap<String, serde_json::Value>,
    /// The last operation that was started. Each start writes it, so that whoever read the document before loses the race.
    pub(crate) operation: Option<OccurrenceId>,
    /// `None`: NOT_INSTANTIATED.
    pub(crate) instantiated: Option<Instantiated>,
}

/// What an instantiated VNF consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instantiated {
    /// As it was when the VNF was instantiated, without boot data: the package may go, the VNF must still scale and heal.
    pub(crate) flavour: DeploymentFlavour,
    /// Boot data by VDU.
    pub(crate) user_data: BTreeMap<String, Sealed>,
    pub(crate) scale_levels: BTreeMap<String, u32>,
    pub(crate) ext_links: Vec<ExtVirtualLinkData>,
    /// Every VIM that may hold something of it.
    pub(crate) vims: BTreeSet<String>,
    pub(crate) networks: Vec<Network>,
    pub(crate) vnfcs: Vec<Vnfc>,
}

/// The network of an internal link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) link: String,
    pub(crate) vim: String,
    pub(crate) id: NetworkId,
}

/// A VNFC instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vnfc {
    /// `<vdu>-<number>`.
    pub(crate) id: String,
    pub(crate) vdu: String,
    /// From 1; higher is newer.
    pub(crate) number: u32,
    pub(crate) host_name: String,
    /// In the order of the machine's interfaces.
    pub(crate) ports: Vec<Port>,
    /// The last port of each connection point on each network that it has left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) former: Vec<Port>,
    /// `None` when an operation was given up before it had one; healing makes it.
    pub(crate) machine: Option<Machine>,
}

/// A machine at its VIM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) vim: String,
    pub(crate) id: ComputeId,
    pub(crate) zone: String,
    pub(crate) host: String,
}

/// A port of a VNFC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Port {
    pub(crate) cp: String,
    pub(crate) vim: String,
    pub(crate) id: PortId,
    pub(crate) network: NetworkId,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) mac: String,
    pub(crate) on: Attachment,
}

/// What a connection point is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub(crate) enum Attachment {
    /// An internal link.
    Internal {
        /// Its descriptor.
        link: String,
    },
    /// A network outside the VNF.
    External {
        /// The consumer's name of the external link.
        link: String,
        /// Its VIM, where the consumer said so.
        vim: Option<String>,
        network: NetworkId,
        /// The external connection point's descriptor.
        cpd: String,
        /// The configuration that it was given.
        config: String,
    },
}

impl Instance {
    pub(crate) fn new(id: VnfInstanceId, vnfd: &manifold_descriptors::Vnfd, vnfd_id: String) -> Self {
        Self {
            format: FORMAT,
            id,
            name: None,
            description: None,
            vnfd_id,
            vnfd_version: vnfd.descriptor_version.clone(),
            provider: vnfd.provider.clone(),
            product_name: vnfd.product_name.clone(),
            software_version: vnfd.software_version.clone(),
            metadata: BTreeMap::new(),
            operation: None,
            instantiated: None,
        }
    }

    /// Reads a document. Errors: it has another form.
    pub(crate) fn read(doc: &Doc) -> Result<Self, StepError> {
        let instance: Self = doc.read()?;
        if instance.format == FORMAT {
            Ok(instance)
        } else {
            Err(StepError::internal(format!(
                "VNF instance {} has form {}, and this program knows form {FORMAT}",
                doc.id, instance.format
            )))
        }
    }

    /// The write that makes the document.
    pub(crate) fn first_put(&self, tenant: &str) -> Outcome<Put> {
        let put = Put::new(INSTANCE, self.id.to_string(), Expect::Absent, self.body()?);
        Ok(self.indexed(put.tenant(Some(tenant))))
    }

    /// The write that replaces what was read.
    pub(crate) fn put(&self, read: &Doc) -> Outcome<Write> {
        Ok(self.indexed(read.replace(self.body()?)).into())
    }

    fn body(&self) -> Outcome<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|error| CallError::internal("a VNF instance has no JSON form").caused_by(error))
    }

    fn indexed(&self, put: Put) -> Put {
        put.index("vnfd", &self.vnfd_id)
    }

    /// The name for people and machines: the one given, else one made of the identifier.
    pub(crate) fn display_name(&self) -> String {
        // The end of the identifier: its beginning is the time, which neighbours share.
        let id = self.id.to_string();
        self.name
            .clone()
            .unwrap_or_else(|| format!("vnf-{}", &id[id.len() - 8..]))
    }

    /// What it consists of. Errors: `Conflict`, it is NOT_INSTANTIATED.
    pub(crate) fn resources(&self) -> Outcome<&Instantiated> {
        self.instantiated.as_ref().ok_or_else(|| {
            CallError::conflict(format!("VNF instance {} is NOT_INSTANTIATED", self.id)).cure("instantiate it first")
        })
    }

    /// As SOL003 shows it.
    pub(crate) fn to_sol(&self) -> VnfInstance {
        let vims = self.instantiated.iter().flat_map(|instantiated| &instantiated.vims);
        let connection = |vim: &String| {
            let info = VimConnectionInfo {
                vim_id: Some(vim.clone()),
                vim_type: "MANIFOLD.VIM.V_1".to_owned(),
            };
            (vim.clone(), info)
        };
        VnfInstance {
            id: self.id.to_string(),
            vnf_instance_name: self.name.clone(),
            vnf_instance_description: self.description.clone(),
            vnfd_id: self.vnfd_id.clone(),
            vnf_provider: self.provider.clone(),
            vnf_product_name: self.product_name.clone(),
            vnf_software_version: self.software_version.clone(),
            vnfd_version: self.vnfd_version.clone(),
            vim_connection_info: vims.map(connection).collect(),
            instantiation_state: match self.instantiated {
                None => InstantiationState::NotInstantiated,
                Some(_) => InstantiationState::Instantiated,
            },
            instantiated_vnf_info: self.instantiated.as_ref().map(Instantiated::to_sol),
            metadata: self.metadata.clone(),
        }
    }
}

impl Instantiated {
    pub(crate) fn vnfc(&self, id: &str) -> Option<&Vnfc> {
        self.vnfcs.iter().find(|vnfc| vnfc.id == id)
    }

    /// The numbers of the instances of each VDU.
    pub(crate) fn numbers(&self) -> BTreeMap<String, BTreeSet<u32>> {
        let mut numbers: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for vnfc in &self.vnfcs {
            numbers.entry(vnfc.vdu.clone()).or_default().insert(vnfc.number);
        }
        numbers
    }

    fn to_sol(&self) -> InstantiatedVnfInfo {
        let scale = |aspect_id: &String, scale_level: u32| ScaleInfo {
            aspect_id: aspect_id.clone(),
            scale_level,
        };
        let ports = || {
            self.vnfcs
                .iter()
                .flat_map(|vnfc| vnfc.ports.iter().map(move |port| (vnfc, port)))
        };
        let state = |vnfc: &Vnfc| {
            if vnfc.machine.is_some() {
                VnfState::Started
            } else {
                VnfState::Stopped
            }
        };
        InstantiatedVnfInfo {
            flavour_id: self.flavour.id.clone(),
            vnf_state: VnfState::Started,
            scale_status: self
                .scale_levels
                .iter()
                .map(|(aspect, level)| scale(aspect, *level))
                .collect(),
            max_scale_levels: self
                .flavour
                .scaling_aspects
                .iter()
                .map(|(id, aspect)| scale(id, aspect.max_scale_level))
                .collect(),
            ext_cp_info: ports().filter_map(|(vnfc, port)| port.ext_cp_info(vnfc)).collect(),
            ext_virtual_link_info: self.ext_links.iter().map(|link| self.ext_link_info(link)).collect(),
            vnfc_resource_info: self.vnfcs.iter().filter_map(Vnfc::resource_info).collect(),
            vnf_virtual_link_resource_info: self.networks.iter().map(|network| self.link_info(network)).collect(),
            vnfc_info: self
                .vnfcs
                .iter()
                .map(|vnfc| VnfcInfo {
                    id: vnfc.id.clone(),
                    vdu_id: vnfc.vdu.clone(),
                    vnfc_resource_info_id: vnfc.machine.as_ref().map(|_| vnfc.id.clone()),
                    vnfc_state: state(vnfc),
                })
                .collect(),
        }
    }

    fn ext_link_info(&self, link: &ExtVirtualLinkData) -> ExtVirtualLinkInfo {
        let on_it = |port: &Port| matches!(&port.on, Attachment::External { link: id, .. } if *id == link.id);
        let mut ports = Vec::new();
        for vnfc in &self.vnfcs {
            for port in vnfc.ports.iter().filter(|port| on_it(port)) {
                ports.push(ExtLinkPortInfo {
                    id: port.id.to_string(),
                    resource_handle: port.handle(),
                    cp_instance_id: Some(port.ext_cp_id(vnfc)),
                });
            }
        }
        let port_vim = self
            .vnfcs
            .iter()
            .flat_map(|vnfc| &vnfc.ports)
            .find(|port| on_it(port))
            .map(|port| &port.vim);
        ExtVirtualLinkInfo {
            id: link.id.clone(),
            resource_handle: ResourceHandle {
                vim_connection_id: link.vim_connection_id.clone().or_else(|| port_vim.cloned()),
                resource_id: link.resource_id.clone(),
                vim_level_resource_type: Some("network".to_owned()),
                ..ResourceHandle::default()
            },
            ext_link_ports: ports,
            current_vnf_ext_cp_data: link.ext_cps.clone(),
        }
    }

    fn link_info(&self, network: &Network) -> VnfVirtualLinkResourceInfo {
        let mut ports = Vec::new();
        for vnfc in &self.vnfcs {
            for port in vnfc.ports.iter().filter(|port| port.network == network.id) {
                ports.push(VnfLinkPortInfo {
                    id: port.id.to_string(),
                    resource_handle: port.handle(),
                    cp_instance_id: Some(port.cp_id(vnfc)),
                });
            }
        }
        VnfVirtualLinkResourceInfo {
            id: network.link.clone(),
            vnf_virtual_link_desc_id: network.link.clone(),
            network_resource: network.handle(),
            vnf_link_ports: ports,
        }
    }
}

impl Vnfc {
    fn resource_info(&self) -> Option<VnfcResourceInfo> {
        let machine = self.machine.as_ref()?;
        let cp = |port: &Port| {
            let external = matches!(port.on, Attachment::External { .. });
            VnfcCpInfo {
                id: port.cp_id(self),
                cpd_id: port.cp.clone(),
                vnf_ext_cp_id: external.then(|| port.ext_cp_id(self)),
                cp_protocol_info: port.protocol_info(),
                vnf_link_port_id: (!external).then(|| port.id.to_string()),
            }
        };
        let metadata = [("name", &self.host_name), ("host", &machine.host)];
        Some(VnfcResourceInfo {
            id: self.id.clone(),
            vdu_id: self.vdu.clone(),
            compute_resource: machine.handle(),
            zone_id: Some(machine.zone.clone()),
            vnfc_cp_info: self.ports.iter().map(cp).collect(),
            metadata: metadata
                .map(|(key, value)| (key.to_owned(), value.as_str().into()))
                .into(),
        })
    }
}

impl Machine {
    pub(crate) fn handle(&self) -> ResourceHandle {
        handle(&self.vim, &self.id, "compute")
    }
}

impl Network {
    pub(crate) fn handle(&self) -> ResourceHandle {
        handle(&self.vim, &self.id, "network")
    }
}

impl Port {
    pub(crate) fn handle(&self) -> ResourceHandle {
        handle(&self.vim, &self.id, "port")
    }

    fn cp_id(&self, vnfc: &Vnfc) -> String {
        format!("{}:{}", vnfc.id, self.cp)
    }

    fn ext_cp_id(&self, vnfc: &Vnfc) -> String {
        format!("{}:{}:ext", vnfc.id, self.cp)
    }

    fn ext_cp_info(&self, vnfc: &Vnfc) -> Option<VnfExtCpInfo> {
        let Attachment::External { cpd, config, .. } = &self.on else {
            return None;
        };
        Some(VnfExtCpInfo {
            id: self.ext_cp_id(vnfc),
            cpd_id: cpd.clone(),
            cp_config_id: config.clone(),
            cp_protocol_info: self.protocol_info(),
            ext_link_port_id: Some(self.id.to_string()),
            associated_vnfc_cp_id: Some(self.cp_id(vnfc)),
        })
    }

    fn protocol_info(&self) -> Vec<CpProtocolInfo> {
        let of = |kind, wanted: fn(&IpAddr) -> bool| {
            let addresses: Vec<String> = self
                .addresses
                .iter()
                .filter(|ip| wanted(ip))
                .map(IpAddr::to_string)
                .collect();
            (!addresses.is_empty()).then_some(IpAddressInfo {
                kind,
                addresses,
                is_dynamic: None,
            })
        };
        let ip_addresses = [
            of(IpAddressType::Ipv4, IpAddr::is_ipv4),
            of(IpAddressType::Ipv6, IpAddr::is_ipv6),
        ]
        .into_iter()
        .flatten();
        vec![CpProtocolInfo {
            layer_protocol: LayerProtocol::IpOverEthernet,
            ip_over_ethernet: Some(IpOverEthernetAddressInfo {
                mac_address: Some(self.mac.clone()),
                ip_addresses: ip_addresses.collect(),
            }),
        }]
    }
}

fn handle(vim: &str, id: &impl ToString, kind: &str) -> ResourceHandle {
    ResourceHandle {
        vim_connection_id: Some(vim.to_owned()),
        resource_id: id.to_string(),
        vim_level_resource_type: Some(kind.to_owned()),
        ..ResourceHandle::default()
    }
}
