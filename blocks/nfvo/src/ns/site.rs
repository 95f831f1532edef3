//! Sites: what each VIM says of its PoP, gathered before an operation starts, so that its plan can be pure.

use futures_util::future::join_all;
use manifold_call::{Context, Outcome};
use manifold_planning::placement::{Host, HostId};
use manifold_vim_interface::{ComputeCapacity, NfviPop, ProviderNetwork, QueryFilter, VimHandle};

use crate::near::Near;

/// A VIM and its PoP as they are now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub(crate) vim: String,
    pub(crate) pop: NfviPop,
    pub(crate) hosts: Vec<ComputeCapacity>,
    pub(crate) provider_networks: Vec<ProviderNetwork>,
}

/// The sites that answered, and for the others why not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Survey {
    pub(crate) sites: Vec<Site>,
    pub(crate) silent: Vec<(String, String)>,
}

impl Survey {
    pub(crate) fn site(&self, vim: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.vim == vim)
    }

    /// The site that people call so: by its VIM or by its PoP.
    pub(crate) fn called(&self, name: &str) -> Option<&Site> {
        self.site(name)
            .or_else(|| self.sites.iter().find(|site| site.pop.nfvi_pop_id == name))
    }

    /// Those that answered, and those that did not, in a sentence's part.
    pub(crate) fn names(&self) -> String {
        let known = self.sites.iter().map(|site| site.vim.clone());
        let silent = self
            .silent
            .iter()
            .map(|(vim, why)| format!("{vim} (does not answer: {why})"));
        known.chain(silent).collect::<Vec<_>>().join(", ")
    }

    /// All hosts, for placement.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        self.sites.iter().flat_map(Site::hosts).collect()
    }
}

impl Site {
    /// Its hosts with what is left of them.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let reaches = |host: &str| {
            let nets = self
                .provider_networks
                .iter()
                .filter(|net| net.hosts.iter().any(|at| at.host_id == host));
            nets.map(|net| net.name.clone()).collect()
        };
        self.hosts
            .iter()
            .map(|host| Host {
                id: HostId {
                    pop: self.vim.clone(),
                    host: host.host_id.clone(),
                },
                zone: host.zone_id.clone(),
                vcpus_free: host.total.vcpus.saturating_sub(host.allocated.vcpus),
                memory_mib_free: host.total.memory_mib.saturating_sub(host.allocated.memory_mib),
                reaches: reaches(&host.host_id),
            })
            .collect()
    }
}

/// Asks one VIM.
pub(crate) async fn ask(cx: &Context, vim: &VimHandle) -> Outcome<Site> {
    let all = QueryFilter::default;
    let (pops, hosts, provider_networks) = tokio::try_join!(
        vim.topology.query_nfvi_pop(cx, all()),
        vim.topology.query_compute_capacity(cx, all()),
        vim.topology.query_provider_networks(cx, all()),
    )?;
    let pop = pops.into_iter().next();
    let pop =
        pop.ok_or_else(|| manifold_call::CallError::unavailable(format!("VIM {} has no NFVI-PoP yet", vim.id)))?;
    Ok(Site {
        vim: vim.id.clone(),
        pop,
        hosts,
        provider_networks,
    })
}

/// Asks every VIM, side by side.
pub(crate) async fn survey(near: &Near, cx: &Context) -> Outcome<Survey> {
    let vims = near.vims()?;
    let answers = join_all(vims.iter().map(|vim| ask(cx, vim))).await;
    let mut survey = Survey::default();
    for (vim, answer) in vims.iter().zip(answers) {
        match answer {
            Ok(site) => survey.sites.push(site),
            Err(error) => survey.silent.push((vim.id.clone(), error.detail)),
        }
    }
    Ok(survey)
}
