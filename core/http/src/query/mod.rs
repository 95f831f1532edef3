//! The query of a list: filter, selectors, page (GS NFV-SOL 013 5.2 to 5.4).

pub mod filter;
pub mod page;
pub mod selector;

use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use filter::Filter;
use page::Marker;
use selector::{Selector, Shape};
use serde_json::Value;

/// What a client asks of a list: an extractor. Parameters that it does not know end in 400.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Which resources; `None` = all.
    pub filter: Option<Filter>,
    /// Which of their attributes.
    pub selector: Selector,
    /// Where the page begins; `None` = at the beginning.
    pub marker: Option<Marker>,
    /// The query without the marker, as it came: the next page repeats it, and markers are bound to it.
    pub rest: String,
}

impl ListQuery {
    /// Reads the part of the URI after `?`.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut filter = None;
        let mut flags = (false, false);
        let (mut fields, mut exclude_fields, mut marker) = (None, None, None);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name != page::PARAMETER {
                rest.push(pair);
            }
            let twice = match name.as_str() {
                "filter" => filter.replace(value).is_some(),
                "fields" => fields.replace(value).is_some(),
                "exclude_fields" => exclude_fields.replace(value).is_some(),
                page::PARAMETER => marker.replace(value).is_some(),
                "all_fields" => std::mem::replace(&mut flags.0, true),
                "exclude_default" => std::mem::replace(&mut flags.1, true),
                _ => {
                    return Err(Problem::bad_request(format!(
                        "there is no query parameter {name:?} here"
                    )));
                }
            };
            if twice {
                return Err(Problem::bad_request(format!(
                    "the query parameter {name:?} stands twice"
                )));
            }
        }
        let rest = rest.join("&");
        let bad = |error: &dyn std::fmt::Display| Problem::bad_request(error.to_string());
        Ok(Self {
            filter: filter
                .map(|text| Filter::parse(&text))
                .transpose()
                .map_err(|error| bad(&error))?,
            selector: Selector::of(flags.0, fields.as_deref(), exclude_fields.as_deref(), flags.1)
                .map_err(|error| bad(&error))?,
            marker: marker
                .map(|text| Marker::decode(&text, &rest))
                .transpose()
                .map_err(|error| bad(&error))?,
            rest,
        })
    }

    /// Refuses attributes that the resource does not have.
    pub fn check(&self, shape: &Shape) -> Result<(), Problem> {
        if shape.attributes.is_empty() {
            return Ok(());
        }
        let filtered = self.filter.iter().flat_map(Filter::attributes);
        for name in filtered.chain(self.selector.attributes()) {
            if !shape.attributes.contains(&name) {
                return Err(Problem::bad_request(format!("the resource has no attribute {name:?}"))
                    .cure(format!("it has {}", shape.attributes.join(", "))));
            }
        }
        Ok(())
    }

    /// Filters, then selects: `None` when the resource does not match.
    pub fn show(&self, mut resource: Value, shape: &Shape) -> Option<Value> {
        if self.filter.as_ref().is_some_and(|filter| !filter.matches(&resource)) {
            return None;
        }
        self.selector.apply(&mut resource, shape);
        Some(resource)
    }
}

/// Percent-decoding; `+` stands for a space, as most clients write it. A literal plus is `%2B`.
fn decode(text: &str) -> Result<String, Problem> {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| Problem::bad_request("the query is not UTF-8"))
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or(""))
    }
}
