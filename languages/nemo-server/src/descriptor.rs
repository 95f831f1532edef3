//! Descriptors as scripts speak of them: their addresses, and the names of their interfaces.

use crate::address::Address;
use manifold_nemo::leaf::{Interface, Leaf};
use std::path::{Component, Path, PathBuf};

/// One spelling of a descriptor's address, whichever script it stands in: relative ones are put behind the script's folder.
pub(crate) fn key(folder: Option<&Path>, uri: &str) -> String {
    match file(folder, uri) {
        Some(path) => Address::of_file(&path).as_str().to_owned(),
        None => uri.to_owned(),
    }
}

/// The file that an address names.
pub(crate) fn file(folder: Option<&Path>, uri: &str) -> Option<PathBuf> {
    let path = match uri.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => {
            if !scheme.eq_ignore_ascii_case("file") {
                return None;
            }
            match rest.strip_prefix("//") {
                Some(_) => url::Url::parse(uri).ok()?.to_file_path().ok()?,
                None => PathBuf::from(rest),
            }
        }
        _ => PathBuf::from(uri),
    };
    let path = if path.is_absolute() { path } else { folder?.join(path) };
    Some(plain(&path))
}

/// The file that an address names, if an editor can show it: a package is none.
pub(crate) fn text_file(folder: Option<&Path>, uri: &str) -> Option<Address> {
    let path = file(folder, uri)?;
    let extension = path.extension()?.to_string_lossy().to_ascii_lowercase();
    let is_text = ["yaml", "yml", "json"].contains(&extension.as_str());
    (is_text && path.is_file()).then(|| Address::of_file(&path))
}

/// The interface that a name behind `at VNFD:` means: by its outer name, by its inner one, or as `VNFC/inner` or `inner.VNFC`. The
/// first one, where several fit: what is ambiguous is told by a diagnostic.
pub(crate) fn interface<'l>(leaf: &'l Leaf, name: &str) -> Option<&'l Interface> {
    let parted = name
        .split_once('/')
        .or_else(|| name.split_once('.').map(|(inner, vnfc)| (vnfc, inner)));
    let by_outer = leaf.interfaces.iter().find(|interface| interface.name == name);
    let by_inner = || {
        leaf.interfaces
            .iter()
            .find(|found| found.local_name.as_deref() == Some(name))
    };
    let by_vnfc = || {
        let (vnfc, inner) = parted?;
        leaf.interfaces.iter().find(|found| {
            let is_vnfc = found.vnfc.as_deref().is_some_and(|has| has.eq_ignore_ascii_case(vnfc));
            is_vnfc && (found.local_name.as_deref() == Some(inner) || found.name == inner)
        })
    };
    by_outer.or_else(by_inner).or_else(by_vnfc)
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Without `.` and `..`, by the letters alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_descriptor_has_one_key() {
        let folder = Some(Path::new("/w/a"));
        for uri in [
            "../v/x.yaml",
            "./../v/./x.yaml",
            "file:../v/x.yaml",
            "file:///w/v/x.yaml",
            "/w/v/x.yaml",
        ] {
            assert_eq!(key(folder, uri), "file:///w/v/x.yaml", "{uri}");
        }
        assert_eq!(key(folder, "https://h/x.yaml"), "https://h/x.yaml");
        assert_eq!(key(folder, "catalog:fw"), "catalog:fw");
        assert_eq!(key(None, "x.yaml"), "x.yaml");
        assert_eq!(file(folder, "file://host/x.yaml"), None);
    }
}
