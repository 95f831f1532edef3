//! SOL006, the YANG form of VNFDs and NSDs: both root forms (the container `nfv`, or `vnfd`/`nsd` around a list or the one descriptor),
//! with the fields that Open Source MANO adds.
//!
//! Identifiers of YANG are each their own list's; those of the models are one set. A VDU's connection point keeps its id where it is
//! free, and is called `VDU-id` elsewhere. An external connection point has the id of the VDU's point that it exposes, and its own id as
//! its requirement, as in SOL001.

use crate::code::Code;
use crate::diagnostic::Diagnostics;
use crate::fields::{Fields, Reader, Word};
use crate::formats::{Kind, detect};
use crate::link::{Bitrate, ConnectivityType, LayerProtocol};
use crate::nsd::Nsd;
use crate::yaml;

mod df;
mod graph;
pub(crate) mod nsd;
mod parts;
mod scaling;
mod subnet;
mod vdu;
pub(crate) mod vnfd;

/// Reads an NSD. Errors: all that is wrong with it. Beside it, the warnings.
pub fn read_nsd(file: &str, bytes: &[u8]) -> Result<(Nsd, Diagnostics), Diagnostics> {
    let mut reader = Reader::default();
    let root = yaml::parse(&mut reader.report, file, bytes);
    let nsd = root.and_then(|root| {
        let found = detect(&mut reader.report, &root)?;
        if found.kind == Kind::Sol006Nsd {
            return nsd::read(&mut reader, found.node);
        }
        let message = format!("this is {}, and an NSD of SOL006 is wanted", found.kind);
        reader.report.error(Code::DescriptorKind, root.span, message);
        None
    });
    let (_, diagnostics) = reader.finish();
    match nsd {
        Some(nsd) if !diagnostics.has_errors() => Ok((nsd, diagnostics)),
        _ => Err(diagnostics),
    }
}

/// `layer-protocol`, one or several; Ethernet where nothing is said.
fn layer_protocols(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<LayerProtocol> {
    let words = several(reader, fields, "layer-protocol");
    let mut protocols = Vec::new();
    for word in &words {
        match LayerProtocol::from_name(&word.text.to_ascii_lowercase().replace('_', "-")) {
            Some(protocol) => protocols.push(protocol),
            None => {
                let message = format!("`{}` is no protocol of a layer", word.text);
                reader.report.error(Code::FieldMalformed, word.span, message);
            }
        }
    }
    if words.is_empty() {
        protocols.push(LayerProtocol::Ethernet);
    }
    protocols
}

fn connectivity_type(reader: &mut Reader, fields: &mut Fields<'_>) -> ConnectivityType {
    let Some(mut inner) = fields.map(reader, "connectivity-type", "a connectivity type") else {
        return ConnectivityType {
            layer_protocols: vec![LayerProtocol::Ethernet],
            flow_pattern: None,
        };
    };
    let layer_protocols = layer_protocols(reader, &mut inner);
    let pattern = inner.word(reader, "flow-pattern");
    inner.finish(reader);
    let flow_pattern = pattern.and_then(|word| match word.text.to_ascii_lowercase().as_str() {
        "line" | "e-line" => Some("line".to_owned()),
        "tree" | "e-tree" => Some("tree".to_owned()),
        "mesh" | "e-lan" => Some("mesh".to_owned()),
        _ => {
            let message = format!("`{}` is no flow pattern: line, tree and mesh are", word.text);
            reader.report.error(Code::FieldMalformed, word.span, message);
            None
        }
    });
    ConnectivityType {
        layer_protocols,
        flow_pattern,
    }
}

/// `root` and `leaf` in bits per second.
fn bitrate(reader: &mut Reader, fields: &mut Fields<'_>, names: [&'static str; 2]) -> Bitrate {
    let mut rate = Bitrate::default();
    for name in names {
        let Some(mut inner) = fields.map(reader, name, "bit rate requirements") else {
            continue;
        };
        rate.root_bits_per_second = inner.number(reader, "root");
        rate.leaf_bits_per_second = inner.number(reader, "leaf");
        inner.finish(reader);
    }
    rate
}

/// The texts of a leaf-list, which some write as one leaf.
fn several(reader: &mut Reader, fields: &mut Fields<'_>, name: &'static str) -> Vec<Word> {
    match fields.get(name) {
        Some(node) if node.text().is_some() => fields.word(reader, name).into_iter().collect(),
        _ => fields.words(reader, name),
    }
}

/// A number of gigabytes, which may have a fraction, in bytes.
fn gigabytes(reader: &mut Reader, fields: &mut Fields<'_>, name: &'static str) -> Option<u64> {
    const GIB: f64 = 1_073_741_824.0;
    let word = fields.word(reader, name)?;
    let number = word
        .text
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && (0.0..1e9).contains(number));
    if number.is_none() {
        let message = format!("`{name}` is a number of gigabytes; this is `{}`", word.text);
        reader.report.error(Code::FieldMalformed, word.span, message);
    }
    number.map(|number| (number * GIB).ceil() as u64)
}
