//! Create VNF identifier (IFA 007 7.2.2, SOL003 5.4.2): an instance without resources.
//!
//! It is one commit and no occurrence (SOL003 5.4.2 has none): there is nothing outside to undo.

use manifold_call::{CallError, Context, ErrorKind, Outcome};
use manifold_descriptors::Vnfd;
use manifold_nfvo_interface::VnfdId;
use manifold_sol::VnfInstance;
use manifold_store::{Batch, Conflict, StoreError};
use manifold_vnfm_interface::{NewVnf, VnfInstanceId};
use uuid::Uuid;

use crate::instance::Instance;
use crate::vnfm::{Vnfm, store_failed};

/// Identifiers of instances that were asked for with an idempotency key lie in this space: the same key gives the same instance.
const SPACE: Uuid = Uuid::from_u128(0x9d0e_6a52_5b0c_4f55_8a1e_2f6c_5d1b_7e31);

/// The longest name: with what is added, a resource of the VNF still has a name that a VIM takes.
const NAME_LEN_MAX: usize = 128;

impl Vnfm {
    pub(crate) async fn create_instance(&self, cx: &Context, ask: NewVnf) -> Outcome<VnfInstance> {
        let NewVnf(request) = ask;
        if request
            .vnf_instance_name
            .as_ref()
            .is_some_and(|name| name.len() > NAME_LEN_MAX)
        {
            return Err(CallError::invalid(format!(
                "the name of a VNF instance has at most {NAME_LEN_MAX} bytes"
            )));
        }
        let vnfd = self.descriptor(cx, &request.vnfd_id).await?;
        let id = match cx.idempotency_key {
            Some(key) => VnfInstanceId::named(SPACE, &format!("{}/{}", cx.tenant, key.0)),
            None => VnfInstanceId::random(),
        };
        let instance = Instance {
            name: request.vnf_instance_name,
            description: request.vnf_instance_description,
            metadata: request.metadata,
            ..Instance::new(id, &vnfd, request.vnfd_id)
        };
        let batch = Batch::new().write(instance.first_put(cx.tenant.as_str())?);
        match self.store().commit(batch).await {
            Ok(_) => Ok(instance.to_sol()),
            Err(StoreError::Conflict(Conflict::Revision { .. })) => {
                let (_, first) = self.read(cx, id).await?;
                let same = first.vnfd_id == instance.vnfd_id && first.name == instance.name;
                if same {
                    Ok(first.to_sol())
                } else {
                    Err(CallError::conflict(format!(
                        "the idempotency key was used before for another request, VNF instance {id}"
                    )))
                }
            }
            Err(error) => Err(store_failed(error)),
        }
    }

    /// The descriptor, if its package is on-boarded and enabled. Errors: `Invalid`, it is not.
    pub(crate) async fn descriptor(&self, cx: &Context, vnfd_id: &str) -> Outcome<Vnfd> {
        let model = self.outside()?.packages.vnfd(cx, VnfdId::from(vnfd_id)).await;
        let model = model.map_err(|mut error| {
            if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) {
                error.kind = ErrorKind::Invalid;
                error.detail = format!(
                    "there is no enabled package with descriptor {vnfd_id}: {}",
                    error.detail
                );
            }
            error
        })?;
        serde_json::from_value(model).map_err(|error| {
            CallError::internal(format!("the catalogue's form of descriptor {vnfd_id} is not readable"))
                .caused_by(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use manifold_call::ErrorKind;
    use manifold_sol::{CreateVnfRequest, InstantiationState};
    use manifold_vnfm_interface::{NewVnf, VnfLifecycleManagement};
    use uuid::Uuid;

    use crate::testing::{Site, cx};

    fn request(vnfd_id: &str, name: &str) -> NewVnf {
        NewVnf(CreateVnfRequest {
            vnfd_id: vnfd_id.to_owned(),
            vnf_instance_name: Some(name.to_owned()),
            metadata: [("owner".to_owned(), "me".into())].into(),
            ..CreateVnfRequest::default()
        })
    }

    #[tokio::test]
    async fn an_instance_is_made_of_its_descriptor_and_has_no_resources() {
        let site = Site::new().await;
        let made = site.vnfm.create(&cx(), request("gateway", "one")).await.unwrap();
        assert_eq!(made.instantiation_state, InstantiationState::NotInstantiated);
        assert_eq!(
            (made.vnf_provider.as_str(), made.vnf_product_name.as_str()),
            ("Manifold", "Gateway")
        );
        assert_eq!(made.metadata["owner"], "me");
        assert_eq!(site.vnfm.find(&cx(), made.id.parse().unwrap()).await.unwrap(), made);
        assert_eq!(site.vnfm.query(&cx(), ()).await.unwrap(), [made]);
        assert!(site.world.log.take().is_empty());
    }

    #[tokio::test]
    async fn without_an_enabled_package_it_is_refused() {
        let site = Site::new().await;
        let error = site.vnfm.create(&cx(), request("absent", "one")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        let error = site
            .vnfm
            .create(&cx(), request("gateway", &"x".repeat(500)))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn the_same_wish_again_is_the_same_instance() {
        let site = Site::new().await;
        let keyed = cx().with_key(Uuid::from_u128(9));
        let first = site.vnfm.create(&keyed, request("gateway", "one")).await.unwrap();
        assert_eq!(
            site.vnfm.create(&keyed, request("gateway", "one")).await.unwrap(),
            first
        );
        let error = site.vnfm.create(&keyed, request("gateway", "two")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict);
    }
}
