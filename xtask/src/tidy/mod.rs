//! What no compiler refuses and nobody wants: each rule is a file, each fault names its place.
//!
//! Some rules are ratchets: what broke them when they came is listed in `xtask/ratchets` with its number, which must not grow;
//! an entry that is not needed any more has to go.

mod lengths;
mod modules;
mod ratchet;
mod sleeps;
mod words;

use crate::repository::Repository;
use crate::source::Source;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub file: PathBuf,
    /// In which line; 0 = the file as a whole.
    pub line: usize,
    /// What is wrong, and what to do instead.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.what),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.what),
        }
    }
}

type Sources = BTreeMap<PathBuf, Source>;

/// Every fault, sorted by place.
pub fn run(repository: &Repository) -> std::io::Result<Vec<Fault>> {
    let mut sources = Sources::new();
    for file in repository.files(".rs")? {
        let source = Source::new(&repository.read(&file)?);
        sources.insert(file, source);
    }
    let mut faults = modules::check(repository, &sources)?;
    faults.extend(words::check(repository, &sources)?);
    faults.extend(lengths::check(repository, &sources)?);
    faults.extend(sleeps::check(repository, &sources)?);
    faults.sort();
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A repository with one package `a` of these files.
    fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = ("a/Cargo.toml", "[package]\nname = \"a\"\n");
        for (name, text) in [manifest].iter().chain(files) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let repository = Repository::at(folder.path());
        (folder, repository)
    }

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let (_folder, repository) = repository(files);
        run(&repository).unwrap().iter().map(Fault::to_string).collect()
    }

    #[test]
    fn files_that_no_module_reaches_are_found_however_modules_are_written() {
        let found = faults(&[
            (
                "a/src/lib.rs",
                "mod one;\npub(crate) mod two;\nmod inner {\n    mod deep;\n}\n// mod lost;\n",
            ),
            ("a/src/one.rs", "#[path = \"elsewhere.rs\"]\nmod three;\n"),
            ("a/src/elsewhere.rs", ""),
            ("a/src/two/mod.rs", "mod four;"),
            ("a/src/two/four.rs", ""),
            ("a/src/inner/deep.rs", ""),
            ("a/src/lost.rs", ""),
            ("a/src/bin/tool.rs", ""),
            ("a/tests/suite/main.rs", "mod part;"),
            ("a/tests/suite/part.rs", ""),
            ("a/tests/suite/forgotten.rs", ""),
            ("stray.rs", ""),
        ]);
        let named: Vec<_> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(named, ["a/src/lost.rs", "a/tests/suite/forgotten.rs", "stray.rs"]);
    }

    #[test]
    fn forbidden_names_and_words_are_found_in_code_and_comments_only() {
        let bang = "!";
        let text = format!(
            "mod utils;\nfn f() {{ dbg{bang}(1); }}\n// TO{}: later\nconst A: &str = \"FIX{} dbg{bang}(2)\";\nfn g() {{ unsafe {{ h() }} }}\n// unsafe is a word here\n",
            "DO", "ME"
        );
        let found = faults(&[("a/src/lib.rs", &text), ("a/src/utils.rs", "")]);
        let lines: Vec<_> = found.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "a/src/lib.rs:2:",
                "a/src/lib.rs:3:",
                "a/src/lib.rs:5:",
                "a/src/utils.rs:"
            ]
        );
        let (_folder, kernel) = repository(&[("nfvi/host/src/kernel/call.rs", "unsafe fn f() {}")]);
        let found = run(&kernel).unwrap();
        assert!(
            found.iter().all(|fault| !fault.what.contains("unsafe")),
            "its one place"
        );
    }

    #[test]
    fn a_long_file_is_a_fault_unless_the_ratchet_knows_it_and_it_did_not_grow() {
        let long = "// a line\n".repeat(601);
        let longer = "// a line\n".repeat(701);
        let ratchet = "a/src/known.rs 700\na/src/short.rs 650\na/src/grew.rs 700\n";
        let found = faults(&[
            ("a/src/lib.rs", "mod known; mod new;\nmod short;\nmod grew;\n"),
            ("a/src/known.rs", &long),
            ("a/src/new.rs", &long),
            ("a/src/short.rs", ""),
            ("a/src/grew.rs", &longer),
            ("xtask/ratchets/lengths.txt", ratchet),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("a/src/grew.rs: 701 lines"), "{found:?}");
        assert!(found[1].starts_with("a/src/new.rs: 601 lines"), "{found:?}");
        assert!(
            found[2].starts_with("xtask/ratchets/lengths.txt: a/src/short.rs"),
            "{found:?}"
        );
    }

    #[test]
    fn a_sleep_in_a_test_needs_a_loop_with_a_deadline() {
        let good =
            "fn waits() { let deadline = now(); loop { if done() { break; } assert!(now() < deadline); sleep(x); } }\n";
        let found = faults(&[
            (
                "a/src/lib.rs",
                "fn f() { sleep(x); }\n#[cfg(test)]\nmod tests {\n    fn hopes() { sleep(x); }\n}\n",
            ),
            ("a/tests/good.rs", good),
            ("a/tests/bad.rs", &format!("{good}fn hopes() {{ sleep(x); }}\n")),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a/src/lib.rs:4:"));
        assert!(found[1].starts_with("a/tests/bad.rs:2:"));
        assert!(!Path::new("a").exists());
    }
}
