//! Composition and the order of beginning and ending.

use super::metrics::Counters;
use super::sites::{Binding, Sites};
use super::{agent, api, clients, dispatcher, images, lab, openapi, traces};
use crate::client::Login;
use crate::config::Config;
use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use manifold_call::{Context, Policy, Role, Tracer};
use manifold_http::Edge;
use manifold_http::api::PublicRoot;
use manifold_http::auth::{ClientEntry, Clients, Secret, SigningKey, Tokens};
use manifold_http::limits::Limits;
use manifold_http::metrics::HttpMetrics;
use manifold_http::tls::TlsConfig;
use manifold_lcm::{Engine, Registry};
use manifold_nfvi_interface::{Capabilities, Infrastructure};
use manifold_nfvo::{Nfvo, NfvoConfig};
use manifold_nfvo_interface::{
    BoundNsLifecycleManagement, BoundNsdManagement, BoundPnfdManagement, BoundServiceScripts,
    BoundVnfLifecycleOperationGranting, BoundVnfPackageManagement,
};
use manifold_script::Scripts;
use manifold_store::{SqliteStore, Store};
use manifold_vnfm::{Vnfm, VnfmConfig};
use manifold_vnfm_interface::BoundVnfLifecycleManagement;
use manifold_wire_sol005::Nfvo as NfvoHandles;
use manifold_wire_sol005::server::{Producer, Spool};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry as Metrics;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How long running steps may take to end at shutdown; what has not ended goes on at the next start.
const GRACE: Duration = Duration::from_secs(10);

/// For the lab to be made or mended at the start.
const RECOVERY: Duration = Duration::from_secs(120);

/// A control plane that answers.
pub struct Plane {
    router: Router,
    listener: TcpListener,
    tls: Option<TlsConfig>,
    engine: Engine,
    lab: Arc<lab::LabService>,
    tasks: JoinSet<()>,
    login_file: std::path::PathBuf,
}

/// What a user is told when it has begun.
pub struct Started {
    /// How to enter.
    pub login: Login,
    /// What the machine offers.
    pub capabilities: Capabilities,
    /// Lifecycle operations that go on from where a crash or a shutdown left them.
    pub resumed: usize,
    /// Objects of the infrastructure that had to be made again.
    pub remade: usize,
}

impl Plane {
    /// Opens the store, makes the blocks, finds or starts the agent, brings back what was there, and listens.
    pub async fn start(config: &Config) -> anyhow::Result<(Plane, Started)> {
        let data = config.data.clone();
        let store: Arc<dyn Store> = Arc::new(
            tokio::task::spawn_blocking(move || SqliteStore::open(&data))
                .await?
                .context("opening the store")?,
        );
        let (infrastructure, capabilities) = agent::connect(config).await?;
        Self::on(config, store, infrastructure, capabilities).await
    }

    /// The same, on a store and an infrastructure that are there.
    pub(super) async fn on(
        config: &Config,
        store: Arc<dyn Store>,
        infrastructure: Arc<dyn Infrastructure>,
        capabilities: Capabilities,
    ) -> anyhow::Result<(Plane, Started)> {
        let (tracer, source) = Tracer::new();
        let binding = Binding {
            policy: Arc::new(Policy::etsi()),
            tracer,
        };
        let image_dir = config.data.join("images");
        let sites = Sites::new(
            binding.clone(),
            store.clone(),
            infrastructure.clone(),
            image_dir,
            config.external_wim,
        );
        let nfvo = Nfvo::new(
            NfvoConfig {
                catalogue_dir: config.data.join("catalogue"),
            },
            store.clone(),
        );
        let vnfm = Vnfm::new(VnfmConfig::default(), store.clone());
        let scripts = Scripts::new(store.clone(), config.data.join("spool/scripts"));
        let mut registry = Registry::new();
        let operations = nfvo.operations().into_iter().chain(vnfm.operations());
        for operation in operations.chain(scripts.operations()) {
            registry.register_arc(operation)?;
        }
        let engine = Engine::new(store.clone(), registry);
        vnfm.connect(manifold_vnfm::Neighbours {
            engine: engine.clone(),
            granting: BoundVnfLifecycleOperationGranting::bind(
                nfvo.clone(),
                binding.gate(Role::Vnfm, Role::Nfvo, "nfvo"),
            ),
            packages: BoundVnfPackageManagement::bind(nfvo.clone(), binding.gate(Role::Vnfm, Role::Nfvo, "nfvo")),
            vims: sites.seen_by(Role::Vnfm),
        });
        nfvo.connect(manifold_nfvo::Neighbours {
            engine: engine.clone(),
            vnfm: BoundVnfLifecycleManagement::bind(vnfm.clone(), binding.gate(Role::Nfvo, Role::Vnfm, "vnfm")),
            vims: sites.seen_by(Role::Nfvo),
            wim: sites.seen_by(Role::Nfvo),
            images: Arc::new(images::Images {
                cache: config.cache.clone(),
            }),
        });

        // To the NFVO, scripts are an OSS among others.
        scripts.connect(manifold_script::Neighbours {
            engine: engine.clone(),
            packages: BoundVnfPackageManagement::bind(nfvo.clone(), binding.gate(Role::Oss, Role::Nfvo, "nfvo")),
            nsds: BoundNsdManagement::bind(nfvo.clone(), binding.gate(Role::Oss, Role::Nfvo, "nfvo")),
            lifecycle: BoundNsLifecycleManagement::bind(nfvo.clone(), binding.gate(Role::Oss, Role::Nfvo, "nfvo")),
        });

        let mut tasks = JoinSet::new();
        tasks.spawn(traces::keep(source, store.clone()));
        tasks.spawn(dispatcher::run(store.clone(), engine.clone()));
        let lab = lab::LabService::new(store.clone(), infrastructure, sites.clone(), &binding);
        let mut cx = Context::root(config.tenant.as_str().into());
        cx.deadline = manifold_call::Deadline::within(RECOVERY);
        nfvo.recover().await?;
        let remade = lab.recover(&cx).await?;
        let recovered = engine.recover().await?;
        for parked in &recovered.parked {
            tracing::error!(
                ?parked,
                "An operation of another version of the program waits for that version."
            );
        }

        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("listening at {}", config.listen))?;
        let counters = Counters {
            engine: engine.clone(),
            tracer: binding.tracer.clone(),
        };
        let (edge, tls, login) = Self::edge(config, &listener, counters)?;
        let (bound_nfvo, bound_binding) = (nfvo.clone(), binding.clone());
        let handles = move |role: Role| {
            let gate = || bound_binding.gate(role, Role::Nfvo, "nfvo");
            NfvoHandles {
                packages: BoundVnfPackageManagement::bind(bound_nfvo.clone(), gate()),
                nsds: BoundNsdManagement::bind(bound_nfvo.clone(), gate()),
                pnfds: BoundPnfdManagement::bind(bound_nfvo.clone(), gate()),
                lifecycle: BoundNsLifecycleManagement::bind(bound_nfvo.clone(), gate()),
                scripts: BoundServiceScripts::bind(scripts.clone(), gate()),
            }
        };
        let oss = handles(Role::Oss);
        let producer = Producer::new(Arc::new(handles), Spool::open(&config.data.join("spool"))?);
        let edge = manifold_wire_sol005::server::add_to(edge, producer);
        let vims = manifold_wire_vim::server::Producer::new(Arc::new(move |role| sites.seen_by(role)));
        let edge = manifold_wire_vim::server::add_to(edge, vims);
        let edge = api::add_to(edge, lab.clone(), engine.clone(), store.clone(), oss.lifecycle);
        let plane = Plane {
            router: edge.into_router(),
            listener,
            tls,
            engine,
            lab,
            tasks,
            login_file: config.login_file(),
        };
        login.write(&config.login_file())?;
        Ok((
            plane,
            Started {
                login,
                capabilities,
                resumed: recovered.resumed.len(),
                remade,
            },
        ))
    }

    fn edge(
        config: &Config,
        listener: &TcpListener,
        counters: Counters,
    ) -> anyhow::Result<(Edge, Option<TlsConfig>, Login)> {
        let address = listener.local_addr()?;
        let tls = match &config.tls {
            Some((certificate, key)) => Some(TlsConfig::from_files(certificate, key)?),
            None if address.ip().is_loopback() => None,
            None => Some(TlsConfig::self_signed(
                &config.data.join("tls"),
                &[address.ip().to_string()],
            )?),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let root = config
            .public_root
            .clone()
            .unwrap_or_else(|| format!("{scheme}://{address}"));
        let login = Login {
            root: root.clone(),
            client_id: "oss".into(),
            client_secret: Secret::random().reveal().to_owned(),
            tenant: config.tenant.clone(),
            fingerprint: tls
                .as_ref()
                .filter(|_| config.tls.is_none())
                .map(|tls| tls.fingerprint().to_string()),
            pid: std::process::id(),
        };
        let mut entries = clients::read(config)?;
        entries.push(ClientEntry {
            id: login.client_id.clone(),
            secret: Secret::new(login.client_secret.clone()),
            role: Role::Oss,
            default_tenant: config.tenant.as_str().into(),
            tenants: None,
            scopes: Vec::new(),
        });
        let clients = Clients::new(entries)?;
        let tokens = Arc::new(Tokens::new(
            clients,
            SigningKey::load_or_create(&config.data.join("token.key"))?,
        ));
        let mut metrics = Metrics::default();
        let http = HttpMetrics::register(&mut metrics);
        metrics.register_collector(Box::new(counters));
        let metrics = Arc::new(metrics);
        let shown = get(move || {
            let metrics = metrics.clone();
            async move {
                let mut text = String::new();
                // Writing to a String cannot fail.
                let _ = encode(&mut text, &metrics);
                (
                    [(
                        "content-type",
                        "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    )],
                    text,
                )
            }
        });
        let open = Router::new()
            .route("/metrics", shown)
            .route("/healthz", get(async || "ok\n"));
        let edge = Edge::new(PublicRoot::parse(&root)?, tokens, Limits::default(), http)
            .open(open)
            .open(openapi::routes());
        Ok((edge, tls, login))
    }

    /// What answers.
    #[cfg(test)]
    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Answers until `shutdown` resolves; then ends in order. What has not ended by then goes on at the next start.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()> + Send) -> anyhow::Result<()> {
        let served = manifold_http::server::serve(self.listener, self.router, self.tls, shutdown).await;
        let stopped = self.engine.shutdown(GRACE).await;
        tracing::debug!(?stopped, "Lifecycle engine stopped.");
        self.lab.stop().await;
        self.tasks.shutdown().await;
        if let Err(error) = std::fs::remove_file(&self.login_file) {
            tracing::warn!(%error, "The login file could not be removed.");
        }
        Ok(served?)
    }
}
