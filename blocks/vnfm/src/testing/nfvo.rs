//! An NFVO that grants, and has a catalogue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_descriptors::Vnfd;
use manifold_nfvo_interface::{
    Content, GrantAsk, Modify, New, Upload, VnfLifecycleOperationGranting, VnfPackageManagement, VnfPkgId, VnfdId,
};
use manifold_sol::{
    CreateVnfPkgInfoRequest, Grant, GrantInfo, GrantRequest, GrantedResourceType, VimAssets, VimComputeResourceFlavour,
    VimConnectionInfo, VimSoftwareImage, VnfPkgInfo, VnfPkgInfoModifications, ZoneInfo,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Log;
use super::vim::ID;

pub(crate) struct Nfvo {
    log: Log,
    catalogue: Mutex<BTreeMap<String, Value>>,
    refusal: Mutex<Option<CallError>>,
    requests: Mutex<Vec<GrantRequest>>,
    /// What a grant leaves out: `flavours`, `images`.
    pub(crate) leaves_out: Mutex<Option<&'static str>>,
}

impl Nfvo {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            catalogue: Mutex::default(),
            refusal: Mutex::default(),
            requests: Mutex::default(),
            leaves_out: Mutex::default(),
        }
    }

    pub(crate) fn onboard(&self, vnfd: Vnfd) {
        let model = serde_json::to_value(&vnfd).unwrap();
        self.catalogue.lock().unwrap().insert(vnfd.descriptor_id, model);
    }

    pub(crate) fn remove(&self, vnfd: &str) {
        self.catalogue.lock().unwrap().remove(vnfd);
    }

    /// From now on, every grant is refused so; or none.
    pub(crate) fn refuse(&self, refusal: Option<CallError>) {
        *self.refusal.lock().unwrap() = refusal;
    }

    /// The requests since the last time.
    pub(crate) fn requests(&self) -> Vec<GrantRequest> {
        std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl VnfLifecycleOperationGranting for Nfvo {
    async fn grant(&self, cx: &Context, ask: GrantAsk) -> Outcome<Grant> {
        let GrantAsk(request) = ask;
        self.log.tell(format!("grant {}", request.operation.as_wire()));
        self.requests.lock().unwrap().push(request.clone());
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        let connection = VimConnectionInfo {
            vim_id: Some(ID.to_owned()),
            vim_type: "MANIFOLD.VIM.V_1".to_owned(),
        };
        let computes = request
            .add_resources
            .iter()
            .filter(|added| added.kind == GrantedResourceType::Compute);
        let mut vdus: Vec<String> = computes.clone().filter_map(|added| added.vdu_id.clone()).collect();
        vdus.sort();
        vdus.dedup();
        let named = |vdu: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, vdu.as_bytes()).to_string();
        let mut assets = VimAssets {
            compute_resource_flavours: vdus
                .iter()
                .map(|vdu| VimComputeResourceFlavour {
                    vim_connection_id: Some("c".to_owned()),
                    vnfd_virtual_compute_desc_id: vdu.clone(),
                    vim_flavour_id: named(vdu),
                })
                .collect(),
            software_images: vdus
                .iter()
                .map(|vdu| VimSoftwareImage {
                    vim_connection_id: None,
                    vnfd_software_image_id: vdu.clone(),
                    vim_software_image_id: named(vdu),
                })
                .collect(),
        };
        match *self.leaves_out.lock().unwrap() {
            Some("flavours") => assets.compute_resource_flavours.clear(),
            Some("images") => assets.software_images.clear(),
            _ => {}
        }
        let hosts: serde_json::Map<String, Value> = computes
            .enumerate()
            .map(|(at, added)| (added.id.clone(), json!(format!("host-{at}"))))
            .collect();
        let info = |id: &String, zone: bool| GrantInfo {
            resource_definition_id: id.clone(),
            vim_connection_id: Some("c".to_owned()),
            zone_id: zone.then(|| "z".to_owned()),
        };
        Ok(Grant {
            // The same key gives the same grant.
            id: cx.idempotency_key.unwrap().0.to_string(),
            vnf_instance_id: request.vnf_instance_id.clone(),
            vnf_lcm_op_occ_id: request.vnf_lcm_op_occ_id.clone(),
            vim_connection_info: [("c".to_owned(), connection)].into(),
            zones: vec![ZoneInfo {
                id: "z".to_owned(),
                zone_id: "zone-1".to_owned(),
                vim_connection_id: Some("c".to_owned()),
            }],
            add_resources: request
                .add_resources
                .iter()
                .map(|added| info(&added.id, added.kind == GrantedResourceType::Compute))
                .collect(),
            remove_resources: request
                .remove_resources
                .iter()
                .map(|removed| info(&removed.id, false))
                .collect(),
            vim_assets: Some(assets),
            additional_params: [("hosts".to_owned(), Value::Object(hosts))].into(),
        })
    }
}

fn not_here<T>() -> Outcome<T> {
    Err(CallError::unsupported("the VNFM never asks for this"))
}

#[async_trait]
impl VnfPackageManagement for Nfvo {
    async fn create(&self, _cx: &Context, _ask: New<CreateVnfPkgInfoRequest>) -> Outcome<VnfPkgInfo> {
        not_here()
    }
    async fn upload(&self, _cx: &Context, _ask: Upload<VnfPkgId>) -> Outcome<VnfPkgInfo> {
        not_here()
    }
    async fn update(&self, _cx: &Context, _ask: Modify<VnfPkgId, VnfPkgInfoModifications>) -> Outcome<VnfPkgInfo> {
        not_here()
    }
    async fn query(&self, _cx: &Context, _ask: ()) -> Outcome<Vec<VnfPkgInfo>> {
        not_here()
    }
    async fn find(&self, _cx: &Context, _id: VnfPkgId) -> Outcome<VnfPkgInfo> {
        not_here()
    }
    async fn delete(&self, _cx: &Context, _id: VnfPkgId) -> Outcome<()> {
        not_here()
    }
    async fn content(&self, _cx: &Context, _id: VnfPkgId) -> Outcome<Content> {
        not_here()
    }
    async fn vnfd(&self, _cx: &Context, vnfd_id: VnfdId) -> Outcome<Value> {
        let found = self.catalogue.lock().unwrap().get(vnfd_id.as_str()).cloned();
        found.ok_or_else(|| CallError::not_found(format!("no enabled package holds {vnfd_id}")))
    }
}
