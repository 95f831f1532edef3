//! A listening server in front of a VIM, and clients in several roles.

use axum::Router;
use manifold_call::policy::Policy;
use manifold_call::{Gate, Role, Tracer};
use manifold_http::api::PublicRoot;
use manifold_http::auth::{ClientEntry, Clients, Secret, SigningKey, Tokens};
use manifold_http::client::{Credentials, Trust};
use manifold_http::limits::Limits;
use manifold_http::metrics::HttpMetrics;
use manifold_http::{Edge, server};
use manifold_vim_interface::*;
use manifold_wire_vim::client::VimClient;
use manifold_wire_vim::server::{Producer, add_to};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// One VIM, seen by one role.
struct One(VimHandle);

impl VimDirectory for One {
    fn find(&self, id: &str) -> Option<VimHandle> {
        (id == self.0.id).then(|| self.0.clone())
    }
    fn all(&self) -> Vec<VimHandle> {
        vec![self.0.clone()]
    }
}

/// The VIM's handle bound to a role, by ETSI's policy.
pub(crate) fn bound(vim: &VimHandle, role: Role) -> VimHandle {
    // The records are not read: the queue fills and drops them, which is its way.
    let (tracer, _) = Tracer::new();
    let policy = Arc::new(Policy::etsi());
    let gate = || Gate::new(role, Role::Vim, &vim.id, policy.clone(), tracer.clone());
    VimHandle {
        id: vim.id.clone(),
        compute: BoundVirtualisedCompute::bind(vim.compute.clone(), gate()),
        networks: BoundVirtualisedNetworks::bind(vim.networks.clone(), gate()),
        paths: BoundNetworkForwardingPaths::bind(vim.paths.clone(), gate()),
        traffic: BoundTrafficRules::bind(vim.traffic.clone(), gate()),
        flavours: BoundComputeFlavours::bind(vim.flavours.clone(), gate()),
        images: BoundSoftwareImages::bind(vim.images.clone(), gate()),
        topology: BoundTopology::bind(vim.topology.clone(), gate()),
    }
}

pub(crate) struct Site {
    pub(crate) root: PublicRoot,
    stop: oneshot::Sender<()>,
    server: JoinSet<()>,
}

const ROLES: [Role; 6] = [Role::Nfvo, Role::Vnfm, Role::Ccm, Role::Cism, Role::Oss, Role::Em];

impl Site {
    pub(crate) async fn start(vim: VimHandle) -> Self {
        let clients = ROLES.map(|role| ClientEntry {
            id: role.as_str().to_lowercase(),
            secret: Secret::new("open sesame"),
            role,
            default_tenant: "nobody".into(),
            tenants: None,
            scopes: vec![],
        });
        let tokens = Tokens::new(Clients::new(clients).unwrap(), SigningKey::random());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = PublicRoot::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let metrics = HttpMetrics::register(&mut Registry::default());
        let edge = Edge::new(root.clone(), Arc::new(tokens), Limits::default(), metrics);
        let producer = Producer::new(Arc::new(move |role| Arc::new(One(bound(&vim, role)))));
        let router: Router = add_to(edge, producer).into_router();
        let (stop, stopped) = oneshot::channel();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let shutdown = async move {
                stopped.await.ok();
            };
            server::serve(listener, router, None, shutdown).await.unwrap();
        });
        Self { root, stop, server }
    }

    /// A client in this role, of the VIM with this identifier.
    pub(crate) fn client(&self, role: Role, vim: &str) -> VimHandle {
        let credentials = Credentials {
            client_id: role.as_str().to_lowercase(),
            secret: Secret::new("open sesame"),
            token_url: None,
        };
        VimClient::new(&self.root, vim, &credentials, &Trust::Loopback)
            .unwrap()
            .handle()
    }

    pub(crate) async fn stop(mut self) {
        self.stop.send(()).unwrap();
        self.server.join_next().await.unwrap().unwrap();
    }
}
