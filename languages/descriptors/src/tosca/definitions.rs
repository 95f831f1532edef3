//! Definitions files: the entry and all that it imports, relative to the file that imports. Nothing is fetched from elsewhere.
//! ETSI's SOL001 type files, whatever their version and wherever they are said to lie, stand for the built-in types.

use std::collections::BTreeMap;

use super::types::Types;
use crate::code::Code;
use crate::source::{Report, Span};
use crate::yaml::{self, Node};

/// Most definitions files of one package.
const FILES_MAX: usize = 256;

/// Texts of a package's definitions by path from its root.
pub type DefinitionFiles = BTreeMap<String, Vec<u8>>;

/// One file that was read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) root: Node,
}

/// The entry (first) and all that it imports.
#[derive(Debug)]
pub(crate) struct Definitions {
    pub(crate) types: Types,
    pub(crate) files: Vec<File>,
}

/// Reads the entry and its imports. Faults are in the report; what could be read is there all the same.
pub(crate) fn load(report: &mut Report, files: &DefinitionFiles, entry: &str) -> Definitions {
    let mut read: Vec<File> = Vec::new();
    let mut waiting = vec![entry.to_owned()];
    let mut known = vec![entry.to_owned()];
    while !waiting.is_empty() {
        let path = waiting.remove(0);
        let Some(bytes) = files.get(&path) else { continue };
        let Some(root) = yaml::parse(report, &path, bytes) else {
            continue;
        };
        if root.entries().is_empty() {
            report.error_help(
                Code::WrongShape,
                root.span,
                format!("a definitions file is a map; this is {}", root.kind()),
                Some("it begins with `tosca_definitions_version: tosca_simple_yaml_1_3`".into()),
            );
            continue;
        }
        check_version(report, &root);
        check_sections(report, &root);
        for (name, span) in imports(report, &root) {
            if is_etsi(&name) {
                continue;
            }
            let target = join(&path, &name).filter(|target| files.contains_key(target));
            let Some(target) = target else {
                let near: Vec<&str> = files.keys().map(String::as_str).filter(|file| *file != path).collect();
                let file_names: Vec<&str> = near
                    .iter()
                    .map(|file| file.rsplit('/').next().unwrap_or(file))
                    .collect();
                report.error_help(
                    Code::ImportMissing,
                    span,
                    format!("`{name}` is not in the package"),
                    report.candidates(name.rsplit('/').next().unwrap_or(&name), file_names),
                );
                continue;
            };
            if known.len() >= FILES_MAX {
                report.error(
                    Code::YamlLimit,
                    span,
                    format!("more than {FILES_MAX} definitions files"),
                );
                break;
            }
            if !known.contains(&target) {
                known.push(target.clone());
                waiting.push(target);
            }
        }
        read.push(File { path, root });
    }
    let mut types = Types::builtin();
    for file in &read {
        types.add_file(report, &file.root);
    }
    types.check_parents(report);
    Definitions { types, files: read }
}

fn check_version(report: &mut Report, root: &Node) {
    let known = [
        "tosca_simple_yaml_1_0",
        "tosca_simple_yaml_1_1",
        "tosca_simple_yaml_1_2",
        "tosca_simple_yaml_1_3",
    ];
    let help = Some("write `tosca_definitions_version: tosca_simple_yaml_1_3` in the first line".to_owned());
    match root.entry("tosca_definitions_version") {
        Some((_, version)) if version.text().is_some_and(|text| known.contains(&text)) => {}
        Some((_, version)) => {
            let text = version.text().unwrap_or("this").to_owned();
            report.error_help(
                Code::DefinitionsVersion,
                version.span,
                format!("{text} is not known here"),
                help,
            );
        }
        None => {
            let span = root.entries().first().map_or(root.span, |(key, _)| key.span);
            report.error_help(
                Code::DefinitionsVersion,
                span,
                "tosca_definitions_version is missing",
                help,
            );
        }
    }
}

fn check_sections(report: &mut Report, root: &Node) {
    let known = [
        "tosca_definitions_version",
        "namespace",
        "metadata",
        "template_name",
        "template_author",
        "template_version",
        "description",
        "dsl_definitions",
        "repositories",
        "imports",
        "artifact_types",
        "data_types",
        "capability_types",
        "interface_types",
        "relationship_types",
        "node_types",
        "group_types",
        "policy_types",
        "topology_template",
    ];
    for (key, _) in root.entries() {
        if !known.contains(&key.name.as_str()) {
            let message = format!("`{}` is no section of a definitions file", key.name);
            report.error_help(Code::UnknownKey, key.span, message, report.candidates(&key.name, known));
        }
    }
}

/// `- name.yaml`, `- file: name.yaml`, `- id: name.yaml`, `- id: { file: name.yaml }`.
fn imports(report: &mut Report, root: &Node) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    let Some(list) = root.get("imports").filter(|list| !list.is_null()) else {
        return all;
    };
    for item in list.items() {
        let file = match item.entry("file") {
            Some((_, file)) => Some(file),
            None if item.text().is_some() => Some(item),
            None => item.entries().first().map(|(_, body)| body.get("file").unwrap_or(body)),
        };
        match file.and_then(|file| file.text().map(|text| (text.to_owned(), file.span))) {
            Some(found) => all.push(found),
            None => report.error_help(
                Code::WrongShape,
                item.span,
                "an import names a file",
                Some("write `- types.yaml` or `- file: types.yaml`".into()),
            ),
        }
    }
    if list.items().is_empty() && !matches!(&list.data, yaml::Data::Seq(_)) {
        let message = format!("imports are a list; this is {}", list.kind());
        report.error_help(
            Code::WrongShape,
            list.span,
            message,
            Some("write `- types.yaml`".into()),
        );
    }
    all
}

/// Paths that a file imports, faults left aside: they are reported when it is read for good.
pub(crate) fn imports_of(path: &str, bytes: &[u8]) -> Vec<String> {
    let mut report = Report::default();
    let Some(root) = yaml::parse(&mut report, path, bytes) else {
        return vec![];
    };
    imports(&mut report, &root)
        .into_iter()
        .filter_map(|(name, _)| join(path, &name))
        .collect()
}

/// `etsi_nfv_sol001_vnfd_types.yaml`, with any version in it and any path or URL before it.
pub(crate) fn is_etsi(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with("etsi_nfv_sol001_") && (file.ends_with("_types.yaml") || file.ends_with("_types.yml"))
        || file.starts_with("etsi_nfv_sol001_")
            && file.contains("_types_")
            && (file.ends_with(".yaml") || file.ends_with(".yml"))
}

/// A path relative to the folder of a file, from the root of the package. `None` when it leaves the package or is no path.
pub(crate) fn join(from_file: &str, relative: &str) -> Option<String> {
    if relative.contains("://") || relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from_file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(
            join("Definitions/a.yaml", "../Files/x.img").as_deref(),
            Some("Files/x.img")
        );
        assert_eq!(
            join("Definitions/a.yaml", "./b.yaml").as_deref(),
            Some("Definitions/b.yaml")
        );
        assert_eq!(join("a.yaml", "../x"), None);
        assert_eq!(join("a.yaml", "https://x/y.yaml"), None);
    }

    #[test]
    fn etsi_files_of_any_version_are_known() {
        assert!(is_etsi("etsi_nfv_sol001_vnfd_types.yaml"));
        assert!(is_etsi(
            "https://forge.etsi.org/rep/nfv/SOL001/raw/v4.4.1/etsi_nfv_sol001_nsd_types.yaml"
        ));
        assert!(is_etsi("etsi_nfv_sol001_vnfd_2_6_1_types.yaml"));
        assert!(!is_etsi("my_types.yaml"));
    }
}
