//! OpenMANO: VNFs of schema 0.1 and 0.2, scenarios of 0.1, 0.2 and 0.3, read into the models that SOL001 is read into.
//!
//! ```text
//! vnf ─┬─< external-connections ──> VnfExtCpd (requirement: its name)      scenario ─┬─< vnfs ──> VnfProfile (vnfd: vnf_name)
//!      ├─< internal-connections ──> VnfVirtualLink                                   ├─< networks ──> NsVirtualLink
//!      └─< VNFC ──> Vdu ─< bridge-ifaces, numas/interfaces ──> VduCp                 └─ external: true ──> Sap
//! ```
//! What OpenMANO does not say and the models need: a VNF's descriptor id is its name, its provider is [`PROVIDER`], its versions are
//! [`VERSION`], its one deployment flavour is [`FLAVOUR`]. A connection point of a VNFC is called `VNFC-interface`, because names of
//! interfaces are each VNFC's own.

use crate::code::Code;
use crate::describe::Descriptor;
use crate::diagnostic::Diagnostics;
use crate::fields::{Fields, Reader};
use crate::formats::{Kind, detect};
use crate::link::{IpPool, IpVersion, L3ProtocolData};
use crate::nsd::Nsd;
use crate::yaml;

pub(crate) mod scenario;
pub(crate) mod vnf;
mod vnfc;

/// Provider of what names none.
pub const PROVIDER: &str = "unstated";

/// Version of what states none.
pub const VERSION: &str = "1.0";

/// The deployment flavour of what has no flavours.
pub const FLAVOUR: &str = "default";

/// Any VNFM of this major version, as SOL001 spells it: for what names none.
pub(crate) const ANY_VNFM: &str = "etsivnfm:v2.0.0";

/// Reads a scenario. Errors: all that is wrong with it. Beside it, the warnings.
pub fn read_scenario(file: &str, bytes: &[u8]) -> Result<(Nsd, Diagnostics), Diagnostics> {
    let mut reader = Reader::default();
    let root = yaml::parse(&mut reader.report, file, bytes);
    let nsd = root.and_then(|root| match detect(&mut reader.report, &root)?.kind {
        Kind::OpenManoScenario => scenario::read(&mut reader, &root),
        other => {
            let message = format!("this is {other}, and a scenario of OpenMANO is wanted");
            reader.report.error(Code::DescriptorKind, root.span, message);
            None
        }
    });
    let (_, diagnostics) = reader.finish();
    match nsd {
        Some(nsd) if !diagnostics.has_errors() => Ok((nsd, diagnostics)),
        _ => Err(diagnostics),
    }
}

/// A VNF or a scenario, whichever it is.
pub fn read(file: &str, bytes: &[u8]) -> Result<(Descriptor, Diagnostics), Diagnostics> {
    if crate::formats::kind_of(file, bytes)? == Kind::OpenManoScenario {
        let (nsd, warnings) = read_scenario(file, bytes)?;
        return Ok((Descriptor::Nsd(Box::new(nsd)), warnings));
    }
    let leaf = crate::interfaces::read_leaf(file, bytes)?;
    Ok((Descriptor::Vnfd(Box::new(leaf.vnfd)), leaf.warnings))
}

/// `ip-profile`: the subnet of a network.
fn ip_profile(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<L3ProtocolData> {
    let mut profile = fields.map(reader, "ip-profile", "an ip-profile")?;
    let version = profile.word(reader, "ip-version");
    let subnet = profile.word(reader, "subnet-address");
    let gateway = profile.word(reader, "gateway-address");
    profile.without_effect(reader, &["dns-address"]);
    let (mut enabled, mut start, mut count) = (None, None, None);
    if let Some(mut dhcp) = profile.map(reader, "dhcp", "a dhcp section") {
        enabled = dhcp.flag(reader, "enabled");
        start = dhcp.word(reader, "start-address");
        count = dhcp.count(reader, "count");
        dhcp.finish(reader);
    }
    profile.finish(reader);
    let subnet = subnet?;
    let bad = |reader: &mut Reader, span, message: String| reader.report.error(Code::BadAddress, span, message);
    let Ok(cidr) = subnet.text.parse::<ipnet::IpNet>() else {
        bad(
            reader,
            subnet.span,
            format!("`{}` is no network and prefix length", subnet.text),
        );
        return None;
    };
    let ip_version = if cidr.addr().is_ipv4() {
        IpVersion::Ipv4
    } else {
        IpVersion::Ipv6
    };
    if let Some(version) = version {
        let right = if ip_version == IpVersion::Ipv4 { "IPv4" } else { "IPv6" };
        if !version.text.eq_ignore_ascii_case(right) {
            bad(reader, version.span, format!("`{}` is {right}", subnet.text));
        }
    }
    let inside = |reader: &mut Reader, word: Option<crate::fields::Word>| {
        let word = word?;
        let address = word
            .text
            .parse::<std::net::IpAddr>()
            .ok()
            .filter(|address| cidr.contains(address));
        if address.is_none() {
            bad(
                reader,
                word.span,
                format!("`{}` is no address of {}", word.text, cidr.trunc()),
            );
        }
        address
    };
    let gateway_ip = inside(reader, gateway);
    let pool = inside(reader, start).zip(count).and_then(|(start, count)| {
        let end = later(start, count.checked_sub(1)?).filter(|end| cidr.contains(end));
        Some(IpPool {
            start,
            end: end.unwrap_or(cidr.broadcast()),
        })
    });
    Some(L3ProtocolData {
        name: None,
        ip_version,
        cidr: cidr.trunc(),
        ip_allocation_pools: pool.into_iter().collect(),
        gateway_ip,
        dhcp_enabled: enabled.unwrap_or(true),
        ipv6_address_mode: None,
        place: Some(reader.report.place(subnet.span)),
    })
}

/// The address so many after this one.
fn later(start: std::net::IpAddr, by: u32) -> Option<std::net::IpAddr> {
    Some(match start {
        std::net::IpAddr::V4(ip) => std::net::IpAddr::V4(u32::from(ip).checked_add(by)?.into()),
        std::net::IpAddr::V6(ip) => std::net::IpAddr::V6(u128::from(ip).checked_add(u128::from(by))?.into()),
    })
}
