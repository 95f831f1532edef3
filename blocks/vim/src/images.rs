//! Software images (IFA 005 7.2): files are copied into the VIM's own folder, named by what they contain, so that the same image
//! of two tenants is there once and nobody can change an image under a machine.

use crate::Vim;
use crate::documents::{Document, Image};
use crate::filter::AttributeFilter;
use crate::world::{World, check_words};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::{AddImage, ImageContent, ImageId, QueryFilter, SoftwareImageInformation, SoftwareImages};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A read's size: large enough that hashing, not calls, takes the time.
const CHUNK_BYTES: usize = 1 << 17;
/// Bytes of a kernel command line that QEMU and Linux take.
const COMMAND_LINE_BYTES_MAX: usize = 1_024;

/// Files that were taken in.
struct Taken {
    checksum: String,
    size: u64,
}

#[async_trait]
impl SoftwareImages for Vim {
    async fn add(&self, cx: &Context, ask: AddImage) -> Outcome<SoftwareImageInformation> {
        check_words(&cx.tenant, &ask.name, &ask.user_metadata)?;
        check_words(&cx.tenant, &ask.provider, &ask.user_metadata)?;
        check_words(&cx.tenant, &ask.version, &ask.user_metadata)?;
        let (format, command_line, files) = match ask.content {
            ImageContent::Kernel {
                kernel,
                initramfs,
                command_line,
            } => (
                "kernel",
                command_line,
                vec![("kernel", kernel), ("initramfs", initramfs)],
            ),
            ImageContent::Qcow2 { disk } => ("qcow2", String::new(), vec![("disk", disk)]),
            ImageContent::Raw { disk } => ("raw", String::new(), vec![("disk", disk)]),
        };
        if command_line.len() > COMMAND_LINE_BYTES_MAX || command_line.chars().any(char::is_control) {
            return Err(CallError::invalid("the kernel command line is too long or unprintable"));
        }
        let folder = self.desired.realm().config.image_dir.clone();
        let taking = tokio::task::spawn_blocking(move || take(&folder, &files));
        let taken = taking
            .await
            .map_err(|error| CallError::internal("an image was not taken in").caused_by(error))??;

        let name = format!("{} {} {} {}", cx.tenant, format, taken.checksum, command_line);
        let id = Uuid::new_v5(
            &Uuid::new_v5(&Uuid::NAMESPACE_OID, self.id().as_bytes()),
            name.as_bytes(),
        );
        let image = Image {
            name: ask.name,
            provider: ask.provider,
            version: ask.version,
            format: format.to_owned(),
            command_line,
            checksum: taken.checksum,
            size: taken.size,
            metadata: ask.user_metadata,
        };
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            if world.made(id)? {
                return Ok(Decision::Stands(vec![id]));
            }
            Ok(Decision::Do(Change::put(id, world.tenant, Document::Image(image))))
        };
        self.desired.apply(cx, Some(id), plan).await?;
        let found = self.image_views(cx).into_iter().find(|image| image.id.0 == id);
        found.ok_or_else(|| CallError::not_found(format!("software image {id} was removed meanwhile")))
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<SoftwareImageInformation>> {
        Ok(AttributeFilter::parse(&filter.filter)?.keep(self.image_views(cx)))
    }

    async fn delete(&self, cx: &Context, id: ImageId) -> Outcome<ImageId> {
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let own = world
                .images()
                .any(|(known, held, _)| known == id.0 && held.tenant == *world.tenant);
            if !own {
                return Ok(Decision::Already);
            }
            if let Some((user, ..)) = world.computes().find(|(.., compute)| compute.image == id.0) {
                return Err(CallError::conflict(format!("machine {user} was made of image {id}")));
            }
            Ok(Decision::Do(Change {
                puts: Vec::new(),
                leaves: vec![id.0],
            }))
        };
        self.desired.apply(cx, None, plan).await?;
        Ok(id)
    }
}

impl Vim {
    fn image_views(&self, cx: &Context) -> Vec<SoftwareImageInformation> {
        let inventory = self.inventory();
        self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &cx.tenant,
            };
            let own = world
                .images()
                .filter(|(_, held, _)| !held.leaving && held.tenant == cx.tenant);
            let view = own.map(|(id, _, image)| SoftwareImageInformation {
                id: ImageId(id),
                name: image.name.clone(),
                provider: image.provider.clone(),
                version: image.version.clone(),
                format: image.format.clone(),
                checksum: image.checksum.clone(),
                size: image.size,
                user_metadata: image.metadata.clone(),
            });
            view.collect()
        })
    }
}

/// Copies the files aside, hashes what was copied, and gives the folder its name at the end: a crash leaves no half image.
fn take(folder: &Path, files: &[(&'static str, PathBuf)]) -> Outcome<Taken> {
    let kept = |error: io::Error| {
        CallError::internal(format!("the image folder {} cannot be used", folder.display())).caused_by(error)
    };
    fs::create_dir_all(folder).map_err(kept)?;
    let aside = folder.join(format!(".taking-{}", Uuid::now_v7()));
    fs::create_dir(&aside).map_err(kept)?;
    let taken = copy(&aside, files);
    let placed = taken.and_then(|taken| {
        let place = folder.join(&taken.checksum);
        if !place.exists() {
            match fs::rename(&aside, &place) {
                Ok(()) => return Ok(taken),
                // Somebody else was faster with the same content.
                Err(_) if place.exists() => {}
                Err(error) => return Err(kept(error)),
            }
        }
        Ok(taken)
    });
    if aside.exists() {
        fs::remove_dir_all(&aside).map_err(kept)?;
    }
    placed
}

fn copy(aside: &Path, files: &[(&'static str, PathBuf)]) -> Outcome<Taken> {
    let mut whole = Sha256::new();
    let mut size = 0;
    for (name, path) in files {
        let unreadable =
            |error: io::Error| CallError::invalid(format!("the image file {} cannot be read: {error}", path.display()));
        let mut from = File::open(path).map_err(unreadable)?;
        if !from.metadata().map_err(unreadable)?.is_file() {
            return Err(CallError::invalid(format!("{} is no file", path.display())));
        }
        let unwritable = |error: io::Error| CallError::internal("an image file cannot be written").caused_by(error);
        let mut to = File::create_new(aside.join(name)).map_err(unwritable)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = from.read(&mut chunk).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            hash.update(&chunk[..count]);
            to.write_all(&chunk[..count]).map_err(unwritable)?;
            size += count as u64;
        }
        to.sync_all().map_err(unwritable)?;
        whole.update(hash.finalize());
    }
    if size == 0 {
        return Err(CallError::invalid("the image is empty"));
    }
    Ok(Taken {
        checksum: hex::encode(whole.finalize()),
        size,
    })
}
