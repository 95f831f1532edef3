//! A VNFM in memory: it asks for grants, puts machines into the fake VIMs, and ends operations at once, or when it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use manifold_call::{CallError, Context, OccurrenceId, Outcome, TenantId, Uuid};
use manifold_descriptors::{Descriptor, Vnfd};
use manifold_lcm::Engine;
use manifold_nfvo_interface::{GrantAsk, VnfLifecycleOperationGranting};
use manifold_sol::*;
use manifold_vim_interface::{ComputeId, FlavourId, Metadata, OperationalState, RunningState, VirtualCompute};
use manifold_vnfm_interface::{Ask, CancelOperation, NewVnf, VnfInstanceId, VnfLifecycleManagement, operation_event};
use serde_json::{Value, json};

use super::links::{exposed, grown, left, link_info, reconnect};
use super::{Log, Vim, locked};

struct Run {
    tenant: TenantId,
    occ: VnfLcmOpOcc,
    scale: Option<(ScaleType, String, u32)>,
    request: Value,
}

#[derive(Default)]
struct Held {
    instances: BTreeMap<String, (TenantId, VnfInstance)>,
    runs: BTreeMap<OccurrenceId, Run>,
    keys: BTreeMap<Uuid, OccurrenceId>,
}

pub(crate) struct Vnfm {
    me: std::sync::Weak<Vnfm>,
    vims: Vec<Arc<Vim>>,
    log: Log,
    held: Mutex<Held>,
    vnfds: Mutex<Vec<Vnfd>>,
    grants: Mutex<Option<Arc<dyn VnfLifecycleOperationGranting>>>,
    engine: Mutex<Option<Engine>>,
    /// Operations of this kind fail once, in FAILED_TEMP.
    pub(crate) fails: Mutex<Option<VnfLcmOperation>>,
    /// Operations stay in PROCESSING until they are cancelled.
    pub(crate) holds: Mutex<bool>,
    /// The last request to instantiate, by the instance's name.
    pub(crate) requests: Mutex<BTreeMap<String, InstantiateVnfRequest>>,
    pub(crate) granted: Mutex<Vec<Grant>>,
}

impl Vnfm {
    pub(crate) fn new(vims: Vec<Arc<Vim>>, log: Log) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            vims,
            log,
            held: Mutex::default(),
            vnfds: Mutex::default(),
            grants: Mutex::default(),
            engine: Mutex::default(),
            fails: Mutex::default(),
            holds: Mutex::default(),
            requests: Mutex::default(),
            granted: Mutex::default(),
        })
    }

    pub(crate) fn ask_for_grants_at(&self, nfvo: Arc<dyn VnfLifecycleOperationGranting>) {
        *locked(&self.grants) = Some(nfvo);
    }

    pub(crate) fn signal(&self, engine: Engine) {
        *locked(&self.engine) = Some(engine);
    }

    pub(crate) fn learn(&self, descriptors: &[Descriptor]) {
        for descriptor in descriptors {
            if let Descriptor::Vnfd(vnfd) = descriptor {
                locked(&self.vnfds).push((**vnfd).clone());
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!(locked(&self.held).instances.values().collect::<Vec<_>>())
    }

    pub(crate) fn is_empty(&self) -> bool {
        locked(&self.held).instances.is_empty()
    }

    fn instance(&self, cx: &Context, id: VnfInstanceId) -> Outcome<VnfInstance> {
        let held = locked(&self.held);
        let found = held
            .instances
            .get(&id.to_string())
            .filter(|(tenant, _)| *tenant == cx.tenant);
        found
            .map(|(_, instance)| instance.clone())
            .ok_or_else(|| CallError::not_found(format!("there is no VNF instance {id}")))
    }

    async fn begin(
        &self,
        cx: &Context,
        id: VnfInstanceId,
        operation: VnfLcmOperation,
        scale: Option<(ScaleType, String, u32)>,
        request: Value,
    ) -> Outcome<OccurrenceId> {
        let key = cx.idempotency_key.expect("operations have keys").0;
        if let Some(first) = locked(&self.held).keys.get(&key) {
            return Ok(*first);
        }
        let instance = self.instance(cx, id)?;
        if let Some(open) = locked(&self.held)
            .runs
            .values()
            .find(|run| run.occ.vnf_instance_id == id.to_string() && is_open(run.occ.operation_state))
        {
            return Err(CallError::busy(format!("{id} is busy with {}", open.occ.id)));
        }
        let is_empty = instance.instantiation_state == InstantiationState::NotInstantiated;
        if is_empty != (operation == VnfLcmOperation::Instantiate) {
            return Err(CallError::conflict(format!(
                "{id} is {:?}",
                instance.instantiation_state
            )));
        }
        self.log.tell(format!(
            "vnfm {} {}",
            operation.as_wire().to_lowercase(),
            instance.vnf_instance_name.unwrap()
        ));
        let occurrence = OccurrenceId::random();
        let occ = VnfLcmOpOcc {
            id: occurrence.to_string(),
            operation_state: LcmOperationState::Starting,
            vnf_instance_id: id.to_string(),
            operation,
            ..VnfLcmOpOcc::default()
        };
        {
            let mut held = locked(&self.held);
            held.keys.insert(key, occurrence);
            held.runs.insert(
                occurrence,
                Run {
                    tenant: cx.tenant.clone(),
                    occ,
                    scale,
                    request,
                },
            );
        }
        self.run_apart(cx, occurrence).await;
        Ok(occurrence)
    }

    /// A VNFM's operation goes on when whoever asked for it has gone away.
    async fn run_apart(&self, cx: &Context, occurrence: OccurrenceId) {
        let (me, cx) = (self.me.upgrade().unwrap(), cx.clone());
        tokio::spawn(async move { me.run(&cx, occurrence).await })
            .await
            .unwrap();
    }

    /// Runs an operation from STARTING, or from FAILED_TEMP again.
    async fn run(&self, cx: &Context, occurrence: OccurrenceId) {
        if *locked(&self.holds) {
            self.end(occurrence, LcmOperationState::Processing, None);
            return;
        }
        let operation = locked(&self.held).runs[&occurrence].occ.operation;
        let mut fails = locked(&self.fails).take();
        if fails.is_some_and(|kind| kind != operation) {
            *locked(&self.fails) = fails.take();
        }
        if fails.is_some() {
            self.end(
                occurrence,
                LcmOperationState::FailedTemp,
                Some("the fake was told to fail".to_owned()),
            );
            return;
        }
        match self.effect(cx, occurrence).await {
            Ok(()) => self.end(occurrence, LcmOperationState::Completed, None),
            Err(error) => self.end(occurrence, LcmOperationState::RolledBack, Some(error.detail)),
        }
    }

    fn end(&self, occurrence: OccurrenceId, state: LcmOperationState, why: Option<String>) {
        if let Some(run) = locked(&self.held).runs.get_mut(&occurrence) {
            run.occ.operation_state = state;
            run.occ.error = why.map(|detail| ProblemDetails {
                title: None,
                status: 403,
                detail,
            });
        }
        if let Some(engine) = &*locked(&self.engine) {
            engine.signal(&operation_event(occurrence));
        }
    }

    async fn effect(&self, cx: &Context, occurrence: OccurrenceId) -> Outcome<()> {
        let (id, operation, scale, request) = {
            let held = locked(&self.held);
            let run = &held.runs[&occurrence];
            (
                run.occ.vnf_instance_id.clone(),
                run.occ.operation,
                run.scale.clone(),
                run.request.clone(),
            )
        };
        let mut instance = self.instance(cx, id.parse().unwrap())?;
        let vnfd = locked(&self.vnfds)
            .iter()
            .find(|vnfd| vnfd.descriptor_id == instance.vnfd_id)
            .cloned()
            .unwrap();
        let flavour = &vnfd.flavours[0];
        if operation == VnfLcmOperation::ChangeExtConn {
            let info = instance.instantiated_vnf_info.as_mut().unwrap();
            let before = info.clone();
            let levels = info.scale_status.iter();
            let levels = levels
                .map(|scale| (scale.aspect_id.clone(), scale.scale_level))
                .collect();
            reconnect(
                info,
                serde_json::from_value(request).unwrap(),
                &exposed(flavour, &levels),
            );
            for port in left(&before, info) {
                self.vims.iter().try_for_each(|vim| vim.let_go(&port))?;
            }
            locked(&self.held).instances.get_mut(&id).unwrap().1 = instance;
            return Ok(());
        }
        if operation == VnfLcmOperation::Terminate {
            self.machines_off(&id, |_| true);
            instance.instantiation_state = InstantiationState::NotInstantiated;
            instance.instantiated_vnf_info = None;
            locked(&self.held).instances.get_mut(&id).unwrap().1 = instance;
            return Ok(());
        }
        let mut levels: BTreeMap<String, u32> = match &instance.instantiated_vnf_info {
            Some(info) => info
                .scale_status
                .iter()
                .map(|scale| (scale.aspect_id.clone(), scale.scale_level))
                .collect(),
            None => {
                let level = request.get("instantiationLevelId").and_then(Value::as_str);
                flavour.scale_levels_at(level).unwrap()
            }
        };
        if let Some((kind, aspect, steps)) = &scale {
            let level = levels.get_mut(aspect).unwrap();
            *level = match kind {
                ScaleType::ScaleOut => *level + steps,
                ScaleType::ScaleIn => *level - steps,
            };
        }
        let wanted: Vec<(String, u32)> = flavour
            .vdus
            .iter()
            .flat_map(|vdu| (1..=vdu.instances_at(&levels)).map(|n| (vdu.id.clone(), n)))
            .collect();
        let names: Vec<String> = wanted.iter().map(|(vdu, n)| format!("{vdu}-{n}")).collect();
        self.machines_off(&id, |name| !names.iter().any(|wanted| wanted == name));
        let there = self.machine_names(&id);
        let missing: Vec<&(String, u32)> = wanted
            .iter()
            .filter(|(vdu, n)| !there.contains(&format!("{vdu}-{n}")))
            .collect();
        if !missing.is_empty() {
            let add_resources = missing.iter().map(|(vdu, n)| ResourceDefinition {
                id: format!("{vdu}-{n}"),
                kind: GrantedResourceType::Compute,
                vdu_id: Some(vdu.clone()),
                ..ResourceDefinition::default()
            });
            let grants = locked(&self.grants).clone().unwrap();
            let ask = GrantRequest {
                vnf_instance_id: id.clone(),
                vnf_lcm_op_occ_id: occurrence.to_string(),
                vnfd_id: instance.vnfd_id.clone(),
                operation,
                add_resources: add_resources.collect(),
                ..GrantRequest::default()
            };
            self.log.tell(format!(
                "vnfm asks for a grant for {}",
                instance.vnf_instance_name.clone().unwrap()
            ));
            let grant = grants.grant(&cx.clone().with_key(occurrence.0), GrantAsk(ask)).await?;
            self.machines_on(cx, &id, &vnfd, &grant);
            locked(&self.granted).push(grant);
        }
        let vnfcs = self.vims.iter().flat_map(|vim| {
            let held = locked(&vim.held);
            let own: Vec<VirtualCompute> = held
                .machines
                .values()
                .map(|(_, m)| m.clone())
                .filter(|m| m.metadata["manifold:vnf"] == id)
                .collect();
            own.into_iter().map(|machine| VnfcResourceInfo {
                id: machine.compute_name.clone(),
                vdu_id: machine.compute_name.rsplit_once('-').unwrap().0.to_owned(),
                compute_resource: ResourceHandle {
                    vim_connection_id: Some(vim.id.clone()),
                    resource_id: machine.compute_id.to_string(),
                    ..ResourceHandle::default()
                },
                ..VnfcResourceInfo::default()
            })
        });
        let exposed = exposed(flavour, &levels);
        let links = match &instance.instantiated_vnf_info {
            Some(info) => grown(info.ext_virtual_link_info.clone(), &exposed),
            None => serde_json::from_value::<InstantiateVnfRequest>(request)
                .unwrap()
                .ext_virtual_links
                .iter()
                .map(|link| link_info(link, &exposed))
                .collect(),
        };
        let mut links: Vec<ExtVirtualLinkInfo> = links;
        links.sort_by(|a, b| a.id.cmp(&b.id));
        let before = instance.instantiated_vnf_info.take();
        instance.instantiated_vnf_info = Some(InstantiatedVnfInfo {
            flavour_id: flavour.id.clone(),
            scale_status: levels
                .into_iter()
                .map(|(aspect_id, scale_level)| ScaleInfo { aspect_id, scale_level })
                .collect(),
            vnfc_resource_info: vnfcs.collect(),
            ext_virtual_link_info: links,
            ..InstantiatedVnfInfo::default()
        });
        instance.instantiation_state = InstantiationState::Instantiated;
        let gone = before.zip(instance.instantiated_vnf_info.as_ref());
        for port in gone.map_or_else(Vec::new, |(before, after)| left(&before, after)) {
            self.vims.iter().try_for_each(|vim| vim.let_go(&port))?;
        }
        locked(&self.held).instances.get_mut(&id).unwrap().1 = instance;
        Ok(())
    }

    fn machine_names(&self, vnf: &str) -> Vec<String> {
        let all = self.vims.iter().flat_map(|vim| {
            locked(&vim.held)
                .machines
                .values()
                .map(|(_, machine)| machine.clone())
                .collect::<Vec<_>>()
        });
        all.filter(|machine| machine.metadata["manifold:vnf"] == vnf && machine.running_state == RunningState::Running)
            .map(|machine| machine.compute_name)
            .collect()
    }

    fn machines_off(&self, vnf: &str, goes: impl Fn(&str) -> bool) {
        for vim in &self.vims {
            locked(&vim.held).machines.retain(|_, (_, machine)| {
                let is_dead = machine.running_state == RunningState::Crashed;
                machine.metadata["manifold:vnf"] != vnf || !(is_dead || goes(&machine.compute_name))
            });
        }
    }

    fn machines_on(&self, cx: &Context, vnf: &str, vnfd: &Vnfd, grant: &Grant) {
        for info in &grant.add_resources {
            let vim = self
                .vims
                .iter()
                .find(|vim| Some(&vim.id) == info.vim_connection_id.as_ref())
                .unwrap();
            let name = &info.resource_definition_id;
            let vdu = name.rsplit_once('-').unwrap().0;
            let compute = vnfd.flavours[0].vdu(vdu).unwrap().compute.clone().unwrap();
            let assets = grant.vim_assets.as_ref().unwrap();
            let flavour = assets
                .compute_resource_flavours
                .iter()
                .find(|asset| asset.vnfd_virtual_compute_desc_id == vdu)
                .unwrap();
            let machine = VirtualCompute {
                compute_id: ComputeId::named(Uuid::new_v5(&Uuid::nil(), vnf.as_bytes()), name),
                compute_name: name.clone(),
                flavour_id: flavour.vim_flavour_id.parse::<FlavourId>().unwrap(),
                vc_image_id: None,
                virtual_cpu: compute.num_virtual_cpu,
                virtual_memory: compute.virtual_mem_size_mib,
                virtual_network_interface: vec![],
                zone_id: "zone-1".to_owned(),
                host_id: grant.additional_params["hosts"][name].as_str().unwrap().to_owned(),
                operational_state: OperationalState::Enabled,
                running_state: RunningState::Running,
                fault: None,
                metadata: Metadata::from([("manifold:vnf".to_owned(), vnf.to_owned())]),
            };
            locked(&vim.held)
                .machines
                .insert(machine.compute_id, (cx.tenant.clone(), machine));
        }
    }

    fn run_of(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        let held = locked(&self.held);
        let run = held.runs.get(&id).filter(|run| run.tenant == cx.tenant);
        run.map(|run| run.occ.clone())
            .ok_or_else(|| CallError::not_found(format!("there is no operation {id}")))
    }

    fn in_failed_temp(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        let occ = self.run_of(cx, id)?;
        match occ.operation_state {
            LcmOperationState::FailedTemp => Ok(occ),
            state => Err(CallError::conflict(format!("{id} is {state:?}"))),
        }
    }
}

fn is_open(state: LcmOperationState) -> bool {
    !matches!(
        state,
        LcmOperationState::Completed | LcmOperationState::Failed | LcmOperationState::RolledBack
    )
}

#[async_trait]
impl VnfLifecycleManagement for Vnfm {
    async fn create(&self, cx: &Context, ask: NewVnf) -> Outcome<VnfInstance> {
        let name = ask.0.vnf_instance_name.clone();
        self.log.tell(format!("vnfm create {}", name.clone().unwrap()));
        let id = VnfInstanceId::named(cx.idempotency_key.expect("what makes something has a key").0, "vnf").to_string();
        let instance = VnfInstance {
            id: id.clone(),
            vnf_instance_name: name,
            vnfd_id: ask.0.vnfd_id,
            metadata: ask.0.metadata,
            ..VnfInstance::default()
        };
        locked(&self.held)
            .instances
            .entry(id)
            .or_insert((cx.tenant.clone(), instance.clone()));
        Ok(instance)
    }

    async fn instantiate(&self, cx: &Context, ask: Ask<InstantiateVnfRequest>) -> Outcome<OccurrenceId> {
        if let Ok(instance) = self.instance(cx, ask.vnf_instance_id) {
            locked(&self.requests).insert(instance.vnf_instance_name.unwrap(), ask.request.clone());
        }
        self.begin(
            cx,
            ask.vnf_instance_id,
            VnfLcmOperation::Instantiate,
            None,
            json!(ask.request),
        )
        .await
    }

    async fn scale(&self, cx: &Context, ask: Ask<ScaleVnfRequest>) -> Outcome<OccurrenceId> {
        let scale = (
            ask.request.kind,
            ask.request.aspect_id.clone(),
            ask.request.number_of_steps.unwrap_or(1),
        );
        self.begin(
            cx,
            ask.vnf_instance_id,
            VnfLcmOperation::Scale,
            Some(scale),
            json!(ask.request),
        )
        .await
    }

    async fn heal(&self, cx: &Context, ask: Ask<HealVnfRequest>) -> Outcome<OccurrenceId> {
        self.begin(cx, ask.vnf_instance_id, VnfLcmOperation::Heal, None, json!(ask.request))
            .await
    }

    async fn change_ext_conn(&self, cx: &Context, ask: Ask<ChangeExtVnfConnectivityRequest>) -> Outcome<OccurrenceId> {
        let operation = VnfLcmOperation::ChangeExtConn;
        self.begin(cx, ask.vnf_instance_id, operation, None, json!(ask.request))
            .await
    }

    async fn terminate(&self, cx: &Context, ask: Ask<TerminateVnfRequest>) -> Outcome<OccurrenceId> {
        self.begin(
            cx,
            ask.vnf_instance_id,
            VnfLcmOperation::Terminate,
            None,
            json!(ask.request),
        )
        .await
    }

    async fn delete(&self, cx: &Context, id: VnfInstanceId) -> Outcome<()> {
        let instance = self.instance(cx, id)?;
        if locked(&self.held)
            .runs
            .values()
            .any(|run| run.occ.vnf_instance_id == id.to_string() && is_open(run.occ.operation_state))
        {
            return Err(CallError::busy(format!("{id} is busy")));
        }
        if instance.instantiation_state == InstantiationState::Instantiated {
            return Err(CallError::conflict(format!("{id} is INSTANTIATED")));
        }
        self.log
            .tell(format!("vnfm delete {}", instance.vnf_instance_name.unwrap()));
        locked(&self.held).instances.remove(&id.to_string());
        Ok(())
    }

    async fn query(&self, cx: &Context, (): ()) -> Outcome<Vec<VnfInstance>> {
        Ok(locked(&self.held)
            .instances
            .values()
            .filter(|(tenant, _)| *tenant == cx.tenant)
            .map(|(_, instance)| instance.clone())
            .collect())
    }

    async fn find(&self, cx: &Context, id: VnfInstanceId) -> Outcome<VnfInstance> {
        self.instance(cx, id)
    }

    async fn query_operations(&self, cx: &Context, (): ()) -> Outcome<Vec<VnfLcmOpOcc>> {
        Ok(locked(&self.held)
            .runs
            .values()
            .filter(|run| run.tenant == cx.tenant)
            .map(|run| run.occ.clone())
            .collect())
    }

    async fn find_operation(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        self.run_of(cx, id)
    }

    async fn retry(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        self.in_failed_temp(cx, id)?;
        self.log.tell("vnfm retry".to_owned());
        self.run_apart(cx, id).await;
        Ok(())
    }

    async fn rollback(&self, cx: &Context, id: OccurrenceId) -> Outcome<()> {
        let occ = self.in_failed_temp(cx, id)?;
        let no_way_back = [
            VnfLcmOperation::Terminate,
            VnfLcmOperation::Heal,
            VnfLcmOperation::ChangeExtConn,
        ];
        if no_way_back.contains(&occ.operation) {
            return Err(CallError::unsupported("it has no way back"));
        }
        self.log.tell("vnfm rollback".to_owned());
        self.end(id, LcmOperationState::RolledBack, None);
        Ok(())
    }

    async fn fail(&self, cx: &Context, id: OccurrenceId) -> Outcome<VnfLcmOpOcc> {
        self.in_failed_temp(cx, id)?;
        self.end(id, LcmOperationState::Failed, None);
        self.run_of(cx, id)
    }

    async fn cancel(&self, cx: &Context, ask: CancelOperation) -> Outcome<()> {
        let occ = self.run_of(cx, ask.operation)?;
        if !matches!(
            occ.operation_state,
            LcmOperationState::Starting | LcmOperationState::Processing
        ) {
            return Err(CallError::conflict("it does not run"));
        }
        self.log.tell("vnfm cancel".to_owned());
        self.end(
            ask.operation,
            LcmOperationState::FailedTemp,
            Some("cancelled".to_owned()),
        );
        Ok(())
    }
}
