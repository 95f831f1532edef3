//! Faults of descriptors that are not SOL001's.

use std::collections::BTreeMap;

use manifold_descriptors::interfaces::read_leaf;
use manifold_descriptors::man001::read_set;
use manifold_descriptors::{Code, Diagnostics};

const DRAWN: &str = include_str!("../fixtures/man001/drawn-vnfd.yaml");
const PAIR: &str = include_str!("../fixtures/openmano/pair.yaml");

fn told(text: &str) -> Diagnostics {
    read_leaf("d.yaml", text.as_bytes()).map_or_else(|errors| errors, |read| read.warnings)
}

fn pair(from: &str, to: &str) -> Diagnostics {
    told(&super::packages::changed(PAIR, from, to))
}

/// Two VNFs of the same connection points, or one, and a link that names one of them.
fn link_between(vnfs: &[&str]) -> Diagnostics {
    let good = DRAWN.replace("' E-Line'", "E-LAN");
    let mut files: BTreeMap<String, Vec<u8>> = vnfs
        .iter()
        .map(|id| {
            (
                (*id).to_owned(),
                good.replace("id: vnf1", &format!("id: {id}")).into_bytes(),
            )
        })
        .collect();
    let link = "id: l\ndescriptor_version: 1\nconnectivity_type: E-LAN\nconnection: [ cp11 ]\n";
    files.insert("link".to_owned(), link.as_bytes().to_vec());
    read_set(&files).map_or_else(|errors| errors, |set| set.warnings)
}

pub(crate) fn provoke(code: Code) -> Diagnostics {
    match code {
        Code::FormatUnknown => told("some: thing\n"),
        Code::DescriptorKind => told(include_str!("../fixtures/openmano/chain-02.yaml")),
        Code::FieldUnknown => pair("  name: pair\n", "  name: pair\n  colour: green\n"),
        Code::FieldWithoutEffect => pair("  name: pair\n", "  name: pair\n  public: true\n"),
        Code::FieldMalformed => pair("vcpus: 2", "vcpus: two"),
        Code::FieldMissing => pair("  name: pair\n", ""),
        Code::FieldEmpty => pair("Two machines on one inner network", "''"),
        Code::BlanksAround => pair("Two machines on one inner network", "' two'"),
        Code::NameUnknown => pair("VNFC: first", "VNFC: frist"),
        Code::NameTwice => pair("- name: east", "- name: west"),
        Code::LineEnds => pair("    - { VNFC: second, local_iface_name: eth1 }\n", ""),
        Code::ImageElsewhere => told(PAIR),
        Code::SchemaVersion => pair("\"0.2\"", "\"0.9\""),
        Code::FieldAlias => told(DRAWN),
        Code::EndAmbiguous => link_between(&["one", "two"]),
        Code::EndUnqualified => link_between(&["one"]),
        Code::ScaleLimit => {
            let cache = include_str!("../fixtures/sol006/cache.yaml");
            told(&super::packages::changed(
                cache,
                "max-scale-level: 2",
                "max-scale-level: 4000000000",
            ))
        }
        _ => Diagnostics::default(),
    }
}
