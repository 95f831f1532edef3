//! Files, the catalogue and the network, each as a script names it: what is read, and what is refused and why.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use manifold_descriptors::interfaces::{ReadLeaf, digest_of, read_leaf};
use manifold_leaves::{Aliases, Cache, Catalogue, Files, Host, Leaves, Options, Policy};
use manifold_nemo::leaf::{LeafError, LeafFormat, LeafSource};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const VNF: &str = "vnf:\n  name: lone\n  external-connections:\n  - { name: west, type: data, VNFC: vm, local_iface_name: eth0 }\n  VNFC:\n  - name: vm\n    VNFC image: https://images.example/lone.qcow2\n    vcpus: 1\n    ram: 128\n    bridge-ifaces: [ { name: eth0 } ]\n";

/// A server on this machine; it counts what it is asked for, and ends with the test.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

fn moved(to: String) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

fn serve() -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new()
        .route(
            "/vnf.yaml",
            get(move || async move {
                count.fetch_add(1, Ordering::SeqCst);
                VNF
            }),
        )
        .route("/once", get(|| async { moved("/vnf.yaml".into()) }))
        .route("/loop", get(|| async { moved("/loop".into()) }))
        .route("/away", get(|| async { moved("http://169.254.169.254/latest".into()) }))
        .route(
            "/elsewhere",
            get(|| async { moved("http://other.example/vnf.yaml".into()) }),
        )
        .route("/to-file", get(|| async { moved("file:///etc/passwd".into()) }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/large", get(|| async { vec![b'a'; 100_000] }))
        .route(
            "/endless",
            get(|| async {
                let chunks = std::iter::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 4096])));
                Body::from_stream(futures(chunks))
            }),
        )
        .route("/slow", get(|| async { std::future::pending::<&'static str>().await }))
        .route(
            "/stalls",
            get(|| async {
                let first = std::iter::once(Ok::<_, std::io::Error>(Bytes::from_static(b"vnf:\n")));
                Body::from_stream(stalling(first))
            }),
        );
    runtime.spawn(async move { axum::serve(listener, app).await });
    Server {
        port,
        asked,
        _runtime: runtime,
    }
}

type Chunk = Result<Bytes, std::io::Error>;

/// Chunks one after another.
fn futures(
    mut chunks: impl Iterator<Item = Chunk> + Send + Unpin + 'static,
) -> impl futures_util::Stream<Item = Chunk> + Send + 'static {
    futures_util::stream::poll_fn(move |_| std::task::Poll::Ready(chunks.next()))
}

/// Chunks, and then nothing for ever.
fn stalling(
    mut chunks: impl Iterator<Item = Chunk> + Send + Unpin + 'static,
) -> impl futures_util::Stream<Item = Chunk> + Send + 'static {
    futures_util::stream::poll_fn(move |_| match chunks.next() {
        Some(chunk) => std::task::Poll::Ready(Some(chunk)),
        None => std::task::Poll::Pending,
    })
}

impl Server {
    fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    fn policy(&self) -> Policy {
        Policy {
            hosts: vec![Host(format!("localhost:{}", self.port)), Host("169.254.169.254".into())],
            plain_http: true,
            private_addresses: true,
            bytes_max: 50_000,
            time_max: Duration::from_secs(30),
            redirects_max: 3,
        }
    }
}

fn leaves(policy: Policy) -> Leaves {
    Leaves::new(Options {
        policy,
        ..Options::default()
    })
}

fn refused(leaves: &Leaves, uri: &str) -> LeafError {
    match leaves.leaf(uri, None) {
        Ok(leaf) => panic!("{uri} gave {}", leaf.name),
        Err(refusal) => {
            assert!(refusal.help.is_some(), "{refusal:?}");
            refusal
        }
    }
}

#[test]
fn a_descriptor_is_fetched_once_whoever_asks_and_follows_redirects_on_allowed_hosts() {
    let server = serve();
    let leaves = leaves(server.policy());
    let leaf = leaves.leaf(&server.at("/vnf.yaml"), None).unwrap();
    assert_eq!(
        (leaf.name.as_str(), leaf.format, leaf.file.as_str()),
        ("lone", LeafFormat::OpenMano, "vnf.yaml")
    );
    assert_eq!(leaf.digest, digest_of(VNF.as_bytes()));
    leaves.leaf(&server.at("/vnf.yaml"), None).unwrap();
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
    assert_eq!(leaves.leaf(&server.at("/once"), None).unwrap().name, "lone");
    assert_eq!(
        &*leaves.bytes(&server.at("/vnf.yaml")).unwrap().unwrap(),
        VNF.as_bytes()
    );
}

#[tokio::test]
async fn it_can_be_asked_from_within_a_runtime() {
    let server = tokio::task::spawn_blocking(serve).await.unwrap();
    let leaves = leaves(server.policy());
    assert!(leaves.leaf(&server.at("/vnf.yaml"), None).is_ok());
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
}

#[test]
fn policy_is_asked_before_anything_is_and_the_default_allows_nothing() {
    let server = serve();
    let uri = server.at("/vnf.yaml");
    assert!(refused(&leaves(Policy::default()), &uri).message.contains("plain http"));
    let with = |change: fn(&mut Policy)| {
        let mut policy = server.policy();
        change(&mut policy);
        refused(&leaves(policy), &uri).message
    };
    assert!(with(|p| p.hosts.clear()).contains("does not allow the host"));
    assert!(with(|p| p.plain_http = false).contains("plain http"));
    assert!(with(|p| p.private_addresses = false).contains("no public address"));
    let secret = uri.replace("localhost", "user:secret@localhost");
    let message = refused(&leaves(server.policy()), &secret).message;
    assert!(message.contains("user or a password"), "{message}");
    assert_eq!(server.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn each_redirect_is_looked_at_as_the_first_address_was() {
    let server = serve();
    let mut policy = server.policy();
    let say = |policy: &Policy, path: &str| refused(&leaves(policy.clone()), &server.at(path)).message;
    assert!(say(&policy, "/elsewhere").contains("does not allow the host of `http://other.example/"));
    assert!(say(&policy, "/to-file").contains("no address of http"));
    assert!(say(&policy, "/loop").contains("more than 3 times"));
    assert!(say(&policy, "/nowhere").contains("redirects to nowhere"));
    assert!(say(&policy, "/missing").contains("404"));
    policy.hosts.pop();
    assert!(say(&policy, "/away").contains("does not allow the host of `http://169.254.169.254/"));
}

#[test]
fn what_is_too_large_or_too_slow_is_given_up() {
    let server = serve();
    let mut policy = server.policy();
    for path in ["/large", "/endless"] {
        let message = refused(&leaves(policy.clone()), &server.at(path)).message;
        assert!(message.contains("more than 50000 bytes"), "{message}");
    }
    policy.time_max = Duration::from_millis(300);
    for path in ["/slow", "/stalls"] {
        let message = refused(&leaves(policy.clone()), &server.at(path)).message;
        assert!(message.contains("did not come within"), "{message}");
    }
}

#[test]
fn a_pinned_digest_is_held_against_the_bytes() {
    let server = serve();
    let leaves = leaves(server.policy());
    let uri = server.at("/vnf.yaml");
    let right = digest_of(VNF.as_bytes());
    assert!(leaves.leaf(&uri, Some(&right)).is_ok());
    assert!(
        leaves
            .leaf(&uri, Some(&right.to_uppercase().replace("SHA256", "sha256")))
            .is_ok()
    );
    let wrong = leaves.leaf(&uri, Some(&digest_of(b"other"))).unwrap_err();
    assert!(
        wrong.message.contains("not the descriptor that was pinned"),
        "{wrong:?}"
    );
    let shapeless = leaves.leaf(&uri, Some("sha256:12")).unwrap_err();
    assert!(shapeless.message.contains("no digest"), "{shapeless:?}");
}

#[test]
fn what_is_in_the_cache_is_not_fetched_again_by_the_next_program() {
    let server = serve();
    let folder = tempfile::tempdir().unwrap();
    let with_cache = |policy| {
        Leaves::new(Options {
            policy,
            cache: Some(Cache::new(folder.path(), 1 << 20)),
            ..Options::default()
        })
    };
    let uri = server.at("/vnf.yaml");
    with_cache(server.policy()).leaf(&uri, None).unwrap();
    with_cache(server.policy()).leaf(&uri, None).unwrap();
    with_cache(server.policy())
        .leaf(&uri, Some(&digest_of(VNF.as_bytes())))
        .unwrap();
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_git_address_with_a_path_glued_on_is_refused_with_the_raw_one_unless_it_is_an_alias() {
    let uri = "https://github.com/nfvlabs/openmano.git/openmano/vnfs/examples/dataplaneVNF1.yaml";
    let refusal = refused(&leaves(Policy::default()), uri);
    assert_eq!(
        refusal.suggestion.as_deref(),
        Some("https://raw.githubusercontent.com/nfvlabs/openmano/HEAD/openmano/vnfs/examples/dataplaneVNF1.yaml")
    );
    let aliased = Leaves::new(Options {
        catalogue: Some(Arc::new(Shelf)),
        aliases: Aliases([(uri.to_owned(), "catalog:lone".to_owned())].into()),
        ..Options::default()
    });
    let leaf = aliased.leaf(uri, None).unwrap();
    assert_eq!((leaf.name.as_str(), leaf.uri.as_str()), ("lone", uri));
}

struct Shelf;

impl Catalogue for Shelf {
    fn leaf(&self, name: &str) -> Result<Option<ReadLeaf>, String> {
        match name {
            "lone" => Ok(Some(read_leaf("lone.yaml", VNF.as_bytes()).unwrap())),
            "broken" => Err("its package is damaged".into()),
            _ => Ok(None),
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["broken".into(), "lone".into()]
    }
}

#[test]
fn the_catalogue_answers_by_name_and_an_unknown_name_gets_those_that_there_are() {
    let leaves = Leaves::new(Options {
        catalogue: Some(Arc::new(Shelf)),
        ..Options::default()
    });
    assert_eq!(leaves.leaf("catalog:lone", None).unwrap().name, "lone");
    assert_eq!(leaves.leaf("catalogue:lone", None).unwrap().name, "lone");
    let unknown = refused(&leaves, "catalog:lon");
    assert_eq!(unknown.suggestion.as_deref(), Some("catalog:lone"));
    assert!(unknown.help.unwrap().contains("`broken`, `lone`"));
    assert!(refused(&leaves, "catalog:broken").message.contains("damaged"));
    assert!(
        refused(&self::leaves(Policy::default()), "catalog:lone")
            .message
            .contains("there is none here")
    );
    assert!(refused(&leaves, "urn:x").message.contains("`urn:`"));
    assert!(refused(&leaves, "file:x").message.contains("files are not read here"));
}

fn files(folder: &std::path::Path) -> Leaves {
    Leaves::new(Options {
        files: Some(Files {
            within: Some(folder.to_owned()),
            ..Files::beside(folder)
        }),
        ..Options::default()
    })
}

#[test]
fn files_are_read_beside_the_script_and_not_outside_of_where_they_may_be() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("scripts");
    std::fs::create_dir_all(folder.join("my vnfs")).unwrap();
    std::fs::write(folder.join("my vnfs/lone.yaml"), VNF).unwrap();
    std::fs::write(outer.path().join("secret.yaml"), VNF).unwrap();
    std::os::unix::fs::symlink(outer.path().join("secret.yaml"), folder.join("link.yaml")).unwrap();
    let leaves = files(&folder);
    for uri in [
        "file:my%20vnfs/lone.yaml",
        "my vnfs/lone.yaml",
        "file:./my vnfs/lone.yaml",
    ] {
        assert_eq!(leaves.leaf(uri, None).unwrap().name, "lone", "{uri}");
    }
    let whole = format!("file://{}/my%20vnfs/lone.yaml", folder.display());
    assert_eq!(leaves.leaf(&whole, None).unwrap().name, "lone");
    for uri in ["file:../secret.yaml", "file:link.yaml"] {
        assert!(refused(&leaves, uri).message.contains("leads out of"), "{uri}");
    }
    assert!(refused(&leaves, "file:none.yaml").message.contains("cannot be read"));
    let host = refused(&leaves, "file://github.com/nfvlabs/x.yaml");
    assert!(host.message.contains("names the host `github.com`"), "{host:?}");
    assert_eq!(host.suggestion.as_deref(), Some("https://github.com/nfvlabs/x.yaml"));
    std::fs::write(folder.join("bad.yaml"), "vnf: [").unwrap();
    assert!(refused(&leaves, "file:bad.yaml").message.contains("MFD03"));
}

#[test]
fn what_is_too_large_or_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lone.yaml"), VNF).unwrap();
    let leaves = Leaves::new(Options {
        files: Some(Files {
            bytes_max: 10,
            ..Files::beside(folder.path())
        }),
        ..Options::default()
    });
    assert!(refused(&leaves, "lone.yaml").message.contains("more than 10 bytes"));
    assert!(
        refused(&files(std::path::Path::new("/")), "file:/dev/zero")
            .message
            .contains("is no file")
    );
}

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

#[test]
fn a_package_is_read_from_its_folder_and_from_its_definitions_and_packed_says_the_same() {
    let gateway = example("demo/gateway");
    let leaves = files(&gateway);
    let whole = leaves.leaf("file:.", None).unwrap();
    let entry = leaves.leaf("file:Definitions/gateway.yaml", None).unwrap();
    let names =
        |leaf: &manifold_nemo::leaf::Leaf| -> Vec<String> { leaf.interfaces.iter().map(|i| i.name.clone()).collect() };
    assert!(!names(&whole).is_empty());
    assert_eq!(names(&whole), names(&entry));
    let line = &whole.interfaces[0];
    assert!(line.text.contains(&line.ext_cpd), "{line:?}");
    let bytes = leaves.bytes("file:.").unwrap().unwrap();
    let again = read_leaf("packed", &bytes).unwrap();
    assert_eq!(again.interfaces.len(), whole.interfaces.len());
    assert_eq!(again.vnfd.flavours.len(), whole.vnfd.flavours.len());
}
