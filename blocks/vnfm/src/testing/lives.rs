//! Whole lives of VNFs of any shape.

use manifold_descriptors::Vnfd;
use manifold_descriptors::vnfd::{DeploymentFlavour, ExtCpInternal, LcmOperations, ScalingAspect, VnfExtCpd};
use manifold_lcm::State;
use manifold_sol::{
    CancelModeType, HealVnfRequest, InstantiateVnfRequest, ScaleType, ScaleVnfRequest, TerminateVnfRequest,
};
use manifold_vnfm_interface::{Ask, VnfLifecycleManagement};
use proptest::prelude::*;

use super::{Site, created, cx, ext_link, link, vdu, vdu_cp};

/// A connection point: on one of the internal links, or an external one.
type Point = Option<usize>;

#[derive(Debug, Clone)]
struct Shape {
    links: usize,
    /// Instances in the beginning, what each scaling step adds, connection points.
    vdus: Vec<(u32, u32, Vec<Point>)>,
    graceful: bool,
    scales: bool,
    /// Which VNFC is healed, of those that there are.
    heals: Option<prop::sample::Index>,
}

fn shape() -> impl Strategy<Value = Shape> {
    (0_usize..4).prop_flat_map(|links| {
        let point = if links == 0 {
            Just(None).boxed()
        } else {
            prop::option::of(0..links).boxed()
        };
        let vdu = (1_u32..4, 0_u32..3, prop::collection::vec(point, 0..4));
        (
            prop::collection::vec(vdu, 1..4),
            any::<bool>(),
            any::<bool>(),
            any::<Option<prop::sample::Index>>(),
        )
            .prop_map(move |(vdus, graceful, scales, heals)| Shape {
                links,
                vdus,
                graceful,
                scales,
                heals,
            })
    })
}

fn vnfd(shape: &Shape) -> Vnfd {
    let mut flavour = DeploymentFlavour {
        id: "default".to_owned(),
        virtual_links: (0..shape.links).map(|at| link(&format!("link{at}"))).collect(),
        scaling_aspects: [(
            "workers".to_owned(),
            ScalingAspect {
                max_scale_level: 1,
                ..ScalingAspect::default()
            },
        )]
        .into(),
        lcm_operations: LcmOperations::default(),
        ..DeploymentFlavour::default()
    };
    for (at, (initial, step, points)) in shape.vdus.iter().enumerate() {
        let points = points.iter().enumerate().map(|(number, point)| {
            let inside = point.map(|link| format!("link{link}"));
            vdu_cp(&format!("cp{at}_{number}"), inside.as_deref())
        });
        let mut vdu = vdu(&format!("vdu{at}"), *initial, initial + step, points.collect());
        if *step > 0 {
            vdu.deltas.insert("workers".to_owned(), vec![*step]);
        }
        for cp in vdu.connection_points.iter().filter(|cp| cp.ext_cpd.is_some()) {
            flavour.ext_cpds.push(VnfExtCpd {
                id: cp.id.clone(),
                requirement: None,
                internal: ExtCpInternal::VduCp {
                    vdu: vdu.id.clone(),
                    cp: cp.id.clone(),
                },
                layer_protocols: Vec::new(),
                place: None,
            });
        }
        flavour.vdus.push(vdu);
    }
    Vnfd {
        descriptor_id: "any".to_owned(),
        flavours: vec![flavour],
        ..Vnfd::default()
    }
}

async fn live(shape: Shape) {
    let site = Site::new().await;
    let vnfd = vnfd(&shape);
    let flavour = vnfd.flavours[0].clone();
    site.world.nfvo.onboard(vnfd);
    let id = created(&site.vnfm, "any").await;
    let outside: Vec<&str> = flavour.ext_cpds.iter().map(|cpd| cpd.id.as_str()).collect();
    let request = InstantiateVnfRequest {
        flavour_id: "default".to_owned(),
        ext_virtual_links: vec![ext_link(site.world.outside, &outside)],
        ..InstantiateVnfRequest::default()
    };
    let instantiate = site
        .vnfm
        .instantiate(
            &cx(),
            Ask {
                vnf_instance_id: id,
                request,
            },
        )
        .await
        .unwrap();
    site.ended(instantiate, State::Completed).await;
    let counts = |scaled: bool| {
        let of = |(initial, step, points): &(u32, u32, Vec<Point>)| {
            let machines = (initial + if scaled { *step } else { 0 }) as usize;
            (machines, machines * points.len())
        };
        let sum = shape
            .vdus
            .iter()
            .map(of)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (shape.links, sum.1, sum.0)
    };
    assert_eq!(site.world.vim.counts(), counts(false));
    if shape.scales {
        let request = ScaleVnfRequest {
            kind: ScaleType::ScaleOut,
            aspect_id: "workers".to_owned(),
            ..ScaleVnfRequest::default()
        };
        let scale = site
            .vnfm
            .scale(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request,
                },
            )
            .await
            .unwrap();
        site.ended(scale, State::Completed).await;
        assert_eq!(site.world.vim.counts(), counts(true));
    }
    if let Some(index) = shape.heals {
        let info = site.find(id).await.instantiated_vnf_info.unwrap();
        let patient = index.get(&info.vnfc_resource_info);
        site.world
            .vim
            .lose(patient.compute_resource.resource_id.parse().unwrap());
        let request = HealVnfRequest::default();
        let heal = site
            .vnfm
            .heal(
                &cx(),
                Ask {
                    vnf_instance_id: id,
                    request,
                },
            )
            .await
            .unwrap();
        site.ended(heal, State::Completed).await;
        assert_eq!(site.world.vim.counts(), counts(shape.scales));
        let healed = site.find(id).await.instantiated_vnf_info.unwrap();
        assert_eq!(healed.ext_cp_info, info.ext_cp_info);
    }
    let termination_type = if shape.graceful {
        CancelModeType::Graceful
    } else {
        CancelModeType::Forceful
    };
    let request = TerminateVnfRequest {
        termination_type,
        graceful_termination_timeout: None,
    };
    let terminate = site
        .vnfm
        .terminate(
            &cx(),
            Ask {
                vnf_instance_id: id,
                request,
            },
        )
        .await
        .unwrap();
    site.ended(terminate, State::Completed).await;
    assert_eq!(site.world.vim.counts(), (0, 0, 0));
    site.vnfm.delete(&cx(), id).await.unwrap();
}

proptest! {
    // Each life is some ten thousand instructions and twenty commits to a real file: a few dozen are a second.
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever the descriptor, a VNF has exactly what it says while it lives, and leaves nothing.
    #[test]
    fn a_vnf_of_any_shape_lives_as_described_and_leaves_nothing(shape in shape()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(live(shape));
    }
}
