//! What points elsewhere: to a resource of a manager, to a resource of the API.

use crate::wire::wire;

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
}
