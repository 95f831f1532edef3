//! Descriptors as SOL001 text: what [`describe`](crate::describe()) reads back to an equal model, places aside.
//!
//! ```text
//! Vnfd ──normal──> names that TOSCA can hold ──vnfd──> definitions files ──describe──> the same Vnfd
//! Nsd  ─────────────────────────────────────────nsd───> definitions file  ──describe──> the same Nsd
//! ```
//! [`normal`] is the identity on what was read from SOL001. Descriptors of other languages lose there what SOL001 has no words for: two
//! things of one name, an external connection point named otherwise than the interface that it exposes.
//!
//! The same model gives the same bytes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

mod levels;
mod links;
mod normal;
mod ns_parts;
mod nsd;
mod packets;
mod text;
mod vdu;
mod vnfd;

pub use normal::normal;
pub use nsd::{NsdWriting, nsd};
pub use text::{Fields, Yaml};
pub use vnfd::vnfd;

/// Definitions files that were written, by path from the root of the package.
pub type Written = BTreeMap<String, String>;

const VERSION: &str = "tosca_simple_yaml_1_3";

/// All that a descriptor says, and nothing of where it says it, as one text: equal for equal models.
pub fn content(descriptor: &impl Serialize) -> String {
    let mut value = serde_json::to_value(descriptor).expect("descriptors are plain data with text keys");
    forget_places(&mut value);
    value.to_string()
}

fn forget_places(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            // A key of that name that people chose holds a text.
            if entries
                .get("place")
                .is_some_and(|place| place.is_object() || place.is_null())
            {
                entries.remove("place");
            }
            entries.values_mut().for_each(forget_places);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_places),
        _ => {}
    }
}

/// The head of a definitions file.
fn definitions(description: &str, imports: &[&str]) -> Fields {
    let head = Fields::new().with("tosca_definitions_version", VERSION);
    let head = match description {
        "" => head,
        description => head.with("description", description),
    };
    head.with(
        "imports",
        Yaml::List(imports.iter().map(|file| (*file).into()).collect()),
    )
}

/// `{ type: string, default: … }`.
fn constant(value: impl Into<Yaml>) -> Yaml {
    Fields::new().with("type", "string").with("default", value).flow()
}

/// The requirements of a node type: one for each name.
fn linkable<'a>(names: impl IntoIterator<Item = &'a str>) -> Yaml {
    let one = |name| {
        Yaml::from(
            Fields::new().with(
                name,
                Fields::new()
                    .with("capability", "tosca.capabilities.nfv.VirtualLinkable")
                    .flow(),
            ),
        )
    };
    Yaml::List(names.into_iter().map(one).collect())
}

/// `- name: target`, for each.
fn requirements<'a>(all: impl IntoIterator<Item = (&'a str, Yaml)>) -> Yaml {
    Yaml::List(
        all.into_iter()
            .map(|(name, target)| Fields::new().with(name, target).into())
            .collect(),
    )
}

/// A name that nothing else has: the wished one, or with a number behind it.
fn free_name(wished: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !wished.is_empty() && !is_taken(wished) {
        return wished.to_owned();
    }
    let numbered = (2u32..).map(|number| format!("{wished}_{number}"));
    numbered
        .into_iter()
        .find(|name| !is_taken(name))
        .expect("numbers do not end before names do")
}
