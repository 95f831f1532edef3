//! A bootable disk, and a kernel with its initial file system, that come in packages: on-boarded, booted, asked.

use crate::write::{Image, ns, sha256, vnf};
use crate::{LAB, cache, folder, program};
use manifold_campaign::{COMMAND, Cluster, Running, Services, each, text, wait_for};
use manifold_kernel_test::run_in;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// A disk's boot loader and its kernel, emulated, on a machine that does more than this.
const BOOT: Duration = Duration::from_secs(90);

const DISK: &str = "7a000000-0000-4000-8000-000000000001";
const PAIR: &str = "7a000000-0000-4000-8000-000000000002";
const NS: &str = "7a000000-0000-4000-8000-000000000003";

/// Name and address of each machine of an NS.
pub(crate) fn machines(topology: &Value) -> Vec<(String, String)> {
    let vnfs = each(&topology["vnfs"]);
    let ports = vnfs.flat_map(|vnf| {
        let ports = each(&vnf["vnfcs"]).flat_map(|machine| each(&machine["ports"]));
        ports.map(move |port| (text(&vnf["name"]), text(&port["addresses"][0])))
    });
    ports.collect()
}

/// From the access point: the machine answers ping, and HTTP with its greeting.
pub(crate) fn answers(at: &Path, name: &str, address: &str) {
    wait_for(&format!("{name} at {address} answers ping"), BOOT, || {
        let ping = run_in(at, &["ping", "-c", "1", "-W", "1", address]);
        ping.status.success().then_some(())
    });
    let page = format!("http://{address}/");
    let said = wait_for(&format!("{name} at {address} answers HTTP"), BOOT, || {
        let said = run_in(at, &["curl", "-s", "-f", "-m", "5", &page]);
        said.status.success().then_some(said.stdout)
    });
    assert!(!said.is_empty(), "{name} at {address} answers HTTP with nothing");
}

fn names_the_image(said: &str) {
    for part in ["MFD0506", "system.qcow2"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// The same archive with another checksum in its descriptor, and a manifest that agrees with that: only the image does not.
fn exchange(from: &Path, to: &Path, right: &str, wrong: &str) {
    let open = |path: &Path| File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut from = ZipArchive::new(open(from)).expect("an archive");
    let mut texts = BTreeMap::new();
    for at in 0..from.len() {
        let mut entry = from.by_index(at).expect("an entry");
        let name = entry.name().expect("UTF-8").into_owned();
        if [".yaml", ".mf"].iter().any(|end| name.ends_with(end)) {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("UTF-8");
            texts.insert(name, text);
        }
    }
    let hash = |text: &str| {
        let file = to.with_extension("part");
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{error}"));
        sha256(&file)
    };
    let descriptor = &texts["Definitions/vnf.yaml"];
    let exchanged = descriptor.replace(right, wrong);
    assert_ne!(&exchanged, descriptor);
    let (old, new) = (hash(descriptor), hash(&exchanged));
    let mut sink = ZipWriter::new(File::create(to).unwrap_or_else(|error| panic!("{error}")));
    for at in 0..from.len() {
        let entry = from.by_index_raw(at).expect("an entry");
        let name = entry.name().expect("UTF-8").into_owned();
        let Some(text) = texts.get(&name) else {
            sink.raw_copy_file(entry).expect("copied");
            continue;
        };
        sink.start_file(&name, SimpleFileOptions::default()).expect("begun");
        let text = match name.ends_with(".mf") {
            // The image's own hash stays what it is there.
            true => text.replace(&old, &new),
            false => text.replace(right, wrong),
        };
        sink.write_all(text.as_bytes()).expect("written");
    }
    sink.finish().expect("finished");
}

/// By curl, as any OSS could: the program's own command looks before it sends. Answers the package as it is afterwards.
fn upload(cluster: &Cluster, archive: &Path) -> Value {
    let (root, user) = cluster.login();
    let curl = |arguments: &[&str]| {
        let mut line = Command::new("curl");
        line.args(["-sS", "--max-time", "100"]).args(arguments);
        Running::start(line).end(COMMAND).ok().out
    };
    let json =
        |text: String| -> Value { serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")) };
    let grant = "grant_type=client_credentials";
    let token = json(curl(&["-u", &user, "-d", grant, &format!("{root}/oauth2/token")]));
    let bearer = format!("Authorization: Bearer {}", text(&token["access_token"]));
    let (version, body) = ("Version: 2.4.0", "Content-Type: application/json");
    let all = format!("{root}/vnfpkgm/v2/vnf_packages");
    let made = json(curl(&["-H", &bearer, "-H", version, "-H", body, "-d", "{}", &all]));
    let one = format!("{all}/{}", text(&made["id"]));
    let (zip, content) = ("Content-Type: application/zip", format!("{one}/package_content"));
    let sent = archive.display().to_string();
    curl(&["-H", &bearer, "-H", version, "-H", zip, "-T", &sent, &content]);
    let found = wait_for("the upload is judged", COMMAND, || {
        let found = json(curl(&["-H", &bearer, "-H", version, &one]));
        (!["CREATED", "UPLOADING", "PROCESSING"].contains(&text(&found["onboardingState"]).as_str())).then_some(found)
    });
    curl(&["-H", &bearer, "-H", version, "-X", "DELETE", &one]);
    found
}

pub(crate) fn boot() {
    let cache = cache();
    let guest = manifold_image::built(&cache).expect("built before the test began");
    let packages = folder().join("packages");
    let disk = |stated| Image {
        name: "system",
        format: "qcow2",
        from: &guest.disk,
        stated,
    };
    let part = |name, format, from| Image {
        name,
        format,
        from,
        stated: None,
    };
    vnf(&packages.join("disk"), "disk", DISK, &[disk(None)]);
    let pair = [
        part("kernel", "aki", &guest.kernel),
        part("initramfs", "ari", &guest.initramfs),
    ];
    vnf(&packages.join("pair"), "pair", PAIR, &pair);
    ns(&packages.join("ns"), "packaged", NS, &[("disk", DISK), ("pair", PAIR)]);

    let cluster = Cluster::start(program(), &cache, folder());
    cluster.json(&["lab", "create", LAB]);
    let path = |name: &str| packages.join(name).display().to_string();

    // Not the file that the descriptor speaks of: refused by code, where the package is built and where it is uploaded, and nothing
    // of it can be used.
    let wrong = "0".repeat(64);
    vnf(&packages.join("wrong"), "disk", DISK, &[disk(Some(&wrong))]);
    let refused = cluster.run(&["package", "push", &path("wrong")]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    names_the_image(&refused.err);
    let archive = packages.join("wrong.csar");
    cluster.json(&["package", "build", &path("disk"), "--output", &path("right.csar")]);
    exchange(&packages.join("right.csar"), &archive, &sha256(&guest.disk), &wrong);
    let refused = upload(&cluster, &archive);
    assert_eq!(refused["onboardingState"], "ERROR", "{refused}");
    names_the_image(&text(&refused["onboardingFailureDetails"]["detail"]));
    let refused = cluster.run(&["ns", "instantiate", "packaged"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");

    for package in ["disk", "pair", "ns"] {
        cluster.json(&["package", "push", &path(package)]);
    }
    let done = cluster.json(&["ns", "instantiate", "packaged"]);
    assert_eq!(done["operationState"], "COMPLETED", "{done}");
    let topology = cluster.json(&["topology", "packaged"]);
    let machines = machines(&topology);
    assert_eq!(machines.len(), 2, "{topology}");
    let at = Services.access(&cluster, "packaged");
    for (name, address) in &machines {
        answers(&at, name, address);
    }
    let done = cluster.json(&["ns", "terminate", "packaged"]);
    assert_eq!(done["operationState"], "COMPLETED", "{done}");
    for (_, address) in &machines {
        assert!(!run_in(&at, &["ping", "-c", "1", "-W", "1", address]).status.success());
    }
    cluster.run(&["lab", "destroy"]).ok();
}
