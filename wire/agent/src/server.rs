//! The agent's side: who may connect, and one conversation per connection.

use crate::AgentListener;
use crate::connection::converse;
use manifold_call::Role;
use manifold_nfvi_interface::Infrastructure;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections at once: a control plane has one for each of its roles.
const CONNECTIONS_MAX: usize = 32;

/// How long calls may take to end after shutdown began. Waits for changes end at once.
const GRACE: Duration = Duration::from_secs(5);

/// After an accept error such as "too many open files" there is no use in trying at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Which users may connect in which roles. Nobody, unless told.
#[derive(Debug, Clone, Default)]
pub struct Allowed(BTreeSet<(u32, Role)>);

impl Allowed {
    /// Nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// The same, and this user in this role.
    pub fn permit(mut self, uid: u32, role: Role) -> Self {
        self.0.insert((uid, role));
        self
    }

    /// Whether the user may connect in this role.
    pub fn permits(&self, uid: u32, role: Role) -> bool {
        self.0.contains(&(uid, role))
    }
}

/// Serves until `shutdown` resolves; then lets running calls end for at most five seconds. The socket's file goes with it.
pub async fn serve(
    listener: AgentListener,
    infrastructure: Arc<dyn Infrastructure>,
    allowed: Allowed,
    shutdown: impl Future<Output = ()> + Send,
) {
    let allowed = Arc::new(allowed);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let full = connections.len() >= CONNECTIONS_MAX;
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_ended) = connections.join_next(), if !connections.is_empty() => continue,
            // When every place is taken the next client waits in the kernel's queue.
            accepted = listener.socket.accept(), if !full => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (infrastructure, allowed, stopped) = (infrastructure.clone(), allowed.clone(), stopped.clone());
                connections.spawn(converse(stream, infrastructure, allowed, stopped));
            }
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "Calls were cut off: they did not end in time."
        );
    }
    connections.shutdown().await;
}
