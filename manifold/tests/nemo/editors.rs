//! What editors get, tried by what they are made of: the grammar by the engine that VS Code colours with, the extension, and the
//! program's language server by the library that VS Code speaks with (`editors/test`).
//!
//! Needs node and npm, and the registry once; where they are lacking the test says so and is not run. `MANIFOLD_EDITOR_TESTS=required`
//! makes that red. All is done in a copy below the target folder, where the packages stay for the next run.

use super::{err, out, root};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

const SCRIPTS: [&str; 3] = ["grammar.mjs", "extension.mjs", "session.mjs"];
/// In seconds, for some packages of 2 MB in all. A network that swallows what is sent would hold npm for minutes.
const NPM_LIMIT: &str = "90";
/// What `timeout` ends with when it had to end something.
const TIMED_OUT: i32 = 124;
/// What npm says of a registry that it does not reach; all else that it says is a fault of the lock file.
const UNREACHED: [&str; 10] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ETIMEDOUT",
    "ERR_SOCKET_TIMEOUT",
    "npm error code E5",
    "npm ERR! code E5",
];

/// Why the test cannot run here.
struct Lacking(String);

#[test]
fn editors_colour_scripts_and_speak_with_the_program() {
    let folder = match furnished() {
        Ok(folder) => folder,
        Err(Lacking(what)) => {
            println!("editors_colour_scripts_and_speak_with_the_program: NOT RUN: needs {what}");
            let required = std::env::var("MANIFOLD_EDITOR_TESTS").is_ok_and(|value| value == "required");
            return assert!(!required, "it is required, and needs {what}");
        }
    };
    let temporary = tempfile::tempdir_in(&folder).expect("a temporary folder");
    let path = path_with_the_program();
    for script in SCRIPTS {
        let ran = Command::new("node")
            .arg(script)
            .current_dir(folder.join("editors/test"))
            .env("PATH", &path)
            .env("TMPDIR", temporary.path())
            .env_remove("NEMO_LSP")
            .stdin(Stdio::null())
            .output()
            .expect("node was there before");
        assert!(
            ran.status.success(),
            "{script}: {}\n{}{}",
            ran.status,
            out(&ran),
            err(&ran)
        );
    }
    let left: Vec<_> = fs::read_dir(temporary.path()).expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A copy of what is tried, with the packages that the lock file names.
fn furnished() -> Result<PathBuf, Lacking> {
    for tool in ["node", "npm"] {
        let told = Command::new(tool).arg("--version").stdin(Stdio::null()).output();
        match told {
            Ok(told) => assert!(told.status.success(), "{tool}: {}", err(&told)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Lacking(format!("`{tool}`"))),
            Err(error) => panic!("{tool}: {error}"),
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editors");
    for part in ["editors/vscode", "examples/nemo"] {
        match fs::remove_dir_all(folder.join(part)) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{part} of another run stays: {error}"),
            _ => {}
        }
    }
    for part in ["editors/test", "editors/vscode", "examples/nemo"] {
        copy(&root(part), &folder.join(part)).unwrap_or_else(|error| panic!("{part}: {error}"));
    }
    install(&folder.join("editors/test"))?;
    Ok(folder)
}

/// The packages, unless those of the same lock file are there.
fn install(folder: &Path) -> Result<(), Lacking> {
    let wanted = fs::read(folder.join("package-lock.json")).expect("it was copied");
    let installed = folder.join("node_modules/.installed");
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let npm = Command::new("timeout")
        .args([NPM_LIMIT, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--no-update-notifier", "--fetch-retries=0", "--cache=../../npm"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("coreutils are there");
    let said = err(&npm);
    if npm.status.code() == Some(TIMED_OUT) {
        return Err(Lacking(format!(
            "npm's registry, which did not give all within {NPM_LIMIT} s"
        )));
    }
    if let Some(why) = UNREACHED.iter().find(|why| said.contains(**why)) {
        return Err(Lacking(format!("npm's registry, which is not reached ({why})")));
    }
    assert!(npm.status.success(), "npm ci: {}\n{said}", npm.status);
    fs::write(&installed, wanted).expect("the folder is ours");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            // Somebody's own, who tried the scripts by hand.
            true if entry.file_name() == "node_modules" => {}
            true => copy(&entry.path(), &target)?,
            false => {
                fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}

/// The scripts start `manifold`, as editors do.
fn path_with_the_program() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_manifold"));
    let own = program.parent().map(Path::to_owned);
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&others))).expect("they came out of a path")
}
