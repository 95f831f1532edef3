//! VNF packages (IFA 013 7.7, SOL005 9).

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::{Descriptor, vnfd::SwImageSource, vnfd::Vnfd};
use manifold_nfvo_interface::{Content, Modify, New, Upload, VnfPackageManagement, VnfPkgId, VnfdId};
use manifold_sol::{
    Checksum, CreateVnfPkgInfoRequest, NsdInfo, PackageOnboardingState, PackageOperationalState, ProblemDetails,
    VnfPackageSoftwareImageInfo, VnfPkgInfo, VnfPkgInfoModifications,
};
use manifold_store::{Kind, Query};

use super::archive::{self, Opened};
use super::{Entry, Model, check_disabled, new_id, usage};
use crate::record::{NSD, PACKAGE, VNF};
use crate::{Nfvo, fault, record};

impl Entry for VnfPkgInfo {
    const KIND: Kind = PACKAGE;
    const WHAT: &'static str = "VNF package";
    fn id(&self) -> &str {
        &self.id
    }
    fn onboarding(&mut self) -> (&mut PackageOnboardingState, &mut Option<ProblemDetails>) {
        (&mut self.onboarding_state, &mut self.onboarding_failure_details)
    }
    fn descriptor_id(&self) -> Option<&str> {
        self.vnfd_id.as_deref()
    }
    fn uses(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
}

#[async_trait]
impl VnfPackageManagement for Nfvo {
    async fn create(&self, cx: &Context, ask: New<CreateVnfPkgInfoRequest>) -> Outcome<VnfPkgInfo> {
        let entry = VnfPkgInfo {
            id: new_id(cx).to_string(),
            onboarding_state: PackageOnboardingState::Created,
            operational_state: PackageOperationalState::Disabled,
            user_defined_data: ask.0.user_defined_data,
            ..VnfPkgInfo::default()
        };
        self.catalogue.make(cx, entry).await
    }

    async fn upload(&self, cx: &Context, ask: Upload<VnfPkgId>) -> Outcome<VnfPkgInfo> {
        let id = ask.id.to_string();
        let (_claim, revision, mut entry) = self.catalogue.begin::<VnfPkgInfo>(cx, &id).await?;
        let opened = self.catalogue.open(&id, &ask.file).await;
        let checked = opened.and_then(|opened| describe(&mut entry, opened));
        let _gate = self.catalogue.gate().await;
        self.catalogue.end(cx, revision, entry, checked).await
    }

    async fn update(&self, cx: &Context, ask: Modify<VnfPkgId, VnfPkgInfoModifications>) -> Outcome<VnfPkgInfo> {
        let _gate = self.catalogue.gate().await;
        let (doc, mut entry) = self
            .catalogue
            .find::<VnfPkgInfo>(&cx.tenant, &ask.id.to_string())
            .await?;
        if let Some(state) = ask.changes.operational_state {
            if entry.onboarding_state != PackageOnboardingState::Onboarded {
                return Err(CallError::conflict(format!("VNF package {} is not ONBOARDED", ask.id)));
            }
            entry.operational_state = state;
        }
        entry
            .user_defined_data
            .extend(ask.changes.user_defined_data.unwrap_or_default());
        self.catalogue.write(&doc, &entry).await?;
        self.with_usage(entry).await
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<VnfPkgInfo>> {
        let mut all = Vec::new();
        for entry in self.catalogue.all::<VnfPkgInfo>(&cx.tenant).await? {
            all.push(self.with_usage(entry).await?);
        }
        Ok(all)
    }

    async fn find(&self, cx: &Context, id: VnfPkgId) -> Outcome<VnfPkgInfo> {
        let (_, entry) = self.catalogue.find::<VnfPkgInfo>(&cx.tenant, &id.to_string()).await?;
        self.with_usage(entry).await
    }

    async fn delete(&self, cx: &Context, id: VnfPkgId) -> Outcome<()> {
        let id = id.to_string();
        let _gate = self.catalogue.gate().await;
        let (doc, entry) = self.catalogue.find::<VnfPkgInfo>(&cx.tenant, &id).await?;
        check_disabled(VnfPkgInfo::WHAT, &id, entry.operational_state)?;
        let store = &*self.near.store;
        let nsds = record::list::<NsdInfo>(store, NSD, Query::all().equal("package", &id)).await?;
        let vnfs = record::list::<record::VnfRecord>(store, VNF, Query::all().equal("package", &id)).await?;
        let nsds = nsds
            .into_iter()
            .map(|(_, nsd)| format!("NSD {}", nsd.nsd_id.unwrap_or(nsd.id)));
        let vnfs = vnfs.into_iter().map(|(_, vnf)| format!("VNF instance {}", vnf.id));
        self.catalogue
            .remove(&doc, &entry, &nsds.chain(vnfs).collect::<Vec<_>>())
            .await
    }

    async fn content(&self, cx: &Context, id: VnfPkgId) -> Outcome<Content> {
        let (_, entry) = self.catalogue.find::<VnfPkgInfo>(&cx.tenant, &id.to_string()).await?;
        self.catalogue.content(entry).await
    }

    async fn vnfd(&self, cx: &Context, vnfd_id: VnfdId) -> Outcome<serde_json::Value> {
        let found = self
            .catalogue
            .onboarded::<VnfPkgInfo>(&cx.tenant, vnfd_id.as_str())
            .await?;
        let (_, entry) = found.ok_or_else(|| {
            CallError::not_found(format!("there is no VNFD {vnfd_id}")).cure("on-board the VNF package that has it")
        })?;
        // SOL005 9.5.4.3: a package that was disabled stays in use by the instances that it has.
        let entry = self.with_usage(entry).await?;
        let is_used = entry.usage_state == manifold_sol::PackageUsageState::InUse;
        if entry.operational_state == PackageOperationalState::Disabled && !is_used {
            return Err(
                CallError::not_found(format!("VNF package {} with VNFD {vnfd_id} is DISABLED", entry.id))
                    .cure("enable it"),
            );
        }
        let model = self.catalogue.model(&entry.id).await?;
        match &model.descriptor {
            Descriptor::Vnfd(vnfd) => record::json(vnfd),
            other => Err(CallError::internal(format!(
                "VNF package {} holds a {}",
                entry.id,
                other.kind()
            ))),
        }
    }
}

impl Nfvo {
    async fn with_usage(&self, mut entry: VnfPkgInfo) -> Outcome<VnfPkgInfo> {
        let users = self
            .near
            .store
            .count(VNF, Query::all().equal("package", &entry.id))
            .await
            .map_err(fault::store)?;
        entry.usage_state = usage(users);
        Ok(entry)
    }
}

impl super::Catalogue {
    /// The archive of an on-boarded entry.
    pub(super) async fn content<E: Entry>(&self, mut entry: E) -> Outcome<Content> {
        if *entry.onboarding().0 != PackageOnboardingState::Onboarded {
            return Err(CallError::conflict(format!(
                "{} {} has no content",
                E::WHAT,
                entry.id()
            )));
        }
        let file = self.archive(entry.id());
        let size = archive::size(&file).await?;
        Ok(Content { file, size })
    }
}

/// Takes what the descriptor says into the package's information. Errors: it is no VNF's.
fn describe(entry: &mut VnfPkgInfo, opened: Opened) -> Outcome<Model> {
    let Descriptor::Vnfd(vnfd) = &opened.model.descriptor else {
        let kind = opened.model.descriptor.kind();
        return Err(CallError::invalid(format!("the archive holds a {kind}, not a VNFD")));
    };
    entry.vnfd_id = Some(vnfd.descriptor_id.clone());
    entry.vnf_provider = Some(vnfd.provider.clone());
    entry.vnf_product_name = Some(vnfd.product_name.clone());
    entry.vnf_software_version = Some(vnfd.software_version.clone());
    entry.vnfd_version = Some(vnfd.descriptor_version.clone());
    entry.checksum = Some(Checksum {
        algorithm: "SHA-256".to_owned(),
        hash: opened.sha256,
    });
    entry.software_images = software_images(vnfd);
    entry.operational_state = PackageOperationalState::Enabled;
    Ok(opened.model)
}

fn software_images(vnfd: &Vnfd) -> Vec<VnfPackageSoftwareImageInfo> {
    let mut all: Vec<VnfPackageSoftwareImageInfo> = Vec::new();
    for image in vnfd
        .flavours
        .iter()
        .flat_map(|flavour| &flavour.vdus)
        .filter_map(|vdu| vdu.boot_image())
    {
        if all.iter().any(|known| known.id == image.id) {
            continue;
        }
        let image_path = match &image.source {
            SwImageSource::Disk { path } => path.clone(),
            SwImageSource::KernelAndInitramfs { kernel, .. } => kernel.clone(),
            SwImageSource::Manifold { name } => format!("{}{name}", manifold_descriptors::vnfd::BUILT_IMAGE_PREFIX),
            SwImageSource::Uri { uri } => uri.clone(),
            SwImageSource::ByName => String::new(),
        };
        all.push(VnfPackageSoftwareImageInfo {
            id: image.id.clone(),
            name: image.name.clone(),
            version: image.version.clone(),
            checksum: image.checksum.as_ref().map(|sum| Checksum {
                algorithm: sum.algorithm.to_uppercase(),
                hash: sum.hash.clone(),
            }),
            disk_format: image.disk_format.to_uppercase(),
            image_path,
        });
    }
    all
}
