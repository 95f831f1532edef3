//! From services to wishes: pure.

use crate::mscs::Mscs;
use manifold_call::Uuid;
use manifold_desired::{Documents, Wished};
use manifold_nfvi_interface::{ObjectId, Owner, StitchWish, WanGateway, WanInventory, Wish, WishKind, gateway_segment};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The label of a WIM's objects.
pub(crate) fn manager(wim_id: &str) -> String {
    format!("wim/{wim_id}")
}

/// A stitch at each end of each standing service.
pub fn wishes(wim_id: &str, wan: &WanInventory, services: &Documents<Mscs>) -> Vec<Wished<Wish>> {
    let mut wishes = Vec::new();
    for (id, held) in services.standing() {
        let service = &held.body;
        let ends: Vec<(u32, &WanGateway)> = service
            .ends
            .iter()
            .filter_map(|end| {
                Some((
                    end.vn_segment_id,
                    wan.gateways.get(&end.connectivity_service_endpoint_id)?,
                ))
            })
            .collect();
        for (vni, gateway) in &ends {
            let others = ends
                .iter()
                .map(|(_, other)| other.wan)
                .filter(|address| *address != gateway.wan);
            let peers: BTreeSet<IpAddr> = others.collect();
            let stitch = StitchWish {
                segment: gateway_segment(gateway.node, *vni),
                wan_vni: service.wan_vni,
                local: gateway.wan,
                peers: peers.into_iter().collect(),
                rate_bits_per_second: service.bandwidth,
            };
            let object = stitch_id(id, gateway.node);
            let owner = Owner {
                manager: manager(wim_id),
                tenant: Some(held.tenant.clone()),
            };
            let wish = Wish {
                id: object,
                owner,
                kind: WishKind::Stitch(stitch),
            };
            wishes.push(Wished {
                id: object.0,
                wish,
                documents: vec![id],
            });
        }
    }
    wishes
}

fn stitch_id(service: Uuid, gateway: ObjectId) -> ObjectId {
    ObjectId::named(service, &format!("stitch {gateway}"))
}
