//! The contract of the socket: whoever calls through it sees what a direct caller sees.
#![allow(clippy::unwrap_used)]

mod recording;

use manifold_call::{Context, ErrorKind, Role};
use manifold_nfvi_interface::*;
use manifold_wire_agent::{AgentClient, AgentListener, Allowed, BindError, frame, serve};
use recording::{Recording, until, wish};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

fn cx() -> Context {
    Context::root("tenant-a".into())
}

/// An agent on a socket of its own.
struct Agent {
    folder: TempDir,
    infra: Arc<Recording>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Agent {
    async fn start() -> Self {
        Self::start_with(Allowed::nobody().permit(0, Role::Vim).permit(uid(), Role::Vim)).await
    }

    async fn start_with(allowed: Allowed) -> Self {
        Self::start_in(TempDir::new().unwrap(), allowed).await
    }

    async fn start_in(folder: TempDir, allowed: Allowed) -> Self {
        let infra = Arc::new(Recording::default());
        let listener = AgentListener::bind(&folder.path().join("agent"), 0o600).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, infra.clone(), allowed, async {
            stopped.await.ok();
        }));
        Self {
            folder,
            infra,
            stop: Some(stop),
            task,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    fn client(&self) -> Arc<AgentClient> {
        AgentClient::new(&self.path(), Role::Vim)
    }

    async fn stop(mut self) -> TempDir {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap();
        self.folder
    }
}

fn uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// What holds for any producer that behaves as [`Recording`] does, however it is reached.
async fn contract(infra: Arc<dyn Infrastructure>, recording: &Recording) {
    // Answers and arguments arrive whole and in order.
    let (good, bad) = (wish("good"), wish("bad"));
    let reports = infra.ensure(&cx(), vec![good.clone(), bad.clone()]).await.unwrap();
    assert_eq!(reports.len(), 2);
    assert_eq!(
        (reports[0].id, reports[0].changed, reports[0].failure.is_none()),
        (good.id, true, true)
    );
    let failure = reports[1].failure.clone().unwrap();
    assert_eq!(failure, Recording::refusal("bad"));
    let again = infra.ensure(&cx(), vec![good.clone()]).await.unwrap();
    assert!(!again[0].changed);
    let seen = infra.observe(&cx(), Filter::default()).await.unwrap();
    assert_eq!(seen.iter().map(|seen| seen.id).collect::<Vec<_>>(), [good.id]);
    let removed = infra.remove(&cx(), vec![good.id, bad.id]).await.unwrap();
    assert_eq!(
        removed.iter().map(|report| report.changed).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(infra.capabilities(&cx(), ()).await.unwrap(), Recording::capabilities());

    // Errors arrive with kind, detail and cure.
    let ask = ConsoleAsk {
        machine: good.id,
        last_bytes: 10,
    };
    assert_eq!(
        infra.console(&cx(), ask).await.unwrap_err(),
        Recording::refusal("console")
    );

    // The context arrives: tenant, trace, key; the deadline is not later than the caller's.
    let mut context = cx().with_key(uuid::Uuid::now_v7());
    context.trace.parent = Some(uuid::Uuid::now_v7());
    infra.observe(&context, Filter::default()).await.unwrap();
    let last = recording.contexts().pop().unwrap();
    assert_eq!(last.tenant, context.tenant);
    assert_eq!(last.trace, context.trace);
    assert_eq!(last.idempotency_key, context.idempotency_key);
    assert!(last.deadline <= context.deadline);

    // A call that takes too long ends as such, and is dropped at the producer.
    let late = infra
        .probe(&cx().within(Duration::from_millis(150)), Recording::endless_probe())
        .await
        .unwrap_err();
    assert_eq!(late.kind, ErrorKind::TimedOut);
    until("the late call is dropped", || recording.running() == 0).await;

    // A wait for changes blocks nobody, and is woken by a change.
    let waiting = {
        let infra = infra.clone();
        tokio::spawn(async move { infra.changes(&cx(), Cursor::default()).await })
    };
    until("somebody waits for changes", || recording.waiting() == 1).await;
    let all = (0..50).map(|_| {
        let infra = infra.clone();
        async move { infra.capabilities(&cx(), ()).await.unwrap() }
    });
    assert_eq!(futures_util::future::join_all(all).await.len(), 50);
    recording.change(good.id);
    assert_eq!(waiting.await.unwrap().unwrap().ids, [good.id]);

    // A caller that goes away takes its call with it.
    let abandoned = {
        let infra = infra.clone();
        tokio::spawn(async move { infra.probe(&cx(), Recording::endless_probe()).await })
    };
    until("the call runs", || recording.running() == 1).await;
    abandoned.abort();
    until("the abandoned call is dropped", || recording.running() == 0).await;
}

#[tokio::test]
async fn the_contract_holds_without_a_socket_but_for_what_the_gate_does() {
    let recording = Arc::new(Recording::default());
    let (tracer, _source) = manifold_call::Tracer::new();
    let policy = Arc::new(manifold_call::Policy::etsi());
    let gate = manifold_call::Gate::new(Role::Vim, Role::Nfvi, "", policy, tracer);
    // The recording keeps the caller's trace where no gate adds a level; the direct run goes without one.
    let bound = BoundInfrastructure::bind(recording.clone(), gate);
    let late = bound
        .probe(&cx().within(Duration::from_millis(50)), Recording::endless_probe())
        .await
        .unwrap_err();
    assert_eq!(late.kind, ErrorKind::TimedOut);
    contract(Arc::new(recording::Deadlined(recording.clone())), &recording).await;
}

/// proves: NFV006-RP-07
#[tokio::test]
async fn the_contract_holds_through_the_socket() {
    let agent = Agent::start().await;
    contract(agent.client(), &agent.infra).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_user_without_the_role_is_refused_and_told_so() {
    let agent = Agent::start_with(Allowed::nobody().permit(uid(), Role::Lab)).await;
    let refused = agent.client().capabilities(&cx(), ()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    assert!(refused.detail.contains("as VIM"), "{refused}");
    let lab = AgentClient::new(&agent.path(), Role::Lab);
    lab.capabilities(&cx(), ()).await.unwrap();
    let nobody = Agent::start_with(Allowed::nobody().permit(uid() + 1, Role::Vim)).await;
    let refused = nobody.client().capabilities(&cx(), ()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    assert!(agent.infra.contexts().len() == 1 && nobody.infra.contexts().is_empty());
}

#[tokio::test]
async fn a_request_that_no_frame_holds_is_refused_by_name_and_the_connection_lives() {
    let agent = Agent::start().await;
    let client = agent.client();
    let ids = vec![ObjectId::random(); frame::FRAME_BYTES_MAX / 30];
    let refused = client.remove(&cx(), ids).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(
        refused.detail.contains("remove") && refused.detail.contains("16777216"),
        "{refused}"
    );
    agent.infra.set_console("x".repeat(frame::FRAME_BYTES_MAX));
    let ask = ConsoleAsk {
        machine: ObjectId::random(),
        last_bytes: u32::MAX,
    };
    let refused = client.console(&cx(), ask).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Exhausted);
    assert!(refused.detail.contains("console"), "{refused}");
    client.capabilities(&cx(), ()).await.unwrap();
}

/// Sends raw bytes and returns what the server says before it closes.
async fn shout(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut said)).await;
    // A reset is an end, too: bytes of ours may have been unread.
    closed.expect("the server closes the connection").ok();
    String::from_utf8_lossy(&said).into_owned()
}

fn framed(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[tokio::test]
async fn garbage_is_refused_with_a_reason_and_hurts_nobody_else() {
    let agent = Agent::start().await;
    let client = agent.client();
    client.capabilities(&cx(), ()).await.unwrap();
    let hello = framed(r#"{"hello":{"protocol":1,"role":"VIM"}}"#);
    let path = agent.path();
    assert!(
        shout(&path, b"GET / HTTP/1.1\r\n\r\n")
            .await
            .contains("larger than 16777216")
    );
    assert!(shout(&path, &framed("not json")).await.contains("not understood"));
    let old = framed(r#"{"hello":{"protocol":99,"role":"VIM"}}"#);
    assert!(shout(&path, &old).await.contains("UNSUPPORTED"));
    assert!(
        shout(&path, &framed(r#"{"cancel":{"id":1}}"#))
            .await
            .contains("has to be a hello")
    );
    let twice = [hello.clone(), hello.clone()].concat();
    assert!(shout(&path, &twice).await.contains("second hello"));
    let unknown = [
        hello.clone(),
        framed(r#"{"call":{"id":1,"ask":{"operation":"format"}}}"#),
    ]
    .concat();
    assert!(shout(&path, &unknown).await.contains("not understood"));
    client.capabilities(&cx(), ()).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_bounded_and_does_not_hold_up_others() {
    let agent = Agent::start().await;
    agent.infra.set_console("x".repeat(1024 * 1024));
    let mut slow = UnixStream::connect(agent.path()).await.unwrap();
    slow.write_all(&framed(r#"{"hello":{"protocol":1,"role":"VIM"}}"#))
        .await
        .unwrap();
    let context = serde_json::to_string(&cx()).unwrap();
    let machine = ObjectId::random();
    for id in 0..frame::CALLS_MAX + 100 {
        let call = format!(
            r#"{{"call":{{"id":{id},"context":{context},"ask":{{"operation":"console","ask":{{"machine":"{machine}","last_bytes":1}}}}}}}}"#
        );
        if slow.write_all(&framed(&call)).await.is_err() {
            break;
        }
    }
    // No more than the bound ever reached the producer at once, others go on, and the slow one is cut off unread.
    agent.client().capabilities(&cx(), ()).await.unwrap();
    assert!(agent.infra.most_running() <= frame::CALLS_MAX);
    until(
        "the slow peer is cut off",
        || matches!(slow.try_write(&[0]), Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe),
    )
    .await;
}

#[tokio::test]
async fn the_client_says_unavailable_while_there_is_no_agent_and_finds_the_next_one() {
    let agent = Agent::start().await;
    let client = agent.client();
    client.capabilities(&cx(), ()).await.unwrap();
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.changes(&cx(), Cursor::default()).await })
    };
    until("somebody waits for changes", || agent.infra.waiting() == 1).await;
    let folder = agent.stop().await;
    let lost = waiting.await.unwrap().unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable);
    let gone = client.capabilities(&cx(), ()).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::Unavailable);
    assert!(!folder.path().join("agent").exists());
    let next = Agent::start_in(folder, Allowed::nobody().permit(uid(), Role::Vim)).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(error) = client.capabilities(&cx(), ()).await {
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(tokio::time::Instant::now() < deadline, "the client never came back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(next.infra.contexts().len(), 1);
}

#[tokio::test]
async fn a_running_call_ends_before_the_agent_does() {
    let agent = Agent::start().await;
    let client = agent.client();
    agent.infra.hold_ensure();
    let running = tokio::spawn(async move { client.ensure(&cx(), vec![wish("good")]).await });
    until("the call runs", || agent.infra.running() == 1).await;
    let infra = agent.infra.clone();
    let stopping = tokio::spawn(agent.stop());
    infra.release_ensure();
    assert_eq!(running.await.unwrap().unwrap().len(), 1);
    stopping.await.unwrap();
}

#[tokio::test]
async fn the_socket_is_private_and_replaced_only_when_stale() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("agent");
    let first = AgentListener::bind(&path, 0o600).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(matches!(
        AgentListener::bind(&path, 0o600).await,
        Err(BindError::InUse(_))
    ));
    drop(first);
    // Another program's live socket, without our lock.
    let other = tokio::net::UnixListener::bind(&path).unwrap();
    assert!(matches!(
        AgentListener::bind(&path, 0o600).await,
        Err(BindError::InUse(_))
    ));
    drop(other);
    // Its file stayed behind: nobody answers, so it is replaced.
    assert!(path.exists());
    drop(AgentListener::bind(&path, 0o660).await.unwrap());
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(
        AgentListener::bind(&path, 0o600).await,
        Err(BindError::NotASocket(_))
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
