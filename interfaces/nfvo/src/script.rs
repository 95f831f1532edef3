//! NEMO scripts as the desired state of services. Ours: ETSI has no language above the NSD.

use manifold_call::{OccurrenceId, Subject, interface, text_id};
use manifold_sol::ProblemDetails;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

text_id! {
    /// The name of a script document, and of the service that it describes: 1 to 63 of `[a-z0-9-]`.
    pub ScriptName
}

interface! {
    /// Scripts as documents with revisions; each is realised as one NS. Producer: NFVO (ours).
    pub trait ServiceScripts as BoundServiceScripts by Nfvo {
        /// What an apply would do; nothing is done. Errors: as of `apply`, but for `Busy`.
        async fn plan(ask: ScriptAsk) -> ScriptPlan;
        /// Keeps the script as the next revision and makes the service equal to it, wholly or not at all. Errors: `Invalid` (the
        /// script or a descriptor is wrong; all that is wrong at once), `Stale` (another revision than expected), `Busy`.
        async fn apply(ask: ScriptAsk) -> AppliedScript;
        /// Takes away the service, what was on-boarded for it, and the document.
        async fn delete(name: ScriptName) -> AppliedScript;
        /// All of the tenant's, without their sources.
        async fn query(ask: ()) -> Vec<ScriptInfo>;
        /// One, with the sources of its newest revision.
        async fn find(name: ScriptName) -> ScriptInfo;
        /// One revision of one.
        async fn find_revision(ask: ScriptRevision) -> ScriptInfo;
        /// How far an operation is.
        async fn find_operation(id: OccurrenceId) -> ScriptOperation;
        /// An operation that failed and was not rolled back: goes on where it stopped.
        async fn retry(id: OccurrenceId) -> ();
        /// The same: undoes what was done.
        async fn rollback(id: OccurrenceId) -> ();
        /// The same: gives up; the document is as it was, and what was made stays.
        async fn fail(id: OccurrenceId) -> ();
    }
}

/// A script to apply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptAsk {
    /// Which document.
    pub name: String,
    /// The script's files. What a statement of one defines can be used in every other.
    pub sources: Vec<ScriptSource>,
    /// Descriptors that the script names and that are not in the catalogue, by the address that stands in the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptors: Vec<ScriptDescriptor>,
    /// The model that is the service, where the script has no nodes of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Whether what the drafts themselves get wrong is accepted.
    #[serde(default)]
    pub lenient: bool,
    /// The revision that is changed; 0: there is no document yet; absent: whatever there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_revision: Option<u64>,
    /// The access point of each of the service's connection points; where none is named, the one that is called as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub access_points: BTreeMap<String, String>,
    /// What descriptors of other languages call an image, and the image to take: `manifold:image/NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
}

impl Subject for ScriptAsk {
    fn subject(&self) -> String {
        self.name.clone()
    }
}

/// A file of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptSource {
    /// As people know it.
    pub file: String,
    /// NEMO.
    pub text: String,
}

/// A descriptor that comes with a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptDescriptor {
    /// The address that stands in the script.
    pub uri: String,
    /// The file's name, for messages.
    pub file: String,
    /// Its bytes, in base64.
    pub content: String,
}

/// Names a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptRevision {
    /// Of which document.
    pub name: ScriptName,
    /// Which, from 1.
    pub revision: u64,
}

impl Subject for ScriptRevision {
    fn subject(&self) -> String {
        self.name.subject()
    }
}

/// What an apply does to the service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptPlan {
    /// The revision that it makes.
    pub revision: u64,
    /// What comes new.
    pub create: Vec<ScriptElement>,
    /// What becomes another.
    pub change: Vec<ScriptElement>,
    /// What goes.
    pub remove: Vec<ScriptElement>,
    /// Warnings about the script, and what the compiler has to say.
    pub notes: Vec<String>,
}

impl ScriptPlan {
    /// Whether the service is as the script says already.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.change.is_empty() && self.remove.is_empty()
    }
}

/// A part of a service, as the script calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptElement {
    /// What.
    pub kind: ScriptElementKind,
    /// Its name from the top: `complex.input_vnf`.
    pub name: String,
    /// What it is: the model of a node, the ends of a connection.
    pub detail: String,
}

/// Kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the language's own words")]
pub enum ScriptElementKind {
    Node,
    Connection,
    ConnectionPoint,
    Operation,
}

/// What an apply or a deletion began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedScript {
    /// What it changes.
    pub plan: ScriptPlan,
    /// Doing it. `None`: there is nothing to do.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub operation: Option<OccurrenceId>,
}

/// A script document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptInfo {
    /// Its name.
    pub name: String,
    /// The newest revision that came true; 0: none yet.
    pub revision: u64,
    /// The NS that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_instance_id: Option<String>,
    /// The operation that is under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub operation: Option<OccurrenceId>,
    /// The model that is the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ScriptSource>,
    /// Its parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<ScriptElement>,
}

/// How far an operation on a script is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptOperation {
    /// Identifier.
    #[schema(value_type = String, format = "uuid")]
    pub id: OccurrenceId,
    /// Of which document.
    pub script: String,
    /// As those of SOL005 6.6.2.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProblemDetails>,
    /// Its steps.
    pub progress: crate::Progress,
}
