//! External links as the fake VNFM keeps them.

use manifold_call::Uuid;
use manifold_sol::{
    ChangeExtVnfConnectivityRequest, ExtLinkPortInfo, ExtVirtualLinkData, ExtVirtualLinkInfo, InstantiatedVnfInfo,
    ResourceHandle,
};

/// The port of a connection point on a network.
fn port_id(cpd: &str, network: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{cpd} {network}").as_bytes())
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

pub(super) fn link_info(link: &ExtVirtualLinkData) -> ExtVirtualLinkInfo {
    ExtVirtualLinkInfo {
        id: link.id.clone(),
        ext_link_ports: link
            .ext_cps
            .iter()
            .map(|cp| ExtLinkPortInfo {
                id: format!("port-{}", cp.cpd_id),
                resource_handle: ResourceHandle {
                    vim_connection_id: link.vim_connection_id.clone(),
                    resource_id: port_id(&cp.cpd_id, &link.resource_id).to_string(),
                    ..Default::default()
                },
                cp_instance_id: Some(cp.cpd_id.clone()),
            })
            .collect(),
        resource_handle: ResourceHandle {
            vim_connection_id: link.vim_connection_id.clone(),
            resource_id: link.resource_id.clone(),
            ..Default::default()
        },
        current_vnf_ext_cp_data: link.ext_cps.clone(),
    }
}

/// Connection points that are named go where they are named, sorted, so that there and back again is where they were.
pub(super) fn reconnect(info: &mut InstantiatedVnfInfo, change: ChangeExtVnfConnectivityRequest) {
    let links = std::mem::take(&mut info.ext_virtual_link_info);
    let mut links: Vec<ExtVirtualLinkData> = links
        .into_iter()
        .map(|link| ExtVirtualLinkData {
            id: link.id,
            vim_connection_id: link.resource_handle.vim_connection_id,
            resource_id: link.resource_handle.resource_id,
            ext_cps: link.current_vnf_ext_cp_data,
        })
        .collect();
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
    info.ext_virtual_link_info = links.iter().map(link_info).collect();
}
