//! External links as the fake VNFM keeps them: a port for each VNFC that exposes a connection point.

use std::collections::BTreeMap;

use manifold_call::Uuid;
use manifold_descriptors::vnfd::DeploymentFlavour;
use manifold_sol::{
    ChangeExtVnfConnectivityRequest, ExtLinkPortInfo, ExtVirtualLinkData, ExtVirtualLinkInfo, InstantiatedVnfInfo,
    ResourceHandle,
};

/// VNFCs that expose a connection point, by its descriptor.
pub(super) type Exposed = BTreeMap<String, u32>;

pub(super) fn exposed(flavour: &DeploymentFlavour, levels: &BTreeMap<String, u32>) -> Exposed {
    let mut all = Exposed::new();
    for vdu in &flavour.vdus {
        for cpd in vdu.connection_points.iter().filter_map(|cp| cp.ext_cpd.as_ref()) {
            *all.entry(cpd.clone()).or_default() += vdu.instances_at(levels);
        }
    }
    all
}

/// The port of a VNFC's connection point on a network.
fn port_id(cpd: &str, at: u32, network: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{cpd} {at} {network}").as_bytes())
}

/// The ports that a VNF has before its connection points move, and not any more afterwards.
pub(super) fn left(before: &InstantiatedVnfInfo, after: &InstantiatedVnfInfo) -> Vec<String> {
    let ports = |info: &InstantiatedVnfInfo| -> Vec<String> {
        let all = info.ext_virtual_link_info.iter().flat_map(|link| &link.ext_link_ports);
        all.map(|port| port.resource_handle.resource_id.clone()).collect()
    };
    let after = ports(after);
    ports(before).into_iter().filter(|port| !after.contains(port)).collect()
}

pub(super) fn link_info(link: &ExtVirtualLinkData, exposed: &Exposed) -> ExtVirtualLinkInfo {
    let port = |cpd: &str, at: u32| ExtLinkPortInfo {
        id: format!("port-{cpd}-{at}"),
        resource_handle: ResourceHandle {
            vim_connection_id: link.vim_connection_id.clone(),
            resource_id: port_id(cpd, at, &link.resource_id).to_string(),
            ..Default::default()
        },
        cp_instance_id: Some(cpd.to_owned()),
    };
    let ports = |cpd: &str| -> Vec<ExtLinkPortInfo> {
        let count = exposed.get(cpd).copied().unwrap_or(1);
        (1..=count).map(|at| port(cpd, at)).collect()
    };
    ExtVirtualLinkInfo {
        id: link.id.clone(),
        ext_link_ports: link.ext_cps.iter().flat_map(|cp| ports(&cp.cpd_id)).collect(),
        resource_handle: ResourceHandle {
            vim_connection_id: link.vim_connection_id.clone(),
            resource_id: link.resource_id.clone(),
            ..Default::default()
        },
        current_vnf_ext_cp_data: link.ext_cps.clone(),
    }
}

/// The ports that these links have when so many VNFCs expose them.
pub(super) fn grown(links: Vec<ExtVirtualLinkInfo>, exposed: &Exposed) -> Vec<ExtVirtualLinkInfo> {
    let links = links.into_iter().map(data);
    links.map(|link| link_info(&link, exposed)).collect()
}

fn data(link: ExtVirtualLinkInfo) -> ExtVirtualLinkData {
    ExtVirtualLinkData {
        id: link.id,
        vim_connection_id: link.resource_handle.vim_connection_id,
        resource_id: link.resource_handle.resource_id,
        ext_cps: link.current_vnf_ext_cp_data,
    }
}

/// Connection points that are named go where they are named, sorted, so that there and back again is where they were.
pub(super) fn reconnect(info: &mut InstantiatedVnfInfo, change: ChangeExtVnfConnectivityRequest, exposed: &Exposed) {
    let links = std::mem::take(&mut info.ext_virtual_link_info);
    let mut links: Vec<ExtVirtualLinkData> = links.into_iter().map(data).collect();
    for to in change.ext_virtual_links {
        for link in &mut links {
            link.ext_cps
                .retain(|cp| to.ext_cps.iter().all(|new| new.cpd_id != cp.cpd_id));
        }
        match links.iter_mut().find(|link| link.id == to.id) {
            Some(link) => link.ext_cps.extend(to.ext_cps),
            None => links.push(to),
        }
    }
    links.retain(|link| !link.ext_cps.is_empty());
    links.sort_by(|a, b| a.id.cmp(&b.id));
    links
        .iter_mut()
        .for_each(|link| link.ext_cps.sort_by(|a, b| a.cpd_id.cmp(&b.cpd_id)));
    info.ext_virtual_link_info = links.iter().map(|link| link_info(link, exposed)).collect();
}
