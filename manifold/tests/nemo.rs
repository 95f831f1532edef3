//! The commands that work on scripts alone, without privileges and without a control plane; every example of `docs/nemo.md`; what
//! editors get.

#[path = "nemo/editors.rs"]
mod editors;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn manifold(words: &[&str]) -> Output {
    let empty = scratch();
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifold"));
    command
        .args(words)
        .stdin(Stdio::null())
        .env_remove("MANIFOLD_CONFIG")
        .env("MANIFOLD_DATA", empty.path());
    command.output().expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(below)
}

fn example(name: &str) -> String {
    root("examples/nemo").join(name).display().to_string()
}

/// A folder with the examples' descriptors and this script.
fn script(text: &str) -> (tempfile::TempDir, String) {
    let folder = scratch();
    let vnfs = folder.path().join("vnfs");
    std::fs::create_dir(&vnfs).expect("made");
    for name in ["firewall.yaml", "server.yaml", "shaper.yaml"] {
        std::fs::copy(example(&format!("vnfs/{name}")), vnfs.join(name)).expect("copied");
    }
    let file = folder.path().join("script.nemo");
    std::fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    (folder, file)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).expect("it is there")
}

const FAULTY: &str = "CREATE NodeModel m VNFD file:vnfs/server.yaml;\n  ConnectionPoint a at VNFD:service\n\
                      CREATE Node x Type m;\nCREATE Node y Type m;\nCREATE Connection c Type p2p x:a, y:a;\n";

fn codes(checked: &Output) -> Vec<String> {
    let list: Vec<Value> = serde_json::from_slice(&checked.stdout).expect("JSON");
    let code = |one: &Value| one["code"].as_str().expect("a code").to_owned();
    let errors = list.iter().filter(|one| one["severity"] == "error");
    errors.map(code).collect()
}

#[test]
fn every_fault_is_told_with_its_place_and_the_exit_code_says_so() {
    let (_folder, file) = script(FAULTY);
    let checked = manifold(&["nemo", "check", &file]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        out(&checked).contains("E-SEMI") && out(&checked).contains("script.nemo:2"),
        "{}",
        out(&checked)
    );
    assert_eq!(
        codes(&manifold(&["nemo", "check", &file, "--json"])),
        ["E-SEMI", "E-ENDNODES"]
    );
    let lenient = manifold(&["nemo", "check", &file, "--lenient"]);
    assert!(lenient.status.success(), "{}{}", out(&lenient), err(&lenient));
    assert!(out(&lenient).contains("W-SEMI"));
    let none = manifold(&["nemo", "check", "/nowhere.nemo"]);
    assert!(!none.status.success() && err(&none).contains("/nowhere.nemo"));
}

#[test]
fn what_is_mended_and_laid_out_is_in_order_and_stays_as_it_is() {
    let (_folder, file) = script(FAULTY);
    let unread = manifold(&["nemo", "check", &file, "--json"]);
    assert!(!unread.status.success());
    let mended = manifold(&["nemo", "fix", &file]);
    assert!(mended.status.success(), "{}{}", out(&mended), err(&mended));
    assert!(manifold(&["nemo", "check", &file]).status.success());
    let laid_out = manifold(&["nemo", "fmt", &file]);
    assert!(laid_out.status.success(), "{}", err(&laid_out));
    let text = read(&file);
    assert!(manifold(&["nemo", "fmt", "--check", &file]).status.success());
    std::fs::write(&file, text.replace("  ", "\t \t")).expect("written");
    let before = read(&file);
    assert!(!manifold(&["nemo", "fmt", "--check", &file]).status.success());
    assert_eq!(read(&file), before, "a check changes nothing");
    assert!(manifold(&["nemo", "fmt", &file]).status.success());
    assert_eq!(read(&file), text);
}

#[test]
fn a_script_without_its_terminators_is_not_laid_out() {
    let (_folder, file) = script("CREATE NodeModel {{{");
    let refused = manifold(&["nemo", "fmt", &file]);
    assert!(!refused.status.success() && err(&refused).contains("stays as it is"));
    assert_eq!(read(&file), "CREATE NodeModel {{{");
}

#[test]
fn packages_are_written_that_pass_the_check_and_nothing_is_replaced_unasked() {
    let (folder, made) = (scratch(), |more: &[&str], to: &str, folder: &Path| {
        let (models, service) = (example("models.nemo"), example("four-lines.nemo"));
        let place = folder.display().to_string();
        let mut words = vec!["nemo", "compile", &models, &service, "--to", to, "-o", &place];
        for image in ["firewall", "shaper", "server"] {
            words.push("--image");
            words.push(match image {
                "firewall" => "/images/firewall.qcow2=guest",
                "shaper" => "/images/shaper.qcow2=guest",
                _ => "/images/server.qcow2=guest",
            });
        }
        words.extend(more);
        manifold(&words)
    });
    let nsd = made(&[], "nsd", folder.path());
    assert!(nsd.status.success(), "{}", err(&nsd));
    let packages: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(
        packages.len(),
        7,
        "three VNFs, three composites, the service: {packages:?}"
    );
    for package in &packages {
        let checked = manifold(&["package", "check", &package.display().to_string()]);
        assert!(checked.status.success(), "{}: {}", package.display(), out(&checked));
    }
    let again = made(&[], "nsd", folder.path());
    assert!(
        !again.status.success() && err(&again).contains("--force"),
        "{}",
        err(&again)
    );
    assert!(made(&["--force"], "nsd", folder.path()).status.success());
    let openmano = scratch();
    assert!(made(&[], "openmano", openmano.path()).status.success());
    assert_eq!(
        read(&openmano.path().join("four-lines.openmano.yaml").display().to_string()),
        read(&example("four-lines.openmano.yaml"))
    );
    let flat = scratch();
    let made = made(&["--json"], "flat", flat.path());
    let told: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert!(
        told["files"].as_array().is_some_and(|files| !files.is_empty()),
        "{told}"
    );
}

#[test]
fn a_service_is_drawn_in_every_form() {
    for (form, witness) in [
        ("svg", "<svg"),
        ("dot", "graph"),
        ("mermaid", "flowchart"),
        ("json", "\"instances\""),
    ] {
        let drawn = manifold(&[
            "nemo",
            "graph",
            &example("models.nemo"),
            &example("mesh.nemo"),
            "--format",
            form,
        ]);
        assert!(
            drawn.status.success() && out(&drawn).contains(witness),
            "{form}: {}{}",
            out(&drawn),
            err(&drawn)
        );
    }
    let whole = manifold(&[
        "nemo",
        "graph",
        &example("models.nemo"),
        &example("four-lines.nemo"),
        "--format",
        "json",
    ]);
    let folded = manifold(&[
        "nemo",
        "graph",
        &example("models.nemo"),
        &example("four-lines.nemo"),
        "--format",
        "json",
        "--fold",
        "1",
    ]);
    assert!(folded.status.success() && out(&folded).len() < out(&whole).len());
}

#[test]
fn codes_are_explained() {
    let told = manifold(&["nemo", "explain", "E-SEMI"]);
    assert!(
        told.status.success() && out(&told).contains("The same, mended"),
        "{}",
        out(&told)
    );
    let slip = manifold(&["nemo", "explain", "E-SEMY"]);
    assert!(
        !slip.status.success() && err(&slip).contains("E-SEMI is the nearest"),
        "{}",
        err(&slip)
    );
    assert!(out(&manifold(&["nemo", "explain"])).lines().count() > 50);
}

#[test]
fn questions_are_answered_from_files() {
    let asked = |question: &str| {
        manifold(&[
            "nemo",
            "query",
            question,
            &example("models.nemo"),
            &example("four-lines.nemo"),
            "--json",
        ])
    };
    let nodes: Vec<Value> = serde_json::from_slice(&asked("Query nodes;").stdout).expect("JSON");
    assert_eq!(nodes.len(), 20);
    let inside: Vec<Value> = serde_json::from_slice(&asked("Query nodes From north.harbour;").stdout).expect("JSON");
    assert_eq!(inside.len(), 4);
    assert!(!asked("Query Priority;").status.success());
}

#[test]
fn questions_are_answered_one_after_the_other() {
    use std::io::Write as _;
    let ask = |questions: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_manifold"))
            .args(["nemo", "repl", &example("models.nemo"), &example("four-lines.nemo")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = program.stdin.take().expect("a pipe");
        input.write_all(questions.as_bytes()).expect("it reads");
        drop(input);
        program.wait_with_output().expect("it ends")
    };
    let answered = ask("Query connections\nFrom north.ring; Query nodes From south.hill.first;\nquit\nQuery never;\n");
    assert!(answered.status.success(), "{}", err(&answered));
    assert!(
        out(&answered).contains("north.ring") && out(&answered).contains("south.hill.first"),
        "{}",
        out(&answered)
    );
    assert!(!out(&answered).contains("backbone"), "{}", out(&answered));
    // One that has no answer is told, and the next one is answered.
    let half = ask("Query what;\nQuery connections From backbone;\nQuery nodes");
    assert_eq!(half.status.code(), Some(1));
    assert!(out(&half).contains("backbone") && err(&half).contains("2 questions have no answer"));
}

#[test]
fn the_examples_are_laid_out() {
    let all = ["complex", "four-lines", "mesh", "models"].map(|name| example(&format!("{name}.nemo")));
    let words: Vec<&str> = ["nemo", "fmt", "--check"]
        .into_iter()
        .chain(all.iter().map(String::as_str))
        .collect();
    let checked = manifold(&words);
    assert!(checked.status.success(), "{}", err(&checked));
}

#[test]
fn what_needs_a_control_plane_says_so() {
    let (_folder, file) = script("CREATE NodeModel m VNFD catalog:nobody;\n  ConnectionPoint a at VNFD:x;\n");
    let checked = manifold(&["nemo", "check", &file]);
    assert!(
        !checked.status.success() && out(&checked).contains("manifold up"),
        "{}",
        out(&checked)
    );
    let (_folder, file) =
        script("CREATE NodeModel m VNFD https://files.example/x.yaml;\n  ConnectionPoint a at VNFD:x;\n");
    let checked = manifold(&["nemo", "check", &file]);
    assert!(
        !checked.status.success() && out(&checked).contains("files.example"),
        "{}",
        out(&checked)
    );
    let applied = manifold(&["apply", &file]);
    assert!(
        !applied.status.success() && err(&applied).contains("manifold up"),
        "{}",
        err(&applied)
    );
}

#[test]
fn an_imported_scenario_compiles_back() {
    let folder = scratch();
    let place = folder.path().display().to_string();
    let (scenario, vnfs) = (
        example("mesh.openmano.yaml"),
        ["firewall", "server", "shaper"].map(|name| example(&format!("vnfs/{name}.yaml"))),
    );
    let words = [
        "import", "openmano", &scenario, &vnfs[0], &vnfs[1], &vnfs[2], "-o", &place, "--json",
    ];
    let imported = manifold(&words);
    assert!(imported.status.success(), "{}", err(&imported));
    let told: Value = serde_json::from_slice(&imported.stdout).expect("JSON");
    let script = folder
        .path()
        .join(told["script"].as_str().expect("a name"))
        .display()
        .to_string();
    let checked = manifold(&["nemo", "check", &script]);
    assert!(checked.status.success(), "{}", out(&checked));
    let again = manifold(&words);
    assert!(
        !again.status.success() && err(&again).contains("--force"),
        "{}",
        err(&again)
    );
}

#[test]
fn the_composite_of_the_examples_is_in_order() {
    let checked = manifold(&["nemo", "check", &example("complex.nemo"), "--root", "complex_vnf"]);
    assert!(checked.status.success(), "{}{}", out(&checked), err(&checked));
    let folder = scratch();
    let place = folder.path().display().to_string();
    let made = manifold(&[
        "nemo",
        "compile",
        &example("complex.nemo"),
        "--root",
        "complex_vnf",
        "--to",
        "nsd",
        "-o",
        &place,
    ]);
    assert!(made.status.success(), "{}", err(&made));
    for package in std::fs::read_dir(folder.path()).expect("a folder") {
        let package = package.expect("an entry").path().display().to_string();
        let checked = manifold(&["package", "check", &package]);
        assert!(checked.status.success(), "{package}: {}", out(&checked));
    }
}

/// The blocks of the page: what stands behind `nemo` is `wrong` with the codes that it must have, or nothing.
#[test]
fn every_example_of_the_page_is_what_the_page_says() {
    let page = std::fs::read_to_string(root("docs/nemo.md")).expect("the page");
    let mut seen = 0;
    for part in page.split("\n```nemo").skip(1) {
        let (how, rest) = part.split_once('\n').expect("a block has lines");
        let block = rest.split("\n```").next().expect("a block ends");
        let models = read(&example("models.nemo"));
        let (folder, file) = script(block);
        let beside = folder.path().join("models.nemo").display().to_string();
        std::fs::write(&beside, models).expect("written");
        let checked = manifold(&["nemo", "check", &file, &beside, "--json"]);
        let wanted: Vec<&str> = how
            .trim()
            .strip_prefix("wrong")
            .unwrap_or("")
            .split_whitespace()
            .collect();
        assert_eq!(codes(&checked), wanted, "{block}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen} blocks");
    let lines = read(&example("four-lines.openmano.yaml")).lines().count();
    assert!(
        page.contains(&format!("| {lines} lines:",)),
        "the page says how many lines: {lines}"
    );
}
