//! The protocol as a client that others wrote sees it: curl, and bytes on a socket.

use crate::site::{Site, clients, tight};
use manifold_http::auth::{SigningKey, Tokens};
use manifold_http::limits::Limits;
use prometheus_client::encoding::text;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// What curl saw.
struct Seen {
    status: u16,
    headers: String,
    body: String,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    /// The value of a header; names are compared in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Checks that the body is ProblemDetails as GS NFV-SOL 013 6.3 wants them.
    fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        body
    }
}

async fn curl(arguments: &[&str]) -> Seen {
    let output = Command::new("curl")
        .args(["-sS", "-i", "--max-time", "20", "-g"])
        .args(arguments)
        .output()
        .await
        .expect("curl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut rest = text.as_str();
    loop {
        let (headers, body) = rest.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 100 {
            rest = body;
            continue;
        }
        return Seen {
            status,
            headers: headers.to_owned(),
            body: body.to_owned(),
        };
    }
}

async fn token(site: &Site, user: &str) -> String {
    // curl does not form-encode what goes into Basic (RFC 6749 2.3.1), so this is written as it goes over the wire.
    let credentials = format!("{user}:{user}%27s+secret+%2B%25%26");
    let url = site.url("/oauth2/token");
    let seen = curl(&["-u", &credentials, "-d", "grant_type=client_credentials", &url]).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    let answer = seen.json();
    assert_eq!(answer["token_type"], "Bearer");
    format!("Authorization: Bearer {}", answer["access_token"].as_str().unwrap())
}

const VERSION: &str = "Version: 1.2.0";
const JSON: &str = "Content-Type: application/json";

#[tokio::test]
async fn versions_are_told_without_a_version_and_asked_for_everywhere_else() {
    let site = Site::start().await;
    for path in ["/widgets/api_versions", "/widgets/v1/api_versions"] {
        let seen = curl(&[&site.url(path)]).await;
        assert_eq!(seen.status, 200);
        let body = seen.json();
        assert_eq!(body["uriPrefix"], "/widgets/v1");
        assert_eq!(body["apiVersions"][1]["version"], "1.1.0");
        curl(&["-X", "POST", &site.url(path)]).await.problem(405);
    }
    let bearer = token(&site, "oss").await;
    let url = site.url("/widgets/v1/widgets/1");
    curl(&["-H", &bearer, &url]).await.problem(400);
    let other = curl(&["-H", &bearer, "-H", "Version: 9.0.0", &url]).await.problem(406);
    assert_eq!(other["supportedVersions"], json!(["1.2.0", "1.1.0"]));
    let older = curl(&["-H", &bearer, "-H", "Version: 1.1.0-impl:acme:7", &url]).await;
    assert_eq!((older.status, older.header("version")), (200, Some("1.1.0")));
    assert_eq!(older.header("etag"), Some("\"7\""));
    site.stop().await;
}

#[tokio::test]
async fn unknown_paths_verbs_and_media_types_end_in_problem_details() {
    let site = Site::start().await;
    let bearer = token(&site, "oss").await;
    let ask = async |arguments: &[&str]| {
        let mut all = vec!["-H", &bearer, "-H", VERSION];
        all.extend_from_slice(arguments);
        curl(&all).await
    };
    let widgets = site.url("/widgets/v1/widgets");
    ask(&[&site.url("/widgets/v1/nothing")]).await.problem(404);
    curl(&[&site.url("/nothing")]).await.problem(404);
    let verb = ask(&["-X", "DELETE", &widgets]).await;
    verb.problem(405);
    assert_eq!(verb.header("version"), Some("1.2.0"));
    assert!(verb.header("allow").is_some_and(|allow| allow.contains("POST")));
    ask(&["-H", "Accept: text/html", &widgets]).await.problem(406);
    assert_eq!(
        ask(&["-H", "Accept: text/html, application/*;q=0.1", &widgets])
            .await
            .status,
        200
    );
    assert_eq!(ask(&["-H", "Accept: application/zip", &widgets]).await.status, 200);
    ask(&["-H", "Content-Type: text/plain", "-d", "{}", &widgets])
        .await
        .problem(415);
    ask(&["-H", JSON, "-d", "{", &widgets]).await.problem(400);
    ask(&["-H", JSON, "-d", r#"{"number":"x"}"#, &widgets])
        .await
        .problem(422);
    ask(&["-H", JSON, "-d", r#"{"number":1,"more":1}"#, &widgets])
        .await
        .problem(422);
    let one = site.url("/widgets/v1/widgets/1");
    ask(&["-X", "PATCH", "-H", JSON, "-d", "{}", &one]).await.problem(415);
    let patch = "Content-Type: application/merge-patch+json";
    let stale = ask(&["-X", "PATCH", "-H", patch, "-H", "If-Match: \"3\"", "-d", "{}", &one]).await;
    stale.problem(412);
    assert_eq!(
        ask(&[
            "-X",
            "PATCH",
            "-H",
            patch,
            "-H",
            "If-Match: \"3\", \"7\"",
            "-d",
            "{}",
            &one
        ])
        .await
        .status,
        200
    );
    assert_eq!(ask(&["-X", "PATCH", "-H", patch, "-d", "{}", &one]).await.status, 200);
}

#[tokio::test]
async fn filters_selectors_and_pages_are_answered_or_refused_with_400() {
    let site = Site::start().await;
    let bearer = token(&site, "oss").await;
    let get = async |query: &str| {
        let url = site.url(&format!("/widgets/v1/widgets?{query}"));
        curl(&["-H", &bearer, "-H", VERSION, &url]).await
    };
    let one = get("filter=(eq,id,00007)").await;
    assert_eq!(one.json(), json!([{"id": "00007", "number": 7}]));
    assert_eq!(one.header("link"), None);
    assert_eq!(
        get("filter=(eq,id,%2700007%27)&fields=parts").await.json()[0]["parts"],
        json!([{"a": 1}])
    );
    let first = get("all_fields").await;
    let link = first.header("link").unwrap();
    let next = link.split(['<', '>']).nth(1).unwrap();
    assert!(link.ends_with("rel=\"next\"") && next.starts_with(&site.url("/widgets/v1/widgets?all_fields&")));
    let second = curl(&["-H", &bearer, "-H", VERSION, next]).await;
    assert_eq!(second.json()[0]["id"], "00100");
    for bad in [
        "filter=(eq,id)",
        "filter=(eq,colour,red)",
        "fields=colour",
        "all_fields&exclude_default",
        "fields=",
        "nextpage_opaque_marker=AAAA",
        "filter=(eq,id,%ff)",
        "limit=5",
        "all_fields&all_fields",
    ] {
        get(bad).await.problem(400);
    }
    let marker = next.split("nextpage_opaque_marker=").nth(1).unwrap();
    get(&format!("fields=parts&nextpage_opaque_marker={marker}"))
        .await
        .problem(400);
}

#[tokio::test]
async fn tokens_are_given_for_credentials_and_nothing_else() {
    let site = Site::start().await;
    let url = site.url("/oauth2/token");
    let grant = "grant_type=client_credentials";
    let form = curl(&[
        "-d",
        grant,
        "-d",
        "client_id=oss",
        "--data-urlencode",
        "client_secret=oss's secret +%&",
        &url,
    ])
    .await;
    assert_eq!(form.status, 200, "{}", form.body);
    for (arguments, status, error) in [
        (vec!["-d", grant], 401, "invalid_client"),
        (vec!["-u", "oss:wrong", "-d", grant], 401, "invalid_client"),
        (vec!["-u", "nobody:wrong", "-d", grant], 401, "invalid_client"),
        (
            vec!["-u", "oss:oss%27s+secret+%2B%25%26", "-d", "grant_type=password"],
            400,
            "unsupported_grant_type",
        ),
        (
            vec!["-u", "oss:oss%27s+secret+%2B%25%26", "-d", "x=y"],
            400,
            "invalid_request",
        ),
        (vec!["-u", "oss:x", "-d", grant, "-d", grant], 400, "invalid_request"),
        (vec!["-u", "oss:x", "-H", JSON, "-d", "{}"], 400, "invalid_request"),
        (
            vec![
                "-u",
                "ccm:ccm%27s+secret+%2B%25%26",
                "-d",
                grant,
                "-d",
                "scope=widgets:v1:all",
            ],
            400,
            "invalid_scope",
        ),
    ] {
        let mut all = arguments.clone();
        all.push(&url);
        let seen = curl(&all).await;
        assert_eq!(
            (seen.status, seen.json()["error"].as_str()),
            (status, Some(error)),
            "{arguments:?}"
        );
        assert_eq!(seen.header("www-authenticate").is_some(), status == 401);
    }
    curl(&[&url]).await.problem(405);
}

#[tokio::test]
async fn guessing_a_secret_is_slowed_down_and_only_for_that_client() {
    let site = Site::start().await;
    let url = site.url("/oauth2/token");
    let mut last = 0;
    for _ in 0..30 {
        let seen = curl(&["-u", "oss:guess", "-d", "grant_type=client_credentials", &url]).await;
        last = seen.status;
        if last == 429 {
            assert!(
                seen.header("retry-after")
                    .is_some_and(|value| value.parse::<u32>().unwrap() > 0)
            );
            break;
        }
        assert_eq!(last, 401);
    }
    assert_eq!(last, 429);
    token(&site, "ccm").await;
}

#[tokio::test]
async fn only_a_good_token_opens_an_api() {
    let site = Site::start().await;
    let url = site.url("/gadgets/v2/gadgets");
    let ask = async |bearer: &str, more: &str| curl(&["-H", bearer, "-H", "Version: 2.0.0", "-H", more, &url]).await;
    let none = curl(&["-H", "Version: 2.0.0", &url]).await;
    none.problem(401);
    assert!(none.header("www-authenticate").unwrap().starts_with("Bearer"));
    ask("Authorization: Basic b3NzOng=", "X: y").await.problem(401);
    ask("Authorization: Bearer garbage", "X: y").await.problem(400);
    let good = token(&site, "ccm").await;
    assert_eq!(ask(&good, "X: y").await.status, 200);
    let (head, tail) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    let refused = ask(&forged, "X: y").await;
    refused.problem(401);
    assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
    // {"alg":"none"} with everything else as it was.
    let claims = good.split('.').nth(1).unwrap();
    ask(&format!("Authorization: Bearer eyJhbGciOiJub25lIn0.{claims}."), "X: y")
        .await
        .problem(400);
    // A scope that does not hold the other API.
    let widgets = site.url("/widgets/v1/widgets/1");
    let scope = curl(&["-H", &good, "-H", VERSION, &widgets]).await;
    scope.problem(403);
    assert!(scope.header("www-authenticate").unwrap().contains("insufficient_scope"));
    // Another server's key, and a client that is not configured any more.
    let other = Site::start().await;
    curl(&["-H", &good, "-H", "Version: 2.0.0", &other.url("/gadgets/v2/gadgets")])
        .await
        .problem(401);
    assert_eq!(curl(&[&site.url("/healthz")]).await.status, 200);
}

#[tokio::test]
async fn a_client_acts_only_for_the_tenants_that_it_may_name() {
    let site = Site::start().await;
    let bearer = token(&site, "oss").await;
    let url = site.url("/widgets/v1/widgets");
    let make = async |tenant: &str| {
        let tenant = format!("Manifold-Tenant: {tenant}");
        curl(&[
            "-H",
            &bearer,
            "-H",
            VERSION,
            "-H",
            JSON,
            "-H",
            &tenant,
            "-d",
            r#"{"number":1}"#,
            &url,
        ])
        .await
    };
    assert_eq!(make("tenant-q").await.json()["tenant"], "tenant-q");
    make("Not A Tenant").await.problem(400);
    let bearer = token(&site, "ccm").await;
    let gadgets = site.url("/gadgets/v2/gadgets");
    let ask = async |header: &str| curl(&["-H", &bearer, "-H", "Version: 2.0.0", "-H", header, &gadgets]).await;
    assert_eq!(ask("X: y").await.json(), "tenant-a");
    assert_eq!(ask("Manifold-Tenant: tenant-b").await.json(), "tenant-b");
    ask("Manifold-Tenant: tenant-c").await.problem(403);
}

#[tokio::test]
async fn every_limit_is_told_by_its_status() {
    let site = Site::start().await;
    let bearer = token(&site, "oss").await;
    let url = site.url("/widgets/v1/widgets");
    let large = format!(r#"{{"number":1,"pad":"{}"}}"#, "x".repeat(2_000));
    curl(&["-H", &bearer, "-H", VERSION, "-H", JSON, "-d", &large, &url])
        .await
        .problem(413);
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    curl(&[
        "-H", &bearer, "-H", VERSION, "-H", JSON, chunked[0], chunked[1], "-d", &large, &url,
    ])
    .await
    .problem(413);
    curl(&["-H", &bearer, &format!("{url}?{}", "x".repeat(3_000))])
        .await
        .problem(414);
    curl(&["-H", &bearer, "-H", VERSION, &site.url("/widgets/v1/slow")])
        .await
        .problem(504);
    let panicked = curl(&["-H", &bearer, "-H", VERSION, &site.url("/widgets/v1/fail/panic")]).await;
    assert!(!panicked.problem(500).to_string().contains("secret reason"));
    let busy = curl(&["-H", &bearer, "-H", VERSION, &site.url("/widgets/v1/fail/busy")]).await;
    assert_eq!(busy.problem(409)["kind"], "BUSY");
    assert!(busy.header("retry-after").is_some());
    let mut metrics = String::new();
    text::encode(&mut metrics, &site.registry).unwrap();
    let panics = r#"http_requests_total{path="/widgets/v1/fail/{kind}",method="GET",status="5xx"} 1"#;
    assert!(metrics.contains(panics), "{metrics}");
    assert!(metrics.contains("http_requests_in_flight 0"), "{metrics}");
}

#[tokio::test]
async fn too_many_requests_are_refused_early() {
    let limits = Limits {
        rate_per_second: 1,
        burst: 2,
        ..tight()
    };
    let site = Site::start_with(limits, Tokens::new(clients(), SigningKey::random()), None).await;
    let bearer = token(&site, "oss").await;
    let url = site.url("/widgets/v1/widgets/1");
    let mut refused = None;
    for _ in 0..20 {
        let seen = curl(&["-H", &bearer, "-H", VERSION, &url]).await;
        if seen.status != 200 {
            refused = Some(seen);
            break;
        }
    }
    let refused = refused.expect("a client that asks faster than it may is refused");
    refused.problem(429);
    assert!(refused.header("retry-after").is_some());

    let limits = Limits {
        in_flight: 1,
        request: Duration::from_secs(3),
        ..tight()
    };
    let site = Site::start_with(limits, Tokens::new(clients(), SigningKey::random()), None).await;
    let bearer = token(&site, "oss").await;
    let slow = site.url("/widgets/v1/slow");
    let held = {
        let (bearer, slow) = (bearer.clone(), slow.clone());
        tokio::spawn(async move { curl(&["-H", &bearer, "-H", VERSION, &slow]).await.status })
    };
    let health = site.url("/healthz");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(8);
    let shed = loop {
        let seen = curl(&[&health]).await;
        if seen.status == 503 {
            break seen;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the held request never took the place"
        );
    };
    assert!(shed.header("retry-after").is_some());
    assert_eq!(held.await.unwrap(), 504);
}

#[tokio::test]
async fn oversized_headers_and_half_requests_do_not_hurt() {
    let site = Site::start().await;
    let shout = async |bytes: Vec<u8>| {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        // The server may close before it has taken everything.
        stream.write_all(&bytes).await.ok();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.ok();
        String::from_utf8_lossy(&said).into_owned()
    };
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    assert!(
        shout(format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes())
            .await
            .contains("431")
    );
    assert!(
        shout(b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n".to_vec())
            .await
            .contains("400")
    );
    drop(TcpStream::connect(site.address).await.unwrap());
    assert_eq!(curl(&[&site.url("/healthz")]).await.status, 200);
    site.stop().await;
}
