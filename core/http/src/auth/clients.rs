//! The registry of clients: who may ask for tokens, in which role, for which tenants.

use super::{Secret, SecretHash};
use manifold_call::{Role, TenantId};
use std::collections::HashMap;

/// One client, as the configuration names it.
#[derive(Debug, Clone)]
pub struct ClientEntry {
    /// Its `client_id`.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
    /// The role in which all its calls are made.
    pub role: Role,
    /// The tenant of requests that name none.
    pub default_tenant: TenantId,
    /// The other tenants that it may name; `None` = any.
    pub tenants: Option<Vec<TenantId>>,
    /// The scopes that it may ask for (`nslcm:v2:all`); empty = every API.
    pub scopes: Vec<String>,
}

/// All clients. Secrets are kept as salted hashes only.
#[derive(Debug, Clone)]
pub struct Clients {
    known: HashMap<String, Known>,
    /// Compared with when the client is unknown, so that the answer takes as long.
    nobody: SecretHash,
}

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) hash: SecretHash,
    pub(crate) role: Role,
    pub(crate) default_tenant: TenantId,
    pub(crate) tenants: Option<Vec<TenantId>>,
    pub(crate) scopes: Vec<String>,
}

/// Two entries of one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the client {0:?} is configured twice")]
pub struct DuplicateClient(pub String);

impl Clients {
    /// A registry of these.
    pub fn new(entries: impl IntoIterator<Item = ClientEntry>) -> Result<Self, DuplicateClient> {
        let mut known = HashMap::new();
        for entry in entries {
            let value = Known {
                hash: SecretHash::of(&entry.secret),
                role: entry.role,
                default_tenant: entry.default_tenant,
                tenants: entry.tenants,
                scopes: entry.scopes,
            };
            if known.insert(entry.id.clone(), value).is_some() {
                return Err(DuplicateClient(entry.id));
            }
        }
        Ok(Self {
            known,
            nobody: SecretHash::of(&Secret::random()),
        })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Known> {
        self.known.get(id)
    }

    /// The client, if the secret is its own. An unknown client costs as much time as a wrong secret.
    pub(crate) fn verify(&self, id: &str, secret: &Secret) -> Option<&Known> {
        match self.known.get(id) {
            Some(known) => known.hash.fits(secret).then_some(known),
            None => {
                self.nobody.fits(secret);
                None
            }
        }
    }
}
