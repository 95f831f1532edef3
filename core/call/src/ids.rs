use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use uuid::Uuid;

/// Declares a UUID-backed identifier type of its own, so that two kinds of ids cannot be swapped: `uuid_id!(/// doc … pub VnfInstanceId)`.
#[macro_export]
macro_rules! uuid_id {
    ($(#[$doc:meta])* pub $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, $crate::macros::serde::Serialize, $crate::macros::serde::Deserialize)]
        #[serde(transparent, crate = "manifold_call::macros::serde")]
        pub struct $name(pub $crate::Uuid);

        impl $name {
            /// A new, unique one. Not for pure crates: they take ids as input.
            pub fn random() -> Self {
                Self($crate::Uuid::now_v7())
            }
            /// The one that a name always gives inside a space: what a step will make is known before it acts.
            pub fn named(space: $crate::Uuid, name: &str) -> Self {
                Self($crate::Uuid::new_v5(&space, name.as_bytes()))
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::macros::uuid::Error;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::Uuid::parse_str(text).map(Self)
            }
        }
        impl $crate::Subject for $name {
            fn subject(&self) -> String {
                self.0.to_string()
            }
        }
        impl $crate::macros::utoipa::PartialSchema for $name {
            fn schema() -> $crate::macros::utoipa::openapi::RefOr<$crate::macros::utoipa::openapi::schema::Schema> {
                $crate::macros::uuid_schema()
            }
        }
        impl $crate::macros::utoipa::ToSchema for $name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    };
}

/// Declares an identifier that people write (a name, not a UUID): `text_id!(/// doc … pub HostName)`.
#[macro_export]
macro_rules! text_id {
    ($(#[$doc:meta])* pub $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, $crate::macros::serde::Serialize, $crate::macros::serde::Deserialize)]
        #[serde(transparent, crate = "manifold_call::macros::serde")]
        pub struct $name(pub String);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
        impl $crate::Subject for $name {
            fn subject(&self) -> String {
                self.0.clone()
            }
        }
        impl $crate::macros::utoipa::PartialSchema for $name {
            fn schema() -> $crate::macros::utoipa::openapi::RefOr<$crate::macros::utoipa::openapi::schema::Schema> {
                $crate::macros::text_schema()
            }
        }
        impl $crate::macros::utoipa::ToSchema for $name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    };
}

/// The occurrence of a lifecycle operation (SOL003 5.5.2.13, SOL005 6.5.2.3), of any block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OccurrenceId(pub Uuid);

impl utoipa::PartialSchema for OccurrenceId {
    fn schema() -> RefOr<Schema> {
        uuid_schema()
    }
}

impl utoipa::ToSchema for OccurrenceId {}

/// What every UUID-backed identifier is in an OpenAPI document.
pub fn uuid_schema() -> RefOr<Schema> {
    let format = SchemaFormat::Custom("uuid".into());
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
            .build(),
    )
    .into()
}

/// What every identifier that people write is in an OpenAPI document.
pub fn text_schema() -> RefOr<Schema> {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).build()).into()
}

impl OccurrenceId {
    /// A new, unique one; sorts by time of creation.
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for OccurrenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for OccurrenceId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl crate::Subject for OccurrenceId {
    fn subject(&self) -> String {
        self.0.to_string()
    }
}

/// Whose resources these are. Nothing crosses a tenant but what its owner shared. IFA 005 calls it a resource group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub String);

impl TenantId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for TenantId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
