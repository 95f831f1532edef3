use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A functional block or function of the NFV-MANO framework, or one of its external peers (GS NFV 006 5.1, 5.3, 5.5), in the
/// role of a consumer or a producer of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Operations and business support systems: the operator's side of Os-Ma-nfvo.
    Oss,
    /// Element management.
    Em,
    /// A VNF instance itself (Ve-Vnfm-vnf).
    Vnf,
    /// NFV orchestrator.
    Nfvo,
    /// VNF manager.
    Vnfm,
    /// Virtualised infrastructure manager.
    Vim,
    /// WAN infrastructure manager.
    Wim,
    /// Container infrastructure service management.
    Cism,
    /// Container image registry.
    Cir,
    /// CIS cluster management.
    Ccm,
    /// Physical infrastructure manager.
    Pim,
    /// The infrastructure (hosts, links, machines), embedded here as the host agent.
    Nfvi,
    /// Whoever builds the embedded infrastructure: the `lab` commands. Not an ETSI role; it exists where the NFVI is ours.
    Lab,
}

impl Role {
    /// As it is written in traces, tokens and policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Oss => "OSS",
            Role::Em => "EM",
            Role::Vnf => "VNF",
            Role::Nfvo => "NFVO",
            Role::Vnfm => "VNFM",
            Role::Vim => "VIM",
            Role::Wim => "WIM",
            Role::Cism => "CISM",
            Role::Cir => "CIR",
            Role::Ccm => "CCM",
            Role::Pim => "PIM",
            Role::Nfvi => "NFVI",
            Role::Lab => "LAB",
        }
    }

    /// Every role, in the order of the declaration.
    pub const ALL: [Role; 13] = [
        Role::Oss,
        Role::Em,
        Role::Vnf,
        Role::Nfvo,
        Role::Vnfm,
        Role::Vim,
        Role::Wim,
        Role::Cism,
        Role::Cir,
        Role::Ccm,
        Role::Pim,
        Role::Nfvi,
        Role::Lab,
    ];

    /// The role with this written form; `None` for anything else.
    pub fn find(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
