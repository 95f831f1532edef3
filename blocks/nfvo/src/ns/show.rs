//! NS instances and occurrences as SOL005 shows them.

use std::net::IpAddr;

use manifold_call::{ErrorKind, Uuid};
use manifold_lcm::{Occurrence, OccurrenceView, StepView};
use manifold_nfvo_interface::{Progress, StepProgress};
use manifold_sol::{
    CancelModeType, CpProtocolInfo, InstantiationState, IpAddressInfo, IpAddressType, IpOverEthernetAddressInfo,
    LcmOperationState, NsCpHandle, NsInstance, NsLcmOpOcc, NsLcmOperation, NsLinkPortInfo, ProblemDetails, VnfInstance,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{heal, instantiate, scale, terminate};
use crate::record::{NsRecord, NsVnf};

/// An NS instance, with its VNFs as the VNFM tells them; those that it does not tell of are shown by what the record knows.
pub(crate) fn instance(record: &NsRecord, vnfs: Vec<VnfInstance>) -> NsInstance {
    let vnf_instance: Vec<VnfInstance> = record
        .vnfs
        .iter()
        .map(|known| {
            vnfs.iter()
                .find(|vnf| vnf.id == known.id)
                .cloned()
                .unwrap_or_else(|| unknown(known))
        })
        .collect();
    let links = record.links.iter().map(|link| {
        let mut info = link.info.clone();
        info.link_port = link_ports(record, &info.id, &info.ns_virtual_link_desc_id, &vnf_instance);
        info
    });
    NsInstance {
        id: record.id.clone(),
        ns_instance_name: record.name.clone(),
        ns_instance_description: record.description.clone(),
        nsd_id: record.nsd_id.clone(),
        nsd_info_id: record.nsd_info_id.clone(),
        flavour_id: record.flavour_id.clone(),
        virtual_link_info: links.collect(),
        vnf_instance,
        pnf_info: record.pnfs.iter().map(|pnf| pnf.info.clone()).collect(),
        sap_info: record.saps.iter().map(|sap| sap.info.clone()).collect(),
        wan_connection_info: record.wan.clone(),
        nested_ns_instance_id: record.nested.iter().map(|nested| nested.id.clone()).collect(),
        ns_state: record.state,
    }
}

fn unknown(known: &NsVnf) -> VnfInstance {
    VnfInstance {
        id: known.id.clone(),
        vnf_instance_name: Some(known.name.clone()),
        vnfd_id: known.vnfd_id.clone(),
        instantiation_state: InstantiationState::NotInstantiated,
        ..VnfInstance::default()
    }
}

/// What is plugged into a link: ports of VNFs, as the VNFM tells them now, and of SAPs.
fn link_ports(record: &NsRecord, link_id: &str, link: &str, vnfs: &[VnfInstance]) -> Vec<NsLinkPortInfo> {
    let mut ports = Vec::new();
    for vnf in vnfs {
        let info = vnf.instantiated_vnf_info.iter();
        for ext in info
            .flat_map(|info| &info.ext_virtual_link_info)
            .filter(|ext| ext.id == link_id)
        {
            ports.extend(ext.ext_link_ports.iter().map(|port| {
                let mut resource_handle = port.resource_handle.clone();
                // SOL005 names the VIM, SOL003 the connection to it; ours are called the same.
                resource_handle.vim_id = resource_handle.vim_id.or(resource_handle.vim_connection_id.take());
                NsLinkPortInfo {
                    id: port.id.clone(),
                    resource_handle,
                    ns_cp_handle: Some(NsCpHandle {
                        vnf_instance_id: Some(vnf.id.clone()),
                        vnf_ext_cp_instance_id: port.cp_instance_id.clone(),
                        ..NsCpHandle::default()
                    }),
                }
            }));
        }
    }
    for sap in record.saps.iter().filter(|sap| sap.link == link) {
        ports.extend(sap.info.resource_handle.clone().map(|resource_handle| NsLinkPortInfo {
            id: Uuid::new_v5(&space(&sap.info.id), b"port").to_string(),
            resource_handle,
            ns_cp_handle: Some(NsCpHandle {
                ns_instance_id: Some(record.id.clone()),
                ns_sap_instance_id: Some(sap.info.id.clone()),
                ..NsCpHandle::default()
            }),
        }));
    }
    ports
}

/// The space of the names of a thing's parts: its own id.
pub(crate) fn space(id: &str) -> Uuid {
    id.parse().unwrap_or_else(|_| Uuid::new_v5(&Uuid::nil(), id.as_bytes()))
}

pub(crate) fn protocol_info(mac: &str, addresses: &[IpAddr]) -> CpProtocolInfo {
    let of = |kind: IpAddressType, is: fn(&IpAddr) -> bool| {
        let mine: Vec<String> = addresses
            .iter()
            .filter(|address| is(address))
            .map(ToString::to_string)
            .collect();
        (!mine.is_empty()).then_some(IpAddressInfo {
            kind,
            addresses: mine,
            is_dynamic: Some(true),
        })
    };
    let ip_addresses = [
        of(IpAddressType::Ipv4, IpAddr::is_ipv4),
        of(IpAddressType::Ipv6, IpAddr::is_ipv6),
    ];
    CpProtocolInfo {
        ip_over_ethernet: Some(IpOverEthernetAddressInfo {
            mac_address: Some(mac.to_owned()),
            ip_addresses: ip_addresses.into_iter().flatten().collect(),
        }),
        ..CpProtocolInfo::default()
    }
}

/// An occurrence.
pub(crate) fn occurrence(occurrence: &Occurrence) -> NsLcmOpOcc {
    NsLcmOpOcc {
        id: occurrence.id.to_string(),
        operation_state: state(occurrence.state),
        state_entered_time: rfc3339(occurrence.state_entered_ms),
        ns_instance_id: occurrence.subject.id.clone(),
        lcm_operation_type: match occurrence.operation.as_str() {
            terminate::KIND => NsLcmOperation::Terminate,
            heal::KIND => NsLcmOperation::Heal,
            scale::OUT | scale::IN => NsLcmOperation::Scale,
            instantiate::KIND => NsLcmOperation::Instantiate,
            _ => NsLcmOperation::Update,
        },
        start_time: rfc3339(occurrence.started_ms),
        is_automatic_invocation: occurrence.is_automatic,
        operation_params: occurrence.params.get("request").cloned().unwrap_or_default(),
        is_cancel_pending: occurrence.is_cancel_pending(),
        cancel_mode: occurrence.cancel.map(|mode| match mode {
            manifold_lcm::CancelMode::Graceful => CancelModeType::Graceful,
            manifold_lcm::CancelMode::Forceful => CancelModeType::Forceful,
        }),
        error: occurrence.error.as_ref().map(|error| {
            let place = error.step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
            let cure = error.cure.as_ref().map(|cure| format!(" ({cure})")).unwrap_or_default();
            problem(error.kind, "Operation failed", format!("{place}{}{cure}", error.detail))
        }),
        resource_changes: serde_json::from_value(occurrence.summary.clone()).ok(),
    }
}

fn state(state: manifold_lcm::State) -> LcmOperationState {
    use manifold_lcm::State;
    match state {
        State::Starting => LcmOperationState::Starting,
        State::Processing => LcmOperationState::Processing,
        State::Completed => LcmOperationState::Completed,
        State::PartiallyCompleted => LcmOperationState::PartiallyCompleted,
        State::FailedTemp => LcmOperationState::FailedTemp,
        State::Failed => LcmOperationState::Failed,
        State::RollingBack => LcmOperationState::RollingBack,
        State::RolledBack => LcmOperationState::RolledBack,
    }
}

/// A failure as SOL005 keeps it in a resource: with the status that a request would have had (SOL013 6.4).
pub(crate) fn problem(kind: ErrorKind, title: &str, detail: String) -> ProblemDetails {
    ProblemDetails {
        title: Some(title.to_owned()),
        status: kind.status(),
        detail,
    }
}

fn rfc3339(at_ms: u64) -> String {
    let at =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

/// An operation's steps; `now_ms` for those that run.
pub(crate) fn progress(view: &OccurrenceView, now_ms: u64) -> Progress {
    Progress {
        state: view.occurrence.state.as_str().to_owned(),
        steps: view.steps.iter().map(|step| step_progress(step, now_ms)).collect(),
    }
}

fn step_progress(step: &StepView, now_ms: u64) -> StepProgress {
    StepProgress {
        name: step.name.clone(),
        state: step.state.told().to_owned(),
        duration_ms: step.duration_ms(now_ms),
        attempts: step.attempts,
        error: step.error.as_ref().map(|error| error.detail.clone()),
    }
}
