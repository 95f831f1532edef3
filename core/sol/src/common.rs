use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Arbitrary key-value pairs (SOL013 7.2.2 KeyValuePairs).
pub type KeyValues = BTreeMap<String, serde_json::Value>;

/// Declares a structure of the wire: camelCase names, absent optionals left out.
macro_rules! wire {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident : $ty:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* }
    )*};
}
pub(crate) use wire;

/// Declares an enumeration of the wire: SCREAMING_SNAKE_CASE. The first member is the default, so it stands apart in the pattern.
macro_rules! wire_enums {
    ($($(#[$meta:meta])* pub enum $name:ident { $(#[$dmeta:meta])* $default:ident, $($(#[$vmeta:meta])* $variant:ident,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name { #[default] $(#[$dmeta])* $default, $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// As it stands on the wire.
            pub fn as_wire(self) -> String {
                // A unit variant always serialises to a JSON string.
                serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
            }
        }
    )*};
}
pub(crate) use wire_enums;

wire! {
    /// Where a resource is managed and what it is called there (SOL003 4.4.1.7, SOL005 4.4.1.7).
    pub struct ResourceHandle {
        /// SOL003: the connection to the manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_connection_id: Option<String>,
        /// SOL005: the manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_id: Option<String>,
        /// Identifies the provider of the resource.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub resource_provider_id: Option<String>,
        /// Identifier there.
        pub resource_id: String,
        /// Type there: `compute`, `network`, `port`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub vim_level_resource_type: Option<String>,
    }
    /// A hypermedia link (Link).
    pub struct LinkRef {
        /// URI.
        pub href: String,
    }
    /// RFC 7807 with SOL013's obligations: what an occurrence keeps of its failure.
    pub struct ProblemDetails {
        /// Short.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub title: Option<String>,
        /// HTTP status that this would be.
        pub status: u16,
        /// One sentence.
        pub detail: String,
    }
    /// Addresses of a connection point (SOL005 IpOverEthernetAddressData.ipAddresses, SOL003 the same).
    pub struct IpAddressData {
        /// IPV4 or IPV6.
        #[serde(rename = "type")]
        pub kind: IpAddressType,
        /// Fixed ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub fixed_addresses: Vec<String>,
        /// How many dynamic ones instead.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub num_dynamic_addresses: Option<u32>,
        /// Of this subnet of the manager.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub subnet_id: Option<String>,
    }
    /// IP over Ethernet (IpOverEthernetAddressData).
    pub struct IpOverEthernetAddressData {
        /// MAC.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mac_address: Option<String>,
        /// IP.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub ip_addresses: Vec<IpAddressData>,
    }
    /// Protocol data to configure a connection point with (CpProtocolData).
    pub struct CpProtocolData {
        /// IP_OVER_ETHERNET.
        pub layer_protocol: LayerProtocol,
        /// With that.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ip_over_ethernet: Option<IpOverEthernetAddressData>,
    }
    /// Addresses that a connection point has (IpOverEthernetAddressInfo.ipAddresses).
    pub struct IpAddressInfo {
        /// IPV4 or IPV6.
        #[serde(rename = "type")]
        pub kind: IpAddressType,
        /// Which.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub addresses: Vec<String>,
        /// Whether they came from a pool.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub is_dynamic: Option<bool>,
    }
    /// IP over Ethernet (IpOverEthernetAddressInfo).
    pub struct IpOverEthernetAddressInfo {
        /// MAC.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mac_address: Option<String>,
        /// IP.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub ip_addresses: Vec<IpAddressInfo>,
    }
    /// Protocol information of a connection point (CpProtocolInfo).
    pub struct CpProtocolInfo {
        /// IP_OVER_ETHERNET.
        pub layer_protocol: LayerProtocol,
        /// With that.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ip_over_ethernet: Option<IpOverEthernetAddressInfo>,
    }
}

wire_enums! {
    /// IP version.
    pub enum IpAddressType {
        /// RFC 791.
        Ipv4,
        /// RFC 8200.
        Ipv6,
    }
    /// Layers that a connection point speaks.
    pub enum LayerProtocol {
        /// The one that the embedded infrastructure offers.
        IpOverEthernet,
        /// For container clusters.
        IpForVirtualCp,
    }
    /// Graceful or forceful (CancelMode, TerminateVnfRequest.terminationType).
    pub enum CancelModeType {
        /// What has begun ends; nothing new begins.
        Graceful,
        /// What has begun is broken off.
        Forceful,
    }
}

/// The body of a cancel task (SOL003 5.5.2.14, SOL005 6.5.2.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelMode {
    /// How.
    pub cancel_mode: CancelModeType,
}
