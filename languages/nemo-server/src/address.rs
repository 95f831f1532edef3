//! Addresses of documents: what an editor calls a text, and the file that it is, if it is one.

use lsp_types::Uri;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The address of a document, in one spelling: editors escape the same path differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(String);

impl Address {
    /// Of what an editor sent.
    pub(crate) fn of(uri: &Uri) -> Self {
        let text = uri.as_str();
        match url::Url::parse(text) {
            Ok(url) => match url.to_file_path() {
                Ok(path) if url.scheme() == "file" => Self::of_file(&path),
                _ => Self(url.into()),
            },
            Err(_) => Self(text.to_owned()),
        }
    }

    /// Of a file; a relative path is taken as one from the root.
    pub(crate) fn of_file(path: &Path) -> Self {
        match url::Url::from_file_path(Path::new("/").join(path)) {
            Ok(url) => Self(url.into()),
            Err(()) => Self(format!("file://{}", path.display())),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        let url = url::Url::parse(&self.0).ok()?;
        (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
    }

    /// As the protocol writes it.
    pub(crate) fn uri(&self) -> Option<Uri> {
        Uri::from_str(&self.0).ok()
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many steps lead from one folder to another: up to what they share and down again.
pub(crate) fn distance(from: &Path, to: &Path) -> usize {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    from.components().count() + to.components().count() - 2 * shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_address_however_it_is_escaped() {
        let spelled = |text: &str| Address::of(&Uri::from_str(text).unwrap());
        assert_eq!(
            spelled("file:///tmp/a%20%C3%BC.nemo"),
            Address::of_file(Path::new("/tmp/a ü.nemo"))
        );
        assert_eq!(spelled("file:///tmp/%61.nemo"), spelled("file:///tmp/a.nemo"));
        assert_eq!(spelled("file:///tmp/a.nemo").path(), Some("/tmp/a.nemo".into()));
        assert_eq!(spelled("untitled:Untitled-1").path(), None);
        assert_eq!(
            spelled("untitled:Untitled-1").uri().unwrap().as_str(),
            "untitled:Untitled-1"
        );
    }

    #[test]
    fn siblings_are_nearer_than_cousins() {
        let here = Path::new("/w/a/b");
        let far = |to: &str| distance(here, Path::new(to));
        assert_eq!([far("/w/a/b"), far("/w/a"), far("/w/a/c"), far("/w/x/y")], [0, 1, 2, 4]);
    }
}
