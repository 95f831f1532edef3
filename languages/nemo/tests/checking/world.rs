//! Descriptors and short ways for tests.

use manifold_nemo::check::{Checked, Options, Source, Strictness, check};
use manifold_nemo::fix::all_diagnostics;
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo::service::Service;
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, Severity};
use manifold_nemo_syntax::{ParseOptions, parse};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A VNF of one machine; `interfaces`: outer name, type, inner name.
pub(crate) fn openmano(name: &str, interfaces: &[(&str, &str, &str)]) -> String {
    let mut outer = String::new();
    let mut inner = String::new();
    for (external, kind, local) in interfaces {
        outer.push_str(&format!(
            "  - name: {external}\n    type: {kind}\n    VNFC: {name}-vm\n    local_iface_name: {local}\n"
        ));
        inner.push_str(&format!("    - {{ name: {local} }}\n"));
    }
    format!(
        "vnf:\n  name: {name}\n  external-connections:\n{outer}  VNFC:\n  - name: {name}-vm\n    VNFC image: https://images.example/{name}.qcow2\n    vcpus: 1\n    ram: 256\n    bridge-ifaces:\n{inner}"
    )
}

const PAIR: &str = "vnf:
  name: pair
  external-connections:
  - { name: left, type: data, VNFC: pair-vm1, local_iface_name: eth0 }
  - { name: right, type: data, VNFC: pair-vm2, local_iface_name: eth0 }
  VNFC:
  - name: pair-vm1
    VNFC image: https://images.example/pair.qcow2
    vcpus: 1
    ram: 256
    bridge-ifaces: [ { name: eth0 } ]
  - name: pair-vm2
    VNFC image: https://images.example/pair.qcow2
    vcpus: 1
    ram: 256
    bridge-ifaces: [ { name: eth0 } ]
";

/// Descriptors by address. Others are refused as a catalogue would.
pub(crate) struct Catalogue {
    leaves: HashMap<String, Arc<Leaf>>,
}

/// A repository's address and a path glued together, as the seed has it.
pub(crate) const GLUED: &str = "https://github.com/nfvlabs/openmano.git/openmano/vnfs/examples/dataplaneVNF1.yaml";

impl Catalogue {
    pub(crate) fn new() -> Self {
        let mut catalogue = Self { leaves: HashMap::new() };
        let firewall = [
            ("mgmt", "mgmt", "eth0"),
            ("in", "data", "eth1"),
            ("out", "data", "eth2"),
        ];
        catalogue.add("catalog:firewall", "firewall.yaml", &openmano("firewall", &firewall));
        catalogue.add("catalog:pair", "pair.yaml", PAIR);
        let sample = [("mgmt", "mgmt", "eth0"), ("xe0", "data", "xe0"), ("xe1", "data", "xe1")];
        catalogue.add("catalog:sample", "sample.yaml", &openmano("sample", &sample));
        let shaper = [("lan", "data", "eth0"), ("wan", "data", "eth1")];
        catalogue.add("catalog:shaper", "shaper.yaml", &openmano("shaper", &shaper));
        catalogue
    }

    pub(crate) fn add(&mut self, uri: &str, file: &str, text: &str) {
        let leaf = Leaf::read(uri, file, text.as_bytes()).unwrap_or_else(|error| panic!("{file}: {}", error.message));
        self.leaves.insert(uri.to_owned(), Arc::new(leaf));
    }
}

impl LeafSource for Catalogue {
    fn leaf(&self, uri: &str, _digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        if let Some(leaf) = self.leaves.get(uri) {
            return Ok(Arc::clone(leaf));
        }
        if uri == GLUED {
            return Err(LeafError {
                message: "a repository's address with a path behind it is no address of a file".to_owned(),
                help: Some(
                    "on-board the descriptor and write `catalog:` and its name, or write the file's own address"
                        .to_owned(),
                ),
                suggestion: Some("https://raw.example/openmano/vnfs/examples/dataplaneVNF1.yaml".to_owned()),
            });
        }
        Err(LeafError {
            message: format!("there is no descriptor `{uri}` in the catalogue"),
            help: None,
            suggestion: None,
        })
    }
}

pub(crate) fn lenient() -> Options {
    Options {
        strictness: Strictness::Lenient,
        ..Options::default()
    }
}

/// All that is told of a text, the parser's diagnostics among it.
pub(crate) fn told(text: &str) -> Vec<Diagnostic> {
    all_diagnostics(&[text.to_owned()], &Catalogue::new(), &Options::default())
}

/// The codes of all that is told.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    told(text).iter().map(|found| found.code.0).collect()
}

/// The diagnostics of a code, of which there are some.
pub(crate) fn of(text: &str, code: &str) -> Vec<Diagnostic> {
    let all = told(text);
    let found: Vec<Diagnostic> = all.iter().filter(|found| found.code.0 == code).cloned().collect();
    assert!(!found.is_empty(), "{code} is not told of\n{text}\n{all:#?}");
    found
}

/// The one diagnostic of a code, and no other error.
pub(crate) fn only(text: &str, code: &str) -> Diagnostic {
    let errors: Vec<Diagnostic> = told(text)
        .into_iter()
        .filter(|found| found.severity == Severity::Error || found.code.0 == code)
        .collect();
    assert_eq!(
        errors.iter().map(|found| found.code.0).collect::<Vec<_>>(),
        [code],
        "{text}\n{errors:#?}"
    );
    errors[0].clone()
}

/// What a diagnostic's carets stand under.
pub(crate) fn under<'t>(text: &'t str, found: &Diagnostic) -> &'t str {
    &text[found.span.start as usize..found.span.end as usize]
}

pub(crate) fn checked_with(texts: &[&str], options: &Options) -> Checked {
    let parses: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let options = ParseOptions {
                file: FileId(at as u32),
                ..ParseOptions::default()
            };
            parse(text, options)
        })
        .collect();
    for parse in &parses {
        assert!(!parse.has_errors(), "{:#?}\n{}", parse.diagnostics(), parse.text());
    }
    let sources: Vec<Source<'_>> = parses
        .iter()
        .map(|parse| Source {
            file: parse.options().file,
            text: parse.text(),
            script: parse.script(),
        })
        .collect();
    check(&sources, &Catalogue::new(), options)
}

pub(crate) fn checked(text: &str) -> Checked {
    checked_with(&[text], &Options::default())
}

/// The service of a text without errors.
pub(crate) fn service(text: &str) -> Service {
    checked(text)
        .service()
        .unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"))
}

/// A file of the samples, which a user's clone does not have.
pub(crate) fn sample(path: &str) -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/samples")
        .join(path);
    let read = std::fs::read_to_string(&file);
    if read.is_err() {
        eprintln!("not run: needs {}", file.display());
    }
    read.ok()
}

/// A leaf of two data interfaces and one for management, for tests of what goes around it.
pub(crate) const FW: &str = "CREATE NodeModel fw VNFD catalog:firewall;
  ConnectionPoint a at VNFD:in;
  ConnectionPoint b at VNFD:out;
  ConnectionPoint m at VNFD:mgmt;

";
