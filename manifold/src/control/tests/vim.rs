//! Clients that the configuration lets in, at the VIMs of the lab.

use super::Site;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

/// A PoP with one host.
const LAB: &str = include_str!("../../../../campaign/labs/campaign.toml");

const POPS: &str = "/vim/v1/vims/site-1/nfvi_pops";

#[tokio::test]
async fn a_client_of_the_configuration_gets_what_policy_gives_its_role_and_no_more() {
    let site = Site::start(&["LAB", "CCM", "VNFM"], 0o600).await.unwrap();
    let (lab, ccm, vnfm) = (
        site.token("LAB").await,
        site.token("CCM").await,
        site.token("VNFM").await,
    );

    let (status, _) = site.call(&ccm, Method::GET, POPS, Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "there is no lab yet, so no VIM");
    let (status, shown) = site
        .call(&lab, Method::PUT, "/lab/v1/lab", json!({ "text": LAB }))
        .await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert_eq!(shown["lab"]["pops"][0]["name"], "site-1");
    assert_eq!(shown["state"], "READY");

    let (status, pops) = site.call(&ccm, Method::GET, POPS, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{pops}");
    assert_eq!(pops[0]["nfviPopId"], "site-1");
    assert_eq!(pops[0]["vimId"], "site-1");

    // Vi-Vnfm has no topology, and makes no flavours; machines and networks it has.
    let (status, refused) = site.call(&vnfm, Method::GET, POPS, Value::Null).await;
    assert_eq!(
        (status, &refused["kind"]),
        (StatusCode::FORBIDDEN, &json!("FORBIDDEN")),
        "{refused}"
    );
    let flavour = json!({ "name": "small", "numVirtualCpu": 1, "virtualMemSize": 128 });
    let flavours = "/vim/v1/vims/site-1/flavours";
    let (status, refused) = site.call(&vnfm, Method::POST, flavours, flavour.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
    let (status, made) = site.call(&ccm, Method::POST, flavours, flavour).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (status, found) = site
        .call(&vnfm, Method::GET, "/vim/v1/vims/site-1/networks", Value::Null)
        .await;
    assert_eq!((status, found), (StatusCode::OK, json!([])));

    // Neither is the operator of the lab, nor an OSS.
    let (status, _) = site.call(&ccm, Method::GET, "/lab/v1/objects", Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = site
        .call(&ccm, Method::GET, "/nslcm/v2/ns_instances", Value::Null)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_secret_that_others_can_reach_or_a_role_that_nobody_knows_ends_the_start() {
    for mode in [0o640, 0o604, 0o620] {
        let refused = Site::start(&["CCM"], mode)
            .await
            .err()
            .map(|error| format!("{error:#}"));
        let refused = refused.unwrap_or_default();
        assert!(
            refused.contains("\"CCM\"") && refused.contains("chmod 600"),
            "{mode:o}: {refused}"
        );
        assert!(!refused.contains(super::SECRET.trim()));
    }
    assert!(Site::start(&["CCM"], 0o400).await.is_ok());
    let refused = Site::start(&["BOSS"], 0o600)
        .await
        .err()
        .map(|error| format!("{error:#}"));
    assert!(
        refused
            .as_ref()
            .is_some_and(|text| text.contains("no role \"BOSS\"") && text.contains("CCM")),
        "{refused:?}"
    );
    let twice = Site::start(&["CCM", "CCM"], 0o600)
        .await
        .err()
        .map(|error| format!("{error:#}"));
    assert!(twice.is_some_and(|text| text.contains("configured twice")));
}
