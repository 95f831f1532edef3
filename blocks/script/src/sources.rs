//! The descriptors that a script names: those that came with it, and those of the catalogue. All are read before the script is
//! checked; nothing is fetched from anywhere else. Whoever asks has fetched what policy lets it fetch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifold_call::{CallError, Context, Outcome};
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo_syntax::script::{Script, Statement};
use manifold_nfvo_interface::{ScriptDescriptor, VnfPackageManagement};
use manifold_sol::VnfPkgInfo;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The scheme of the catalogue's addresses: `catalog:` with a VNFD's id or a product's name behind it.
const CATALOGUE: &str = "catalog:";
/// Of a descriptor that comes along. A package with images is on-boarded before.
const DESCRIPTOR_BYTES_MAX: usize = 1 << 20;
/// Of a package of the catalogue that is read for its descriptor: archives without images are far smaller.
const PACKAGE_BYTES_MAX: u64 = 64 << 20;

/// Descriptors by address.
pub(crate) struct Sources {
    leaves: BTreeMap<String, Result<Arc<Leaf>, LeafError>>,
    /// Ids of packages by the address of their descriptor: those of the catalogue.
    pub(crate) packages: BTreeMap<String, String>,
}

impl Sources {
    /// Reads what the scripts name.
    pub(crate) async fn of(
        scripts: &[&Script],
        given: &[ScriptDescriptor],
        packages: &dyn VnfPackageManagement,
        cx: &Context,
    ) -> Outcome<Self> {
        let mut sources = Self {
            leaves: BTreeMap::new(),
            packages: BTreeMap::new(),
        };
        for descriptor in given {
            let leaf = read(descriptor)?;
            sources.leaves.insert(descriptor.uri.clone(), leaf);
        }
        let wanted: BTreeSet<&str> = named(scripts).filter(|uri| uri.starts_with(CATALOGUE)).collect();
        if wanted.is_empty() {
            return Ok(sources);
        }
        let catalogue = packages.query(cx, ()).await?;
        for uri in wanted {
            let leaf = match pick(&catalogue, &uri[CATALOGUE.len()..]) {
                Ok(package) => {
                    sources.packages.insert(uri.to_owned(), package.id.clone());
                    open(uri, package, packages, cx).await?
                }
                Err(fault) => Err(fault),
            };
            sources.leaves.insert(uri.to_owned(), leaf);
        }
        Ok(sources)
    }
}

impl LeafSource for Sources {
    fn leaf(&self, uri: &str, digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        let Some(found) = self.leaves.get(uri) else {
            return Err(LeafError {
                message: format!("the descriptor at `{uri}` did not come with the script"),
                help: Some("let `manifold apply` send it, or on-board it and say `catalog:` and its id".to_owned()),
                suggestion: None,
            });
        };
        let leaf = found.clone()?;
        match digest {
            Some(pinned) if pinned != leaf.digest => Err(LeafError {
                message: format!("`{uri}` has the digest {}, and {pinned} is pinned", leaf.digest),
                help: Some(
                    "it is another file than the one that was meant; look at it before the pin is changed".to_owned(),
                ),
                suggestion: None,
            }),
            _ => Ok(leaf),
        }
    }
}

/// The addresses of all leaves.
pub(crate) fn named<'a>(scripts: &'a [&'a Script]) -> impl Iterator<Item = &'a str> {
    let statements = scripts.iter().flat_map(|script| &script.statements);
    statements.filter_map(|statement| match statement {
        Statement::Model(model) => model.descriptor.as_ref().map(|descriptor| descriptor.uri.as_str()),
        _ => None,
    })
}

/// Errors: it is no base64, or too large.
fn read(descriptor: &ScriptDescriptor) -> Outcome<Result<Arc<Leaf>, LeafError>> {
    let bytes = STANDARD.decode(&descriptor.content).map_err(|error| {
        CallError::invalid(format!("the content of descriptor {} is no base64", descriptor.uri)).caused_by(error)
    })?;
    if bytes.len() > DESCRIPTOR_BYTES_MAX {
        let fault = CallError::invalid(format!(
            "descriptor {} has {} bytes; {DESCRIPTOR_BYTES_MAX} are the most that come with a script",
            descriptor.uri,
            bytes.len()
        ));
        return Err(fault.cure("on-board its package, and name it by `catalog:`"));
    }
    Ok(Leaf::read(&descriptor.uri, &descriptor.file, &bytes).map(Arc::new))
}

/// The package that an address means: by the VNFD's id, else by the product's name, which must be one package's alone.
fn pick<'a>(catalogue: &'a [VnfPkgInfo], wanted: &str) -> Result<&'a VnfPkgInfo, LeafError> {
    let on_boarded = || catalogue.iter().filter(|package| package.vnfd_id.is_some());
    if let Some(package) = on_boarded().find(|package| package.vnfd_id.as_deref() == Some(wanted)) {
        return Ok(package);
    }
    let named: Vec<&VnfPkgInfo> = on_boarded()
        .filter(|package| package.vnf_product_name.as_deref() == Some(wanted))
        .collect();
    let fault = |message: String, list: Vec<String>| LeafError {
        message,
        help: Some(format!(
            "there are: {}",
            if list.is_empty() {
                "none".to_owned()
            } else {
                list.join(", ")
            }
        )),
        suggestion: None,
    };
    let shown = |packages: &mut dyn Iterator<Item = &VnfPkgInfo>| -> Vec<String> {
        let show = |package: &VnfPkgInfo| {
            let id = package.vnfd_id.clone().unwrap_or_default();
            match &package.vnf_product_name {
                Some(name) => format!("{id} ({name})"),
                None => id,
            }
        };
        packages.take(20).map(show).collect()
    };
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(fault(
            format!("the catalogue has no VNFD `{wanted}`"),
            shown(&mut on_boarded()),
        )),
        _ => Err(fault(
            format!("several VNFDs of the catalogue are of a product `{wanted}`: name one by its id"),
            shown(&mut named.iter().copied()),
        )),
    }
}

async fn open(
    uri: &str,
    package: &VnfPkgInfo,
    packages: &dyn VnfPackageManagement,
    cx: &Context,
) -> Outcome<Result<Arc<Leaf>, LeafError>> {
    let id = package
        .id
        .parse()
        .map_err(|_| CallError::internal(format!("package {} has no UUID", package.id)))?;
    let content = packages.content(cx, id).await?;
    if content.size > PACKAGE_BYTES_MAX {
        return Ok(Err(LeafError {
            message: format!(
                "the package of `{uri}` has {} bytes: at most {PACKAGE_BYTES_MAX} are read",
                content.size
            ),
            help: Some("let the script name its descriptor as a file".to_owned()),
            suggestion: None,
        }));
    }
    let bytes = tokio::fs::read(&content.file)
        .await
        .map_err(|error| CallError::internal("the archive could not be opened").caused_by(error))?;
    let uri = uri.to_owned();
    tokio::task::spawn_blocking(move || Leaf::read(&uri, &uri, &bytes).map(Arc::new))
        .await
        .map_err(|error| CallError::internal("the archive could not be read").caused_by(error))
}
