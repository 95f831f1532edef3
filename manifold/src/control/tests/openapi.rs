//! The documents and the router are the same, in both directions, and the files in `docs/openapi` are the documents.

use super::Site;
use crate::control::openapi::{documents, text};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use manifold_http::openapi::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A role that policy lets call nothing here, so that no request of these tests gets further than its route.
const NOBODY: &str = "VNF";

/// All of HTTP's that a router can tell apart, but HEAD, which comes with GET.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// By path: the methods that the documents tell, in lower case.
fn told() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for Document { api, operations, .. } in documents() {
        for operation in operations {
            let path = format!("/{}/{}{}", api.name, api.major, operation.path);
            assert!(
                all.entry(path).or_default().insert(operation.method),
                "{} twice",
                operation.path
            );
        }
    }
    all
}

/// A path of the document with names in its places.
fn filled(path: &str) -> String {
    let fill = |part: &str| match part {
        "{vimId}" => "site-1".to_owned(),
        part if part.starts_with('{') => "00000000-0000-4000-8000-000000000000".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// The paths that a router prints of itself, without those of tasks that are no API's.
fn routed(site: &Site) -> BTreeSet<String> {
    let printed = format!("{:?}", site.router());
    let of_an_api = |path: &str| {
        documents().iter().any(|document| {
            path.starts_with(&format!("/{}/{}/", document.api.name, document.api.major))
                && !path.ends_with("/api_versions")
        })
    };
    printed
        .split('"')
        .filter(|part| part.starts_with('/') && of_an_api(part) && !part.contains("__private"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_operation_of_the_documents_is_routed_and_no_other_is() {
    let site = Site::start(&[NOBODY], 0o600).await.unwrap();
    let token = site.token(NOBODY).await;
    let told = told();
    for (path, methods) in &told {
        for method in METHODS {
            let (status, problem) = site.call(&token, method.clone(), &filled(path), Value::Null).await;
            let documented = methods.contains(method.as_str().to_lowercase().as_str());
            let routed = status != StatusCode::METHOD_NOT_ALLOWED && problem["detail"] != "there is no such resource";
            assert_ne!(status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(routed, documented, "{method} {path}: {status} {problem}");
            assert!(
                !status.is_success(),
                "{method} {path}: a role without rights got {status}"
            );
        }
    }
    let (told, routed): (BTreeSet<_>, _) = (told.into_keys().collect(), routed(&site));
    assert_eq!(told, routed);
}

#[tokio::test]
async fn documents_are_served_to_whoever_asks() {
    let site = Site::start(&[], 0o600).await.unwrap();
    let all = documents();
    let names: Vec<_> = all.iter().map(Document::name).collect();
    assert_eq!(
        names,
        [
            "nsd-v2",
            "vnfpkgm-v2",
            "nslcm-v2",
            "manifold-v1",
            "vim-v1",
            "lab-v1",
            "trace-v1"
        ]
    );
    for document in all {
        let uri = format!("/openapi/{}.json", document.name());
        let request = Request::get(uri)
            .header(header::ACCEPT, "*/*")
            .body(Body::empty())
            .unwrap();
        let (status, served) = site.ask(request).await;
        assert_eq!((status, served), (StatusCode::OK, document.json()));
    }
}

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get("$ref") {
                found.insert(to.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn documents_hold_together() {
    for document in documents() {
        let (name, json) = (document.name(), document.json());
        assert_eq!(
            document.clashes(),
            Vec::<String>::new(),
            "{name}: one name for two types"
        );
        let mut all = BTreeSet::new();
        references(&json, &mut all);
        for to in all {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(json.pointer(pointer).is_some(), "{name}: {to} leads nowhere");
        }
        let mut ids = BTreeSet::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            let named: BTreeSet<_> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            let declared = item["parameters"].as_array().into_iter().flatten();
            let declared: BTreeSet<_> = declared.map(|parameter| parameter["name"].as_str().unwrap()).collect();
            assert_eq!(named, declared, "{name}: {path}");
            for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
                assert!(
                    ids.insert(operation["operationId"].to_string()),
                    "{name}: {method} {path}"
                );
            }
        }
    }
}

#[test]
fn the_files_are_the_documents() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi");
    let write = std::env::var_os("GOLDEN").is_some_and(|value| value == "write");
    if write {
        std::fs::create_dir_all(&folder).unwrap();
    }
    let mut wanted = BTreeSet::new();
    for document in documents() {
        let file = folder.join(format!("{}.json", document.name()));
        if write {
            std::fs::write(&file, text(&document)).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == text(&document),
            "{} is of another state of the program: look at the change, then run this test with GOLDEN=write",
            file.display()
        );
        wanted.insert(file.file_name().unwrap().to_owned());
    }
    let there = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(there.collect::<BTreeSet<_>>(), wanted, "no other files lie there");
}
