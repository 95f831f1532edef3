//! Compute flavours (IFA 005 7.3.4).

use crate::Vim;
use crate::documents::{Document, Flavour};
use crate::filter::AttributeFilter;
use crate::world::{World, check_words};
use async_trait::async_trait;
use manifold_call::{CallError, Context, Outcome};
use manifold_desired::{Change, Decision};
use manifold_vim_interface::{ComputeFlavour, ComputeFlavours, FlavourId, QueryFilter};

const VCPUS_MAX: u32 = 64;
/// What the agent's machines need at least.
const MEMORY_MIB_MIN: u64 = 64;

#[async_trait]
impl ComputeFlavours for Vim {
    async fn create(&self, cx: &Context, ask: ComputeFlavour) -> Outcome<FlavourId> {
        check_words(&cx.tenant, &ask.name, &ask.metadata)?;
        if !(1..=VCPUS_MAX).contains(&ask.num_virtual_cpu) {
            return Err(CallError::invalid(format!(
                "{} virtual CPUs; 1 to {VCPUS_MAX} are possible",
                ask.num_virtual_cpu
            )));
        }
        if ask.virtual_mem_size < MEMORY_MIB_MIN {
            return Err(CallError::invalid(format!(
                "{} MiB of memory; {MEMORY_MIB_MIN} are the least",
                ask.virtual_mem_size
            )));
        }
        let id = ask
            .flavour_id
            .map_or_else(|| self.identity(cx, "create flavour"), |wished| wished.0);
        let flavour = Flavour {
            name: ask.name,
            vcpus: ask.num_virtual_cpu,
            memory_mib: ask.virtual_mem_size,
            metadata: ask.metadata,
        };
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            if world.made(id)? {
                return match world.flavour(id) {
                    Ok(known) if *known == flavour => Ok(Decision::Stands(vec![id])),
                    _ => Err(CallError::conflict(format!("{id} is something else already"))),
                };
            }
            Ok(Decision::Do(Change::put(id, world.tenant, Document::Flavour(flavour))))
        };
        self.desired.apply(cx, Some(id), plan).await?;
        Ok(FlavourId(id))
    }

    async fn query(&self, cx: &Context, filter: QueryFilter) -> Outcome<Vec<ComputeFlavour>> {
        let filter = AttributeFilter::parse(&filter.filter)?;
        let inventory = self.inventory();
        let found = self.desired.read(|documents| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &cx.tenant,
            };
            let own = world
                .flavours()
                .filter(|(_, held, _)| !held.leaving && held.tenant == cx.tenant);
            let view = own.map(|(id, _, flavour)| ComputeFlavour {
                flavour_id: Some(FlavourId(id)),
                name: flavour.name.clone(),
                num_virtual_cpu: flavour.vcpus,
                virtual_mem_size: flavour.memory_mib,
                metadata: flavour.metadata.clone(),
            });
            view.collect()
        });
        Ok(filter.keep(found))
    }

    async fn delete(&self, cx: &Context, id: FlavourId) -> Outcome<FlavourId> {
        let (inventory, tenant) = (self.inventory(), cx.tenant.clone());
        let plan = move |documents: &_| {
            let world = World {
                documents,
                inventory: &inventory,
                tenant: &tenant,
            };
            let own = world
                .flavours()
                .any(|(known, held, _)| known == id.0 && held.tenant == *world.tenant);
            Ok(if own {
                Decision::Do(Change {
                    puts: Vec::new(),
                    leaves: vec![id.0],
                })
            } else {
                Decision::Already
            })
        };
        self.desired.apply(cx, None, plan).await?;
        Ok(id)
    }
}
