//! The binding against a listening server: every question and every answer crosses unharmed, errors included.
#![allow(clippy::unwrap_used)]

mod echo;
mod site;

use echo::{COMPUTES, Echo};
use manifold_call::{CallError, Context, ErrorKind, OccurrenceId, Role, Uuid};
use manifold_vim_interface::*;
use serde_json::{Value, json};
use site::{Site, bound};
use std::sync::Arc;
use std::time::Duration;

/// Not a plain word: identifiers of VIMs have to survive a path.
const VIM: &str = "site 1";

fn context() -> Context {
    let mut context = Context::root("tenant-a".into()).with_key(Uuid::from_u128(7));
    context.occurrence = Some(OccurrenceId(Uuid::from_u128(8)));
    context.trace.trace = Uuid::from_u128(9);
    context
}

fn uuid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}

fn a_machine() -> AllocateCompute {
    AllocateCompute {
        compute_name: "gateway-1".into(),
        compute_flavour_id: FlavourId(uuid("f")),
        vc_image_id: Some(ImageId(uuid("i"))),
        interface_data: vec![VirtualInterfaceData {
            network_id: Some(NetworkId(uuid("n"))),
            network_port_id: None,
            ip_address: vec!["10.0.0.9".parse().unwrap()],
            mac_address: Some("02:00:00:00:00:09".into()),
        }],
        affinity_or_anti_affinity_constraints: vec![AffinityConstraint {
            kind: AffinityKind::AntiAffinity,
            scope: AffinityScope::Zone,
            affinity_or_anti_affinity_resource_list: vec![ComputeId(uuid("c"))],
            affinity_or_anti_affinity_resource_group_id: None,
        }],
        location_constraints: Some(LocationConstraints {
            zone_id: Some("zone-1".into()),
            host_id: None,
        }),
        user_data: Some(UserData {
            content: "#cloud-config\npassword: \"x\"\n".into(),
            method: UserDataMethod::NoCloud,
        }),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
    }
}

fn network_asks() -> Vec<AllocateNetworkResource> {
    let subnet = NetworkSubnetData {
        network_id: Some(NetworkId(uuid("n"))),
        cidr: "192.0.2.0/24".parse().unwrap(),
        gateway_ip: Some("192.0.2.1".parse().unwrap()),
        is_dhcp_enabled: true,
        address_pool: vec![AddressRange {
            first: "192.0.2.10".parse().unwrap(),
            last: "192.0.2.20".parse().unwrap(),
        }],
    };
    let network = VirtualNetworkData {
        bandwidth: Some(1_000_000),
        layer3_attributes: vec![subnet.clone()],
        connected_networks: vec![NetworkId(uuid("o"))],
        gateway_reachable: true,
        ..VirtualNetworkData::default()
    };
    let port = VirtualNetworkPortData {
        network_id: NetworkId(uuid("n")),
        bandwidth: Some(5),
        ip_address: vec![],
        mac_address: None,
        access_point: Some("wall".into()),
    };
    [
        NetworkResourceData::Network { data: network },
        NetworkResourceData::Subnet { data: subnet },
        NetworkResourceData::NetworkPort { data: port },
    ]
    .map(|data| AllocateNetworkResource {
        network_resource_name: "blue".into(),
        data,
        metadata: Metadata::new(),
    })
    .into()
}

/// Calls every operation of every trait once; the answers as text.
async fn all_operations(vim: &VimHandle, cx: &Context) -> Vec<Result<String, CallError>> {
    let mut answers = Vec::new();
    macro_rules! call {
        ($part:ident.$operation:ident($ask:expr)) => {
            let answer = vim.$part.$operation(cx, $ask).await;
            answers.push(answer.map(|answer| format!("{answer:?}")));
        };
    }
    let filter = || QueryFilter {
        filter: "(eq,computeName,'a & b=c+d (e)''f/ü')".into(),
    };
    let id = ComputeId(uuid("c"));
    call!(compute.allocate(a_machine()));
    call!(compute.query(filter()));
    call!(compute.update(UpdateCompute {
        compute_id: id,
        network_interface_new: a_machine().interface_data,
        metadata: Some(Metadata::new()),
    }));
    call!(compute.terminate(vec![id, ComputeId(uuid("d"))]));
    call!(compute.operate(OperateCompute {
        compute_id: id,
        compute_operation: ComputeOperation::Reboot,
    }));
    call!(compute.create_affinity_group(CreateAffinityGroup {
        group_name: "g".into(),
        kind: AffinityKind::Affinity,
        scope: AffinityScope::NfviPop,
    }));
    call!(compute.delete_affinity_groups(vec![AffinityGroupId(uuid("g"))]));
    call!(compute.console(id));
    for ask in network_asks() {
        call!(networks.allocate(ask));
    }
    call!(networks.query(QueryFilter::default()));
    call!(networks.update(UpdateNetworkResource {
        network_resource_id: uuid("p"),
        bandwidth: Some(0),
        connected_networks: Some(vec![]),
        metadata: None,
    }));
    call!(networks.terminate(vec![uuid("p"), uuid("n")]));
    let class = NfpRule {
        ether_source_address: Some("02:00:00:00:00:01".into()),
        protocol: Some(6),
        destination_port_range: Some(PortRange { lower: 80, upper: 90 }),
        source_ip_address_prefix: Some("192.0.2.0/24".parse().unwrap()),
        ..NfpRule::default()
    };
    call!(paths.create(CreateNfp {
        nfp_name: "web".into(),
        virtual_network_port: vec![PortId(uuid("p")), PortId(uuid("q"))],
        total_vnp: Some(2),
        nfp_rule: vec![class.clone()],
        from_network: true,
        priority: 3,
        schedule: vec![Window::default()],
        metadata: Metadata::new(),
    }));
    call!(paths.query(filter()));
    call!(paths.update(UpdateNfp {
        nfp_id: NfpId(uuid("n")),
        nfp_rule: None,
        virtual_network_port: Some(vec![]),
    }));
    call!(paths.delete(vec![NfpId(uuid("n"))]));
    call!(paths.change_state(ChangeNfpState {
        nfp_id: vec![NfpId(uuid("n"))],
        desired_state: NfpState::Disabled,
    }));
    let rule = TrafficRuleData {
        name: "slow".into(),
        targets: vec![uuid("p"), uuid("n")],
        direction: TrafficDirection::Towards,
        classifier: class,
        priority: 9,
        action: TrafficAction::Limit {
            bits_per_second: 10_000,
        },
        schedule: vec![Window {
            days: vec![Weekday::Monday],
            from_s: Some(5),
            ..Window::default()
        }],
        metadata: Metadata::new(),
    };
    call!(traffic.create(rule.clone()));
    call!(traffic.query(filter()));
    call!(traffic.update(TrafficRule {
        traffic_rule_id: TrafficRuleId(uuid("t")),
        rule: TrafficRuleData {
            action: TrafficAction::Precedence { level: 7 },
            ..rule
        },
        operational_state: OperationalState::Enabled,
    }));
    call!(traffic.delete(vec![TrafficRuleId(uuid("t"))]));
    call!(flavours.create(ComputeFlavour {
        flavour_id: None,
        name: "tiny".into(),
        num_virtual_cpu: 1,
        virtual_mem_size: 64,
        metadata: Metadata::new(),
    }));
    call!(flavours.query(filter()));
    call!(flavours.delete(FlavourId(uuid("f"))));
    call!(images.add(AddImage {
        name: "guest".into(),
        provider: "us".into(),
        version: "1".into(),
        content: ImageContent::Kernel {
            kernel: "/k".into(),
            initramfs: "/i".into(),
            command_line: "quiet console=ttyS0".into(),
        },
        user_metadata: Metadata::new(),
    }));
    call!(images.query(filter()));
    call!(images.delete(ImageId(uuid("i"))));
    call!(topology.query_nfvi_pop(filter()));
    call!(topology.query_resource_zone(filter()));
    call!(topology.query_compute_capacity(filter()));
    call!(topology.query_provider_networks(filter()));
    answers
}

#[tokio::test]
async fn every_operation_asks_and_answers_through_the_wire_as_it_does_directly() {
    let echo = Arc::new(Echo::default());
    let direct = echo.handle(VIM);
    let site = Site::start(direct.clone()).await;
    let remote = site.client(Role::Nfvo, VIM);

    let wanted = all_operations(&direct, &context()).await;
    let asked = echo.take_calls();
    assert!(asked.iter().all(|call| call.key == Some(Uuid::from_u128(7))));
    let operations = [
        BoundVirtualisedCompute::OPERATIONS,
        BoundVirtualisedNetworks::OPERATIONS,
        BoundNetworkForwardingPaths::OPERATIONS,
        BoundTrafficRules::OPERATIONS,
        BoundComputeFlavours::OPERATIONS,
        BoundSoftwareImages::OPERATIONS,
        BoundTopology::OPERATIONS,
    ];
    // Networks are allocated three times, once for each kind.
    assert_eq!(
        asked.len(),
        operations.concat().len() + 2,
        "an operation is not called here"
    );

    assert_eq!(all_operations(&remote, &context()).await, wanted);
    // A list of three pages asks three times.
    let mut arrived = echo.take_calls();
    arrived.dedup();
    assert_eq!(arrived, asked, "question, tenant, key, occurrence and trace");
    site.stop().await;
}

#[tokio::test]
async fn every_kind_of_failure_comes_back_with_its_detail_and_its_cure() {
    let echo = Arc::new(Echo::default());
    let site = Site::start(echo.handle(VIM)).await;
    let remote = site.client(Role::Ccm, VIM);
    for make in [
        CallError::invalid,
        CallError::forbidden,
        CallError::not_found,
        CallError::conflict,
        CallError::busy,
        CallError::stale,
        CallError::exhausted,
        CallError::unsupported,
        CallError::unavailable,
        CallError::timed_out,
        CallError::internal,
    ] {
        let fault = make("host-a has no room for 4 GiB".to_owned()).cure("ask for less");
        echo.fail(Some(fault.clone()));
        // Shorter than the pause that the producer asks for, so that nothing is repeated.
        let cx = context().within(Duration::from_millis(1_500));
        let found = remote.compute.allocate(&cx, a_machine()).await;
        assert_eq!(found, Err(fault.clone()));
        assert_eq!(echo.take_calls().len(), 1, "{:?} was asked again", fault.kind);
    }
    echo.fail(Some(CallError::unauthenticated("the agent wants a token")));
    let found = remote
        .compute
        .query(&context(), QueryFilter::default())
        .await
        .unwrap_err();
    assert_eq!(found.kind, ErrorKind::Internal, "not our caller's 401");
    site.stop().await;
}

/// Every route below `/vims/{vimId}`, by the operation that it stands for.
fn routes() -> Vec<(&'static str, String)> {
    let id = uuid("any");
    let one = |container: &str| {
        [
            ("GET", format!("{container}/{id}")),
            ("DELETE", format!("{container}/{id}")),
        ]
    };
    let mut routes = Vec::new();
    for container in [
        "compute_resources",
        "networks",
        "subnets",
        "ports",
        "flavours",
        "software_images",
    ] {
        routes.push(("GET", container.to_owned()));
        routes.push(("POST", container.to_owned()));
        routes.extend(one(container));
    }
    for container in [
        "network_resources",
        "nfvi_pops",
        "zones",
        "capacity",
        "provider_networks",
    ] {
        routes.push(("GET", container.to_owned()));
    }
    for container in ["compute_resources", "affinity_groups", "network_resources"] {
        routes.push(("POST", format!("{container}/terminate")));
    }
    for task in [
        "compute_resources/ID/operate",
        "compute_resources/ID/update",
        "network_resources/ID/update",
    ] {
        routes.push(("POST", task.replace("ID", &id.to_string())));
    }
    routes.push(("GET", format!("compute_resources/{id}/console")));
    routes.push(("POST", "affinity_groups".to_owned()));
    routes.push(("DELETE", format!("affinity_groups/{id}")));
    routes
}

/// Each operation of each interface, by each role, by nobody, and with a token that is none.
// proves: Ccm-Vim.012, NFV006-RP-10
#[tokio::test]
async fn roles_that_no_row_of_the_policy_names_are_refused_before_the_vim_hears_of_it() {
    let echo = Arc::new(Echo::default());
    let site = Site::start(echo.handle(VIM)).await;
    for role in [Role::Nfvo, Role::Vnfm, Role::Ccm, Role::Cism, Role::Oss, Role::Em] {
        // Through the wire each role may do exactly what it may do directly.
        let cx = context();
        let direct = all_operations(&bound(&echo.handle(VIM), role), &cx).await;
        let wire = all_operations(&site.client(role, VIM), &cx).await;
        assert_eq!(wire, direct, "{role}");
        let refused = direct
            .iter()
            .filter(|answer| matches!(answer, Err(error) if error.kind == ErrorKind::Forbidden));
        let refused = refused.count();
        match role {
            Role::Nfvo => assert_eq!(refused, 0),
            Role::Oss | Role::Em => assert_eq!(refused, direct.len()),
            _ => assert!(0 < refused && refused < direct.len(), "{role}: {refused}"),
        }
    }
    echo.take_calls();
    all_operations(&site.client(Role::Oss, VIM), &context()).await;
    let mut plain = Plain::login(&site).await;
    let token = std::mem::take(&mut plain.token);
    for (method, path) in routes() {
        let path = format!("site%201/{path}");
        plain.token.clear();
        assert_eq!(
            plain.ask(method, &path, None).await.0,
            401,
            "{method} {path} without a token"
        );
        plain.token = format!("{token}x");
        assert_eq!(
            plain.ask(method, &path, None).await.0,
            401,
            "{method} {path} with a false token"
        );
    }
    assert_eq!(echo.take_calls(), []);
    plain.token = token;
    for (method, path) in routes() {
        // The route is there: what it misses is the body, or the resource of that identifier.
        let (status, _, problem) = plain.ask(method, &format!("site%201/{path}"), None).await;
        let no_route = status == 405 || problem["detail"] == "there is no such resource";
        assert!(
            !no_route && status != 401 && status != 403,
            "{method} {path}: {status} {problem}"
        );
    }
    site.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages_and_every_machine_once() {
    let echo = Arc::new(Echo::default());
    let site = Site::start(echo.handle(VIM)).await;
    let remote = site.client(Role::Vnfm, VIM);
    let found = remote.compute.query(&context(), QueryFilter::default()).await.unwrap();
    assert_eq!(found.len(), COMPUTES);
    assert!(found.is_sorted_by_key(|compute| compute.compute_id));
    assert_eq!(echo.take_calls().len(), 3);
    site.stop().await;
}

/// What a client that is not ours sees.
struct Plain<'a> {
    site: &'a Site,
    token: String,
    http: reqwest::Client,
}

impl<'a> Plain<'a> {
    async fn login(site: &'a Site) -> Self {
        // Whoever comes first in this process installs it.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::new();
        let answer = http
            .post(format!("{}/oauth2/token", site.root.as_str()))
            .header("content-type", "application/x-www-form-urlencoded")
            .basic_auth("nfvo", Some("open sesame"))
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { site, token, http }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Option<String>, Value) {
        let url = format!("{}/vim/v1/vims/{path}", self.site.root.as_str());
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("version", "1.0.0");
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get("location")
            .map(|value| value.to_str().unwrap().to_owned());
        let body = response.bytes().await.unwrap();
        (status, location, serde_json::from_slice(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn what_is_made_has_a_location_a_link_and_can_be_read_and_deleted_there() {
    let echo = Arc::new(Echo::default());
    let site = Site::start(echo.handle(VIM)).await;
    let plain = Plain::login(&site).await;
    let flavour = json!({"name": "tiny", "numVirtualCpu": 1, "virtualMemSize": 64});
    let (status, location, body) = plain.ask("POST", "site%201/flavours", Some(flavour)).await;
    assert_eq!(
        (status, location.as_deref()),
        (201, body["_links"]["self"]["href"].as_str())
    );
    assert!(location.unwrap().ends_with(body["flavourId"].as_str().unwrap()));

    let machine = json!({"computeName": "m7", "computeFlavourId": uuid("f"), "vcImageId": null});
    let (status, location, made) = plain.ask("POST", "site%201/compute_resources", Some(machine)).await;
    assert_eq!(status, 201);
    let prefix = format!("{}/vim/v1/vims/", site.root.as_str());
    let path = location.unwrap().strip_prefix(&prefix).unwrap().to_owned();
    assert_eq!(plain.ask("GET", &path, None).await, (200, None, made));
    assert_eq!(plain.ask("DELETE", &path, None).await.0, 204);
    let (status, _, port) = plain
        .ask(
            "GET",
            &format!("site%201/ports/{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, b"port")),
            None,
        )
        .await;
    assert_eq!((status, &port["accessPoint"]), (200, &json!("wall")));
    site.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_understood_is_refused_by_name() {
    let echo = Arc::new(Echo::default());
    let site = Site::start(echo.handle(VIM)).await;
    let elsewhere = site.client(Role::Nfvo, "site-9");
    let error = elsewhere
        .topology
        .query_nfvi_pop(&context(), QueryFilter::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.detail.contains("site-9")),
        (ErrorKind::NotFound, true)
    );

    let plain = Plain::login(&site).await;
    let network = serde_json::to_value(&network_asks()[0]).unwrap();
    for (status, method, path, body) in [
        (404, "GET", "site%201/compute_resources/not-an-id", None),
        (404, "GET", "site%201/nothing", None),
        (
            404,
            "GET",
            &format!("site%201/compute_resources/{}", uuid("none")),
            None,
        ),
        (405, "PUT", "site%201/flavours", None),
        (400, "GET", "site%201/flavours?colour=red", None),
        (400, "GET", "site%201/flavours?filter=(eq,a,b)&filter=(eq,a,c)", None),
        (400, "GET", "site%201/flavours?nextpage_opaque_marker=made-up", None),
        (415, "POST", "site%201/flavours", None),
        (422, "POST", "site%201/flavours", Some(json!({"name": 7}))),
        (422, "POST", "site%201/ports", Some(network)),
    ] {
        let (found, _, problem) = plain.ask(method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
    }
    assert!(
        echo.take_calls().iter().all(|call| call.operation == "compute.query"),
        "nothing was made"
    );
    site.stop().await;
}
