//! A listening server in front of a VIM, and the NFVO's client of it.

use manifold_call::Role;
use manifold_http::api::PublicRoot;
use manifold_http::auth::{ClientEntry, Clients, Secret, SigningKey, Tokens};
use manifold_http::client::{Credentials, Trust};
use manifold_http::limits::Limits;
use manifold_http::metrics::HttpMetrics;
use manifold_http::{Edge, server};
use manifold_vim_interface::{VimDirectory, VimHandle};
use manifold_wire_vim::client::VimClient;
use manifold_wire_vim::server::{Producer, add_to};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

struct One(VimHandle);

impl VimDirectory for One {
    fn find(&self, id: &str) -> Option<VimHandle> {
        (id == self.0.id).then(|| self.0.clone())
    }
    fn all(&self) -> Vec<VimHandle> {
        vec![self.0.clone()]
    }
}

pub(crate) struct Served {
    root: PublicRoot,
    vim: String,
    stop: oneshot::Sender<()>,
    server: JoinSet<()>,
}

impl Served {
    pub(crate) async fn start(vim: VimHandle) -> Self {
        let nfvo = ClientEntry {
            id: "nfvo".into(),
            secret: Secret::new("open sesame"),
            role: Role::Nfvo,
            default_tenant: "nobody".into(),
            tenants: None,
            scopes: vec![],
        };
        let tokens = Tokens::new(Clients::new([nfvo]).unwrap(), SigningKey::random());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = PublicRoot::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let metrics = HttpMetrics::register(&mut Registry::default());
        let edge = Edge::new(root.clone(), Arc::new(tokens), Limits::default(), metrics);
        let id = vim.id.clone();
        // Every handle that is given out is the NFVO's: no other client is known.
        let producer = Producer::new(Arc::new(move |_| Arc::new(One(vim.clone()))));
        let router = add_to(edge, producer).into_router();
        let (stop, stopped) = oneshot::channel();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let shutdown = async move {
                stopped.await.ok();
            };
            server::serve(listener, router, None, shutdown).await.unwrap();
        });
        Self {
            root,
            vim: id,
            stop,
            server,
        }
    }

    pub(crate) fn client(&self) -> VimHandle {
        let credentials = Credentials {
            client_id: "nfvo".into(),
            secret: Secret::new("open sesame"),
            token_url: None,
        };
        let client = VimClient::new(&self.root, &self.vim, &credentials, &Trust::Loopback);
        client.unwrap().handle()
    }

    pub(crate) async fn stop(mut self) {
        self.stop.send(()).unwrap();
        self.server.join_next().await.unwrap().unwrap();
    }
}
