//! What an NS is now: its record, its VNFs as the VNFM tells them, the limits of its networks as the VIMs do.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use manifold_call::{Context, Outcome};
use manifold_descriptors::nsd::Nsd;
use manifold_sol::{ExtVirtualLinkData, InstantiationState, VnfInstance};
use manifold_store::Query;
use manifold_vim_interface::{NetworkId, QueryFilter};

use crate::Nfvo;
use crate::ns::flat::FlatNs;
use crate::record::{self, NS_KEY, NsRecord, NsVnf, VNF, VnfRecord};

/// An NS as it is.
pub(crate) struct Present<'a> {
    /// With what it nests, laid flat.
    pub(crate) record: &'a NsRecord,
    /// The NSD that it follows now, laid flat.
    pub(crate) nsd: &'a Nsd,
    /// Ids of links that are on networks of an NS that was there before.
    pub(crate) foreign_links: &'a BTreeSet<String>,
    pub(crate) vnfs: Vec<PresentVnf>,
    /// Bits per second; 0 = no limit.
    pub(crate) rates: BTreeMap<NetworkId, u64>,
}

/// A VNF as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PresentVnf {
    pub(crate) vnf: NsVnf,
    pub(crate) place: VnfRecord,
    /// Its external connection points and the links of the NS that they are on; `None`: the VNFM does not tell.
    pub(crate) ends: Option<Vec<(String, String)>>,
    pub(crate) ext_links: Vec<ExtVirtualLinkData>,
    /// Identifiers at its VIM.
    pub(crate) machines: BTreeSet<String>,
}

impl Nfvo {
    pub(super) async fn present<'a>(&self, cx: &Context, flat: &'a FlatNs) -> Outcome<Present<'a>> {
        let record = &flat.ns;
        let told = self.vnfs(cx, record).await?;
        let places = record::list::<VnfRecord>(&*self.near.store, VNF, Query::all().equal("ns", &record.id)).await?;
        let vnf = |known: &NsVnf| {
            let told = told.iter().find(|vnf| vnf.id == known.id);
            let place = places.iter().find(|(_, place)| place.id == known.id);
            present_vnf(record, known, place.map(|(_, place)| place.clone()), told)
        };
        Ok(Present {
            record,
            nsd: &flat.nsd.nsd,
            foreign_links: &flat.foreign_links,
            vnfs: record.vnfs.iter().map(vnf).collect(),
            rates: self.rates(cx, record).await?,
        })
    }

    /// Errors: a VIM does not answer.
    async fn rates(&self, cx: &Context, record: &NsRecord) -> Outcome<BTreeMap<NetworkId, u64>> {
        let vims: BTreeSet<&String> = record
            .links
            .iter()
            .flat_map(|link| link.networks.iter().map(|network| &network.vim))
            .collect();
        let vims = vims
            .into_iter()
            .map(|vim| self.near.vim(vim))
            .collect::<Outcome<Vec<_>>>()?;
        let own = || QueryFilter {
            filter: format!("(eq,metadata/{NS_KEY},{})", record.id),
        };
        let mut rates = BTreeMap::new();
        for answer in join_all(vims.iter().map(|vim| vim.networks.query(cx, own()))).await {
            let networks = answer?.network_data.into_iter();
            rates.extend(networks.map(|network| (network.network_resource_id, network.bandwidth)));
        }
        Ok(rates)
    }
}

fn present_vnf(record: &NsRecord, known: &NsVnf, place: Option<VnfRecord>, told: Option<&VnfInstance>) -> PresentVnf {
    let told = told.filter(|vnf| vnf.instantiation_state == InstantiationState::Instantiated);
    let info = told.and_then(|vnf| vnf.instantiated_vnf_info.as_ref());
    let link = |id: &str| {
        let found = record.links.iter().find(|link| link.info.id == id);
        found.map_or_else(|| id.to_owned(), |link| link.info.ns_virtual_link_desc_id.clone())
    };
    PresentVnf {
        vnf: known.clone(),
        place: place.unwrap_or_default(),
        ends: info.map(|info| {
            let links = info.ext_virtual_link_info.iter();
            links
                .flat_map(|ext| {
                    ext.current_vnf_ext_cp_data
                        .iter()
                        .map(|cp| (cp.cpd_id.clone(), link(&ext.id)))
                })
                .collect()
        }),
        ext_links: info
            .iter()
            .flat_map(|info| &info.ext_virtual_link_info)
            .map(|ext| ExtVirtualLinkData {
                id: ext.id.clone(),
                vim_connection_id: ext.resource_handle.vim_connection_id.clone(),
                resource_id: ext.resource_handle.resource_id.clone(),
                ext_cps: ext.current_vnf_ext_cp_data.clone(),
            })
            .collect(),
        machines: info
            .iter()
            .flat_map(|info| &info.vnfc_resource_info)
            .map(|vnfc| vnfc.compute_resource.resource_id.clone())
            .collect(),
    }
}
