//! `manifold ns`: network services.

mod update;

use crate::client::{Session, follow::follow, print};
use crate::config::Config;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use manifold_call::{CallError, OccurrenceId};
use manifold_nfvo_interface::{NewNs, NsInstanceId, OnNs, TopologyVnf};
use manifold_sol::{
    AddPnfData, CreateNsRequest, DegreeHealing, HealNsData, HealNsRequest, HealVnfData, InstantiateNsRequest,
    LocationConstraints, NsInstance, NsScaleType, NsdInfo, ScaleByStepData, ScaleNsRequest, ScaleVnfData, ScaleVnfType,
    TerminateNsRequest, VnfLocationConstraint,
};
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// All network services
    List,
    /// One network service
    Show {
        /// Its id or name
        ns: String,
    },
    /// Make and instantiate a network service
    Instantiate(InstantiateArguments),
    /// More or fewer VNFC instances of a VNF
    Scale(ScaleArguments),
    /// Change what it consists of: all of it or nothing
    Update(update::Arguments),
    /// Make machines anew that are not well
    Heal(HealArguments),
    /// Take everything away that was made for it, and forget it
    Terminate(TerminateArguments),
}

#[derive(Debug, Args)]
pub struct InstantiateArguments {
    /// The NSD: its nsdId, its name or its on-boarded id
    nsd: String,
    /// Name of the service; the NSD's if absent
    #[arg(long)]
    name: Option<String>,
    /// Where a VNF shall be: `PROFILE=VIM`; in a nested service `NESTED/PROFILE=VIM`, all of it `NESTED=VIM`; may be repeated
    #[arg(long = "at", value_name = "PROFILE=VIM", value_parser = pair)]
    at: Vec<(String, String)>,
    /// Which physical function takes a PNF's place: `PROFILE=NAME`, in a nested service `NESTED/PROFILE=NAME`; may be repeated
    #[arg(long = "pnf", value_name = "PROFILE=NAME", value_parser = pair)]
    pnf: Vec<(String, String)>,
    /// An InstantiateNsRequest in JSON that the flags are added to
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Show the request, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Return as soon as the operation has begun
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// The service: id or name
    ns: String,
    /// The VNF: id, name or profile
    #[arg(long)]
    vnf: String,
    /// The scaling aspect
    #[arg(long)]
    aspect: String,
    /// Steps: `+1` for out, `-1` for in
    #[arg(long, default_value = "+1", allow_hyphen_values = true)]
    steps: i32,
    /// Return as soon as the operation has begun
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub struct HealArguments {
    /// The service: id or name
    ns: String,
    /// Only this VNF: id, name or profile
    #[arg(long)]
    vnf: Option<String>,
    /// Return as soon as the operation has begun
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub struct TerminateArguments {
    /// The service: id or name
    ns: String,
    /// Keep the instance, NOT_INSTANTIATED
    #[arg(long)]
    keep: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((profile, vim)) if !profile.is_empty() && !vim.is_empty() => Ok((profile.to_owned(), vim.to_owned())),
        _ => Err(format!("{text:?} is not of the form PROFILE=NAME")),
    }
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let lifecycle = &session.nfvo.lifecycle;
    match command {
        Command::List => {
            let all = lifecycle.query(&session.cx(), ()).await?;
            print::rows(json, &["ID", "NAME", "STATE", "NSD", "VNFS", "LINKS"], &all, |ns| {
                vec![
                    ns.id.clone(),
                    ns.ns_instance_name.clone(),
                    ns.ns_state.as_wire(),
                    ns.nsd_id.clone(),
                    ns.vnf_instance.len().to_string(),
                    ns.virtual_link_info.len().to_string(),
                ]
            })
        }
        Command::Show { ns } => {
            let ns = find(&session, &ns).await?;
            let ns = lifecycle.find(&session.cx(), ns.id.parse()?).await?;
            if json { print::value(&ns) } else { show(&ns) }
        }
        Command::Instantiate(arguments) => instantiate(&session, arguments, json).await,
        Command::Scale(arguments) => {
            let ns = find(&session, &arguments.ns).await?;
            let vnf = vnf_of(&session, &ns, &arguments.vnf).await?;
            let kind = if arguments.steps < 0 {
                ScaleVnfType::ScaleIn
            } else {
                ScaleVnfType::ScaleOut
            };
            let request = ScaleNsRequest {
                scale_type: NsScaleType::ScaleVnf,
                scale_vnf_data: vec![ScaleVnfData {
                    vnf_instance_id: vnf,
                    scale_vnf_type: kind,
                    scale_by_step_data: Some(ScaleByStepData {
                        aspect_id: arguments.aspect,
                        number_of_steps: Some(arguments.steps.unsigned_abs()),
                        ..ScaleByStepData::default()
                    }),
                }],
            };
            let ask = OnNs {
                ns_instance_id: ns.id.parse()?,
                request,
            };
            let id = lifecycle.scale(&session.cx(), ask).await?;
            ended(&session, id, arguments.no_wait, json).await
        }
        Command::Update(arguments) => update::run(&session, arguments, json).await,
        Command::Heal(arguments) => {
            let ns = find(&session, &arguments.ns).await?;
            let request = match &arguments.vnf {
                Some(vnf) => HealNsRequest {
                    heal_vnf_data: vec![HealVnfData {
                        vnf_instance_id: vnf_of(&session, &ns, vnf).await?,
                        ..HealVnfData::default()
                    }],
                    ..HealNsRequest::default()
                },
                None => HealNsRequest {
                    heal_ns_data: Some(HealNsData {
                        degree_healing: DegreeHealing::HealRestore,
                    }),
                    ..HealNsRequest::default()
                },
            };
            let id = lifecycle
                .heal(
                    &session.cx(),
                    OnNs {
                        ns_instance_id: ns.id.parse()?,
                        request,
                    },
                )
                .await?;
            ended(&session, id, arguments.no_wait, json).await
        }
        Command::Terminate(arguments) => {
            let ns = find(&session, &arguments.ns).await?;
            let ns_instance_id: NsInstanceId = ns.id.parse()?;
            if ns.ns_state == manifold_sol::NsState::Instantiated {
                let ask = OnNs {
                    ns_instance_id,
                    request: TerminateNsRequest::default(),
                };
                let id = lifecycle.terminate(&session.cx(), ask).await?;
                ended(&session, id, false, json).await?;
            } else if json {
                print::value(&serde_json::json!({"nsInstanceId": ns.id, "nsState": "NOT_INSTANTIATED"}))?;
            }
            if !arguments.keep {
                lifecycle.delete(&session.cx(), ns_instance_id).await?;
            }
            Ok(())
        }
    }
}

async fn instantiate(session: &Session, arguments: InstantiateArguments, json: bool) -> anyhow::Result<()> {
    let nsd = &nsd_called(session, &arguments.nsd).await?;
    let mut request: InstantiateNsRequest = match &arguments.request {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is no InstantiateNsRequest", file.display()))?
        }
        None => InstantiateNsRequest {
            ns_flavour_id: "default".into(),
            ..InstantiateNsRequest::default()
        },
    };
    request
        .location_constraints
        .extend(arguments.at.iter().map(|(profile, vim)| VnfLocationConstraint {
            vnf_profile_id: profile.clone(),
            location_constraints: Some(LocationConstraints {
                vim_id: Some(vim.clone()),
                ..LocationConstraints::default()
            }),
        }));
    for (profile, name) in &arguments.pnf {
        request.add_pnf_data.push(pnf_data(session, nsd, profile, name).await?);
    }
    let nsd_id = nsd
        .nsd_id
        .clone()
        .context("the NSD has no nsdId; it is not on-boarded yet")?;
    let ns_name = arguments
        .name
        .or_else(|| nsd.nsd_name.clone())
        .unwrap_or_else(|| nsd_id.clone());
    let create = CreateNsRequest {
        nsd_id,
        ns_name,
        ns_description: String::new(),
    };
    if arguments.dry_run {
        return print::value(&serde_json::json!({"create": create, "instantiate": request}));
    }
    let lifecycle = &session.nfvo.lifecycle;
    let ns = lifecycle.create(&session.cx(), NewNs(create)).await?;
    let ns_instance_id: NsInstanceId = ns.id.parse()?;
    let begun = lifecycle
        .instantiate(
            &session.cx(),
            OnNs {
                ns_instance_id,
                request,
            },
        )
        .await;
    let id = match begun {
        Ok(id) => id,
        Err(error) => {
            // Refused before anything was made: the identifier alone is of no use to anybody.
            lifecycle.delete(&session.cx(), ns_instance_id).await?;
            return Err(error.into());
        }
    };
    if !json {
        println!("NS {} ({})", ns.ns_instance_name, ns.id);
    }
    ended(session, id, arguments.no_wait, json).await
}

/// The NSD with this nsdId, name or on-boarded id.
async fn nsd_called(session: &Session, name: &str) -> anyhow::Result<NsdInfo> {
    let nsds = session.nfvo.nsds.query(&session.cx(), ()).await?;
    let named = |known: &Option<String>| known.as_deref() == Some(name);
    let mut found = nsds
        .iter()
        .filter(|nsd| nsd.id == name || named(&nsd.nsd_id) || named(&nsd.nsd_name));
    let Some(nsd) = found.next() else {
        let known: Vec<&str> = nsds.iter().filter_map(|nsd| nsd.nsd_name.as_deref()).collect();
        return Err(CallError::not_found(format!("there is no NSD {name:?}"))
            .cure(format!(
                "on-boarded: {}; add one with `manifold package push DIR`",
                known.join(", ")
            ))
            .into());
    };
    if found.next().is_some() {
        bail!("several NSDs are called {name:?}; name one by its id");
    }
    Ok(nsd.clone())
}

async fn ended(session: &Session, id: OccurrenceId, no_wait: bool, json: bool) -> anyhow::Result<()> {
    let occurrence = match no_wait {
        true => session.nfvo.lifecycle.find_operation(&session.cx(), id).await?,
        false => follow(session, id, json).await?,
    };
    if json {
        return print::value(&occurrence);
    }
    println!(
        "{} {} (operation {id})",
        occurrence.lcm_operation_type.as_wire(),
        occurrence.operation_state.as_wire()
    );
    Ok(())
}

/// The PNFDs that an NSD and those that it nests need, by their ids.
async fn pnfds_of(session: &Session, nsd: &NsdInfo) -> anyhow::Result<BTreeSet<String>> {
    let mut all: BTreeSet<String> = nsd.pnfd_info_ids.iter().cloned().collect();
    if nsd.nested_nsd_info_ids.is_empty() {
        return Ok(all);
    }
    let known = session.nfvo.nsds.query(&session.cx(), ()).await?;
    let mut seen = BTreeSet::new();
    let mut ahead = nsd.nested_nsd_info_ids.clone();
    while let Some(id) = ahead.pop() {
        let Some(nested) = known
            .iter()
            .find(|nsd| nsd.id == id)
            .filter(|_| seen.insert(id.clone()))
        else {
            continue;
        };
        all.extend(nested.pnfd_info_ids.iter().cloned());
        ahead.extend(nested.nested_nsd_info_ids.iter().cloned());
    }
    Ok(all)
}

/// What the request says of a PNF. Its descriptor is the one that is called like the profile, or the only one of the NSD and of
/// those that it nests.
pub async fn pnf_data(session: &Session, nsd: &NsdInfo, profile: &str, name: &str) -> anyhow::Result<AddPnfData> {
    let mut all = session.nfvo.pnfds.query(&session.cx(), ()).await?;
    let needed = pnfds_of(session, nsd).await?;
    all.retain(|pnfd| needed.contains(&pnfd.id));
    let own = profile.rsplit('/').next();
    let by_name = all.iter().find(|pnfd| pnfd.pnfd_name.as_deref() == own);
    let only = if all.len() == 1 { all.first() } else { None };
    let Some(pnfd) = by_name.or(only) else {
        bail!("which PNFD the profile {profile} means is not clear; say it with --request");
    };
    Ok(AddPnfData {
        pnf_id: uuid::Uuid::now_v7().to_string(),
        pnf_name: name.to_owned(),
        pnfd_id: pnfd.pnfd_id.clone().unwrap_or_default(),
        pnf_profile_id: profile.to_owned(),
        cp_data: Vec::new(),
    })
}

/// The network service with this id or name.
pub async fn find(session: &Session, name: &str) -> anyhow::Result<NsInstance> {
    let all = session.nfvo.lifecycle.query(&session.cx(), ()).await?;
    let mut found = all
        .into_iter()
        .filter(|ns| ns.id == name || ns.ns_instance_name == name);
    let Some(ns) = found.next() else {
        return Err(CallError::not_found(format!("there is no network service {name:?}"))
            .cure("`manifold ns list` tells which there are")
            .into());
    };
    if found.next().is_some() {
        bail!("several network services are called {name:?}; name one by its id");
    }
    Ok(ns)
}

async fn vnf_of(session: &Session, ns: &NsInstance, name: &str) -> anyhow::Result<String> {
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns.id.parse()?).await?;
    let mut all: Vec<&TopologyVnf> = Vec::new();
    let mut ahead = vec![&topology];
    while let Some(next) = ahead.pop() {
        all.extend(&next.vnfs);
        ahead.extend(&next.nested);
    }
    let mut found = all
        .iter()
        .filter(|vnf| vnf.id == name || vnf.name == name || vnf.profile == name);
    let Some(vnf) = found.next() else {
        let known: Vec<&str> = all.iter().map(|vnf| vnf.name.as_str()).collect();
        return Err(
            CallError::not_found(format!("{} has no VNF {name:?}", ns.ns_instance_name))
                .cure(format!("it has {}", known.join(", ")))
                .into(),
        );
    };
    if found.next().is_some() {
        bail!(
            "several VNFs of {} are called {name:?}; name one by its id",
            ns.ns_instance_name
        );
    }
    Ok(vnf.id.clone())
}

fn show(ns: &NsInstance) -> anyhow::Result<()> {
    println!("{} ({}) {}", ns.ns_instance_name, ns.id, ns.ns_state.as_wire());
    for vnf in &ns.vnf_instance {
        println!(
            "  VNF {} ({}) {}",
            vnf.vnf_instance_name.as_deref().unwrap_or(""),
            vnf.id,
            vnf.instantiation_state.as_wire()
        );
    }
    for nested in &ns.nested_ns_instance_id {
        println!("  NS {nested}");
    }
    for pnf in &ns.pnf_info {
        println!("  PNF {} ({})", pnf.pnf_name.as_deref().unwrap_or(""), pnf.pnf_id);
    }
    for link in &ns.virtual_link_info {
        let at: Vec<&str> = link
            .resource_handle
            .iter()
            .filter_map(|handle| handle.vim_id.as_deref())
            .collect();
        println!("  link {} on {}", link.ns_virtual_link_desc_id, at.join(", "));
    }
    for sap in &ns.sap_info {
        println!("  SAP {}", sap.sap_name);
    }
    Ok(())
}
