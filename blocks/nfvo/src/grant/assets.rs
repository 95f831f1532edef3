//! Flavours and images at a VIM: seen to before a grant names them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use manifold_call::{CallError, Context, Outcome, Uuid};
use manifold_descriptors::vnfd::{DeploymentFlavour, SwImageDesc};
use manifold_sol::{VimAssets, VimComputeResourceFlavour, VimSoftwareImage};
use manifold_vim_interface::{AddImage, ComputeFlavour, FlavourId, ImageId, Metadata, QueryFilter, VimHandle};

use crate::Nfvo;
use crate::catalogue::Model;

/// Images whose identifiers are remembered; more are looked up again.
const KNOWN_MAX: usize = 4_096;

/// Which image of which package is which image at which VIM. Only a memory: the same content again is the same image there, but
/// comparing costs reading it.
#[derive(Default)]
pub(crate) struct Assets {
    images: Mutex<HashMap<(String, String, String, String), ImageId>>,
}

impl Nfvo {
    /// Sees to it that all that the VDUs need is there, and says what it is called there.
    pub(super) async fn make_available(
        &self,
        cx: &Context,
        vim: &VimHandle,
        package: &str,
        model: &Model,
        flavour: &DeploymentFlavour,
        vdus: &BTreeSet<&str>,
    ) -> Outcome<VimAssets> {
        let mut assets = VimAssets::default();
        let mut sizes: BTreeMap<(u32, u64), FlavourId> = BTreeMap::new();
        let known = vim.flavours.query(cx, QueryFilter::default()).await?;
        let known_images = vim.images.query(cx, QueryFilter::default()).await?;
        for vdu in vdus.iter().filter_map(|id| flavour.vdu(id)) {
            let Some(compute) = &vdu.compute else { continue };
            let size = (compute.num_virtual_cpu, compute.virtual_mem_size_mib);
            let id = match sizes.get(&size) {
                Some(id) => *id,
                None => flavour_of(cx, vim, &known, size).await?,
            };
            sizes.insert(size, id);
            assets.compute_resource_flavours.push(VimComputeResourceFlavour {
                vim_connection_id: Some(vim.id.clone()),
                vnfd_virtual_compute_desc_id: vdu.id.clone(),
                vim_flavour_id: id.to_string(),
            });
            if let Some(image) = vdu.boot_image() {
                let remembered = self.remembered(cx, vim, package, &image.id);
                let id = match remembered.filter(|id| known_images.iter().any(|known| known.id == *id)) {
                    Some(id) => id,
                    None => self.add_image(cx, vim, package, model, image).await?,
                };
                assets.software_images.push(VimSoftwareImage {
                    vim_connection_id: Some(vim.id.clone()),
                    vnfd_software_image_id: vdu.id.clone(),
                    vim_software_image_id: id.to_string(),
                });
            }
        }
        Ok(assets)
    }

    fn remembered(&self, cx: &Context, vim: &VimHandle, package: &str, image: &str) -> Option<ImageId> {
        let key = (
            cx.tenant.to_string(),
            vim.id.clone(),
            package.to_owned(),
            image.to_owned(),
        );
        self.assets
            .images
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .copied()
    }

    async fn add_image(
        &self,
        cx: &Context,
        vim: &VimHandle,
        package: &str,
        model: &Model,
        image: &SwImageDesc,
    ) -> Outcome<ImageId> {
        let content = self.catalogue.image(package, model, image).await?;
        let provider = match &model.descriptor {
            manifold_descriptors::Descriptor::Vnfd(vnfd) => vnfd.provider.clone(),
            manifold_descriptors::Descriptor::Nsd(_) | manifold_descriptors::Descriptor::Pnfd(_) => String::new(),
        };
        let ask = AddImage {
            name: image.name.clone(),
            provider,
            version: image.version.clone(),
            content,
            user_metadata: Metadata::from([("vnfPkgId".to_owned(), package.to_owned())]),
        };
        let context = keyed(cx, &format!("image {} {package} {}", vim.id, image.id));
        let id = vim.images.add(&context, ask).await?.id;
        let mut images = self.assets.images.lock().unwrap_or_else(PoisonError::into_inner);
        if images.len() >= KNOWN_MAX {
            images.clear();
        }
        images.insert(
            (
                cx.tenant.to_string(),
                vim.id.clone(),
                package.to_owned(),
                image.id.clone(),
            ),
            id,
        );
        Ok(id)
    }
}

/// The flavour of that size: one for all of the tenant's VNFs.
async fn flavour_of(
    cx: &Context,
    vim: &VimHandle,
    known: &[ComputeFlavour],
    (vcpus, memory): (u32, u64),
) -> Outcome<FlavourId> {
    let name = format!("manifold-{vcpus}cpu-{memory}mib");
    let same = |known: &&ComputeFlavour| {
        known.name == name && known.num_virtual_cpu == vcpus && known.virtual_mem_size == memory
    };
    if let Some(id) = known.iter().find(same).and_then(|known| known.flavour_id) {
        return Ok(id);
    }
    let context = keyed(cx, &format!("flavour {} {name}", vim.id));
    let ask = ComputeFlavour {
        flavour_id: None,
        name,
        num_virtual_cpu: vcpus,
        virtual_mem_size: memory,
        metadata: Metadata::new(),
    };
    vim.flavours
        .create(&context, ask)
        .await
        .map_err(|error| match error.kind {
            manifold_call::ErrorKind::Invalid => CallError::forbidden(format!(
                "VIM {} takes no flavour of {vcpus} vCPU and {memory} MiB: {error}",
                vim.id
            )),
            _ => error,
        })
}

/// The call's context with a key for this part of it, so that the same grant asked for twice makes things once.
fn keyed(cx: &Context, part: &str) -> Context {
    let space = cx.idempotency_key.map_or_else(Uuid::now_v7, |key| key.0);
    cx.clone().with_key(Uuid::new_v5(&space, part.as_bytes()))
}
