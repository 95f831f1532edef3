//! Connection points: the addresses that one shall have, and those that it has (SOL003 4.4.1, SOL005 4.4.1).

use crate::wire::{wire, wire_enums};

wire! {
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
}
