//! The documents as plans look at them: lookups that keep tenants apart and say what is missing.

use crate::documents::{Compute, Document, Flavour, Group, Image, Network, Path, Port, Rule, Subnet, Transport};
use crate::wishes::domains;
use ipnet::IpNet;
use manifold_call::{CallError, Outcome, TenantId, Uuid};
use manifold_desired::{Documents, Held, Phase};
use manifold_nfvi_interface::PopInventory;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Bytes of a name that people give.
const NAME_BYTES_MAX: usize = 255;
/// An owner's label holds as many of a tenant.
const TENANT_BYTES_MAX: usize = 40;
/// Bytes of metadata in all.
const METADATA_BYTES_MAX: usize = 65_536;

/// All documents, for one tenant's eyes.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) documents: &'a Documents<Document>,
    pub(crate) inventory: &'a PopInventory,
    pub(crate) tenant: &'a TenantId,
}

macro_rules! each {
    ($($all:ident: $Kind:ident;)*) => {$(
        /// All of the kind, everyone's, leaving ones too.
        pub(crate) fn $all(self) -> impl Iterator<Item = (Uuid, &'a Held<Document>, &'a $Kind)> {
            self.documents.all().filter_map(|(id, held)| match &held.body {
                Document::$Kind(body) => Some((id, held, body)),
                _ => None,
            })
        }
    )*};
}

macro_rules! one {
    ($($find:ident: $Kind:ident($name:literal);)*) => {$(
        /// Errors: `NotFound`, also for another tenant's; `Busy` (it is just being made).
        pub(crate) fn $find(self, id: Uuid) -> Outcome<&'a $Kind> {
            let missing = || CallError::not_found(format!(concat!("there is no ", $name, " {}"), id));
            let held = self.documents.find(id).filter(|held| !held.leaving).ok_or_else(missing)?;
            let Document::$Kind(body) = &held.body else { return Err(missing()) };
            if !self.sees(held) {
                return Err(missing());
            }
            if held.phase == Phase::Making {
                return Err(CallError::busy(format!(concat!($name, " {} is being made"), id)).cure("repeat the call later"));
            }
            Ok(body)
        }
    )*};
}

impl<'a> World<'a> {
    each! {
        networks: Network;
        subnets: Subnet;
        ports: Port;
        computes: Compute;
        flavours: Flavour;
        images: Image;
        paths: Path;
        rules: Rule;
    }

    one! {
        network: Network("network");
        port: Port("port");
        compute: Compute("machine");
        group: Group("affinity group");
        flavour: Flavour("compute flavour");
        image: Image("software image");
        path: Path("forwarding path");
        rule: Rule("traffic rule");
    }

    /// The tenant's own, or a shared network with its subnets.
    pub(crate) fn sees(self, held: &Held<Document>) -> bool {
        let shared = match &held.body {
            Document::Network(network) => network.shared,
            Document::Subnet(subnet) => match self.documents.find(subnet.network).map(|held| &held.body) {
                Some(Document::Network(network)) => network.shared,
                _ => false,
            },
            _ => false,
        };
        shared || held.tenant == *self.tenant
    }

    /// Errors: `Forbidden`, when it is another tenant's shared one.
    pub(crate) fn own(self, id: Uuid) -> Outcome<()> {
        match self.documents.find(id) {
            Some(held) if held.tenant != *self.tenant => Err(CallError::forbidden(format!(
                "{id} is shared with you, and only its owner may change it"
            ))),
            _ => Ok(()),
        }
    }

    /// What a repeated call finds: `true` when its first run has made this. Errors: `Busy` while that is being taken away.
    pub(crate) fn made(self, id: Uuid) -> Outcome<bool> {
        match self.documents.find(id) {
            Some(held) if held.leaving => {
                Err(CallError::busy(format!("{id} is being removed")).cure("repeat the call later"))
            }
            found => Ok(found.is_some()),
        }
    }

    /// A network's subnets, leaving ones too.
    pub(crate) fn subnets_of(self, network: Uuid) -> impl Iterator<Item = (Uuid, &'a Subnet)> {
        self.subnets()
            .filter(move |(.., subnet)| subnet.network == network)
            .map(|(id, _, subnet)| (id, subnet))
    }

    /// A network's ports, leaving ones too.
    pub(crate) fn ports_of(self, network: Uuid) -> impl Iterator<Item = (Uuid, &'a Held<Document>, &'a Port)> {
        self.ports().filter(move |(.., port)| port.network == network)
    }

    /// The addresses of a network that nobody may be given: its ports' and its subnets' gateways.
    pub(crate) fn taken(self, network: Uuid) -> BTreeSet<IpAddr> {
        let ports = self
            .ports_of(network)
            .flat_map(|(.., port)| port.addresses.iter().copied());
        let gateways = self.subnets_of(network).map(|(_, subnet)| subnet.gateway);
        ports.chain(gateways).collect()
    }

    /// The networks that routers join with this one, itself not among them.
    pub(crate) fn connected(self, network: Uuid) -> BTreeSet<Uuid> {
        let standing = self
            .networks()
            .filter(|(_, held, _)| !held.leaving)
            .map(|(id, _, network)| (id, network));
        let domain = domains(standing).into_iter().find(|domain| domain.contains(&network));
        domain
            .unwrap_or_default()
            .into_iter()
            .filter(|other| *other != network)
            .collect()
    }

    /// Whether the changed networks and subnets are still sound: no two subnets of one routing domain overlap, and no domain
    /// joins networks of two tenants that are not shared.
    pub(crate) fn check_domains(
        self,
        networks: &BTreeMap<Uuid, Network>,
        subnets: &[(Uuid, Subnet)],
        of: Uuid,
    ) -> Outcome<()> {
        let mut all: BTreeMap<Uuid, &Network> = self
            .networks()
            .filter(|(_, held, _)| !held.leaving)
            .map(|(id, _, network)| (id, network))
            .collect();
        all.extend(networks.iter().map(|(id, network)| (*id, network)));
        let alone = BTreeSet::from([of]);
        let joined = domains(all.iter().map(|(id, network)| (*id, *network)));
        let domain = joined.into_iter().find(|domain| domain.contains(&of)).unwrap_or(alone);

        let tenant_of = |id: &Uuid| self.documents.find(*id).map_or(self.tenant, |held| &held.tenant);
        let private = domain
            .iter()
            .filter(|id| all.get(*id).is_some_and(|network| !network.shared));
        let tenants: BTreeSet<&TenantId> = private.map(tenant_of).collect();
        if tenants.len() > 1 {
            return Err(CallError::conflict(
                "the connection would join networks of different tenants by a router",
            ));
        }

        let name = |network: &Uuid| {
            all.get(network)
                .map_or_else(|| network.to_string(), |known| known.name.clone())
        };
        let standing = self.subnets().map(|(id, _, subnet)| (id, subnet));
        let asked = subnets.iter().map(|(id, subnet)| (*id, subnet));
        let in_domain: BTreeMap<Uuid, &Subnet> = standing
            .chain(asked)
            .filter(|(_, subnet)| domain.contains(&subnet.network))
            .collect();
        let named: Vec<(String, IpNet)> = in_domain
            .values()
            .map(|subnet| (format!("network {}", name(&subnet.network)), subnet.cidr))
            .collect();
        manifold_planning::overlap::check(&named).map_err(|overlap| CallError::conflict(overlap.to_string()))
    }

    /// The provider network that realises the network, if one does.
    pub(crate) fn network_provider(self, network: Uuid) -> Option<&'a str> {
        match &self.networks().find(|(id, ..)| *id == network)?.2.transport {
            Transport::Provider { network } => Some(network),
            Transport::Vxlan { .. } => None,
        }
    }

    /// The segment identifiers that are in use in the PoP.
    pub(crate) fn vnis(self) -> BTreeSet<u32> {
        let vni = |network: &Network| match network.transport {
            Transport::Vxlan { vni } => Some(vni),
            Transport::Provider { .. } => None,
        };
        self.networks().filter_map(|(.., network)| vni(network)).collect()
    }
}

/// That names, metadata and the tenant can be kept and stand in labels.
pub(crate) fn check_words(tenant: &TenantId, name: &str, metadata: &manifold_vim_interface::Metadata) -> Outcome<()> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let text = tenant.as_str();
    if text.is_empty() || text.len() > TENANT_BYTES_MAX || !text.chars().all(allowed) {
        return Err(CallError::invalid(format!(
            "{text:?} is no tenant here: 1 to {TENANT_BYTES_MAX} of a-z, 0-9, - and _"
        )));
    }
    if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(CallError::invalid(format!(
            "a name is too long ({NAME_BYTES_MAX} bytes at most) or unprintable"
        )));
    }
    let size: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > METADATA_BYTES_MAX {
        return Err(CallError::invalid(format!(
            "{size} bytes of metadata, and {METADATA_BYTES_MAX} are the most"
        )));
    }
    Ok(())
}
