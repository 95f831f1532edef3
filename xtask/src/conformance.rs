//! `docs/conformance.md`: every statement of the checklist, and the tests that prove it.
//!
//! Identifiers and clauses are facts and stand in the document; the statements' words do not. Where the checklist is absent, the
//! identifiers of the document as it is serve in its place.

use crate::claims::{self, Claim};
use crate::repository::Repository;
use anyhow::{Context, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// Where the document is.
pub const DOCUMENT: &str = "docs/conformance.md";

/// A testable statement, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Identifier.
    pub id: String,
    /// Clause of the document.
    pub clause: String,
    /// The part of the checklist: a letter.
    pub part: String,
}

/// All statements, in the order of the checklist, and what proves them.
#[derive(Debug, Clone)]
pub struct Conformance {
    statements: Vec<Statement>,
    proofs: BTreeMap<String, BTreeSet<String>>,
}

/// The statements of the checklist itself.
pub fn checklist(repository: &Repository) -> anyhow::Result<Vec<Statement>> {
    let path = repository.checklist();
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "{} cannot be read: the checklist lies beside the repository, and a plain clone has none",
            path.display()
        )
    })?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(statement)
        .collect()
}

fn statement(line: &str) -> anyhow::Result<Statement> {
    let value: serde_json::Value = serde_json::from_str(line).context("a line of the checklist is no JSON")?;
    let text = |name: &str| {
        let found = value[name].as_str().map(str::trim).filter(|text| !text.is_empty());
        found.with_context(|| format!("a statement of the checklist has no {name}"))
    };
    Ok(Statement {
        id: text("id")?.to_owned(),
        clause: text("clause")?.to_owned(),
        part: text("section")?.split('.').next().unwrap_or_default().to_owned(),
    })
}

/// The statements that the document lists now.
pub fn listed(document: &str) -> Vec<Statement> {
    let mut part = String::new();
    let mut found = Vec::new();
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            part = heading.split('.').next().unwrap_or_default().to_owned();
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [id, clause, _] = cells[..]
            && line.starts_with('|')
            && !part.is_empty()
            && id != "Statement"
            && !id.starts_with('-')
        {
            found.push(Statement {
                id: id.to_owned(),
                clause: clause.to_owned(),
                part: part.clone(),
            });
        }
    }
    found
}

/// The document that a statement is from, by its identifier.
fn document_of(id: &str) -> &'static str {
    match () {
        () if id.starts_with("NFV006") => "GS NFV 006",
        () if ["Ccm-", "IFA052", "SKEL"].iter().any(|prefix| id.starts_with(prefix)) => "GS NFV-IFA 052",
        () => "GR NFV-IFA 043",
    }
}

impl Conformance {
    /// Joins statements and claims; refuses claims of identifiers that do not exist.
    pub fn of(statements: Vec<Statement>, claims: &[Claim]) -> anyhow::Result<Self> {
        let known: BTreeSet<&str> = statements.iter().map(|statement| statement.id.as_str()).collect();
        if known.len() != statements.len() {
            bail!("an identifier stands twice");
        }
        let unknown: Vec<_> = claims
            .iter()
            .filter(|claim| !known.contains(claim.id.as_str()))
            .map(|claim| {
                format!(
                    "{}:{}: there is no statement {}",
                    claim.file.display(),
                    claim.line,
                    claim.id
                )
            })
            .collect();
        if !unknown.is_empty() {
            bail!("{}", unknown.join("\n"));
        }
        let mut proofs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for claim in claims {
            let test = format!("`{}::{}`", claim.file.display(), claim.function);
            proofs.entry(claim.id.clone()).or_default().insert(test);
        }
        Ok(Self { statements, proofs })
    }

    /// How many statements there are.
    pub fn count(&self) -> usize {
        self.statements.len()
    }

    /// How many of them a test proves.
    pub fn proven(&self) -> usize {
        self.proven_of(|_| true)
    }

    fn proven_of(&self, which: impl Fn(&Statement) -> bool) -> usize {
        let these = self.statements.iter().filter(|statement| which(statement));
        these
            .filter(|statement| self.proofs.contains_key(&statement.id))
            .count()
    }

    /// The document's text.
    pub fn document(&self) -> String {
        let mut text = String::from(
            "# Conformance\n\nThe testable statements of GS NFV 006, GS NFV-IFA 052 and GR NFV-IFA 043, by identifier and \
             clause, and the tests that prove them.\nA test claims a statement with a comment `// proves: ID`; only what the \
             test really shows counts. Written by `cargo xtask\nconformance`; a test holds it to be up to date.\n\n\
             | Part | Statements | Proven |\n|---|---:|---:|\n",
        );
        let parts = self.parts();
        for (part, document) in &parts {
            let of_part = |statement: &Statement| statement.part == *part;
            let count = self.statements.iter().filter(|statement| of_part(statement)).count();
            row(
                &mut text,
                [
                    &format!("{part}. {document}"),
                    &count.to_string(),
                    &self.proven_of(of_part).to_string(),
                ],
            );
        }
        row(
            &mut text,
            ["all", &self.count().to_string(), &self.proven().to_string()],
        );
        for (part, document) in &parts {
            text.push_str(&format!(
                "\n## {part}. {document}\n\n| Statement | Clause | Proven by |\n|---|---|---|\n"
            ));
            for statement in self.statements.iter().filter(|statement| statement.part == *part) {
                let tests = self.proofs.get(&statement.id);
                let tests = tests.map(|tests| tests.iter().cloned().collect::<Vec<_>>().join("<br>"));
                row(
                    &mut text,
                    [&statement.id, &statement.clause, tests.as_deref().unwrap_or("not yet")],
                );
            }
        }
        text
    }

    fn parts(&self) -> Vec<(String, &'static str)> {
        let mut parts: Vec<(String, &'static str)> = Vec::new();
        for statement in &self.statements {
            if parts.iter().all(|(part, _)| *part != statement.part) {
                parts.push((statement.part.clone(), document_of(&statement.id)));
            }
        }
        parts
    }
}

fn row(text: &mut String, cells: [&str; 3]) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} | {} | {} |", cells[0], cells[1], cells[2]);
}

/// The claims of the repository; fails where one is unclear.
pub fn claims(repository: &Repository) -> anyhow::Result<Vec<Claim>> {
    let (claims, unclear) = claims::scan(repository)?;
    if !unclear.is_empty() {
        let all: Vec<_> = unclear.iter().map(ToString::to_string).collect();
        bail!("{}", all.join("\n"));
    }
    Ok(claims)
}

/// Writes the document from the checklist and the claims.
pub fn write(repository: &Repository) -> anyhow::Result<Conformance> {
    let conformance = Conformance::of(checklist(repository)?, &claims(repository)?)?;
    std::fs::write(repository.root().join(DOCUMENT), conformance.document())?;
    Ok(conformance)
}

/// What the document has to say, by the statements that it lists itself, and what it says.
pub fn wanted_and_found(repository: &Repository) -> anyhow::Result<(String, String)> {
    let found = repository.read(Path::new(DOCUMENT)).context(DOCUMENT)?;
    let wanted = Conformance::of(listed(&found), &claims(repository)?)?;
    Ok((wanted.document(), found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ids: &[(&str, &str, &str)]) -> Vec<Statement> {
        let one = |(id, clause, part): &(&str, &str, &str)| Statement {
            id: (*id).into(),
            clause: (*clause).into(),
            part: (*part).into(),
        };
        ids.iter().map(one).collect()
    }

    fn claim(id: &str, function: &str) -> Claim {
        Claim {
            id: id.into(),
            file: "a/tests/b.rs".into(),
            line: 1,
            function: function.into(),
        }
    }

    #[test]
    fn the_document_lists_what_it_was_made_of_and_counts_what_is_proven() {
        let statements = sample(&[
            ("NFV006-A-1", "4.1", "A"),
            ("NFV006-A-2", "4.1 NOTE", "A"),
            ("SKEL-01", "5", "B"),
        ]);
        let claims = [claim("NFV006-A-2", "two"), claim("NFV006-A-2", "one")];
        let conformance = Conformance::of(statements.clone(), &claims).unwrap();
        let document = conformance.document();
        assert_eq!(listed(&document), statements);
        assert!(document.contains("| A. GS NFV 006 | 2 | 1 |"), "{document}");
        assert!(document.contains("| all | 3 | 1 |"));
        assert!(document.contains("| NFV006-A-2 | 4.1 NOTE | `a/tests/b.rs::one`<br>`a/tests/b.rs::two` |"));
        assert!(document.contains("| SKEL-01 | 5 | not yet |"));
    }

    #[test]
    fn a_claim_of_nothing_and_a_statement_that_stands_twice_are_refused() {
        let statements = sample(&[("NFV006-A-1", "4.1", "A")]);
        let error = Conformance::of(statements, &[claim("NFV006-A-9", "f")]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("a/tests/b.rs:1: there is no statement NFV006-A-9")
        );
        assert!(Conformance::of(sample(&[("X", "1", "A"), ("X", "2", "A")]), &[]).is_err());
    }
}
