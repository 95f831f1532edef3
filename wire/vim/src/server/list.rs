//! The query of a list: `filter`, which goes to the VIM as it came, and the page.

use super::resource::{At, json_of};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use manifold_http::problem::{Answer, Problem};
use manifold_http::query::ListQuery;
use manifold_http::query::page::{Marker, PARAMETER, Page};
use manifold_http::query::selector::Shape;
use manifold_vim_interface::QueryFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The VIM has filtered, and there are no selectors: nothing is checked or left out here.
const AS_IT_IS: Shape = Shape {
    attributes: &[],
    default_exclude: &[],
    mandatory: &[],
};

/// An extractor of lists. Parameters that it does not know end in 400.
pub(super) struct List {
    filter: String,
    page: ListQuery,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(default)]
    filter: String,
    nextpage_opaque_marker: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for List {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(parameters) = Query::<Parameters>::try_from_uri(&parts.uri)
            .map_err(|error| Problem::bad_request(format!("the query does not fit: {}", error.body_text())))?;
        let pairs = parts.uri.query().unwrap_or("").split('&');
        let rest: Vec<_> = pairs
            .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(PARAMETER))
            .collect();
        let rest = rest.join("&");
        let marker = parameters
            .nextpage_opaque_marker
            .map(|text| Marker::decode(&text, &rest))
            .transpose()
            .map_err(|error| Problem::bad_request(error.to_string()))?;
        let page = ListQuery {
            marker,
            rest,
            ..ListQuery::default()
        };
        Ok(Self {
            filter: parameters.filter,
            page,
        })
    }
}

impl List {
    pub(super) fn filter(&self) -> QueryFilter {
        QueryFilter {
            filter: self.filter.clone(),
        }
    }

    /// A page of resources that have links of their own; `key` gives a resource's identifier.
    pub(super) fn linked<T: Serialize>(
        &self,
        at: &At,
        container: &str,
        found: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Answer<Page> {
        let rows = found.iter().map(|resource| {
            let key = key(resource);
            at.linked(container, &key, resource).map(|value| (key, value))
        });
        Ok(self.cut(at, container, rows.collect::<Answer<_>>()?))
    }

    /// A page of things that are read as a list only.
    pub(super) fn plain<T: Serialize>(
        &self,
        at: &At,
        container: &str,
        found: Vec<T>,
        key: impl Fn(&T) -> String,
    ) -> Answer<Page> {
        let rows = found
            .iter()
            .map(|resource| json_of(resource).map(|value| (key(resource), value)));
        Ok(self.cut(at, container, rows.collect::<Answer<_>>()?))
    }

    fn cut(&self, at: &At, container: &str, mut rows: Vec<(String, Value)>) -> Page {
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Page::cut(
            at.links(),
            &self.page,
            &AS_IT_IS,
            &["vims", &at.vim.id, container],
            rows,
        )
    }
}
