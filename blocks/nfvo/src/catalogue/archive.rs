//! Archives as files: taken in, read, unpacked, swept. All of it on threads that may block.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use manifold_call::{CallError, Outcome};
use manifold_descriptors::csar::{Csar, Limits, read_package};
use manifold_descriptors::{Descriptor, vnfd::SwImageSource, vnfd::Vnfd};
use sha2::{Digest, Sha256};

use super::Model;

/// Most bytes of a file that a descriptor names as boot data: it becomes a part of each machine's first-boot disk.
const BOOT_DATA_BYTES_MAX: u64 = 1 << 20;

/// Ends the names of files that are being written.
const HALF_DONE: &str = ".part";

/// An archive that was read and has no fault.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) model: Model,
    /// SHA-256 of the archive, in hexadecimal.
    pub(crate) sha256: String,
}

/// Moves `from` to `to` and reads it. Errors: `Invalid` with every fault, as people read them.
pub(crate) async fn take_in(from: &Path, to: &Path) -> Outcome<Opened> {
    let (from, to) = (from.to_owned(), to.to_owned());
    blocking(move || {
        move_file(&from, &to).map_err(|error| files("take the archive in", &to, error))?;
        read(&to)
    })
    .await
}

fn read(path: &Path) -> Outcome<Opened> {
    let failed = |error| files("read", path, error);
    let limits = Limits::default();
    let file = || fs::File::open(path).map(BufReader::new);
    let package = read_package(file().map_err(failed)?, &limits);
    for warning in &package.diagnostics.list {
        tracing::debug!(archive = %path.display(), "{}", warning.message);
    }
    let (mut descriptor, contents) = package
        .into_result()
        .map_err(|diagnostics| CallError::invalid(format!("the package is refused:\n{}", diagnostics.render())))?;
    let mut named = HashSet::new();
    if let Descriptor::Vnfd(vnfd) = &mut descriptor {
        let mut csar = Csar::open(file().map_err(failed)?, &limits)
            .map_err(|diagnostics| CallError::invalid(format!("the package is refused:\n{}", diagnostics.render())))?;
        for (path, bytes) in boot_files(vnfd, &contents.files)? {
            let mut text = Vec::with_capacity(bytes);
            csar.copy(&path, &mut text)
                .map_err(|error| CallError::invalid(format!("{path}: {error}")))?;
            let text =
                String::from_utf8(text).map_err(|_| CallError::invalid(format!("{path} is boot data and no UTF-8")))?;
            fill_boot_data(vnfd, &path, &text);
        }
        named = image_paths(vnfd);
    }
    let files = contents
        .files
        .into_iter()
        .filter(|(path, _)| named.contains(path))
        .map(|(path, file)| (path, file.sha256));
    let model = Model {
        descriptor,
        files: files.collect(),
    };
    Ok(Opened {
        model,
        sha256: hash(path).map_err(failed)?,
    })
}

/// Files that boot data lies in, with their sizes.
fn boot_files(
    vnfd: &Vnfd,
    files: &std::collections::BTreeMap<String, manifold_descriptors::csar::File>,
) -> Outcome<Vec<(String, usize)>> {
    let vdus = vnfd.flavours.iter().flat_map(|flavour| &flavour.vdus);
    let sources = vdus
        .filter_map(|vdu| vdu.boot_data.as_ref())
        .filter(|data| data.content.is_none());
    let mut all = Vec::new();
    for path in sources.filter_map(|data| data.source_path.as_ref()) {
        let Some(file) = files.get(path) else { continue };
        if file.size_bytes > BOOT_DATA_BYTES_MAX {
            return Err(CallError::invalid(format!(
                "{path} is boot data and has {} bytes; {BOOT_DATA_BYTES_MAX} are the most",
                file.size_bytes
            )));
        }
        all.push((path.clone(), usize::try_from(file.size_bytes).unwrap_or(0)));
    }
    Ok(all)
}

/// The VNFM has the descriptor alone and not the package: boot data goes along in it.
fn fill_boot_data(vnfd: &mut Vnfd, path: &str, text: &str) {
    let vdus = vnfd.flavours.iter_mut().flat_map(|flavour| &mut flavour.vdus);
    for data in vdus.filter_map(|vdu| vdu.boot_data.as_mut()) {
        if data.content.is_none() && data.source_path.as_deref() == Some(path) {
            data.content = Some(text.to_owned());
        }
    }
}

fn image_paths(vnfd: &Vnfd) -> HashSet<String> {
    let vdus = vnfd.flavours.iter().flat_map(|flavour| &flavour.vdus);
    vdus.filter_map(|vdu| vdu.boot_image())
        .flat_map(|image| match &image.source {
            SwImageSource::Disk { path } => vec![path.clone()],
            SwImageSource::KernelAndInitramfs { kernel, initramfs, .. } => vec![kernel.clone(), initramfs.clone()],
            SwImageSource::Manifold { .. } | SwImageSource::Uri { .. } | SwImageSource::ByName => vec![],
        })
        .collect()
}

/// Takes a file out of an archive, whole and with the right hash or not at all. Nothing to do where it lies already.
pub(crate) async fn unpack(archive: &Path, path: &str, sha256: &str, to: &Path) -> Outcome<()> {
    let (archive, path, sha256, to) = (archive.to_owned(), path.to_owned(), sha256.to_owned(), to.to_owned());
    blocking(move || {
        if to.exists() {
            return Ok(());
        }
        let failed = |error| files("write", &to, error);
        let half_done = to.with_added_extension(HALF_DONE.trim_start_matches('.'));
        fs::create_dir_all(to.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let reader = fs::File::open(&archive)
            .map(BufReader::new)
            .map_err(|error| files("read", &archive, error))?;
        let mut csar = Csar::open(reader, &Limits::default()).map_err(|diagnostics| {
            CallError::internal(format!("an archive of the catalogue is damaged: {diagnostics}"))
        })?;
        let mut sink = fs::File::create(&half_done).map_err(failed)?;
        let copied = csar
            .copy(&path, &mut sink)
            .map_err(|error| CallError::internal(format!("{path}: {error}")));
        let checked = copied.and_then(|_| {
            sink.sync_all().map_err(failed)?;
            let found = hash(&half_done).map_err(failed)?;
            if found == sha256 {
                Ok(())
            } else {
                Err(CallError::internal(format!(
                    "{path} is not the file that was on-boarded"
                )))
            }
        });
        match checked {
            Ok(()) => fs::rename(&half_done, &to).map_err(failed),
            Err(error) => {
                drop(fs::remove_file(&half_done));
                Err(error)
            }
        }
    })
    .await
}

/// Removes a file; absence is success, and a failure is told to the log: the next sweep tries again.
pub(crate) async fn remove(path: &Path) {
    let path = path.to_owned();
    let removed = blocking(move || match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files("remove", &path, error)),
        _ => Ok(()),
    });
    if let Err(error) = removed.await {
        tracing::warn!(?error, "A file of the catalogue stays until the next start.");
    }
}

/// Removes files of a folder that are not to be kept. Answers how many.
pub(crate) async fn sweep(dir: &Path, keep: HashSet<PathBuf>) -> Outcome<usize> {
    sweep_where(dir, move |path| !keep.contains(path)).await
}

/// Removes files of a folder that were being written.
pub(crate) async fn sweep_half_done(dir: &Path) -> Outcome<usize> {
    sweep_where(dir, |path| path.to_string_lossy().ends_with(HALF_DONE)).await
}

async fn sweep_where(dir: &Path, goes: impl Fn(&Path) -> bool + Send + 'static) -> Outcome<usize> {
    let dir = dir.to_owned();
    blocking(move || {
        let failed = |error| files("sweep", &dir, error);
        fs::create_dir_all(&dir).map_err(failed)?;
        let mut count = 0;
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_file() && goes(&path) {
                fs::remove_file(&path).map_err(failed)?;
                count += 1;
            }
        }
        Ok(count)
    })
    .await
}

/// The size of a file, in bytes.
pub(crate) async fn size(path: &Path) -> Outcome<u64> {
    let path = path.to_owned();
    blocking(move || {
        fs::metadata(&path)
            .map(|file| file.len())
            .map_err(|error| files("read", &path, error))
    })
    .await
}

fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(Path::new(".")))?;
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let half_done = to.with_added_extension(HALF_DONE.trim_start_matches('.'));
            fs::copy(from, &half_done)?;
            fs::rename(&half_done, to)?;
            fs::remove_file(from)
        }
        moved => moved,
    }
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&chunk[..read]);
    }
}

fn files(doing: &str, path: &Path, error: io::Error) -> CallError {
    CallError::unavailable(format!("could not {doing} {}", path.display())).caused_by(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(CallError::internal("work on a file of the catalogue broke off").caused_by(error)))
}
