//! Subnets of links: `virtual-link-protocol-data`, as the standard has it.

use ipnet::IpNet;

use crate::code::Code;
use crate::fields::{Fields, Reader, Word};
use crate::link::{IpPool, IpVersion, L2ProtocolData, L3ProtocolData};

/// Layer 2 and layer 3 data of a profile.
pub(super) fn protocol_data(
    reader: &mut Reader,
    profile: &mut Fields<'_>,
) -> (Option<L2ProtocolData>, Vec<L3ProtocolData>) {
    let (mut l2, mut l3) = (None, Vec::new());
    for mut data in profile.maps(reader, "virtual-link-protocol-data", "protocol data of a link") {
        data.without_effect(reader, &["id", "associated-layer-protocol"]);
        if let Some(mut fields) = data.map(reader, "l2-protocol-data", "layer 2 data") {
            l2 = Some(layer_2(reader, &mut fields));
            fields.finish(reader);
        }
        if let Some(mut fields) = data.map(reader, "l3-protocol-data", "layer 3 data") {
            l3.extend(layer_3(reader, &mut fields));
            fields.finish(reader);
        }
        data.finish(reader);
    }
    (l2, l3)
}

fn layer_2(reader: &mut Reader, fields: &mut Fields<'_>) -> L2ProtocolData {
    L2ProtocolData {
        name: fields.text(reader, "name"),
        network_type: fields
            .text(reader, "network-type")
            .map(|kind| kind.to_ascii_lowercase()),
        vlan_transparent: fields.flag(reader, "vlan-transparent").unwrap_or(false),
        mtu_bytes: fields.count(reader, "mtu"),
        segmentation_id: fields.count(reader, "segmentation-id"),
    }
}

fn layer_3(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<L3ProtocolData> {
    let name = fields.text(reader, "name");
    let version = fields.word(reader, "ip-version");
    let cidr = fields.word(reader, "cidr");
    let gateway = fields.word(reader, "gateway-ip");
    let dhcp_enabled = fields.flag(reader, "dhcp-enabled").unwrap_or(true);
    let ipv6_address_mode = fields.text(reader, "ipv6-address-mode");
    let pools = fields.maps(reader, "ip-allocation-pool", "a pool of addresses");
    let cidr = cidr?;
    let Ok(network) = cidr.text.parse::<IpNet>() else {
        let message = format!("`{}` is no network and prefix length", cidr.text);
        reader.report.error(Code::BadAddress, cidr.span, message);
        return None;
    };
    let ip_version = match network {
        IpNet::V4(_) => IpVersion::Ipv4,
        IpNet::V6(_) => IpVersion::Ipv6,
    };
    let right = if ip_version == IpVersion::Ipv4 { "ipv4" } else { "ipv6" };
    if let Some(version) = version.filter(|version| !version.text.eq_ignore_ascii_case(right)) {
        reader
            .report
            .error(Code::BadAddress, version.span, format!("`{}` is {right}", cidr.text));
    }
    let inside = |reader: &mut Reader, word: Option<Word>| {
        let word = word?;
        let address = word.text.parse().ok().filter(|address| network.contains(address));
        if address.is_none() {
            let message = format!("`{}` is no address of {}", word.text, network.trunc());
            reader.report.error(Code::BadAddress, word.span, message);
        }
        address
    };
    let gateway_ip = inside(reader, gateway);
    let mut ip_allocation_pools = Vec::new();
    for mut pool in pools {
        let (start, end) = (
            pool.need(reader, "start-ip-address"),
            pool.need(reader, "end-ip-address"),
        );
        let span = pool.span();
        pool.finish(reader);
        match (inside(reader, start), inside(reader, end)) {
            (Some(start), Some(end)) if start <= end => ip_allocation_pools.push(IpPool { start, end }),
            (Some(_), Some(_)) => reader
                .report
                .error(Code::BadAddress, span, "the pool ends before it starts"),
            _ => {}
        }
    }
    Some(L3ProtocolData {
        name,
        ip_version,
        cidr: network.trunc(),
        ip_allocation_pools,
        gateway_ip,
        dhcp_enabled,
        ipv6_address_mode,
        place: Some(reader.report.place(cidr.span)),
    })
}
