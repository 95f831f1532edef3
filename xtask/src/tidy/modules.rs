//! Every source file is reached by a module of some target: a file that nothing compiles proves nothing.

use super::{Fault, Sources};
use crate::repository::Repository;
use crate::source::Source;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) fn check(repository: &Repository, sources: &Sources) -> std::io::Result<Vec<Fault>> {
    let packages: BTreeSet<PathBuf> = repository.packages()?.into_iter().collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<(PathBuf, bool)> = Vec::new();
    for file in sources.keys() {
        if is_root(&packages, file) {
            open.push((file.clone(), true));
        }
    }
    for package in &packages {
        // `path = "….rs"` of a target that stands elsewhere.
        let manifest = repository.read(&package.join("Cargo.toml"))?;
        let named = manifest.lines().filter_map(|line| {
            let value = line.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?.trim();
            value
                .trim_matches('"')
                .ends_with(".rs")
                .then(|| package.join(value.trim_matches('"')))
        });
        open.extend(named.map(|file| (file, true)));
    }
    while let Some((file, root)) = open.pop() {
        let Some(source) = sources.get(&file) else { continue };
        if reached.insert(file.clone()) {
            open.extend(children(&file, root, source).into_iter().map(|child| (child, false)));
        }
    }
    let lost = sources.keys().filter(|file| !reached.contains(*file));
    Ok(lost
        .map(|file| Fault {
            file: file.clone(),
            line: 0,
            what: "no module reaches this file, so nothing compiles it".into(),
        })
        .collect())
}

/// Whether cargo compiles it by itself.
fn is_root(packages: &BTreeSet<PathBuf>, file: &Path) -> bool {
    let Some(package) = file.ancestors().skip(1).find(|folder| packages.contains(*folder)) else {
        return false;
    };
    let Ok(below) = file.strip_prefix(package) else {
        return false;
    };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    const FOLDERS: [&str; 3] = ["tests", "benches", "examples"];
    match parts[..] {
        ["build.rs"] | ["src", "lib.rs" | "main.rs"] | ["src", "bin", _] | ["src", "bin", _, "main.rs"] => true,
        [folder, _] | [folder, _, "main.rs"] => FOLDERS.contains(&folder),
        _ => false,
    }
}

/// The files that its `mod` declarations may mean; those that do not exist are skipped by the caller.
fn children(file: &Path, root: bool, source: &Source) -> Vec<PathBuf> {
    let parent = file.parent().unwrap_or(Path::new(""));
    let own = match file.file_stem() {
        Some(stem) if !root && stem != "mod" => parent.join(stem),
        _ => parent.to_owned(),
    };
    let mut found = Vec::new();
    let mut path = None;
    // Modules that are written out here, each with the depth of braces around it.
    let mut inline: Vec<(String, i32)> = Vec::new();
    let mut depth = 0;
    for (line, text) in source.code.lines().zip(source.text.lines()) {
        if line.contains("#[path") {
            path = quoted(text).map(|name| parent.join(name));
        }
        if line.contains("include!(") {
            found.extend(quoted(text).map(|name| parent.join(name)));
        }
        for (name, end) in declared(line) {
            if end == '{' {
                inline.push((name, depth));
                continue;
            }
            if let Some(path) = path.take() {
                found.push(path);
                continue;
            }
            let folder = inline.iter().fold(own.clone(), |folder, (name, _)| folder.join(name));
            found.push(folder.join(format!("{name}.rs")));
            found.push(folder.join(name).join("mod.rs"));
        }
        for letter in line.chars() {
            match letter {
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    inline.retain(|(_, around)| *around < depth);
                }
                _ => {}
            }
        }
    }
    found
}

fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// Each `mod name;` and `mod name {` of a line, with its last letter.
fn declared(line: &str) -> Vec<(String, char)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("mod ") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + 4..];
        let name: String = rest
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect();
        let end = rest[name.len()..].trim_start().chars().next();
        if before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
            && !name.is_empty()
            && let Some(end @ (';' | '{')) = end
        {
            found.push((name, end));
        }
    }
    found
}
