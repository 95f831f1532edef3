//! Which test claims to prove what: the comments `// proves: ID, ID` of tests.
//!
//! The claim belongs to the function that follows it (past attributes and comments), that stands on its line, or that it stands
//! in. That function has to be a test: one with a test attribute, or one of a test target that the target names a second time
//! (a table of tests, a call).

use crate::repository::Repository;
use crate::source::Source;
use std::path::{Path, PathBuf};

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The statement's identifier.
    pub id: String,
    /// The test's file.
    pub file: PathBuf,
    /// In which line the claim stands.
    pub line: usize,
    /// The test's function.
    pub function: String,
}

/// A claim that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// Where.
    pub file: PathBuf,
    /// In which line.
    pub line: usize,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.why)
    }
}

const MARK: &str = "proves:";

/// All claims of the repository, sorted, and those that are unclear.
pub fn scan(repository: &Repository) -> std::io::Result<(Vec<Claim>, Vec<Unclear>)> {
    let (mut claims, mut unclear) = (Vec::new(), Vec::new());
    let files = repository.files(".rs")?;
    for file in &files {
        let text = repository.read(file)?;
        if text.contains(MARK) {
            let mut around = String::new();
            for other in files.iter().filter(|other| *other != file && same_tests(file, other)) {
                around.push_str(&Source::new(&repository.read(other)?).code);
            }
            of_file(file, &text, &around, &mut claims, &mut unclear);
        }
    }
    claims.sort();
    Ok((claims, unclear))
}

/// Whether both files are of the tests of one package.
fn same_tests(one: &Path, other: &Path) -> bool {
    folder_of_tests(one).is_some_and(|folder| other.starts_with(folder))
}

fn folder_of_tests(file: &Path) -> Option<&Path> {
    file.ancestors()
        .find(|folder| folder.ends_with("tests") || folder.ends_with("benches"))
}

/// `around` is the code of the other files of the same tests.
fn of_file(file: &Path, text: &str, around: &str, claims: &mut Vec<Claim>, unclear: &mut Vec<Unclear>) {
    let source = Source::new(text);
    let code: Vec<&str> = source.code.lines().collect();
    for (at, comment) in source.comments.lines().enumerate() {
        let Some(ids) = claimed(comment) else { continue };
        let mut refuse = |why: String| {
            unclear.push(Unclear {
                file: file.into(),
                line: at + 1,
                why,
            });
        };
        let Some(function) =
            function_of(&code, comment, at).filter(|function| is_test(file, &source.code, around, &code, function))
        else {
            refuse("the claim belongs to no test".into());
            continue;
        };
        for id in ids.split(',').map(str::trim) {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
            if id.is_empty() || !id.chars().all(fits) {
                refuse(format!("{id:?} is no identifier of a statement"));
                continue;
            }
            claims.push(Claim {
                id: id.into(),
                file: file.into(),
                line: at + 1,
                function: function.name.clone(),
            });
        }
    }
}

/// What a line's comment claims, in whichever of its parts; a part in backticks is a quotation.
fn claimed(comment: &str) -> Option<&str> {
    comment
        .match_indices("//")
        .filter(|(at, _)| !comment[..*at].ends_with('`'))
        .find_map(|(at, _)| comment[at..].trim_start_matches(['/', '!', ' ']).strip_prefix(MARK))
        .map(|ids| ids.trim().trim_end_matches(','))
}

struct Function {
    line: usize,
    name: String,
}

fn function_of(code: &[&str], comment: &str, at: usize) -> Option<Function> {
    let named = |line: usize| name_in(code[line]).map(|name| Function { line, name });
    // On the line itself, or after attributes and comments, which may be long.
    for (line, text) in code.iter().enumerate().skip(at) {
        if let Some(function) = named(line) {
            return Some(function);
        }
        let words = text.trim();
        if !(words.is_empty() || words.starts_with("#[") || words.ends_with(")]")) || (line == at && !words.is_empty())
        {
            break;
        }
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = if code[at].trim().is_empty() {
        indent(comment)
    } else {
        indent(code[at])
    };
    (0..at)
        .rev()
        .find_map(|line| named(line).filter(|_| indent(code[line]) < own))
}

fn name_in(line: &str) -> Option<String> {
    let at = line
        .match_indices("fn ")
        .map(|(at, _)| at)
        .find(|at| *at == 0 || line[..*at].ends_with(' '))?;
    let name: String = line[at + 3..]
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

fn is_test(file: &Path, whole: &str, around: &str, code: &[&str], function: &Function) -> bool {
    let attributes = code[..function.line].iter().rev().take_while(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with("#[") || line.ends_with(")]")
    });
    if attributes.into_iter().any(|line| line.contains("test")) {
        return true;
    }
    let module = file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let registered = count(whole, &function.name) >= 2 || count(around, &format!("{module}::{}", function.name)) >= 1;
    folder_of_tests(file).is_some() && registered
}

/// How often a text holds this as a whole word.
fn count(text: &str, word: &str) -> usize {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let whole = |at: usize| !text[at + word.len()..].starts_with(is_word) && !text[..at].ends_with(is_word);
    text.match_indices(word).filter(|(at, _)| whole(*at)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, text: &str) -> (Vec<(String, String)>, usize) {
        let (mut claims, mut unclear) = (Vec::new(), Vec::new());
        of_file(
            Path::new(file),
            text,
            "const A: T = T { run: kernel::starts };",
            &mut claims,
            &mut unclear,
        );
        let claims = claims.into_iter().map(|claim| (claim.id, claim.function)).collect();
        (claims, unclear.len())
    }

    fn pair(id: &str, function: &str) -> (String, String) {
        (id.into(), function.into())
    }

    #[test]
    fn a_claim_belongs_to_the_test_after_it_beside_it_or_around_it() {
        let text = "
/// It holds.   // proves: A-1, B.002
#[tokio::test(flavor = \"current_thread\")]
async fn after() {}

#[test]
fn beside() {} // proves: A-2

#[test]
fn around() {
    // proves: A-3
    assert!(true);
    // proves: A-4
}
";
        let wanted = [
            pair("A-1", "after"),
            pair("B.002", "after"),
            pair("A-2", "beside"),
            pair("A-3", "around"),
            pair("A-4", "around"),
        ];
        assert_eq!(read("core/x/src/lib.rs", text), (wanted.into(), 0));
    }

    #[test]
    fn a_function_that_the_test_target_registers_is_a_test_and_others_are_not() {
        let registered = "const TESTS: &[Test] = &[Test { run: boots }];\n/// proves: A-1\nfn boots() {}\n";
        assert_eq!(
            read("nfvi/x/tests/kernel.rs", registered),
            (vec![pair("A-1", "boots")], 0)
        );
        assert_eq!(read("nfvi/x/src/kernel.rs", registered), (vec![], 1));
        let elsewhere = "/// proves: A-1\npub(crate) fn starts() {}\n";
        assert_eq!(
            read("nfvi/x/tests/all/kernel.rs", elsewhere),
            (vec![pair("A-1", "starts")], 0)
        );
        let forgotten = "/// proves: A-1\nfn boots() {}\n";
        assert_eq!(read("nfvi/x/tests/kernel.rs", forgotten), (vec![], 1));
    }

    #[test]
    fn prose_and_strings_claim_nothing_and_broken_lists_are_named() {
        assert_eq!(
            read("a.rs", "/// Who asks, as the token proves: nothing.\nfn f() {}\n"),
            (vec![], 0)
        );
        assert_eq!(
            read("a.rs", "#[test]\nfn f() { let x = \"// proves: A-1\"; }\n"),
            (vec![], 0)
        );
        assert_eq!(
            read("a.rs", "// proves: A-1,, A-2\n#[test]\nfn f() {}\n"),
            (vec![pair("A-1", "f"), pair("A-2", "f")], 1)
        );
        assert_eq!(read("a.rs", "// proves: A 1\n#[test]\nfn f() {}\n"), (vec![], 1));
    }
}
