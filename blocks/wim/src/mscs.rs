//! A service, and whether it may be.

use manifold_call::{CallError, Outcome, TenantId, Uuid};
use manifold_desired::{Change, Decision, Documents};
use manifold_nfvi_interface::WanInventory;
use manifold_planning::number;
use manifold_wim_interface::{MscsData, MscsEndpoint, MscsType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Segment identifiers on the WAN (RFC 7348 4).
const WAN_VNIS: std::ops::RangeInclusive<u32> = 1..=16_777_215;
/// What VXLAN puts before an Ethernet frame, with the outer IP header and the inner Ethernet header (RFC 7348 5).
const OVERHEAD_IPV4_BYTES: u32 = 50;
const OVERHEAD_IPV6_BYTES: u32 = 70;
/// The least that carries IPv6 (RFC 8200 5).
const MTU_LEAST: u32 = 1_280;
const NAME_BYTES_MAX: usize = 255;
/// An owner's label holds as many of a tenant.
const TENANT_BYTES_MAX: usize = 40;

/// A service, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mscs {
    /// For people.
    pub name: String,
    /// In words.
    pub description: Option<String>,
    /// What it carries.
    pub kind: MscsType,
    /// In bytes.
    pub mtu: u32,
    /// In bits per second; `None` = best effort.
    pub bandwidth: Option<u64>,
    /// Two or more, in different PoPs.
    pub ends: Vec<MscsEndpoint>,
    /// Its segment on the WAN.
    pub wan_vni: u32,
}

/// What is given away of the WAN's capacity, in bits per second; services that leave hold theirs until they are gone.
pub(crate) fn allocated(services: &Documents<Mscs>) -> u64 {
    services
        .all()
        .filter_map(|(_, held)| held.body.bandwidth)
        .fold(0, u64::saturating_add)
}

pub(crate) fn check_words(tenant: &TenantId, ask: &MscsData) -> Outcome<()> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let text = tenant.as_str();
    if text.is_empty() || text.len() > TENANT_BYTES_MAX || !text.chars().all(allowed) {
        return Err(CallError::invalid(format!(
            "{text:?} is no tenant here: 1 to {TENANT_BYTES_MAX} of a-z, 0-9, - and _"
        )));
    }
    let words = [Some(&ask.mscs_name), ask.mscs_description.as_ref()];
    if words
        .into_iter()
        .flatten()
        .any(|word| word.len() > NAME_BYTES_MAX || word.chars().any(char::is_control))
    {
        return Err(CallError::invalid(format!(
            "a name is too long ({NAME_BYTES_MAX} bytes at most) or unprintable"
        )));
    }
    Ok(())
}

pub(crate) fn create(
    wan: &WanInventory,
    services: &Documents<Mscs>,
    id: Uuid,
    tenant: &TenantId,
    ask: MscsData,
) -> Outcome<Decision<Mscs>> {
    match services.find(id) {
        Some(held) if held.leaving => {
            return Err(CallError::busy(format!("MSCS {id} is being removed")).cure("repeat the call later"));
        }
        Some(_) => return Ok(Decision::Stands(vec![id])),
        None => {}
    }
    if ask.mscs_type == MscsType::L3vpn {
        return Err(CallError::unsupported(
            "services that carry IP packets are not offered; L2VPN is",
        ));
    }
    check_ends(wan, services, &ask)?;
    let total = wan.capacity_bits_per_second;
    let left = total.saturating_sub(allocated(services));
    match ask.bandwidth {
        Some(0) => {
            return Err(CallError::invalid("a bandwidth of 0 carries nothing").cure("leave it out for best effort"));
        }
        Some(wished) if wished > left => {
            return Err(CallError::exhausted(format!(
                "{wished} bit/s asked for, and {left} of {total} are left on WAN {}",
                wan.wan
            )));
        }
        _ => {}
    }
    let taken: BTreeSet<u32> = services.all().map(|(_, held)| held.body.wan_vni).collect();
    let wan_vni = number::choose(WAN_VNIS, &taken)
        .ok_or_else(|| CallError::exhausted(format!("no segment identifier is left on WAN {}", wan.wan)))?;
    let service = Mscs {
        name: ask.mscs_name,
        description: ask.mscs_description,
        kind: ask.mscs_type,
        mtu: ask.mtu_mscs,
        bandwidth: ask.bandwidth,
        ends: ask.mscs_endpoints,
        wan_vni,
    };
    Ok(Decision::Do(Change::put(id, tenant, service)))
}

fn check_ends(wan: &WanInventory, services: &Documents<Mscs>, ask: &MscsData) -> Outcome<()> {
    let count = ask.mscs_endpoints.len();
    if count < 2 {
        return Err(CallError::invalid(format!(
            "a service joins two endpoints or more, not {count}"
        )));
    }
    let mut pops = BTreeSet::new();
    let mut most = u32::MAX;
    for end in &ask.mscs_endpoints {
        let name = &end.connectivity_service_endpoint_id;
        let gateway = wan.gateways.get(name).ok_or_else(|| {
            let there: Vec<&str> = wan.gateways.keys().map(String::as_str).collect();
            CallError::not_found(format!(
                "there is no connectivity service endpoint {name} on WAN {}",
                wan.wan
            ))
            .cure(format!("it has {}", there.join(", ")))
        })?;
        if !pops.insert(&gateway.pop) {
            return Err(CallError::invalid(format!("two endpoints are in {}", gateway.pop)));
        }
        if !WAN_VNIS.contains(&end.vn_segment_id) {
            return Err(CallError::invalid(format!(
                "{} is no segment identifier",
                end.vn_segment_id
            )));
        }
        let overhead = match gateway.wan {
            IpAddr::V4(_) => OVERHEAD_IPV4_BYTES,
            IpAddr::V6(_) => OVERHEAD_IPV6_BYTES,
        };
        most = most.min(gateway.wan_mtu_bytes.saturating_sub(overhead));
        let same = |other: &MscsEndpoint| {
            other.connectivity_service_endpoint_id == *name && other.vn_segment_id == end.vn_segment_id
        };
        if services.all().any(|(_, held)| held.body.ends.iter().any(same)) {
            let segment = end.vn_segment_id;
            return Err(CallError::conflict(format!(
                "segment {segment} at {name} is a service's end already"
            )));
        }
    }
    if !(MTU_LEAST..=most).contains(&ask.mtu_mscs) {
        let mtu = ask.mtu_mscs;
        return Err(CallError::invalid(format!(
            "an MTU of {mtu} bytes; {MTU_LEAST} to {most} are possible between these endpoints"
        )));
    }
    Ok(())
}
