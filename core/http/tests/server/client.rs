//! Our own client against a listening server.

use crate::site::{Site, WIDGETS, clients, tight};
use futures_util::StreamExt;
use manifold_call::{Context, ErrorKind};
use manifold_http::auth::{Secret, SigningKey, Tokens};
use manifold_http::client::{SetupError, Trust};
use manifold_http::tls::{Fingerprint, TlsConfig};
use manifold_http::{api::PublicRoot, server};
use serde_json::{Value, json};
use std::time::Duration;

fn cx() -> Context {
    Context::root("tenant-a".into())
}

#[tokio::test]
async fn a_list_comes_whole_over_its_pages_filtered_and_selected() {
    let site = Site::start().await;
    let all: Vec<Value> = site.client().list(&cx(), &["widgets"], &[]).await.unwrap();
    assert_eq!(all.len(), WIDGETS);
    assert_eq!(all[WIDGETS - 1], json!({"id": "00249", "number": 249}));
    let query = [
        ("filter", "(gte,number,100);(nin,id,'00101',00102)"),
        ("all_fields", ""),
    ];
    let some: Vec<Value> = site.client().list(&cx(), &["widgets"], &query).await.unwrap();
    assert_eq!(some.len(), 148);
    assert_eq!(some[0], json!({"id": "00100", "number": 100, "parts": [{"a": 1}]}));
    site.stop().await;
}

#[tokio::test]
async fn what_is_made_tells_its_location_and_the_context_arrives() {
    let site = Site::start().await;
    let context = Context::root("tenant-z".into());
    let made = site
        .client()
        .post::<Value>(&context, &["widgets"], &json!({"number": 1}))
        .await
        .unwrap();
    assert_eq!(made.status, 201);
    assert_eq!(made.location, Some(site.url("/widgets/v1/widgets/a%20b")));
    assert_eq!(
        made.body,
        Some(json!({"number": 1, "tenant": "tenant-z", "role": "OSS"}))
    );
    let asked = site
        .client()
        .post_empty::<Value>(&cx(), &["widgets", "1", "task"])
        .await
        .unwrap();
    assert_eq!((asked.status.as_u16(), asked.location_id()), (202, Some("o1")));
    let read = site
        .client()
        .get_reply::<Value>(&cx(), &["widgets", "1"])
        .await
        .unwrap();
    let etag = read.etag.unwrap();
    let changed = site
        .client()
        .patch::<Value>(&cx(), &["widgets", "1"], &json!({"x": 1}), Some(&etag))
        .await
        .unwrap();
    let stale = site
        .client()
        .patch::<Value>(&cx(), &["widgets", "1"], &json!({}), changed.etag.as_deref())
        .await;
    assert_eq!(stale.unwrap_err().kind, ErrorKind::Stale);
}

#[tokio::test]
async fn errors_survive_with_kind_detail_and_cure_and_deadlines_hold() {
    let site = Site::start().await;
    let busy = site.client().get::<Value>(&cx(), &["fail", "busy"]).await.unwrap_err();
    assert_eq!(
        busy,
        manifold_call::CallError::busy("the widget is busy").cure("wait for o1")
    );
    let none = site
        .client()
        .get::<Value>(&cx(), &["fail", "exhausted"])
        .await
        .unwrap_err();
    assert_eq!(none.kind, ErrorKind::Exhausted);
    let late = cx().within(Duration::from_millis(100));
    let late = site.client().get::<Value>(&late, &["slow"]).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::TimedOut);
    let server_late = site.client().get::<Value>(&cx(), &["slow"]).await.unwrap_err();
    assert_eq!(server_late.kind, ErrorKind::TimedOut);
    let fault = site.client().get::<Value>(&cx(), &["fail", "panic"]).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Internal);
    assert!(!fault.detail.contains("secret reason"));
}

#[tokio::test]
async fn only_what_is_safe_is_repeated() {
    let site = Site::start().await;
    assert_eq!(site.client().get::<u32>(&cx(), &["flaky"]).await.unwrap(), 3);
    let site = Site::start().await;
    let once = site.client().post_empty::<u32>(&cx(), &["flaky"]).await.unwrap_err();
    assert_eq!(once.kind, ErrorKind::Unavailable);
    let named = cx().with_key(uuid::Uuid::now_v7());
    let named = site.client().post_empty::<u32>(&named, &["flaky"]).await.unwrap();
    assert_eq!(named.body, Some(3));
}

#[tokio::test]
async fn a_wrong_secret_is_our_misconfiguration_and_is_not_printed() {
    let site = Site::start().await;
    let client = site.client_with("oss", Secret::new("hunter2"), Trust::Loopback);
    let refused = client.get::<Value>(&cx(), &["widgets"]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Internal);
    assert!(refused.cure.as_ref().unwrap().contains("client id and secret"));
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_token_that_the_server_no_longer_knows_is_renewed_and_a_kept_key_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.key");
    let site = Site::start_with(tight(), Tokens::new(clients(), SigningKey::random()), None).await;
    let client = site.client();
    let address = site.address;
    client.get::<Value>(&cx(), &["widgets", "1"]).await.unwrap();
    site.stop().await;
    // The same place, with another key: the client's token is worth nothing now.
    for _ in 0..2 {
        let tokens = Tokens::new(clients(), SigningKey::load_or_create(&path).unwrap());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let next = Site::start_on(listener, tight(), tokens, None).await;
        client.get::<Value>(&cx(), &["widgets", "1"]).await.unwrap();
        next.stop().await;
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let site = Site::start().await;
    let client = site.client();
    site.stop().await;
    let late = cx().within(Duration::from_millis(300));
    let gone = client.get::<Value>(&late, &["widgets"]).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn tls_is_believed_by_authority_or_by_fingerprint_and_else_refused() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["127.0.0.1".to_owned()];
    let tls = TlsConfig::self_signed(folder.path(), &names).unwrap();
    let again = TlsConfig::self_signed(folder.path(), &names).unwrap();
    assert_eq!(tls.fingerprint(), again.fingerprint());
    let tokens = Tokens::new(clients(), SigningKey::random());
    let site = Site::start_with(tight(), tokens, Some(tls.clone())).await;
    let secret = || Secret::new("oss's secret +%&");
    for trust in [
        Trust::Pinned(tls.fingerprint().to_string().parse().unwrap()),
        Trust::Authorities(tls.certificate_pem().to_owned()),
    ] {
        let client = site.client_with("oss", secret(), trust);
        client.get::<Value>(&cx(), &["widgets", "1"]).await.unwrap();
    }
    let other = site.client_with("oss", secret(), Trust::Pinned(Fingerprint([7; 32])));
    let late = cx().within(Duration::from_millis(300));
    let refused = other.get::<Value>(&late, &["widgets", "1"]).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    site.stop().await;
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = server::serve(listener, axum::Router::new(), None, std::future::ready(())).await;
    assert!(matches!(refused, Err(server::ServeError::TlsRequired(_))));
    let config = |root: &str, trust| manifold_http::client::ApiClientConfig {
        neighbour: "x".into(),
        root: PublicRoot::parse(root).unwrap(),
        api: "a".into(),
        major: "v1".into(),
        version: "1.0.0".into(),
        credentials: manifold_http::client::Credentials {
            client_id: "c".into(),
            secret: Secret::new("s"),
            token_url: None,
        },
        trust,
    };
    let plain = manifold_http::client::ApiClient::new(config("http://192.0.2.1", Trust::Loopback));
    assert!(matches!(plain.err(), Some(SetupError::Plain(_))));
    let nobody = manifold_http::client::ApiClient::new(config("https://192.0.2.1", Trust::Loopback));
    assert!(matches!(nobody.err(), Some(SetupError::NobodyTrusted(_))));
    let mut away = config("https://192.0.2.1", Trust::Pinned(Fingerprint([0; 32])));
    away.credentials.token_url = Some("http://192.0.2.1/token".into());
    let away = manifold_http::client::ApiClient::new(away);
    assert!(matches!(away.err(), Some(SetupError::Plain(_))));
}

#[tokio::test]
async fn uploads_stream_up_to_their_own_limit() {
    let site = Site::start().await;
    let chunks = |count: usize| {
        let chunks = futures_util::stream::iter((0..count).map(|_| Ok::<_, std::io::Error>(vec![0u8; 10_000])));
        reqwest::Body::wrap_stream(chunks.boxed())
    };
    let path = ["widgets", "1", "content"];
    site.client()
        .upload(&cx(), &path, "application/zip", chunks(10))
        .await
        .unwrap();
    let refused = site
        .client()
        .upload(&cx(), &path, "application/zip", chunks(11))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(refused.detail.contains("100000"), "{refused}");
}
