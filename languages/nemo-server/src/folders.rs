//! Scripts of a workspace's folders. What is looked at has bounds: a workspace can be a whole disk.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that are taken; the rest is left out, and the user is told.
pub(crate) const FILES_MAX: usize = 2000;
/// Entries of folders that are looked at.
const ENTRIES_MAX: usize = 100_000;
/// Folders within folders.
const DEPTH_MAX: usize = 12;
/// Folders with other people's, or a machine's, files.
const PASSED_OVER: [&str; 4] = ["node_modules", "target", "build", "dist"];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// Whether a bound was met, so that there may be more.
    pub(crate) is_cut: bool,
}

/// Whether a path names a script.
pub(crate) fn is_script(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("nemo"))
}

/// The scripts below a folder. Links to folders are not followed, hidden folders and those of builds are passed over; what cannot be
/// read is not there.
pub(crate) fn scan(root: &Path, depth_max: Option<usize>) -> Found {
    let depth_max = depth_max.unwrap_or(DEPTH_MAX);
    let mut found = Found::default();
    let mut entries_left = ENTRIES_MAX;
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entries_left == 0 || found.files.len() == FILES_MAX {
                found.is_cut = true;
                break;
            }
            entries_left -= 1;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if name.starts_with('.') || PASSED_OVER.contains(&name.as_ref()) {
                    continue;
                }
                if depth < depth_max {
                    folders.push((path, depth + 1));
                }
            } else if is_script(&path) && fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
                found.files.push(path);
            }
        }
    }
    found.files.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_where_people_put_them_and_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for path in [
            "a.nemo",
            "deep/er/b.NEMO",
            "c.yaml",
            ".git/d.nemo",
            "node_modules/e.nemo",
            "target/f.nemo",
        ] {
            put(path);
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("loop")).unwrap();
        let found = scan(root.path(), None);
        assert_eq!(
            found.files,
            [root.path().join("a.nemo"), root.path().join("deep/er/b.NEMO")]
        );
        assert!(!found.is_cut);
        assert_eq!(scan(root.path(), Some(0)).files, [root.path().join("a.nemo")]);
        assert_eq!(scan(Path::new("/nowhere"), None), Found::default());
    }

    #[test]
    fn a_folder_with_too_many_scripts_is_cut_and_says_so() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..=FILES_MAX {
            fs::write(root.path().join(format!("{number}.nemo")), "").unwrap();
        }
        let found = scan(root.path(), None);
        assert!(found.is_cut && found.files.len() == FILES_MAX);
    }
}
