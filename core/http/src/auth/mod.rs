//! Who is asking: OAuth 2.0 client credentials (RFC 6749 4.4), bearer tokens (RFC 6750), and the role that they stand for.

mod bearer;
mod clients;
mod endpoint;
mod secret;
mod token;

pub use bearer::{Caller, Principal};
pub use clients::{ClientEntry, Clients, DuplicateClient};
pub use endpoint::{TOKEN_PATH, TokenAnswer};
pub use secret::{Secret, SecretHash};
pub use token::{KeyError, SigningKey, Tokens};

pub(crate) use bearer::{authenticate, permit_scope};
pub(crate) use endpoint::routes;
