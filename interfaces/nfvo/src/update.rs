//! What an update of an NS would change (ours).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an update would change, without doing it: what the NS is, held against what it shall be. What stands in none of the three
/// is not touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// What is made. Comes first, side by side as far as it can.
    #[serde(default)]
    pub create: Vec<ConstituentChange>,
    /// What is changed while it runs. Comes when everything is made.
    #[serde(default)]
    pub change: Vec<ConstituentChange>,
    /// What is taken away. Comes last: from the first of these on, the update is not rolled back any more.
    #[serde(default)]
    pub remove: Vec<ConstituentChange>,
}

impl Changes {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.change.is_empty() && self.remove.is_empty()
    }
}

/// A constituent that is made, changed or taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConstituentChange {
    /// What kind.
    pub kind: ConstituentKind,
    /// Its name in the NS: profile and number of a VNF, descriptor of a link or SAP.
    pub name: String,
    /// Its identifier, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What happens, in words.
    pub detail: String,
}

/// Kinds of constituents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConstituentKind {
    /// The NS itself: its descriptor.
    Ns,
    /// A VNF.
    Vnf,
    /// A PNF.
    Pnf,
    /// A virtual link.
    Vl,
    /// A SAP.
    Sap,
    /// A forwarding path (ours).
    Nfp,
    /// A traffic rule (ours).
    TrafficRule,
}

impl ConstituentKind {
    /// As on the wire.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Ns => "NS",
            Self::Vnf => "VNF",
            Self::Pnf => "PNF",
            Self::Vl => "VL",
            Self::Sap => "SAP",
            Self::Nfp => "NFP",
            Self::TrafficRule => "TRAFFIC_RULE",
        }
    }
}
