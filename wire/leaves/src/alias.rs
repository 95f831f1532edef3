//! Addresses that stand for others, and addresses that were put together wrongly.

use std::collections::BTreeMap;
use url::Url;

/// Addresses, or beginnings of addresses, and what they stand for. An operator keeps the table: a script that names an address of
/// somebody else's finds what was on-boarded for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases(pub BTreeMap<String, String>);

impl Aliases {
    /// What an address stands for; itself where the table says nothing. A whole address counts before a beginning, a longer beginning
    /// before a shorter one. A beginning ends with `/` or `:`.
    pub(crate) fn resolve(&self, address: &str) -> String {
        if let Some(whole) = self.0.get(address) {
            return whole.clone();
        }
        let beginnings = self
            .0
            .iter()
            .filter(|(from, _)| from.ends_with(['/', ':']) && address.starts_with(*from));
        match beginnings.max_by_key(|(from, _)| from.len()) {
            Some((from, to)) => format!("{to}{}", &address[from.len()..]),
            None => address.to_owned(),
        }
    }
}

/// The address of a file itself, for the address of a git repository with a path glued on, or of a page that shows the file.
pub(crate) fn plain_file_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let segments: Vec<&str> = url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    let at = segments
        .iter()
        .position(|segment| segment.len() > 4 && segment.ends_with(".git"));
    if let Some(at) = at.filter(|at| at + 1 < segments.len()) {
        let repository = segments[at].trim_end_matches(".git");
        let (before, path) = (&segments[..at], segments[at + 1..].join("/"));
        return Some(match host {
            "github.com" => format!(
                "https://raw.githubusercontent.com/{}/{repository}/HEAD/{path}",
                before.join("/")
            ),
            _ => format!("https://{host}/{}/{repository}/-/raw/HEAD/{path}", before.join("/")),
        });
    }
    match (host, segments.as_slice()) {
        ("github.com", [owner, repository, "blob" | "tree", rest @ ..]) if rest.len() > 1 => Some(format!(
            "https://raw.githubusercontent.com/{owner}/{repository}/{}",
            rest.join("/")
        )),
        _ => {
            let page = segments.windows(2).position(|pair| pair == ["-", "blob"])?;
            let (project, rest) = (segments[..page].join("/"), segments[page + 2..].join("/"));
            Some(format!("https://{host}/{project}/-/raw/{rest}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_glued_to_a_repository_gives_the_raw_file_as_a_suggestion() {
        let meant = |text: &str| plain_file_of(&Url::parse(text).unwrap());
        assert_eq!(
            meant("https://github.com/nfvlabs/openmano.git/openmano/vnfs/examples/dataplaneVNF1.yaml").unwrap(),
            "https://raw.githubusercontent.com/nfvlabs/openmano/HEAD/openmano/vnfs/examples/dataplaneVNF1.yaml"
        );
        assert_eq!(
            meant("https://github.com/a/b/blob/main/x/y.yaml").unwrap(),
            "https://raw.githubusercontent.com/a/b/main/x/y.yaml"
        );
        assert_eq!(
            meant("https://git.example/group/b.git/x.yaml").unwrap(),
            "https://git.example/group/b/-/raw/HEAD/x.yaml"
        );
        assert_eq!(
            meant("https://git.example/g/b/-/blob/main/x.yaml").unwrap(),
            "https://git.example/g/b/-/raw/main/x.yaml"
        );
        for plain in [
            "https://raw.githubusercontent.com/a/b/main/x.yaml",
            "https://example.org/x.yaml",
            "https://github.com/a/b.git",
        ] {
            assert_eq!(meant(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_whole_address_counts_before_the_longest_beginning() {
        let table = [
            ("https://a.example/", "catalog:"),
            ("https://a.example/deep/", "file:vnfs/"),
            ("https://a.example/deep/one.yaml", "catalog:one"),
            ("https://a.example", "catalog:never"),
        ];
        let aliases = Aliases(table.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
        assert_eq!(aliases.resolve("https://a.example/deep/one.yaml"), "catalog:one");
        assert_eq!(aliases.resolve("https://a.example/deep/two.yaml"), "file:vnfs/two.yaml");
        assert_eq!(aliases.resolve("https://a.example/three"), "catalog:three");
        assert_eq!(
            aliases.resolve("https://a.example.evil/three"),
            "https://a.example.evil/three"
        );
    }
}
