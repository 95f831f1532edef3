//! The suite that every implementation of the VIM's traits passes, in this process or behind a wire: what the interface crate
//! promises, each promise by name. It wants a VIM with one PoP, at least one host, and nothing of the suite's tenants on it, and
//! a raw disk image that the VIM can read. Whether a machine boots from it is not looked at.

use ipnet::IpNet;
use manifold_call::{CallError, Context, ErrorKind, Outcome, TenantId, Uuid};
use manifold_vim_interface::{
    AddImage, AffinityConstraint, AffinityKind, AffinityScope, AllocateCompute, AllocateNetworkResource,
    ComputeFlavour, ComputeId, ComputeOperation, CreateAffinityGroup, FlavourId, ImageContent, ImageId, Metadata,
    NetworkId, NetworkResource, NetworkResourceData, NetworkSubnetData, OperateCompute, PortId, QueryFilter,
    RunningState, UpdateCompute, UpdateNetworkResource, VimHandle, VirtualCompute, VirtualInterfaceData,
    VirtualNetwork, VirtualNetworkData, VirtualNetworkPort, VirtualNetworkPortData,
};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

/// Whose resources the suite makes, and who must not see them.
pub const TENANTS: [&str; 2] = ["suite-a", "suite-b"];

/// The answers in the order of the calls. Two implementations that choose the same identifiers give equal ones.
#[derive(Debug, Default, PartialEq)]
pub struct Answers(Vec<(&'static str, Result<String, CallError>)>);

impl Answers {
    /// Keeps what a call answered, and hands it on.
    pub(crate) fn keep<T: Debug>(&mut self, call: &'static str, outcome: Outcome<T>) -> Outcome<T> {
        let line = outcome
            .as_ref()
            .map(|answer| format!("{answer:?}"))
            .map_err(Clone::clone);
        self.0.push((call, line));
        outcome
    }

    /// How many calls were made.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Runs the suite and leaves nothing behind. Panics at the first promise that is not kept.
pub async fn run(vim: &VimHandle, disk: &Path) -> Answers {
    let mut answers = Answers::default();
    let image = images_are_taken_in_once(vim, &mut answers, disk).await;
    flavours_are_made_once_and_found(vim, &mut answers).await;
    networks_are_the_tenants_own(vim, &mut answers).await;
    machines_live_and_end(vim, &mut answers, image).await;
    crate::contract_paths::paths_hold_their_ports(vim, &mut answers, image).await;
    groups_hold_their_members(vim, &mut answers, image).await;
    images_go_when_nothing_needs_them(vim, &mut answers, image).await;
    the_pop_says_what_it_is(vim, &mut answers).await;
    nothing_is_left(vim, &mut answers).await;
    answers
}

/// A call of the suite's first tenant that makes what `wish` names.
pub(crate) fn wish(wish: &str) -> Context {
    Context::root(TENANTS[0].into()).with_key(Uuid::new_v5(&Uuid::NAMESPACE_OID, wish.as_bytes()))
}

/// A call that makes nothing.
pub(crate) fn look(tenant: usize) -> Context {
    Context::root(TenantId::from(TENANTS[tenant]))
}

pub(crate) fn filter(text: &str) -> QueryFilter {
    QueryFilter { filter: text.into() }
}

pub(crate) fn refused<T: Debug>(outcome: Outcome<T>, kind: ErrorKind, why: &str) {
    match outcome {
        Err(error) if error.kind == kind => assert!(!error.detail.is_empty(), "{why}: the refusal says nothing"),
        other => panic!("{why}: {kind:?} was expected, not {other:?}"),
    }
}

pub(crate) fn flavour(name: &str, cpus: u32) -> ComputeFlavour {
    ComputeFlavour {
        flavour_id: None,
        name: name.into(),
        num_virtual_cpu: cpus,
        virtual_mem_size: 128,
        metadata: Metadata::new(),
    }
}

async fn flavours_are_made_once_and_found(vim: &VimHandle, answers: &mut Answers) {
    let flavours = &vim.flavours;
    let made = answers.keep(
        "create",
        flavours.create(&wish("flavour"), flavour("suite-tiny", 1)).await,
    );
    let again = answers.keep(
        "create again",
        flavours.create(&wish("flavour"), flavour("suite-tiny", 1)).await,
    );
    let id = made.expect("a flavour of one CPU and 128 MiB can be made");
    assert_eq!(again, Ok(id), "the same key again answers with the first result");
    refused(
        answers.keep(
            "create without CPU",
            flavours.create(&wish("no-cpu"), flavour("suite-none", 0)).await,
        ),
        ErrorKind::Invalid,
        "a flavour without a CPU",
    );

    let found = answers.keep("query", flavours.query(&look(0), filter("(eq,name,suite-tiny)")).await);
    let ids: Vec<_> = found
        .expect("queries")
        .iter()
        .map(|flavour| flavour.flavour_id)
        .collect();
    assert_eq!(ids, [Some(id)]);
    let none = answers.keep(
        "query nothing",
        flavours.query(&look(0), filter("(eq,name,no such)")).await,
    );
    assert_eq!(none, Ok(vec![]));
    refused(
        answers.keep(
            "query by nonsense",
            flavours.query(&look(0), filter("name is tiny & more")).await,
        ),
        ErrorKind::Invalid,
        "a filter that is none",
    );

    assert_eq!(answers.keep("delete", flavours.delete(&look(0), id).await), Ok(id));
    assert_eq!(
        answers.keep("delete again", flavours.delete(&look(0), id).await),
        Ok(id),
        "absent is success"
    );
}

fn subnet() -> NetworkSubnetData {
    NetworkSubnetData {
        network_id: None,
        cidr: IpNet::V4("10.7.0.0/24".parse().expect("is a subnet")),
        gateway_ip: None,
        is_dhcp_enabled: false,
        address_pool: vec![],
    }
}

pub(crate) fn a_network(name: &str) -> AllocateNetworkResource {
    AllocateNetworkResource {
        network_resource_name: name.into(),
        data: NetworkResourceData::Network {
            data: VirtualNetworkData {
                layer3_attributes: vec![subnet()],
                ..VirtualNetworkData::default()
            },
        },
        metadata: Metadata::from([("made-by".into(), "the suite".into())]),
    }
}

pub(crate) fn a_port(name: &str, network_id: NetworkId, address: Option<IpAddr>) -> AllocateNetworkResource {
    AllocateNetworkResource {
        network_resource_name: name.into(),
        data: NetworkResourceData::NetworkPort {
            data: VirtualNetworkPortData {
                network_id,
                bandwidth: None,
                ip_address: address.into_iter().collect(),
                mac_address: None,
                access_point: None,
            },
        },
        metadata: Metadata::new(),
    }
}

pub(crate) fn network_of(resource: NetworkResource) -> VirtualNetwork {
    match resource {
        NetworkResource::NetworkData(network) => network,
        other => panic!("a network was asked for, not {other:?}"),
    }
}

pub(crate) fn port_of(resource: NetworkResource) -> VirtualNetworkPort {
    match resource {
        NetworkResource::NetworkPortData(port) => port,
        other => panic!("a port was asked for, not {other:?}"),
    }
}

async fn networks_are_the_tenants_own(vim: &VimHandle, answers: &mut Answers) {
    let networks = &vim.networks;
    let made = answers.keep(
        "allocate network",
        networks.allocate(&wish("blue"), a_network("blue")).await,
    );
    let blue = network_of(made.expect("a network can be made"));
    assert_eq!((blue.network_resource_name.as_str(), blue.subnet_id.len()), ("blue", 1));
    assert_eq!(blue.metadata["made-by"], "the suite");
    let again = answers.keep(
        "allocate again",
        networks.allocate(&wish("blue"), a_network("blue")).await,
    );
    let again = network_of(again.expect("a wish can be repeated"));
    assert_eq!(
        again.network_resource_id, blue.network_resource_id,
        "one key, one network"
    );

    let ten = IpAddr::V4(Ipv4Addr::new(10, 7, 0, 10));
    let ask = a_port("one", blue.network_resource_id, Some(ten));
    let made = answers.keep("allocate port", networks.allocate(&wish("one"), ask).await);
    let one = port_of(made.expect("a port can be made"));
    assert_eq!(
        (one.network_id, &one.ip_address[..]),
        (blue.network_resource_id, &[ten][..])
    );
    let ask = a_port("two", blue.network_resource_id, Some(ten));
    refused(
        answers.keep("allocate a taken address", networks.allocate(&wish("two"), ask).await),
        ErrorKind::Conflict,
        "an address that another port has",
    );
    let nowhere = NetworkId::named(Uuid::NAMESPACE_OID, "nowhere");
    let ask = a_port("three", nowhere, None);
    refused(
        answers.keep("allocate nowhere", networks.allocate(&wish("three"), ask).await),
        ErrorKind::NotFound,
        "a port of a network that is not there",
    );

    let all = answers.keep("query all", networks.query(&look(0), filter("")).await);
    let all = all.expect("queries");
    let counts = (
        all.network_data.len(),
        all.subnet_data.len(),
        all.network_port_data.len(),
    );
    assert_eq!(counts, (1, 1, 1));
    let named = filter("(eq,networkResourceName,'blue')");
    let some = answers.keep("query by name", networks.query(&look(0), named).await);
    let some = some.expect("queries");
    assert_eq!((some.network_data.len(), some.network_port_data.len()), (1, 0));
    let foreign = answers.keep("query as another tenant", networks.query(&look(1), filter("")).await);
    assert_eq!(foreign, Ok(Default::default()), "nothing crosses a tenant");

    let changes = UpdateNetworkResource {
        network_resource_id: one.resource_id.0,
        bandwidth: Some(5_000_000),
        connected_networks: None,
        metadata: None,
    };
    let changed = answers.keep("update", networks.update(&look(0), changes).await);
    assert_eq!(
        port_of(changed.expect("a port's limit can change")).bandwidth,
        5_000_000
    );

    let (port, network) = (one.resource_id.0, blue.network_resource_id.0);
    refused(
        answers.keep("terminate in use", networks.terminate(&look(0), vec![network]).await),
        ErrorKind::Conflict,
        "a network with a port",
    );
    let mine = answers.keep(
        "terminate as another tenant",
        networks.terminate(&look(1), vec![port]).await,
    );
    drop(mine); // Gone or refused, as far as that tenant knows; that it is still there is what counts:
    let left = answers.keep("query after", networks.query(&look(0), filter("")).await);
    assert_eq!(
        left.expect("queries").network_port_data.len(),
        1,
        "another tenant cannot end it"
    );
    let all = vec![network, blue.subnet_id[0].0, port];
    let gone = answers.keep("terminate all", networks.terminate(&look(0), all.clone()).await);
    let mut gone = gone.expect("port, subnet and network go together");
    gone.sort();
    let mut wanted = all;
    wanted.sort();
    assert_eq!(gone, wanted);
}

pub(crate) fn a_machine(name: &str, flavour: FlavourId, image: ImageId, on: Option<PortId>) -> AllocateCompute {
    AllocateCompute {
        compute_name: name.into(),
        compute_flavour_id: flavour,
        vc_image_id: Some(image),
        interface_data: on
            .into_iter()
            .map(|port| VirtualInterfaceData {
                network_id: None,
                network_port_id: Some(port),
                ip_address: vec![],
                mac_address: None,
            })
            .collect(),
        affinity_or_anti_affinity_constraints: vec![],
        location_constraints: None,
        user_data: None,
        metadata: Metadata::new(),
    }
}

async fn machines_live_and_end(vim: &VimHandle, answers: &mut Answers, image: ImageId) {
    let compute = &vim.compute;
    let nothing = FlavourId::named(Uuid::NAMESPACE_OID, "no flavour");
    refused(
        answers.keep(
            "allocate of nothing",
            compute
                .allocate(&wish("m0"), a_machine("m0", nothing, image, None))
                .await,
        ),
        ErrorKind::NotFound,
        "a machine of a flavour that is not there",
    );
    let size = vim.flavours.create(&wish("size"), flavour("suite-size", 1)).await;
    let size = answers.keep("create", size).expect("a flavour can be made");
    let net = answers.keep("network", vim.networks.allocate(&wish("red"), a_network("red")).await);
    let net = network_of(net.expect("a network can be made"));
    let ask = a_port("p1", net.network_resource_id, None);
    let port = answers.keep("port", vim.networks.allocate(&wish("p1"), ask).await);
    let port = port_of(port.expect("a port can be made"));

    let ask = a_machine("m1", size, image, Some(port.resource_id));
    let made = answers.keep("allocate", compute.allocate(&wish("m1"), ask.clone()).await);
    let machine = made.expect("a machine can be made");
    assert_eq!(machine.running_state, RunningState::Running);
    assert_eq!(machine.virtual_network_interface[0].network_port_id, port.resource_id);
    assert_eq!(machine.virtual_network_interface[0].ip_address, port.ip_address);
    let again = answers.keep("allocate again", compute.allocate(&wish("m1"), ask).await);
    assert_eq!(again.expect("a wish can be repeated").compute_id, machine.compute_id);
    let taken = a_machine("m2", size, image, Some(port.resource_id));
    refused(
        answers.keep("allocate on a taken port", compute.allocate(&wish("m2"), taken).await),
        ErrorKind::Conflict,
        "a port that another machine has",
    );

    let id = machine.compute_id;
    for (operation, state) in [
        (ComputeOperation::Stop, RunningState::Stopped),
        (ComputeOperation::Start, RunningState::Running),
        (ComputeOperation::Reboot, RunningState::Running),
    ] {
        let ask = OperateCompute {
            compute_id: id,
            compute_operation: operation,
        };
        let after = answers.keep("operate", compute.operate(&look(0), ask).await);
        assert_eq!(
            after.expect("a machine can be operated").running_state,
            state,
            "{operation:?}"
        );
    }
    refused(
        answers.keep("delete image in use", vim.images.delete(&look(0), image).await),
        ErrorKind::Conflict,
        "the image of a machine",
    );
    let changes = UpdateCompute {
        compute_id: id,
        network_interface_new: vec![],
        metadata: Some(Metadata::from([("colour".into(), "red".into())])),
    };
    let changed = answers.keep("update", compute.update(&look(0), changes).await);
    assert_eq!(changed.expect("metadata can change").metadata["colour"], "red");
    answers
        .keep("console", compute.console(&look(0), id).await)
        .expect("a machine has a console log, if an empty one");
    let found = answers.keep("query", compute.query(&look(0), filter("(eq,computeName,m1)")).await);
    let only = |found: Vec<VirtualCompute>| found.iter().map(|compute| compute.compute_id).collect::<Vec<_>>();
    assert_eq!(only(found.expect("queries")), [id]);
    let foreign = answers.keep("query as another tenant", compute.query(&look(1), filter("")).await);
    assert_eq!(foreign, Ok(vec![]), "nothing crosses a tenant");
    refused(
        answers.keep(
            "console of nothing",
            compute.console(&look(0), ComputeId(Uuid::NAMESPACE_URL)).await,
        ),
        ErrorKind::NotFound,
        "the console of a machine that is not there",
    );
    refused(
        answers.keep("late", compute.query(&look(0).within(Duration::ZERO), filter("")).await),
        ErrorKind::TimedOut,
        "a call whose time is over",
    );

    for call in ["terminate", "terminate again"] {
        let gone = answers.keep(call, compute.terminate(&look(0), vec![id]).await);
        assert_eq!(gone, Ok(vec![id]), "absent counts as gone");
    }
    let rest = vec![port.resource_id.0, net.subnet_id[0].0, net.network_resource_id.0];
    answers
        .keep("terminate the rest", vim.networks.terminate(&look(0), rest).await)
        .expect("nothing uses them any more");
    answers
        .keep("delete", vim.flavours.delete(&look(0), size).await)
        .expect("deletes");
}

async fn groups_hold_their_members(vim: &VimHandle, answers: &mut Answers, image: ImageId) {
    let ask = CreateAffinityGroup {
        group_name: "together".into(),
        kind: AffinityKind::Affinity,
        scope: AffinityScope::NfviNode,
    };
    let made = vim.compute.create_affinity_group(&wish("together"), ask).await;
    let group = answers.keep("create group", made).expect("a group can be made");
    let size = vim.flavours.create(&wish("size2"), flavour("suite-size2", 1)).await;
    let size = answers.keep("create", size).expect("a flavour can be made");
    let mut ask = a_machine("m3", size, image, None);
    ask.affinity_or_anti_affinity_constraints = vec![AffinityConstraint {
        kind: AffinityKind::Affinity,
        scope: AffinityScope::NfviNode,
        affinity_or_anti_affinity_resource_list: vec![],
        affinity_or_anti_affinity_resource_group_id: Some(group),
    }];
    let member = answers.keep("allocate member", vim.compute.allocate(&wish("m3"), ask).await);
    let member = member.expect("a machine can join a group");
    refused(
        answers.keep(
            "delete group in use",
            vim.compute.delete_affinity_groups(&look(0), vec![group]).await,
        ),
        ErrorKind::Conflict,
        "a group with a member",
    );
    let gone = vim.compute.terminate(&look(0), vec![member.compute_id]).await;
    answers.keep("terminate member", gone).expect("terminates");
    let gone = vim.compute.delete_affinity_groups(&look(0), vec![group]).await;
    assert_eq!(answers.keep("delete group", gone), Ok(vec![group]));
    answers
        .keep("delete", vim.flavours.delete(&look(0), size).await)
        .expect("deletes");
}

fn an_image(disk: &Path) -> AddImage {
    AddImage {
        name: "suite".into(),
        provider: "suite".into(),
        version: "1".into(),
        content: ImageContent::Raw { disk: disk.into() },
        user_metadata: Metadata::new(),
    }
}

async fn images_are_taken_in_once(vim: &VimHandle, answers: &mut Answers, disk: &Path) -> ImageId {
    let missing = an_image(Path::new("/nonexistent/suite/disk.raw"));
    refused(
        answers.keep("add nothing", vim.images.add(&wish("no image"), missing).await),
        ErrorKind::Invalid,
        "an image whose file is missing",
    );
    let made = answers.keep("add", vim.images.add(&wish("image"), an_image(disk)).await);
    let made = made.expect("an image whose file is there can be added");
    let again = answers.keep("add again", vim.images.add(&wish("another"), an_image(disk)).await);
    assert_eq!(
        again.expect("can be added again").id,
        made.id,
        "the same content is the same image"
    );
    let found = answers.keep("query", vim.images.query(&look(0), filter("(eq,name,suite)")).await);
    let ids: Vec<_> = found.expect("queries").iter().map(|image| image.id).collect();
    assert_eq!(ids, [made.id]);
    made.id
}

async fn images_go_when_nothing_needs_them(vim: &VimHandle, answers: &mut Answers, image: ImageId) {
    for call in ["delete", "delete again"] {
        let gone = answers.keep(call, vim.images.delete(&look(0), image).await);
        assert_eq!(gone, Ok(image), "absent is success");
    }
}

async fn the_pop_says_what_it_is(vim: &VimHandle, answers: &mut Answers) {
    let topology = &vim.topology;
    let pops = answers.keep("pops", topology.query_nfvi_pop(&look(0), filter("")).await);
    let pops = pops.expect("queries");
    assert_eq!(pops.iter().map(|pop| &pop.vim_id).collect::<Vec<_>>(), [&vim.id]);
    let zones = answers.keep("zones", topology.query_resource_zone(&look(0), filter("")).await);
    let zones = zones.expect("queries");
    let hosts = answers.keep("capacity", topology.query_compute_capacity(&look(0), filter("")).await);
    let hosts = hosts.expect("queries");
    assert!(!hosts.is_empty());
    for host in hosts {
        assert!(zones.iter().any(|zone| zone.zone_id == host.zone_id), "{host:?}");
        assert!(host.allocated.vcpus <= host.total.vcpus, "{host:?}");
    }
    answers
        .keep(
            "provider networks",
            topology.query_provider_networks(&look(0), filter("")).await,
        )
        .expect("queries");
}

async fn nothing_is_left(vim: &VimHandle, answers: &mut Answers) {
    let networks = answers.keep("networks", vim.networks.query(&look(0), filter("")).await);
    assert_eq!(networks, Ok(Default::default()));
    let computes = answers.keep("computes", vim.compute.query(&look(0), filter("")).await);
    assert_eq!(computes, Ok(vec![]));
}
