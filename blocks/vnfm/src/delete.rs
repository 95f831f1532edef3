//! Delete VNF identifier (IFA 007 7.2.8, SOL003 5.4.3): forgets an instance without resources.

use manifold_call::{CallError, Context, Outcome};
use manifold_store::{Batch, Expect, StoreError};
use manifold_vnfm_interface::VnfInstanceId;

use crate::instance::INSTANCE;
use crate::vnfm::{START_TRIES, Vnfm, changed_each_time, store_failed};

impl Vnfm {
    pub(crate) async fn delete_instance(&self, cx: &Context, id: VnfInstanceId) -> Outcome<()> {
        for _ in 0..START_TRIES {
            let (doc, instance) = self.read(cx, id).await?;
            self.check_free(&instance).await?;
            if instance.instantiated.is_some() {
                return Err(
                    CallError::conflict(format!("VNF instance {id} is INSTANTIATED")).cure("terminate it first")
                );
            }
            // Every start writes the document, so one that came between wins.
            let batch = Batch::new().delete(INSTANCE, id.to_string(), Expect::Exactly(doc.revision));
            match self.store().commit(batch).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(store_failed(error)),
            }
        }
        Err(changed_each_time(id))
    }
}

#[cfg(test)]
mod tests {
    use manifold_call::ErrorKind;
    use manifold_vnfm_interface::{VnfInstanceId, VnfLifecycleManagement};

    use crate::testing::{Site, cx};

    #[tokio::test]
    async fn only_what_is_there_and_has_no_resources_is_deleted() {
        let site = Site::new().await;
        let id = site.created().await;
        site.vnfm.delete(&cx(), id).await.unwrap();
        assert_eq!(site.vnfm.delete(&cx(), id).await.unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(
            site.vnfm.delete(&cx(), VnfInstanceId::random()).await.unwrap_err().kind,
            ErrorKind::NotFound
        );
        let id = site.instantiated().await;
        assert_eq!(site.vnfm.delete(&cx(), id).await.unwrap_err().kind, ErrorKind::Conflict);
    }
}
