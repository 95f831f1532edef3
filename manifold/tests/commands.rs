//! What scripts rely on: exit codes, JSON, errors that name the culprit; completions and man pages. Without privileges and without
//! a control plane.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn manifold(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifold"));
    command
        .args(words)
        .stdin(Stdio::null())
        .env_remove("MANIFOLD_CONFIG")
        .env_remove("MANIFOLD_DATA");
    command.output().expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder that goes with the test.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn examples(below: &str) -> String {
    format!("{}/../examples/{below}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for (shell, witness) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef manifold"),
        ("fish", "complete -c manifold"),
    ] {
        let made = manifold(&["completion", shell]);
        assert!(made.status.success(), "{shell}: {}", err(&made));
        let script = out(&made);
        assert!(script.contains(witness) && script.contains("topology"), "{shell}");
    }
    let folder = scratch();
    let file = folder.path().join("manifold.bash");
    std::fs::write(&file, manifold(&["completion", "bash"]).stdout).expect("written");
    // The shell itself is the judge, and it completes a command.
    let parsed = Command::new("bash").arg("-n").arg(&file).output().expect("bash starts");
    assert!(parsed.status.success(), "{}", err(&parsed));
    let offered = |words: &str, at: usize, word: &str, before: &str| {
        let source = format!("source {}; COMP_WORDS=({words}); COMP_CWORD={at}", file.display());
        let ask = format!("{source}; _manifold manifold {word} {before}; echo \"${{COMPREPLY[@]}}\"");
        let said = Command::new("bash").args(["-c", &ask]).output().expect("bash starts");
        out(&said).trim().to_owned()
    };
    assert_eq!(offered("manifold ns sc", 2, "sc", "ns"), "scale");
    assert_eq!(
        offered("manifold agent", 1, "agent", "manifold"),
        "agent",
        "what users do not call is not offered"
    );
}

#[test]
fn every_command_has_a_man_page() {
    let folder = scratch();
    let made = manifold(&["man", &folder.path().display().to_string()]);
    assert!(made.status.success(), "{}", err(&made));
    for page in [
        "manifold.1",
        "manifold-up.1",
        "manifold-demo.1",
        "manifold-ns-instantiate.1",
        "manifold-op-rollback.1",
    ] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn the_doctor_says_of_each_lack_how_it_is_mended() {
    let seen = manifold(&["doctor", "--json"]);
    let all: Value = serde_json::from_slice(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {}", out(&seen)));
    let all = all.as_array().expect("a list");
    let names: Vec<&str> = all.iter().filter_map(|found| found["what"].as_str()).collect();
    for what in ["privileges", "qemu-system-x86_64", "nft", "KVM", "/dev/net/tun"] {
        assert!(names.contains(&what), "{what} is looked at: {names:?}");
    }
    for found in all {
        assert!(found["ok"].is_boolean() && found["found"].is_string(), "{found}");
        if found["ok"] == false && found["needed"] == true {
            assert!(found["cure"].as_str().is_some_and(|cure| !cure.is_empty()), "{found}");
        }
    }
    let lacks = all.iter().any(|found| found["needed"] == true && found["ok"] == false);
    assert_eq!(seen.status.code(), Some(i32::from(lacks)));
}

#[test]
fn the_doctor_names_a_tool_that_is_not_there_and_the_command_that_installs_it() {
    let nowhere = scratch();
    let seen = Command::new(env!("CARGO_BIN_EXE_manifold"))
        .args(["doctor", "--json"])
        .env("PATH", nowhere.path())
        .output()
        .expect("the program starts");
    let all: Value = serde_json::from_slice(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {}", out(&seen)));
    let qemu = all
        .as_array()
        .into_iter()
        .flatten()
        .find(|found| found["what"] == "qemu-system-x86_64")
        .expect("it is looked for");
    assert_eq!((&qemu["ok"], seen.status.code()), (&Value::Bool(false), Some(1)));
    assert!(
        qemu["cure"]
            .as_str()
            .is_some_and(|cure| cure.contains("apt-get install") && cure.contains("qemu-system-x86")),
        "{qemu}"
    );
    assert!(err(&seen).contains("qemu-system-x86_64"), "{}", err(&seen));
}

#[test]
fn without_a_control_plane_clients_say_which_folder_they_looked_in_and_what_to_start() {
    let folder = scratch();
    let data = folder.path().display().to_string();
    for words in [
        &["ns", "list"][..],
        &["lab", "show"],
        &["vnf", "list"],
        &["op", "list"],
        &["package", "list"],
        &["topology", "x"],
    ] {
        let said = manifold(&[words, &["--data", &data]].concat());
        assert_eq!(said.status.code(), Some(1), "{words:?}");
        assert!(
            err(&said).contains(&data) && err(&said).contains("manifold up"),
            "{words:?}: {}",
            err(&said)
        );
        assert!(said.stdout.is_empty(), "{words:?}: {}", out(&said));
    }
}

#[test]
fn a_control_plane_that_is_gone_is_not_reachable() {
    let folder = scratch();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let root = format!("http://{}", socket.local_addr().expect("an address"));
    drop(socket);
    let login =
        serde_json::json!({"root": root, "clientId": "oss", "clientSecret": "s", "tenant": "default", "pid": 1});
    std::fs::write(folder.path().join("login.json"), login.to_string()).expect("written");
    let said = manifold(&["ns", "list", "--data", &folder.path().display().to_string()]);
    assert_eq!(said.status.code(), Some(6), "{}", err(&said));
    assert!(!err(&said).contains("\"s\""), "no secret is told");
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    for words in [
        &["ns", "instantiate", "x", "--at", "nothing"][..],
        &["no-such-command"],
        &["op", "show", "no-uuid"],
        &["trace"],
    ] {
        let said = manifold(words);
        assert_eq!(said.status.code(), Some(2), "{words:?}");
        assert!(!err(&said).is_empty(), "{words:?}");
    }
    let help = manifold(&["--help"]);
    assert!(
        help.status.success() && out(&help).contains("Exit codes:"),
        "{}",
        out(&help)
    );
}

#[test]
fn a_configuration_with_an_unknown_key_or_a_wrong_value_is_refused_by_name() {
    let folder = scratch();
    let file = folder.path().join("manifold.toml");
    for (text, culprit) in [
        ("lissen = \"127.0.0.1:1\"", "lissen"),
        ("accelerator = \"magic\"", "magic"),
        ("tls_key = \"/k\"", "tls_certificate"),
    ] {
        std::fs::write(&file, text).expect("written");
        let said = manifold(&["doctor", "--config", &file.display().to_string()]);
        assert_eq!(said.status.code(), Some(1), "{text}");
        assert!(err(&said).contains(culprit), "{text}: {}", err(&said));
    }
    let missing = folder.path().join("none.toml").display().to_string();
    let said = manifold(&["doctor", "--config", &missing]);
    assert!(
        said.status.code() == Some(1) && err(&said).contains(&missing),
        "{}",
        err(&said)
    );
}

#[test]
fn examples_are_in_order_and_build_the_same_bytes_twice() {
    let folder = scratch();
    for package in [
        "minimal/vnf",
        "minimal/ns",
        "demo/gateway",
        "demo/service",
        "demo/pnf",
        "demo/ns",
        "demo/tenant-b/vnf",
        "demo/tenant-b/ns",
    ] {
        let place = examples(package);
        let said = manifold(&["package", "check", &place]);
        assert!(said.status.success(), "{package}: {}", err(&said));
        let archive = |name: &str| folder.path().join(name);
        for name in ["one.csar", "two.csar"] {
            let built = manifold(&[
                "package",
                "build",
                &place,
                "--output",
                &archive(name).display().to_string(),
            ]);
            assert!(built.status.success(), "{package}: {}", err(&built));
        }
        let read = |name: &str| std::fs::read(archive(name)).expect("built");
        assert_eq!(read("one.csar"), read("two.csar"), "{package}");
        let said = manifold(&["package", "check", &archive("one.csar").display().to_string()]);
        assert!(said.status.success(), "{package}: {}", err(&said));
    }
}

/// A flipped byte is found, and a broken definition is told with its place.
// proves: NFV006-SEC-03
#[test]
fn a_package_that_is_not_in_order_is_told_with_the_place_of_its_fault() {
    let folder = scratch();
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to.join("Definitions")).expect("made");
        for entry in std::fs::read_dir(from.join("Definitions")).expect("read").flatten() {
            std::fs::copy(entry.path(), to.join("Definitions").join(entry.file_name())).expect("copied");
        }
    };
    let broken = folder.path().join("broken");
    copy(Path::new(&examples("minimal/vnf")), &broken);
    let file = broken.join("Definitions/one.yaml");
    let text = std::fs::read_to_string(&file)
        .expect("read")
        .replace("virtual_binding: machine", "virtual_binding: machina");
    std::fs::write(&file, text).expect("written");
    let said = manifold(&["package", "check", &broken.display().to_string()]);
    assert_eq!(said.status.code(), Some(1), "{}", out(&said));
    let told = format!("{}{}", out(&said), err(&said));
    assert!(told.contains("one.yaml:60:") && told.contains("machina"), "{told}");

    let archive = folder.path().join("one.csar");
    let built = manifold(&[
        "package",
        "build",
        &examples("minimal/vnf"),
        "--output",
        &archive.display().to_string(),
    ]);
    assert!(built.status.success(), "{}", err(&built));
    let mut bytes = std::fs::read(&archive).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&archive, bytes).expect("written");
    let said = manifold(&["package", "check", &archive.display().to_string()]);
    assert_eq!(said.status.code(), Some(1), "{}", out(&said));
}

#[test]
fn a_lab_file_is_shown_without_making_it_and_its_faults_have_places() {
    let lab = format!("{}/../nfvi/lab/labs/two-sites.toml", env!("CARGO_MANIFEST_DIR"));
    let shown = manifold(&["lab", "create", &lab, "--dry-run", "--json"]);
    let value: Value = serde_json::from_slice(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {}", err(&shown)));
    assert_eq!(value["pops"].as_array().map(Vec::len), Some(2));
    let folder = scratch();
    let file = folder.path().join("lab.toml");
    std::fs::write(
        &file,
        "name = \"x\"\n[[pop]]\nname = \"p\"\nlocation = \"l\"\nhosts = 3\n",
    )
    .expect("written");
    let said = manifold(&["lab", "create", &file.display().to_string(), "--dry-run"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        err(&said).contains("lab.toml") && err(&said).contains("hosts") && err(&said).contains('5'),
        "{}",
        err(&said)
    );
}
