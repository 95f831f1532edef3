//! The NoCloud disk: a FAT volume labelled CIDATA with cloud-init's three files. It may hold secrets: it is a file that only
//! the agent's user can read, and QEMU is handed its descriptor.

use manifold_nfvi_interface::NoCloud;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Room for the largest NoCloud data that is let in, and the file system's own tables.
const DISK_BYTES: u64 = 1 << 20;

/// Writes the disk anew.
pub(crate) fn write(path: &Path, files: &NoCloud) -> io::Result<()> {
    let disk = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    disk.set_len(DISK_BYTES)?;
    let label = *b"CIDATA     ";
    let options = fatfs::FormatVolumeOptions::new().volume_label(label);
    fatfs::format_volume(&disk, options)?;
    let volume = fatfs::FileSystem::new(disk.try_clone()?, fatfs::FsOptions::new())?;
    for (name, contents) in [
        ("meta-data", &files.meta_data),
        ("user-data", &files.user_data),
        ("network-config", &files.network_config),
    ] {
        let mut file = volume.root_dir().create_file(name)?;
        file.write_all(contents.as_bytes())?;
        file.flush()?;
    }
    volume.unmount()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_disk_is_labelled_holds_the_files_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed");
        let files = NoCloud {
            meta_data: "a: b\n".into(),
            user_data: "#!/bin/sh\n".repeat(20_000),
            network_config: "version: 2\n".into(),
        };
        write(&path, &files).unwrap();
        let volume = fatfs::FileSystem::new(File::open(&path).map(ReadOnly).unwrap(), fatfs::FsOptions::new()).unwrap();
        assert_eq!(volume.volume_label_as_bytes(), b"CIDATA");
        let mut read = String::new();
        volume
            .root_dir()
            .open_file("user-data")
            .unwrap()
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, files.user_data);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    struct ReadOnly(File);
    impl Read for ReadOnly {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for ReadOnly {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl io::Seek for ReadOnly {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
}
