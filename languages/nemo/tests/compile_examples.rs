//! The examples, from text to what they become: checked by the checker, leaves read from their OpenMANO descriptors.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod services;

use manifold_descriptors::{Descriptor, Nsd, Vnfd, check_nsd, describe};
use manifold_nemo::check::{Options as Checking, Source, check};
use manifold_nemo::compile::{Options, flat, nsd, openmano};
use manifold_nemo::expand::{Limits, expand};
use manifold_nemo::graph::svg;
use manifold_nemo::leaf::{Leaf, LeafError, LeafFormat, LeafSource};
use manifold_nemo::service::Service;
use manifold_nemo_syntax::diagnostic::FileId;
use manifold_nemo_syntax::parse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/nemo")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

struct Files;

impl LeafSource for Files {
    fn leaf(&self, uri: &str, _digest: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        let name = uri.strip_prefix("file:").unwrap_or(uri);
        let bytes = std::fs::read(folder().join(name)).unwrap();
        Leaf::read(uri, name, &bytes).map(Arc::new)
    }
}

/// The service of some files, in this order.
fn service(names: &[&str]) -> Service {
    let texts: Vec<String> = names.iter().map(|name| text(name)).collect();
    let parsed: Vec<_> = texts.iter().map(|text| parse(text, Default::default())).collect();
    let sources: Vec<Source<'_>> = (0..)
        .zip(texts.iter().zip(&parsed))
        .map(|(file, (text, parsed))| {
            assert!(parsed.diagnostics().is_empty(), "{:?}", parsed.diagnostics());
            Source {
                file: FileId(file),
                text,
                script: parsed.script(),
            }
        })
        .collect();
    let checked = check(&sources, &Files, &Checking::default());
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked.service().unwrap()
}

fn options(name: &str) -> Options {
    let image = |file: &str| (format!("{file}.qcow2"), "manifold:image/guest".to_owned());
    Options {
        name: name.to_owned(),
        images: ["firewall", "shaper", "server"].map(image).into(),
        ..Options::default()
    }
}

#[test]
fn the_mesh_is_the_scenario_that_stands_beside_it() {
    let made = openmano(&service(&["models.nemo", "mesh.nemo"]), &options("mesh")).unwrap();
    assert_eq!(made.scenario, text("mesh.openmano.yaml"));
    assert!(made.vnfs.is_empty(), "its leaves are OpenMANO's already");
    assert_eq!(made.notes, Vec::<String>::new());
}

/// Four lines of NEMO.
#[test]
fn four_lines_are_a_long_scenario() {
    let made = openmano(&service(&["models.nemo", "four-lines.nemo"]), &options("four-lines")).unwrap();
    let path = folder().join("four-lines.openmano.yaml");
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &made.scenario).unwrap();
    }
    assert_eq!(
        made.scenario,
        text("four-lines.openmano.yaml"),
        "review the change, then run this test with GOLDEN=write"
    );
    assert_eq!(text("four-lines.nemo").lines().count(), 4);
    assert!(made.scenario.lines().count() > 100, "{}", made.scenario.lines().count());
}

#[test]
fn the_order_of_the_files_makes_no_difference() {
    for example in ["four-lines", "mesh"] {
        let script = format!("{example}.nemo");
        let one = nsd(&service(&["models.nemo", &script]), &options(example)).unwrap();
        let other = nsd(&service(&[&script, "models.nemo"]), &options(example)).unwrap();
        assert_eq!(one.files(), other.files());
        assert_eq!(
            openmano(&service(&["models.nemo", &script]), &options(example)),
            openmano(&service(&[&script, "models.nemo"]), &options(example))
        );
        let flat = |names: [&str; 2]| flat(&service(&names), &options(example)).unwrap().files;
        assert_eq!(flat(["models.nemo", &script]), flat([&script, "models.nemo"]));
    }
}

#[test]
fn examples_become_packages_without_a_fault() {
    for example in ["four-lines", "mesh"] {
        let service = service(&["models.nemo", &format!("{example}.nemo")]);
        let packages = nsd(&service, &options(example)).unwrap();
        assert_eq!(packages.notes, Vec::<String>::new());
        let vnfds: Vec<&Vnfd> = packages.functions.iter().map(|function| &function.vnfd).collect();
        for package in &packages.services {
            let files: BTreeMap<String, Vec<u8>> = package
                .files
                .iter()
                .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
                .collect();
            let described = describe(files.keys().next().unwrap(), &files, None);
            assert!(described.diagnostics.is_empty(), "{}", described.diagnostics.render());
            let Some(Descriptor::Nsd(nsd)) = described.descriptor else {
                panic!("no NSD")
            };
            let nsd: Nsd = *nsd;
            let faults = check_nsd(&nsd, &vnfds, &[]);
            assert!(!faults.has_errors(), "{}", faults.render());
        }
        for function in &packages.functions {
            assert!(function.archive().unwrap().is_ok());
        }
        let flat = flat(&service, &options(example)).unwrap();
        assert_eq!(flat.notes, Vec::<String>::new());
        let graph = expand(&service, &Limits::default()).unwrap();
        services::golden(&format!("{example}.svg"), &svg(&graph));
    }
}

/// A leaf of another language gets an OpenMANO descriptor, which OpenMANO's reader reads: the same interfaces, what it cannot say told.
#[test]
fn other_languages_become_openmano() {
    let service = services::Models::default()
        .leaf("pair", LeafFormat::Sol001, services::pair("pair"))
        .composite(
            "main",
            &["p"],
            &[("one", "pair"), ("two", "pair")],
            &[("n", &["p", "one:front", "two:front"])],
        )
        .service();
    let made = openmano(&service, &options("two")).unwrap();
    let names: Vec<&String> = made.vnfs.keys().collect();
    assert_eq!(names, ["pair.yaml"]);
    let read = Leaf::read("file:pair.yaml", "pair.yaml", made.vnfs["pair.yaml"].as_bytes());
    let leaf = read.unwrap_or_else(|error| panic!("{error:?}\n{}", made.vnfs["pair.yaml"]));
    assert_eq!((leaf.format, leaf.name.as_str()), (LeafFormat::OpenMano, "pair"));
    let interfaces: Vec<&str> = leaf
        .interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    assert_eq!(interfaces, ["front"]);
    let flavour = &leaf.vnfd.flavours[0];
    assert_eq!((flavour.vdus.len(), flavour.virtual_links.len()), (2, 1));
    assert!(
        made.notes.len() == 1 && made.notes[0].contains("`back` of `pair`"),
        "{:?}",
        made.notes
    );
}
