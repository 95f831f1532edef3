//! Descriptors.

use manifold_descriptors::Vnfd;
use manifold_descriptors::vnfd::{
    AffinityRule, AffinityScope, AffinityType, BootData, DeploymentFlavour, ExtCpInternal, InstantiationLevel,
    IpVersion, L3ProtocolData, LcmOperations, ScalingAspect, SwImageDesc, SwImageSource, Vdu, VduCp, VirtualCompute,
    VnfExtCpd, VnfVirtualLink,
};

fn image() -> SwImageDesc {
    SwImageDesc {
        id: "guest".to_owned(),
        name: "guest".to_owned(),
        version: "1".to_owned(),
        checksum: None,
        container_format: "bare".to_owned(),
        disk_format: "aki".to_owned(),
        min_disk_bytes: 0,
        min_ram_bytes: 0,
        size_bytes: None,
        source: SwImageSource::Manifold {
            name: "guest".to_owned(),
        },
        place: None,
    }
}

/// A VDU of this many instances, at least and in the beginning.
pub(crate) fn vdu(id: &str, initial: u32, max: u32, connection_points: Vec<VduCp>) -> Vdu {
    Vdu {
        id: id.to_owned(),
        compute: Some(VirtualCompute {
            num_virtual_cpu: 1,
            virtual_mem_size_mib: 96,
            ..VirtualCompute::default()
        }),
        sw_image: Some(image()),
        initial_number_of_instances: initial,
        min_number_of_instances: initial,
        max_number_of_instances: max,
        connection_points,
        ..Vdu::default()
    }
}

/// A connection point on an internal link, or an external one.
pub(crate) fn vdu_cp(id: &str, link: Option<&str>) -> VduCp {
    VduCp {
        id: id.to_owned(),
        virtual_link: link.map(ToOwned::to_owned),
        ext_cpd: link.is_none().then(|| id.to_owned()),
        ..VduCp::default()
    }
}

pub(crate) fn link(id: &str) -> VnfVirtualLink {
    VnfVirtualLink {
        id: id.to_owned(),
        l3: vec![L3ProtocolData {
            name: None,
            ip_version: IpVersion::Ipv4,
            cidr: "10.99.0.0/24".parse().unwrap(),
            ip_allocation_pools: Vec::new(),
            gateway_ip: None,
            dhcp_enabled: true,
            ipv6_address_mode: None,
            place: None,
        }],
        ..VnfVirtualLink::default()
    }
}

/// A front end with a leg outside, and workers behind it that are scaled, each on a host of its own.
pub(crate) fn gateway() -> Vnfd {
    let mut front = vdu(
        "frontend",
        1,
        1,
        vec![vdu_cp("front_in", Some("internal")), vdu_cp("access", None)],
    );
    front.boot_data = Some(BootData {
        content: Some("#cloud-config top-secret".to_owned()),
        ..BootData::default()
    });
    let mut worker = vdu("worker", 1, 4, vec![vdu_cp("work_in", Some("internal"))]);
    worker.deltas.insert("workers".to_owned(), vec![1, 1, 1]);
    let aspect = ScalingAspect {
        max_scale_level: 3,
        ..ScalingAspect::default()
    };
    let level = |level: u32| InstantiationLevel {
        scale_levels: [("workers".to_owned(), level)].into(),
        ..InstantiationLevel::default()
    };
    let flavour = DeploymentFlavour {
        id: "default".to_owned(),
        default_instantiation_level: Some("two".to_owned()),
        instantiation_levels: [("one".to_owned(), level(0)), ("two".to_owned(), level(1))].into(),
        scaling_aspects: [("workers".to_owned(), aspect)].into(),
        vdus: vec![front, worker],
        virtual_links: vec![link("internal")],
        ext_cpds: vec![VnfExtCpd {
            id: "access".to_owned(),
            requirement: Some("virtual_link".to_owned()),
            internal: ExtCpInternal::VduCp {
                vdu: "frontend".to_owned(),
                cp: "access".to_owned(),
            },
            layer_protocols: Vec::new(),
            place: None,
        }],
        affinity_rules: vec![AffinityRule {
            id: "apart".to_owned(),
            kind: AffinityType::AntiAffinity,
            scope: AffinityScope::NfviNode,
            targets: vec!["worker".to_owned()],
        }],
        lcm_operations: LcmOperations {
            scaling_by_more_than_one_step_supported: true,
            ..LcmOperations::default()
        },
        ..DeploymentFlavour::default()
    };
    Vnfd {
        descriptor_id: "gateway".to_owned(),
        descriptor_version: "1.0".to_owned(),
        provider: "Manifold".to_owned(),
        product_name: "Gateway".to_owned(),
        software_version: "1".to_owned(),
        flavours: vec![flavour],
        ..Vnfd::default()
    }
}
