//! Traffic rules (ours: IFA 005 has none): what is blocked, limited or preferred at ports and in networks.

use crate::{Metadata, NfpRule, OperationalState, QueryFilter};
use manifold_call::{Subject, Uuid, interface, uuid_id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

uuid_id! {
    /// A traffic rule.
    pub TrafficRuleId
}

interface! {
    /// Traffic rules (ours). Producer: VIM.
    ///
    /// A rule goes with the last network or port that it is for; until then it holds for those that are left.
    pub trait TrafficRules as BoundTrafficRules by Vim {
        /// Makes a rule; it holds when this answers. Errors: `NotFound` (a network or port), `Forbidden` (another tenant's shared
        /// one), `Invalid` (a rule that fits no packet or no time).
        async fn create(ask: TrafficRuleData) -> TrafficRule;
        /// The tenant's rules that match.
        async fn query(filter: QueryFilter) -> Vec<TrafficRule>;
        /// Puts another rule in a rule's place, at once. Errors: those of `create`; `NotFound` (the rule).
        async fn update(ask: TrafficRule) -> TrafficRule;
        /// Ends rules. Answers with those that are gone; absent counts as gone.
        async fn delete(ids: Vec<TrafficRuleId>) -> Vec<TrafficRuleId>;
    }
}

/// What happens to packets of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRuleData {
    /// For people.
    #[serde(default)]
    pub name: String,
    /// Networks and ports, 1 to 1,024. A network's rule holds at each of its ports, in both directions.
    #[schema(value_type = Vec<String>)]
    pub targets: Vec<Uuid>,
    /// Of which of a port's packets.
    #[serde(default)]
    pub direction: TrafficDirection,
    /// The class.
    #[serde(default)]
    pub classifier: NfpRule,
    /// Higher goes first; among those that block, allow and limit, the first that fits decides.
    #[serde(default)]
    pub priority: u32,
    /// What happens.
    #[serde(flatten)]
    pub action: TrafficAction,
    /// In one of these times; empty = always.
    #[serde(default)]
    pub schedule: Vec<Window>,
    /// Kept.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
}

/// Seen from what is plugged into the port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TrafficDirection {
    /// What it sends.
    From,
    /// What it is sent.
    Towards,
    /// Both.
    #[default]
    Both,
}

/// What happens to the packets of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "action")]
pub enum TrafficAction {
    /// They are dropped.
    Block,
    /// They pass, whatever a rule of lower priority says.
    Allow,
    /// At most so many of them pass each port; all of the rule's packets there share it.
    #[serde(rename_all = "camelCase")]
    Limit {
        /// At least 8,000.
        bits_per_second: u64,
    },
    /// They leave the queue of the port that they are sent to before those of lower precedence: a port with a limit has one.
    Precedence {
        /// 0 (last, as without a rule) to 7 (first).
        level: u8,
    },
}

/// A time in UTC: on these days, between these hours, within these dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Window {
    /// Empty = every day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Seconds of the day, the first one that belongs to it; `None` = midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_s: Option<u32>,
    /// Seconds of the day, the first one that no longer belongs to it; `None` = midnight. A time over midnight is two windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_s: Option<u32>,
    /// Seconds since 1970, the first one that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Seconds since 1970, the first one that no longer belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)] // they say what they are
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRule {
    /// Identifier.
    pub traffic_rule_id: TrafficRuleId,
    /// What it says.
    #[serde(flatten)]
    pub rule: TrafficRuleData,
    /// Whether everything is as wished; in a request: nothing.
    #[serde(default = "enabled")]
    pub operational_state: OperationalState,
}

fn enabled() -> OperationalState {
    OperationalState::Enabled
}

impl Subject for TrafficRuleData {
    fn subject(&self) -> String {
        self.name.clone()
    }
}
impl Subject for TrafficRule {
    fn subject(&self) -> String {
        self.traffic_rule_id.to_string()
    }
}
