//! `manifold vnf`: the VNF instances of network services.

use crate::client::{Session, print};
use crate::config::Config;
use anyhow::bail;
use clap::Subcommand;
use manifold_sol::VnfInstance;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// All VNF instances, with the network service that each is part of
    List,
    /// One VNF instance, with its machines and addresses
    Show {
        /// Its id or name
        vnf: String,
    },
}

pub async fn run(config: Config, command: Command, json: bool) -> anyhow::Result<()> {
    let session = Session::open(&config)?;
    let mut all: Vec<(String, VnfInstance)> = Vec::new();
    for ns in session.nfvo.lifecycle.query(&session.cx(), ()).await? {
        let ns = session.nfvo.lifecycle.find(&session.cx(), ns.id.parse()?).await?;
        all.extend(
            ns.vnf_instance
                .into_iter()
                .map(|vnf| (ns.ns_instance_name.clone(), vnf)),
        );
    }
    match command {
        Command::List => print::rows(
            json,
            &["ID", "NAME", "NS", "PRODUCT", "STATE", "VNFCS"],
            &all,
            |(ns, vnf)| {
                let machines = vnf
                    .instantiated_vnf_info
                    .as_ref()
                    .map_or(0, |info| info.vnfc_resource_info.len());
                vec![
                    vnf.id.clone(),
                    vnf.vnf_instance_name.clone().unwrap_or_default(),
                    ns.clone(),
                    format!("{} {}", vnf.vnf_product_name, vnf.vnf_software_version),
                    vnf.instantiation_state.as_wire(),
                    machines.to_string(),
                ]
            },
        ),
        Command::Show { vnf } => {
            let named =
                |candidate: &VnfInstance| candidate.id == vnf || candidate.vnf_instance_name.as_deref() == Some(&vnf);
            let mut found = all.into_iter().map(|(_, candidate)| candidate).filter(named);
            let Some(one) = found.next() else {
                return Err(
                    manifold_call::CallError::not_found(format!("there is no VNF instance {vnf:?}"))
                        .cure("`manifold vnf list` tells which there are")
                        .into(),
                );
            };
            if found.next().is_some() {
                bail!("several VNF instances are called {vnf:?}; name one by its id");
            }
            if json {
                return print::value(&one);
            }
            println!(
                "{} {} ({})",
                one.vnf_product_name,
                one.vnf_software_version,
                one.instantiation_state.as_wire()
            );
            let Some(info) = one.instantiated_vnf_info else {
                return Ok(());
            };
            for level in &info.scale_status {
                println!("aspect {} at level {}", level.aspect_id, level.scale_level);
            }
            print::rows(
                false,
                &["VNFC", "VDU", "MACHINE", "ADDRESSES"],
                &info.vnfc_resource_info,
                |vnfc| {
                    let addresses: Vec<String> = vnfc
                        .vnfc_cp_info
                        .iter()
                        .flat_map(|cp| &cp.cp_protocol_info)
                        .filter_map(|protocol| protocol.ip_over_ethernet.as_ref())
                        .flat_map(|ethernet| &ethernet.ip_addresses)
                        .flat_map(|address| address.addresses.clone())
                        .collect();
                    vec![
                        vnfc.id.clone(),
                        vnfc.vdu_id.clone(),
                        vnfc.compute_resource.resource_id.clone(),
                        addresses.join(" "),
                    ]
                },
            )
        }
    }
}
