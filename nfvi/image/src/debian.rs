//! Debian's packages: which, in which version, fetched and unpacked by Debian's own tools.

use crate::ImageError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A package as the lists of this machine know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) bytes: u64,
}

const CURE: &str = "run `apt-get update` as root on a Debian machine with network access, then try again";

/// The packages that the image is made of. Errors: [`ImageError::NoPackageLists`].
pub(crate) fn choose() -> Result<Vec<Package>, ImageError> {
    let kernel = dependencies("linux-image-cloud-amd64", false)?
        .into_iter()
        .find(|name| name.starts_with("linux-image-"))
        .ok_or_else(|| lists("linux-image-cloud-amd64"))?;
    let mut names: BTreeSet<String> = [
        "busybox-static",
        "iputils-ping",
        "syslinux",
        "syslinux-common",
        "mtools",
    ]
    .map(str::to_owned)
    .into();
    names.insert(kernel);
    names.extend(
        dependencies("iputils-ping", true)?
            .into_iter()
            .filter(|name| name.starts_with("lib")),
    );
    show(&names)
}

fn lists(package: &str) -> ImageError {
    ImageError::NoPackageLists {
        package: package.to_owned(),
        cure: CURE,
    }
}

fn dependencies(package: &str, recurse: bool) -> Result<Vec<String>, ImageError> {
    let mut ask = Command::new("apt-cache");
    ask.args(["depends", "--important"]);
    if recurse {
        ask.arg("--recurse");
    }
    let said = output(ask.arg(package)).map_err(|error| match error {
        ImageError::Tool { tool, .. } if tool == "apt-cache" => lists(package),
        other => other,
    })?;
    Ok(said
        .lines()
        .filter_map(|line| match line.trim().split_once("Depends: ") {
            Some((_, name)) => Some(name.to_owned()),
            None => (!line.starts_with(' ')).then(|| line.to_owned()),
        })
        .filter(|name| name != package && !name.starts_with('<') && is_name(name))
        .collect())
}

/// Debian Policy 5.6.7; also keeps what apt says from being taken for an option.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

fn show(names: &BTreeSet<String>) -> Result<Vec<Package>, ImageError> {
    let said = output(
        Command::new("apt-cache")
            .args(["show", "--no-all-versions"])
            .args(names),
    )?;
    let mut packages = parse_show(&said);
    packages.sort();
    packages.dedup_by(|a, b| a.name == b.name);
    match names
        .iter()
        .find(|name| packages.iter().all(|package| package.name != **name))
    {
        Some(missing) => Err(lists(missing)),
        None => Ok(packages),
    }
}

fn parse_show(said: &str) -> Vec<Package> {
    said.split("\n\n")
        .filter_map(|paragraph| {
            let field = |name: &str| {
                paragraph
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .map(str::to_owned)
            };
            Some(Package {
                name: field("Package")?,
                version: field("Version")?,
                bytes: field("Size")?.parse().ok()?,
            })
        })
        .collect()
}

/// Fetches the packages into `folder` and unpacks them all over each other into `root`.
pub(crate) fn fetch(packages: &[Package], folder: &Path, root: &Path) -> Result<(), ImageError> {
    let wanted = packages
        .iter()
        .map(|package| format!("{}={}", package.name, package.version));
    output(
        Command::new("apt-get")
            .args(["--quiet=2", "-o", "APT::Sandbox::User=root", "download"])
            .args(wanted)
            .current_dir(folder),
    )?;
    for archive in crate::recipe::listing(folder)? {
        output(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(root))?;
    }
    Ok(())
}

/// Runs a tool to its end and gives what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, ImageError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let ran = command.env("LC_ALL", "C").stdin(Stdio::null()).output();
    let done = ran.map_err(|source| ImageError::NoTool {
        tool: tool.clone(),
        source,
    })?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&done.stderr);
        Err(ImageError::Tool {
            tool,
            status: done.status.to_string(),
            said: said
                .lines()
                .rev()
                .take(5)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
                .join("; "),
        })
    }
}

/// The libraries that a program of the unpacked packages needs, as told by those packages' own loader: (its name where the
/// program looks for it, the file).
pub(crate) fn libraries(root: &Path, program: &Path) -> Result<Vec<(String, PathBuf)>, ImageError> {
    let folders = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|folder| root.join(folder));
    let loader = folders
        .iter()
        .map(|folder| folder.join("ld-linux-x86-64.so.2"))
        .find(|path| path.exists())
        .ok_or_else(|| ImageError::Lacks {
            what: "the loader of libc6".to_owned(),
        })?;
    let path = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect::<Vec<_>>()
        .join(":");
    let said = output(
        Command::new(&loader)
            .args(["--library-path", &path, "--list"])
            .arg(program),
    )?;
    let mut found = vec![("lib64/ld-linux-x86-64.so.2".to_owned(), loader)];
    for line in said.lines() {
        if let Some((name, rest)) = line.trim().split_once(" => ")
            && let Some((file, _)) = rest.rsplit_once(" (")
            && file.starts_with(&*root.to_string_lossy())
            && !name.contains('/')
        {
            found.push((format!("lib/x86_64-linux-gnu/{name}"), PathBuf::from(file)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_paragraphs_are_read_and_others_ignored() {
        let said = "Package: a\nVersion: 1:2~3\nSize: 12\nDescription: x\n Size: 9\n\nPackage: b\nSize: 1\n\n";
        let a = Package {
            name: "a".into(),
            version: "1:2~3".into(),
            bytes: 12,
        };
        assert_eq!(parse_show(said), [a]);
    }

    #[test]
    fn what_could_be_an_option_is_no_package_name() {
        assert!(is_name("linux-image-6.1.0-56-cloud-amd64") && is_name("libstdc++6"));
        assert!(!is_name("-o") && !is_name("a b") && !is_name("") && !is_name("<virtual>"));
    }
}
