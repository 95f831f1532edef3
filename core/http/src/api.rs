//! An API as GS NFV-SOL 013 4.1, 9 wants it: `{root}/{name}/{major}/…`, versions, links.

use crate::problem::Problem;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The header that says which version of the API a message speaks.
pub const VERSION: HeaderName = HeaderName::from_static("version");

/// One API: its name, its major version, and the versions that it speaks.
#[derive(Debug, Clone)]
pub struct Api {
    /// As in the URI: `nslcm`.
    pub name: &'static str,
    /// As in the URI: `v2`.
    pub major: &'static str,
    /// `MAJOR.MINOR.PATCH`, the preferred one first; never empty.
    pub versions: &'static [&'static str],
    /// Media types that it answers with beside JSON.
    pub also_produces: &'static [&'static str],
}

impl Api {
    /// An API that answers with JSON only.
    pub const fn new(name: &'static str, major: &'static str, versions: &'static [&'static str]) -> Self {
        Self {
            name,
            major,
            versions,
            also_produces: &[],
        }
    }

    /// The same, and it answers with these media types as well.
    pub const fn producing(mut self, media_types: &'static [&'static str]) -> Self {
        self.also_produces = media_types;
        self
    }

    /// What its messages carry in the `Version` header unless the request names another one that is spoken.
    pub fn preferred(&self) -> &'static str {
        self.versions.first().copied().unwrap_or("")
    }

    /// Which of the versions a request speaks. A suffix after `-` (`-impl:…`) is the client's own and is not compared.
    pub(crate) fn negotiate(&self, asked: Option<&HeaderValue>) -> Result<&'static str, Problem> {
        let Some(asked) = asked else {
            return Err(Problem::bad_request("the request has no Version header")
                .cure(format!("send Version: {}", self.preferred())));
        };
        let base = asked
            .to_str()
            .ok()
            .and_then(|text| text.split('-').next())
            .map(str::trim);
        match self.versions.iter().find(|version| base == Some(**version)) {
            Some(version) => Ok(version),
            None => {
                let mut problem = Problem::new(
                    StatusCode::NOT_ACCEPTABLE,
                    format!(
                        "version {} of {} is not supported",
                        String::from_utf8_lossy(asked.as_bytes()),
                        self.name
                    ),
                )
                .cure(format!("supported: {}", self.versions.join(", ")));
                problem
                    .details
                    .extensions
                    .insert("supportedVersions".into(), self.versions.into());
                Err(problem)
            }
        }
    }

    /// The body of the `api_versions` resources.
    pub fn version_information(&self, root: &PublicRoot) -> ApiVersionInformation {
        ApiVersionInformation {
            uri_prefix: format!("{}/{}/{}", root.path(), self.name, self.major),
            api_versions: self
                .versions
                .iter()
                .map(|version| ApiVersion {
                    version: (*version).to_owned(),
                    is_deprecated: Some(false),
                    retirement_date: None,
                })
                .collect(),
        }
    }
}

/// Which versions an API speaks (GS NFV-SOL 013 9.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiVersionInformation {
    /// `{root's path}/{name}/{major}`
    pub uri_prefix: String,
    /// Each of them.
    pub api_versions: Vec<ApiVersion>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiVersion {
    /// `MAJOR.MINOR.PATCH`
    pub version: String,
    /// Whether it will go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_deprecated: Option<bool>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement_date: Option<String>,
}

/// Where clients find our APIs: what links and `Location` headers begin with. Configuration, never the request's `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicRoot(Arc<str>);

/// Why a text is no root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no API root (it has to look like https://host:port/prefix)")]
pub struct NotARoot(pub String);

impl PublicRoot {
    /// Reads `http(s)://host[:port][/prefix]`.
    pub fn parse(text: &str) -> Result<Self, NotARoot> {
        let refuse = || NotARoot(text.to_owned());
        let url = url::Url::parse(text).map_err(|_| refuse())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !web || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(refuse());
        }
        Ok(Self(url.as_str().trim_end_matches('/').into()))
    }

    /// As text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its path: empty, or a prefix that begins with a slash.
    pub fn path(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let rest = self.0.get(after_scheme..).unwrap_or("");
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("")
    }
}

/// Makes absolute links to an API's resources: an extractor in every route of the API.
#[derive(Debug, Clone)]
pub struct Links {
    prefix: Arc<str>,
}

/// RFC 3986 3.3: everything that may not stand in one segment of a path.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A prefix and the segments below it, percent-encoded.
pub(crate) fn join(prefix: &str, path: &[&str]) -> String {
    let mut link = prefix.to_owned();
    for segment in path {
        link.push('/');
        link.extend(utf8_percent_encode(segment, SEGMENT));
    }
    link
}

impl Links {
    /// For the API at `root`.
    pub fn new(root: &PublicRoot, api: &Api) -> Self {
        Self {
            prefix: format!("{}/{}/{}", root.as_str(), api.name, api.major).into(),
        }
    }

    /// The link to the resource with these path segments: `["ns_instances", id]`.
    pub fn resource(&self, path: &[&str]) -> String {
        join(&self.prefix, path)
    }

    /// The same as a value of `href`: `{"href": …}`.
    pub fn link(&self, path: &[&str]) -> Link {
        Link {
            href: self.resource(path),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Links {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Links>()
            .cloned()
            .ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the route stands outside an API"))
    }
}

/// A link (GS NFV-SOL 013 7.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Absolute URI.
    pub href: String,
}

/// 201 with `Location` and the new resource.
pub fn created(location: &str, body: impl Serialize) -> Response {
    with_location(StatusCode::CREATED, location, Json(body).into_response())
}

/// 202 with the `Location` of the occurrence (or of what will be there).
pub fn accepted(location: &str) -> Response {
    with_location(StatusCode::ACCEPTED, location, ().into_response())
}

/// 202 with the `Location` of the occurrence, and what is known of it.
pub fn accepted_with(location: &str, body: impl Serialize) -> Response {
    with_location(StatusCode::ACCEPTED, location, Json(body).into_response())
}

/// 303 with the `Location` of what is there already (a duplicate subscription).
pub fn see_other(location: &str) -> Response {
    with_location(StatusCode::SEE_OTHER, location, ().into_response())
}

fn with_location(status: StatusCode, location: &str, mut response: Response) -> Response {
    *response.status_mut() = status;
    // Links are made of a parsed URL and percent-encoded segments, so they can stand in a header.
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_the_configured_root_and_segments_cannot_break_out() {
        let root = PublicRoot::parse("https://mano.example:9443/nfv/").unwrap();
        assert_eq!(root.path(), "/nfv");
        let links = Links::new(&root, &Api::new("nslcm", "v2", &["2.0.0"]));
        assert_eq!(
            links.resource(&["ns_instances", "a/../b?c"]),
            "https://mano.example:9443/nfv/nslcm/v2/ns_instances/a%2F..%2Fb%3Fc"
        );
        for bad in [
            "",
            "mano.example",
            "ftp://x",
            "https://x/?q",
            "https://u@x/",
            "https://x/#f",
        ] {
            assert!(PublicRoot::parse(bad).is_err(), "{bad}");
        }
    }
}
