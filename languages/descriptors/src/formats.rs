//! Which language a descriptor is written in, told by what stands at its root.

use std::fmt;

use crate::code::Code;
use crate::interfaces::LeafFormat;
use crate::source::Report;
use crate::yaml::{Data, Node};

/// What a text describes, and in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything in SOL001.
    Sol001,
    /// A VNF of OpenMANO.
    OpenManoVnf,
    /// A scenario of OpenMANO.
    OpenManoScenario,
    /// A VNFD of SOL006.
    Sol006Vnfd,
    /// An NSD of SOL006.
    Sol006Nsd,
    /// A VNFD of GS NFV-MAN 001.
    Man001Vnfd,
    /// A virtual link descriptor of GS NFV-MAN 001.
    Man001Vld,
    /// An NSD of GS NFV-MAN 001.
    Man001Nsd,
}

impl Kind {
    /// The language.
    pub fn language(self) -> LeafFormat {
        match self {
            Self::Sol001 => LeafFormat::Sol001,
            Self::OpenManoVnf | Self::OpenManoScenario => LeafFormat::OpenMano,
            Self::Sol006Vnfd | Self::Sol006Nsd => LeafFormat::Sol006,
            Self::Man001Vnfd | Self::Man001Vld | Self::Man001Nsd => LeafFormat::Man001,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sol001 => "a SOL001 descriptor",
            Self::OpenManoVnf => "a VNF of OpenMANO",
            Self::OpenManoScenario => "a scenario of OpenMANO",
            Self::Sol006Vnfd => "a VNFD of SOL006",
            Self::Sol006Nsd => "an NSD of SOL006",
            Self::Man001Vnfd => "a VNFD of MAN 001",
            Self::Man001Vld => "a virtual link descriptor of MAN 001",
            Self::Man001Nsd => "an NSD of MAN 001",
        })
    }
}

/// What was found, and the mapping that holds the descriptor itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detected<'n> {
    pub(crate) kind: Kind,
    pub(crate) node: &'n Node,
}

/// Whether the bytes are a ZIP archive.
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// What a text describes; archives are SOL001. Errors: it is no YAML, or of no known language.
pub fn kind_of(file: &str, bytes: &[u8]) -> Result<Kind, crate::Diagnostics> {
    if is_archive(bytes) {
        return Ok(Kind::Sol001);
    }
    let mut report = Report::default();
    let root = crate::yaml::parse(&mut report, file, bytes);
    let kind = root.and_then(|root| detect(&mut report, &root).map(|found| found.kind));
    kind.ok_or(report.diagnostics)
}

/// The name of a field without the module before it: `nfv:nfv` is `nfv`.
pub(crate) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.entries()
        .iter()
        .find(|(key, _)| local(&key.name) == name)
        .map(|(_, node)| node)
}

/// `None`, and an error, when the language is not known.
pub(crate) fn detect<'n>(report: &mut Report, root: &'n Node) -> Option<Detected<'n>> {
    let found = |kind, node| Some(Detected { kind, node });
    if !matches!(root.data, Data::Map(_)) {
        let message = format!("a descriptor is a map; this is {}", root.kind());
        report.error(Code::FormatUnknown, root.span, message);
        return None;
    }
    if root.get("tosca_definitions_version").is_some() {
        return found(Kind::Sol001, root);
    }
    if root.get("vnf").is_some() {
        return found(Kind::OpenManoVnf, root);
    }
    if root.get("scenario").is_some() || root.get("topology").is_some() {
        return found(Kind::OpenManoScenario, root);
    }
    // SOL006 may stand in `nfv` (its container), in `vnfd` or `nsd` (a list of one, or the one itself, once or twice), or bare.
    let mut node = child(root, "nfv").unwrap_or(root);
    for (name, kind) in [("vnfd", Kind::Sol006Vnfd), ("nsd", Kind::Sol006Nsd)] {
        let mut is_wrapped = false;
        while let Some(inner) = child(node, name).filter(|inner| matches!(inner.data, Data::Map(_)) || holds_map(inner))
        {
            // A MAN 001 NSD has a list of references called `vnfd`, which are no maps.
            is_wrapped = true;
            node = match inner.items() {
                [] => inner,
                [one] => one,
                [_, second, ..] => {
                    let message = format!("`{name}` holds several descriptors; one is read at a time");
                    report.error(Code::FormatUnknown, second.span, message);
                    return None;
                }
            };
        }
        if is_wrapped {
            let kind = if kind == Kind::Sol006Vnfd {
                man001_or(node, kind, Kind::Man001Vnfd)
            } else {
                man001_or(node, kind, Kind::Man001Nsd)
            };
            return found(kind, node);
        }
    }
    let has = |names: &[&str]| names.iter().any(|name| node.get(name).is_some());
    if has(&["vnfd-catalog", "nsd-catalog", "vnfd:vnfd-catalog", "nsd:nsd-catalog"]) {
        let help = Some(
            "convert it to SOL006 first, the model that Open Source MANO has used since its release nine".to_owned(),
        );
        let message = "this is a descriptor of Open Source MANO before release nine, which is not SOL006";
        report.error_help(Code::FormatUnknown, root.span, message, help);
        return None;
    }
    if has(&["vnfd-id", "virtual-link-desc", "sapd", "nested-nsd-id"]) {
        return found(Kind::Sol006Nsd, node);
    }
    if has(&[
        "ext-cpd",
        "int-virtual-link-desc",
        "virtual-compute-desc",
        "sw-image-desc",
        "product-name",
    ]) {
        return found(Kind::Sol006Vnfd, node);
    }
    if has(&["vld", "vnffgd", "service_deployment_flavour", "vnf_dependency"]) || has(&["vnfd"]) {
        return found(Kind::Man001Nsd, node);
    }
    if has(&["connection", "number_of_endpoints", "test_access", "vld_security"]) {
        return found(Kind::Man001Vld, node);
    }
    if has(&[
        "vdu",
        "connection_point",
        "virtual_link",
        "descriptor_version",
        "description_version",
    ]) {
        return found(Kind::Man001Vnfd, node);
    }
    report.error(
        Code::FormatUnknown,
        root.span,
        "nothing at the root tells a language that is known here",
    );
    None
}

fn holds_map(node: &Node) -> bool {
    node.items()
        .first()
        .is_some_and(|item| matches!(item.data, Data::Map(_)))
}

/// Fields with underscores are MAN 001's, with hyphens SOL006's.
fn man001_or(node: &Node, sol006: Kind, man001: Kind) -> Kind {
    let has = |names: &[&str]| names.iter().any(|name| node.get(name).is_some());
    if has(&[
        "connection_point",
        "virtual_link",
        "descriptor_version",
        "description_version",
        "vld",
    ]) {
        man001
    } else {
        sol006
    }
}
