//! The package of a leaf: its own where it is SOL001's, else one that is written from the model.

use super::identity::{file_name, id_of, is_uuid};
use super::{CompileError, FunctionPackage, Options};
use crate::leaf::{Leaf, LeafFormat};
use crate::service::LeafUse;
use manifold_descriptors::Vnfd;
use manifold_descriptors::link::LayerProtocol;
use manifold_descriptors::tosca_write::{self, content, normal};
use manifold_descriptors::vnfd::{BUILT_IMAGE_PREFIX, SwImageDesc, SwImageSource};

/// VNFM that manages what no descriptor names one for.
const VNFM: &str = "etsivnfm:v2.0.0";

/// A leaf as the targets use it.
pub(crate) struct Function {
    pub(crate) package: FunctionPackage,
    pub(crate) notes: Vec<String>,
}

/// Whether the descriptor's own package is there to be used.
fn is_packaged(leaf: &Leaf) -> bool {
    let is_text = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    leaf.format == LeafFormat::Sol001 && !is_text(&leaf.uri) && !is_text(&leaf.file)
}

pub(crate) fn function(of: &LeafUse, options: &Options) -> Result<Function, CompileError> {
    let leaf = &*of.leaf;
    let mut notes = Vec::new();
    if leaf.vnfd.flavours.is_empty() {
        return Err(CompileError::NoFlavour { leaf: of.name.clone() });
    }
    if is_packaged(leaf) {
        let package = FunctionPackage {
            uri: leaf.uri.clone(),
            folder: file_name(&leaf.name),
            files: None,
            vnfd: leaf.vnfd.clone(),
        };
        return Ok(Function { package, notes });
    }
    let vnfd = descriptor(leaf, options, &mut notes);
    let folder = file_name(&leaf.name);
    let files = tosca_write::vnfd(&vnfd, &folder);
    let package = FunctionPackage {
        uri: leaf.uri.clone(),
        folder,
        files: Some(files),
        vnfd,
    };
    Ok(Function { package, notes })
}

/// The model of a descriptor of whichever language as a SOL001 package can have it: with images taken from the options, and an id that its
/// content and address give where it has none that is a UUID.
pub fn descriptor(leaf: &Leaf, options: &Options, notes: &mut Vec<String>) -> Vnfd {
    let mut vnfd = normal(&leaf.vnfd);
    if vnfd.vnfm_info.is_empty() {
        vnfd.vnfm_info = vec![VNFM.to_owned()];
    }
    let or = |field: &mut String, otherwise: &str| {
        if field.is_empty() {
            otherwise.clone_into(field);
        }
    };
    or(&mut vnfd.descriptor_version, &options.version);
    or(&mut vnfd.software_version, &options.version);
    or(&mut vnfd.provider, "unknown");
    or(&mut vnfd.product_name, &leaf.name);
    for flavour in &mut vnfd.flavours {
        or(&mut flavour.id, "default");
        for vdu in &mut flavour.vdus {
            if vdu.name.is_empty() {
                vdu.name.clone_from(&vdu.id);
            }
            let own = vdu.sw_image.iter_mut();
            let of_storages = vdu.storages.iter_mut().filter_map(|storage| storage.sw_image.as_mut());
            let of_containers = vdu
                .containers
                .iter_mut()
                .filter_map(|container| container.sw_image.as_mut());
            for image in own.chain(of_storages).chain(of_containers) {
                map_image(image, leaf, options, notes);
            }
            for cp in &mut vdu.connection_points {
                spoken(&mut cp.layer_protocols);
            }
        }
        for cpd in &mut flavour.ext_cpds {
            spoken(&mut cpd.layer_protocols);
        }
        for link in &mut flavour.virtual_links {
            spoken(&mut link.connectivity_type.layer_protocols);
            let most = super::nets::MAX_BITRATE_OTHERWISE;
            link.max_bitrate.root_bits_per_second.get_or_insert(most);
            link.min_bitrate.root_bits_per_second.get_or_insert(0);
        }
    }
    if !is_uuid(&vnfd.descriptor_id) {
        vnfd.descriptor_id = id_of(&["vnfd", &leaf.uri, &content(&vnfd)]);
    }
    vnfd
}

/// Who says nothing speaks Ethernet.
fn spoken(protocols: &mut Vec<LayerProtocol>) {
    if protocols.is_empty() {
        protocols.push(LayerProtocol::Ethernet);
    }
}

fn map_image(image: &mut SwImageDesc, leaf: &Leaf, options: &Options, notes: &mut Vec<String>) {
    let place = match &image.source {
        SwImageSource::Disk { path } => path.clone(),
        SwImageSource::Uri { uri } => uri.clone(),
        SwImageSource::KernelAndInitramfs { kernel, .. } => kernel.clone(),
        SwImageSource::ByName => image.name.clone(),
        SwImageSource::Manifold { .. } => return,
    };
    let file = place.rsplit('/').next().unwrap_or(&place);
    // A path of another language is a `file:` URI here; its user knows it as the path.
    let path = place.strip_prefix("file://").unwrap_or(&place);
    let mapped = [place.as_str(), path, image.name.as_str(), file]
        .into_iter()
        .find_map(|key| options.images.get(key));
    if let Some(to) = mapped {
        image.checksum = None;
        image.size_bytes = None;
        match to.strip_prefix(BUILT_IMAGE_PREFIX) {
            Some(name) => {
                image.source = SwImageSource::Manifold { name: name.to_owned() };
                image.container_format = "bare".to_owned();
                image.disk_format = "aki".to_owned();
            }
            None => image.source = SwImageSource::Uri { uri: to.clone() },
        }
        return;
    }
    if image.checksum.is_none() || image.size_bytes.is_none() {
        notes.push(format!(
            "`{}` runs image `{place}`, whose checksum and size its descriptor does not say: name an image to take instead",
            leaf.name
        ));
    }
}

/// What an NSD calls the interface of a connection point of a leaf.
pub(crate) fn outside_name(of: &LeafUse, point: &str) -> Option<String> {
    let interface = of.leaf.interfaces.get(*of.points.get(point)?)?;
    let cpd = of.leaf.vnfd.flavours.first()?.ext_cpd(&interface.ext_cpd)?;
    Some(cpd.requirement.clone().unwrap_or_else(|| cpd.id.clone()))
}
