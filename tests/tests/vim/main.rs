//! One suite for the VIM's interfaces: it runs against the block, and against the block through the wire.
#![allow(clippy::unwrap_used)]

mod infrastructure;
mod served;

use infrastructure::Memory;
use manifold_call::policy::Policy;
use manifold_call::{Gate, Role, TraceSource, Tracer};
use manifold_store::SqliteStore;
use manifold_vim::{Vim, VimConfig};
use manifold_vim_interface::*;
use manifold_wire_vim::contract;
use served::Served;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A VIM of its own for each test, as the NFVO is handed it.
struct Site {
    vim: VimHandle,
    infrastructure: Arc<Memory>,
    trace: TraceSource,
    /// The block's loop; it ends with the site.
    _running: JoinSet<()>,
    _stop: watch::Sender<bool>,
    folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let infrastructure = Arc::new(Memory::default());
        let store = Arc::new(SqliteStore::open(&folder.path().join("data")).unwrap());
        let config = VimConfig {
            vim_id: "site-1".into(),
            inventory: infrastructure::inventory(),
            image_dir: folder.path().join("images"),
        };
        let vim = Vim::open(config, store, infrastructure.clone()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        let looping = vim.clone();
        running.spawn(async move { looping.run(stopped).await });
        let (tracer, trace) = Tracer::new();
        let policy = Arc::new(Policy::etsi());
        let gate = || Gate::new(Role::Nfvo, Role::Vim, "site-1", policy.clone(), tracer.clone());
        Self {
            vim: VimHandle {
                id: "site-1".into(),
                compute: BoundVirtualisedCompute::bind(vim.clone(), gate()),
                networks: BoundVirtualisedNetworks::bind(vim.clone(), gate()),
                paths: BoundNetworkForwardingPaths::bind(vim.clone(), gate()),
                traffic: BoundTrafficRules::bind(vim.clone(), gate()),
                flavours: BoundComputeFlavours::bind(vim.clone(), gate()),
                images: BoundSoftwareImages::bind(vim.clone(), gate()),
                topology: BoundTopology::bind(vim, gate()),
            },
            infrastructure,
            trace,
            _running: running,
            _stop: stop,
            folder,
        }
    }

    /// The image that the suite's machines are made of. Nothing boots from it here.
    fn disk(&self) -> PathBuf {
        let path = self.folder.path().join("disk.raw");
        std::fs::write(&path, [0; 512]).unwrap();
        path
    }

    /// What was called, in order.
    async fn calls(mut self) -> Vec<String> {
        drop(self.vim);
        let mut calls = Vec::new();
        loop {
            // Every handle is gone, so the end of the records is the end of the trace.
            let records = self.trace.take(100).await;
            if records.is_empty() {
                break;
            }
            calls.extend(
                records
                    .iter()
                    .map(|record| format!("{}.{}", record.interface, record.operation)),
            );
        }
        calls
    }
}

#[tokio::test]
async fn the_block_keeps_the_contract_and_leaves_nothing() {
    let site = Site::new().await;
    let answers = contract::run(&site.vim, &site.disk()).await;
    assert!(answers.count() > 40);
    assert_eq!(site.infrastructure.left(), 0);
}

#[tokio::test]
async fn the_block_keeps_the_contract_through_the_wire() {
    let site = Site::new().await;
    let served = Served::start(site.vim.clone()).await;
    contract::run(&served.client(), &site.disk()).await;
    served.stop().await;
    assert_eq!(site.infrastructure.left(), 0);
}

/// The wire adds no call and leaves none out. The one whose time is over may or may not have left before that was seen.
#[tokio::test]
async fn the_wire_makes_the_calls_that_are_made_directly() {
    let direct = Site::new().await;
    contract::run(&direct.vim, &direct.disk()).await;
    let wanted = direct.calls().await;

    let remote = Site::new().await;
    let served = Served::start(remote.vim.clone()).await;
    contract::run(&served.client(), &remote.disk()).await;
    served.stop().await;
    let made = remote.calls().await;
    let count = |calls: &[String], name: &str| calls.iter().filter(|call| *call == name).count();
    for name in wanted.iter().chain(&made) {
        let late = usize::from(name == "VirtualisedCompute.query");
        let (there, here) = (count(&made, name), count(&wanted, name));
        assert!(
            there <= here && here <= there + late,
            "{name}: {here} directly, {there} through the wire"
        );
    }
}
