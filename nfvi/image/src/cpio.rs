//! An initial RAM file system: a cpio archive in the "newc" format, the same bytes for the same contents.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What stands at a path.
enum Entry {
    Directory,
    File { mode: u32, bytes: Vec<u8> },
    Link { target: String },
}

/// An archive being put together; its directories come by themselves.
#[derive(Default)]
pub(crate) struct Archive {
    // Sorted, so that a directory stands before what is in it.
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Adds an empty directory.
    pub(crate) fn directory(&mut self, path: &str) {
        self.parents(path);
        self.entries.insert(path.to_owned(), Entry::Directory);
    }

    /// Adds a file. `mode`: permission bits.
    pub(crate) fn file(&mut self, path: &str, mode: u32, bytes: Vec<u8>) {
        self.parents(path);
        self.entries.insert(path.to_owned(), Entry::File { mode, bytes });
    }

    /// Adds a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.parents(path);
        let target = target.to_owned();
        self.entries.insert(path.to_owned(), Entry::Link { target });
    }

    fn parents(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.entries.entry(path[..at].to_owned()).or_insert(Entry::Directory);
        }
    }

    /// The archive's bytes. Owner is root, times are zero.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, (path, entry)) in (1..).zip(&self.entries) {
            let (mode, bytes) = match entry {
                Entry::Directory => (0o040_755, &[][..]),
                Entry::File { mode, bytes } => (0o100_000 | mode, bytes.as_slice()),
                Entry::Link { target } => (0o120_777, target.as_bytes()),
            };
            member(&mut out, number, mode, path, bytes);
        }
        member(&mut out, 0, 0, "TRAILER!!!", &[]);
        out
    }
}

fn member(out: &mut Vec<u8>, number: u32, mode: u32, path: &str, bytes: &[u8]) {
    let links = 1 + u32::from(mode & 0o170_000 == 0o040_000);
    let size = u32::try_from(bytes.len()).expect("a guest's file is far below 4 GiB");
    let name = u32::try_from(path.len() + 1).expect("a path is short");
    let mut header = String::from("070701");
    // inode, mode, uid, gid, links, mtime, size, device and rdevice (major, minor), length of the name, checksum (unused)
    for field in [number, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name, 0] {
        write!(header, "{field:08X}").expect("writing into a string cannot fail");
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(bytes);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn the_same_contents_give_the_same_bytes_whatever_the_order() {
        let mut one = Archive::default();
        one.file("bin/a", 0o755, b"x".to_vec());
        one.directory("proc");
        let mut two = Archive::default();
        two.directory("proc");
        two.file("bin/a", 0o755, b"x".to_vec());
        assert_eq!(one.bytes(), two.bytes());
        assert_eq!(one.bytes().len() % 4, 0);
    }

    #[test]
    fn another_cpio_reads_it() {
        let mut archive = Archive::default();
        archive.file("lib/guest/init", 0o755, b"#!/bin/sh\n".to_vec());
        archive.link("bin/sh", "busybox");
        let Ok(mut child) = Command::new("busybox")
            .args(["cpio", "-t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
        else {
            eprintln!("not run: needs busybox");
            return;
        };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &archive.bytes()).unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(said, "bin\nbin/sh\nlib\nlib/guest\nlib/guest/init\n");
    }
}
