//! Faults of descriptors that are not SOL001's.

use manifold_descriptors::interfaces::read_leaf;
use manifold_descriptors::{Code, Diagnostics};

const PAIR: &str = include_str!("../fixtures/openmano/pair.yaml");

fn told(text: &str) -> Diagnostics {
    read_leaf("d.yaml", text.as_bytes()).map_or_else(|errors| errors, |read| read.warnings)
}

fn pair(from: &str, to: &str) -> Diagnostics {
    told(&super::packages::changed(PAIR, from, to))
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
        _ => Diagnostics::default(),
    }
}
