//! Keeping the service processes of physical functions.

use super::Agent;
use crate::place::lock;
use crate::service::{self, MARKER, Running};
use manifold_call::CallError;
use manifold_nfvi_interface::{NodeService, ObjectId, Wish, WishKind};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;

impl Agent {
    /// Watches the processes that an earlier agent started.
    pub(super) fn adopt_services(&self) -> io::Result<()> {
        for running in service::find(&self.marker(None))? {
            let node = running
                .marker
                .strip_prefix(&self.marker(None))
                .and_then(|rest| rest.split(':').next()?.parse().ok());
            match node {
                Some(node) if lock(&self.state).known.contains_key(&node) => self.watch.process(node, running.pidfd),
                _ => running.end()?,
            }
        }
        Ok(())
    }

    pub(super) async fn ensure_services(
        &self,
        wishes: &[Wish],
        failed: &mut HashMap<ObjectId, CallError>,
        changed: &mut HashSet<ObjectId>,
    ) {
        let nodes: Vec<_> = wishes
            .iter()
            .filter(|wish| !failed.contains_key(&wish.id))
            .filter_map(|wish| match &wish.kind {
                WishKind::Node(node) => Some((wish.id, &node.services)),
                _ => None,
            })
            .collect();
        // Looking through all processes is not free: only when a node has, or may have had, a service.
        let marked = self.config.run_dir.join("services");
        if nodes.iter().all(|(_, services)| services.is_empty()) && !marked.exists() {
            return;
        }
        let mut running = match service::find(&self.marker(None)) {
            Ok(running) => running,
            Err(error) => {
                let failure = CallError::internal("the processes cannot be read").caused_by(error);
                failed.extend(nodes.iter().map(|(id, _)| (*id, failure.clone())));
                return;
            }
        };
        for (id, services) in nodes {
            let wanted: HashMap<_, _> = services
                .iter()
                .map(|service| (self.service_marker(id, service), service))
                .collect();
            let (mine, others): (Vec<_>, Vec<_>) = running
                .into_iter()
                .partition(|running| running.marker.starts_with(&self.marker(Some(id))));
            running = others;
            let mut there = HashSet::new();
            for process in mine {
                if wanted.contains_key(&process.marker) && there.insert(process.marker.clone()) {
                    continue;
                }
                changed.insert(id);
                if let Err(error) = process.end() {
                    failed.insert(
                        id,
                        CallError::internal(format!("a service could not be ended: {error}")),
                    );
                }
            }
            for (marker, service) in wanted {
                if !there.contains(&marker) {
                    changed.insert(id);
                    if let Err(error) = self.start_service(id, &marker, service).await {
                        failed.insert(
                            id,
                            CallError::internal(format!("a service could not be started: {error}")),
                        );
                    }
                }
            }
        }
    }

    async fn start_service(&self, id: ObjectId, marker: &str, service: &NodeService) -> io::Result<()> {
        let place = self
            .place(id)
            .ok_or_else(|| io::Error::other("its node is not there"))?;
        let NodeService::Http { port, body } = service;
        let file = self.service_file(id, *port);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, body)?;
        let mut command = (self.config.service_command)();
        command
            .args([
                "http",
                &format!("--port={port}"),
                &format!("--body-file={}", file.display()),
                marker,
            ])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let child = place.space.spawn(command).await?;
        let pidfd = rustix::process::pidfd_open(
            rustix::process::Pid::from_child(&child),
            rustix::process::PidfdFlags::empty(),
        )?;
        self.watch.process(id, pidfd);
        Ok(())
    }

    pub(super) async fn end_services(&self, nodes: &[ObjectId], failed: &mut HashMap<ObjectId, CallError>) {
        let folder = self.config.run_dir.join("services");
        if !folder.exists() {
            return;
        }
        let end = || -> io::Result<()> {
            for running in service::find(&self.marker(None))? {
                if nodes
                    .iter()
                    .any(|id| running.marker.starts_with(&self.marker(Some(*id))))
                {
                    Running::end(&running)?;
                }
            }
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if nodes.iter().any(|id| name.starts_with(&id.to_string())) {
                    std::fs::remove_file(&path)?;
                }
            }
            Ok(())
        };
        if let Err(error) = end() {
            let failure = CallError::internal(format!("the services could not be ended: {error}"));
            failed.extend(nodes.iter().map(|id| (*id, failure.clone())));
        }
    }

    fn marker(&self, node: Option<ObjectId>) -> String {
        match node {
            Some(node) => format!("{MARKER}{}:{node}:", self.config.instance),
            None => format!("{MARKER}{}:", self.config.instance),
        }
    }

    /// Also says what it serves: a service with another body is another one.
    fn service_marker(&self, node: ObjectId, service: &NodeService) -> String {
        let NodeService::Http { port, body } = service;
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        format!("{}{port}:{:016x}", self.marker(Some(node)), hasher.finish())
    }

    fn service_file(&self, node: ObjectId, port: u16) -> PathBuf {
        self.config.run_dir.join("services").join(format!("{node}-{port}"))
    }
}
