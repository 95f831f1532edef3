//! How types of the wire are declared: names, optionals and enumerations as SOL013 writes them.

use std::collections::BTreeMap;

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
