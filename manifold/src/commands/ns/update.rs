//! `manifold ns update`.

use super::{ended, find, pair, pnf_data, vnf_of};
use crate::client::{Session, print};
use anyhow::Context as _;
use clap::Args;
use manifold_call::CallError;
use manifold_nfvo_interface::{Changes, ConstituentChange, NsTopology, OnNs};
use manifold_sol::{
    AssocNewNsdVersionData, ChangeExtVnfConnectivityData, ExtVirtualLinkData, InstantiateVnfData, LocationConstraints,
    NestedNsInstanceData, NsInstance, SapData, UpdateNsRequest, UpdateType, VnfExtCpData, VnfLocationConstraint,
};
use std::path::PathBuf;

/// What excludes a word of `--nsd`, and one of `--add-vnf`: clap does not insist on what an argument requires when that is excluded.
const BESIDE_NSD: [&str; 8] = [
    "add_vnf",
    "remove_vnf",
    "connect",
    "add_sap",
    "remove_sap",
    "add_nested",
    "remove_nested",
    "request",
];
const BESIDE_ADD_VNF: [&str; 8] = [
    "nsd",
    "remove_vnf",
    "connect",
    "add_sap",
    "remove_sap",
    "add_nested",
    "remove_nested",
    "request",
];

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Arguments {
    /// The service: id or name
    ns: String,
    /// Make it what this version of its NSD says: its nsdId, its name or its on-boarded id
    #[arg(long, group = "what")]
    nsd: Option<String>,
    /// With --nsd: only note the version, and change nothing
    #[arg(long, conflicts_with_all = BESIDE_NSD)]
    no_sync: bool,
    /// With --nsd: which physical function takes the place of a PNF that the version adds; may be repeated
    #[arg(long, value_name = "PROFILE=NAME", value_parser = pair, conflicts_with_all = BESIDE_NSD)]
    pnf: Vec<(String, String)>,
    /// Make one more VNF of this profile; may be repeated
    #[arg(long, value_name = "PROFILE", group = "what")]
    add_vnf: Vec<String>,
    /// With --add-vnf: where a VNF shall be; may be repeated
    #[arg(long = "at", value_name = "PROFILE=VIM", value_parser = pair, conflicts_with_all = BESIDE_ADD_VNF)]
    at: Vec<(String, String)>,
    /// Take this VNF away: id, name or profile; may be repeated
    #[arg(long, value_name = "VNF", group = "what")]
    remove_vnf: Vec<String>,
    /// Put a VNF's external connection point on another link of the service; may be repeated
    #[arg(long, value_name = "VNF:CP=LINK", value_parser = connection, group = "what")]
    connect: Vec<(String, String, String)>,
    /// Make a SAP of the NSD, at the access point called so or like the SAP itself; may be repeated
    #[arg(long, value_name = "SAP[=ACCESS POINT]", group = "what")]
    add_sap: Vec<String>,
    /// Take this SAP away: id or descriptor; may be repeated
    #[arg(long, value_name = "SAP", group = "what")]
    remove_sap: Vec<String>,
    /// Take a service that is there in, in the place of this nested NS profile; may be repeated
    #[arg(long, value_name = "PROFILE=NS", value_parser = pair, group = "what")]
    add_nested: Vec<(String, String)>,
    /// Take a nested service out: id, name or profile; one that was made for this service is terminated; may be repeated
    #[arg(long, value_name = "NS", group = "what")]
    remove_nested: Vec<String>,
    /// What an UpdateNsRequest in JSON says
    #[arg(long, value_name = "FILE", group = "what")]
    request: Option<PathBuf>,
    /// Show what would be made, changed and taken away, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Return as soon as the operation has begun
    #[arg(long)]
    no_wait: bool,
}

fn connection(text: &str) -> Result<(String, String, String), String> {
    let parts = text
        .split_once('=')
        .and_then(|(cp, link)| cp.rsplit_once(':').map(|(vnf, cp)| (vnf, cp, link)));
    match parts {
        Some((vnf, cp, link)) if ![vnf, cp, link].contains(&"") => Ok((vnf.to_owned(), cp.to_owned(), link.to_owned())),
        _ => Err(format!("{text:?} is not of the form VNF:CP=LINK")),
    }
}

pub async fn run(session: &Session, arguments: Arguments, json: bool) -> anyhow::Result<()> {
    let ns = find(session, &arguments.ns).await?;
    let ns = session.nfvo.lifecycle.find(&session.cx(), ns.id.parse()?).await?;
    let request = request(session, &ns, &arguments).await?;
    let ask = OnNs {
        ns_instance_id: ns.id.parse()?,
        request,
    };
    if arguments.dry_run {
        return show(&session.nfvo.lifecycle.plan_update(&session.cx(), ask).await?, json);
    }
    let id = session.nfvo.lifecycle.update(&session.cx(), ask).await?;
    ended(session, id, arguments.no_wait, json).await
}

async fn request(session: &Session, ns: &NsInstance, arguments: &Arguments) -> anyhow::Result<UpdateNsRequest> {
    if let Some(file) = &arguments.request {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        return serde_json::from_str(&text).with_context(|| format!("{} is no UpdateNsRequest", file.display()));
    }
    let of = |update_type| UpdateNsRequest {
        update_type,
        ..UpdateNsRequest::default()
    };
    if let Some(name) = &arguments.nsd {
        return version(session, name, arguments).await;
    }
    if !arguments.add_vnf.is_empty() {
        let place = |profile: &String| {
            let at = arguments.at.iter().find(|(known, _)| known == profile);
            at.map(|(_, vim)| VnfLocationConstraint {
                vnf_profile_id: profile.clone(),
                location_constraints: Some(LocationConstraints {
                    vim_id: Some(vim.clone()),
                    ..LocationConstraints::default()
                }),
            })
        };
        let data = arguments.add_vnf.iter().map(|profile| InstantiateVnfData {
            vnf_profile_id: Some(profile.clone()),
            location_constraints: place(profile),
            ..InstantiateVnfData::default()
        });
        return Ok(UpdateNsRequest {
            instantiate_vnf_data: data.collect(),
            ..of(UpdateType::InstantiateVnf)
        });
    }
    if !arguments.remove_vnf.is_empty() {
        let mut ids = Vec::new();
        for name in &arguments.remove_vnf {
            ids.push(vnf_of(session, ns, name).await?);
        }
        return Ok(UpdateNsRequest {
            remove_vnf_instance_id: ids,
            ..of(UpdateType::RemoveVnf)
        });
    }
    if !arguments.connect.is_empty() {
        return Ok(UpdateNsRequest {
            change_ext_vnf_connectivity_data: connections(session, ns, &arguments.connect).await?,
            ..of(UpdateType::ChangeExternalVnfConnectivity)
        });
    }
    if !arguments.add_sap.is_empty() {
        let saps = arguments.add_sap.iter().map(|text| {
            let (sapd, name) = text.split_once('=').unwrap_or((text, text));
            SapData {
                sapd_id: sapd.to_owned(),
                sap_name: name.to_owned(),
                ..SapData::default()
            }
        });
        return Ok(UpdateNsRequest {
            add_sap: saps.collect(),
            ..of(UpdateType::AddSap)
        });
    }
    if !arguments.add_nested.is_empty() {
        let mut data = Vec::new();
        for (profile, name) in &arguments.add_nested {
            data.push(NestedNsInstanceData {
                nested_ns_instance_id: find(session, name).await?.id,
                ns_profile_id: profile.clone(),
            });
        }
        return Ok(UpdateNsRequest {
            add_nested_ns_data: data,
            ..of(UpdateType::AddNestedNs)
        });
    }
    if !arguments.remove_nested.is_empty() {
        return Ok(UpdateNsRequest {
            remove_nested_ns_id: nested(session, ns, &arguments.remove_nested).await?,
            ..of(UpdateType::RemoveNestedNs)
        });
    }
    let id = |name: &String| {
        let found = ns.sap_info.iter().find(|sap| sap.id == *name || sap.sapd_id == *name);
        found.map_or_else(|| name.clone(), |sap| sap.id.clone())
    };
    Ok(UpdateNsRequest {
        remove_sap_id: arguments.remove_sap.iter().map(id).collect(),
        ..of(UpdateType::RemoveSap)
    })
}

/// Ids of nested services. Errors: one that the service does not nest.
async fn nested(session: &Session, ns: &NsInstance, names: &[String]) -> anyhow::Result<Vec<String>> {
    let topology = session.nfvo.lifecycle.topology(&session.cx(), ns.id.parse()?).await?;
    let id = |name: &String| {
        let is_it = |inner: &&NsTopology| {
            // A nested service is called by its profile behind the name of what holds it.
            let by_profile = format!("{}-{name}", ns.ns_instance_name);
            inner.id == *name || inner.name == *name || inner.name == by_profile
        };
        let found = topology.nested.iter().find(is_it);
        found.map(|inner| inner.id.clone()).ok_or_else(|| {
            let known: Vec<&str> = topology.nested.iter().map(|inner| inner.name.as_str()).collect();
            CallError::not_found(format!("{} nests no {name:?}", ns.ns_instance_name))
                .cure(format!("it nests {}", known.join(", ")))
                .into()
        })
    };
    names.iter().map(id).collect()
}

async fn version(session: &Session, name: &str, arguments: &Arguments) -> anyhow::Result<UpdateNsRequest> {
    let nsd = super::nsd_called(session, name).await?;
    let mut request = UpdateNsRequest {
        update_type: UpdateType::AssocNewNsdVersion,
        assoc_new_nsd_version_data: Some(AssocNewNsdVersionData {
            new_nsd_id: nsd.nsd_id.clone().unwrap_or_else(|| nsd.id.clone()),
            sync: Some(!arguments.no_sync),
        }),
        ..UpdateNsRequest::default()
    };
    for (profile, name) in &arguments.pnf {
        request.add_pnf_data.push(pnf_data(session, &nsd, profile, name).await?);
    }
    Ok(request)
}

async fn connections(
    session: &Session,
    ns: &NsInstance,
    all: &[(String, String, String)],
) -> anyhow::Result<Vec<ChangeExtVnfConnectivityData>> {
    let mut data: Vec<ChangeExtVnfConnectivityData> = Vec::new();
    for (vnf, cp, link) in all {
        let vnf = vnf_of(session, ns, vnf).await?;
        let mut links = ns.virtual_link_info.iter();
        let Some(link) = links.find(|known| known.id == *link || known.ns_virtual_link_desc_id == *link) else {
            let links = ns.virtual_link_info.iter();
            let known: Vec<&str> = links.map(|known| known.ns_virtual_link_desc_id.as_str()).collect();
            return Err(
                CallError::not_found(format!("{} has no link {link:?}", ns.ns_instance_name))
                    .cure(format!("it has {}", known.join(", ")))
                    .into(),
            );
        };
        let to = ExtVirtualLinkData {
            id: link.id.clone(),
            vim_connection_id: None,
            resource_id: link
                .resource_handle
                .first()
                .map(|handle| handle.resource_id.clone())
                .unwrap_or_default(),
            ext_cps: vec![VnfExtCpData {
                cpd_id: cp.clone(),
                ..VnfExtCpData::default()
            }],
        };
        match data.iter_mut().find(|known| known.vnf_instance_id == vnf) {
            Some(known) => known.ext_virtual_links.push(to),
            None => data.push(ChangeExtVnfConnectivityData {
                vnf_instance_id: vnf,
                ext_virtual_links: vec![to],
                ..ChangeExtVnfConnectivityData::default()
            }),
        }
    }
    Ok(data)
}

fn show(changes: &Changes, json: bool) -> anyhow::Result<()> {
    if json {
        return print::value(changes);
    }
    if changes.is_empty() {
        println!("nothing to do: the service is as it shall be");
        return Ok(());
    }
    let with = |what: &'static str, all: &[ConstituentChange]| -> Vec<(&'static str, ConstituentChange)> {
        all.iter().map(|one| (what, one.clone())).collect()
    };
    let all = [
        with("create", &changes.create),
        with("change", &changes.change),
        with("remove", &changes.remove),
    ]
    .concat();
    print::rows(false, &["ACTION", "KIND", "NAME", "DETAIL"], &all, |(what, one)| {
        vec![
            (*what).to_owned(),
            one.kind.as_wire().to_owned(),
            one.name.clone(),
            one.detail.clone(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn one_kind_of_update_at_a_time() {
        let parse = |text: &str| Line::try_parse_from(text.split(' ')).map(|line| line.arguments);
        let arguments = parse("update shop --connect gate:lan=dmz --connect gate:wan=net").unwrap();
        assert_eq!(
            arguments.connect[1],
            ("gate".to_owned(), "wan".to_owned(), "net".to_owned())
        );
        assert_eq!(
            parse("update shop --add-vnf a --add-vnf b --at a=west")
                .unwrap()
                .add_vnf
                .len(),
            2
        );
        let arguments = parse("update shop --add-nested inner=other").unwrap();
        assert_eq!(arguments.add_nested, [("inner".to_owned(), "other".to_owned())]);
        assert!(parse("update shop --nsd v2 --dry-run --pnf meter=one").unwrap().dry_run);
        for wrong in [
            "update shop",
            "update shop --nsd v2 --remove-vnf a",
            "update shop --connect gate=dmz",
            "update shop --no-sync --add-vnf a",
            "update shop --no-sync --remove-nested a",
            "update shop --add-nested inner",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
