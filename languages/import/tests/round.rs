//! What is imported is checked without errors, and compiled back it says what was imported.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use manifold_descriptors::interfaces::{LeafFormat, read_definitions};
use manifold_descriptors::{DefinitionFiles, Nsd, openmano};
use manifold_import::{ImportError, Imported, Options, import};
use manifold_nemo::check::{self, Source, check};
use manifold_nemo::compile;
use manifold_nemo::leaf::{Leaf, LeafError, LeafSource};
use manifold_nemo_syntax::diagnostic::{FileId, Severity};
use manifold_nemo_syntax::{ParseOptions, format, parse};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The packages that came with a script.
struct Beside<'a>(&'a Imported);

impl LeafSource for Beside<'_> {
    fn leaf(&self, uri: &str, _: Option<&str>) -> Result<Arc<Leaf>, LeafError> {
        let path = uri.strip_prefix("file:").unwrap();
        let folder = path.split('/').next().unwrap();
        let files: DefinitionFiles = self
            .0
            .files
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("{folder}/")))
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
            .collect();
        let read = read_definitions(path, &files).unwrap_or_else(|told| panic!("{path}:\n{told}"));
        Ok(Arc::new(Leaf::new(uri, path, read)))
    }
}

/// Checks the script, and compiles it to a scenario.
fn scenario_of(imported: &Imported) -> Nsd {
    let text = &imported.files[&imported.script];
    let parsed = parse(text, ParseOptions::default());
    assert!(parsed.diagnostics().is_empty(), "{text}\n{:?}", parsed.diagnostics());
    assert_eq!(&format(&parsed), text, "it is laid out already");
    let source = Source {
        file: FileId(0),
        text,
        script: parsed.script(),
    };
    let checked = check(&[source], &Beside(imported), &check::Options::default());
    let faults: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    assert!(faults.is_empty(), "{text}\n{faults:?}");
    let service = checked.service().unwrap_or_else(|told| panic!("{text}\n{told:?}"));
    let scenario = compile::openmano(&service, &compile::Options::default()).unwrap();
    let (nsd, _) = openmano::read_scenario("back.yaml", scenario.scenario.as_bytes())
        .unwrap_or_else(|told| panic!("{}\n{told}", scenario.scenario));
    nsd
}

/// Networks by name with the ends that are on them.
fn networks(nsd: &Nsd) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for profile in &nsd.vnf_profiles {
        for end in &profile.connectivity {
            let one = format!("{}({}):{}", profile.id, profile.vnfd_id, end.cpd);
            all.entry(end.virtual_link.clone()).or_default().insert(one);
        }
    }
    all
}

fn fixture(folder: &str, names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../descriptors/tests/fixtures")
        .join(folder);
    names
        .iter()
        .map(|name| ((*name).to_owned(), std::fs::read(root.join(name)).unwrap()))
        .collect()
}

fn imported(format: LeafFormat, files: &BTreeMap<String, Vec<u8>>) -> Imported {
    import(format, files, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_scenario_of_each_schema_comes_back_as_it_was() {
    for file in ["chain-01.yaml", "chain-02.yaml", "chain-03.yaml"] {
        let files = fixture("openmano", &["pair.yaml", file]);
        let (source, _) = openmano::read_scenario(file, &files[file]).unwrap();
        let back = scenario_of(&imported(LeafFormat::OpenMano, &files));
        let (mut wanted, found) = (networks(&source), networks(&back));
        // What a scenario leaves unconnected is open to the outside in a script.
        let open: Vec<&String> = found.keys().filter(|name| !wanted.contains_key(*name)).collect();
        assert_eq!(open, ["left-manage", "right-east", "right-manage"], "{file}");
        for (name, ends) in &found {
            if let Some(of_source) = wanted.remove(name) {
                assert_eq!(ends, &of_source, "{file}");
            }
        }
        assert!(wanted.is_empty(), "{file}: {wanted:?}");
        let outside = back
            .saps
            .iter()
            .any(|sap| sap.virtual_link.as_deref() == Some("outside"));
        assert!(outside, "{file}");
    }
}

#[test]
fn services_of_the_other_languages_become_scripts_that_check() {
    let sol006 = imported(LeafFormat::Sol006, &fixture("sol006", &["cache.yaml", "delivery.yaml"]));
    let text = &sol006.files[&sol006.script];
    assert!(
        text.contains("Property ipprefix: 10.50.0.0/24, bandwidth: 500(mbps)"),
        "{text}"
    );
    assert!(
        sol006.notes.iter().any(|note| note.contains("1 forwarding graphs")),
        "{:?}",
        sol006.notes
    );
    let back = networks(&scenario_of(&sol006));
    assert_eq!(back["entry"].len(), 2, "{back:?}");
    let all = [
        "router.yaml",
        "filter.yaml",
        "service.yaml",
        "first.yaml",
        "second.yaml",
    ];
    let man001 = imported(LeafFormat::Man001, &fixture("man001", &all));
    let back = networks(&scenario_of(&man001));
    assert_eq!(back["first"].len(), 2, "{back:?}");
    assert_eq!(back["customer"].len(), 2, "{back:?}");
}

#[test]
fn a_vnf_alone_becomes_one_node_of_it() {
    let alone = imported(LeafFormat::OpenMano, &fixture("openmano", &["pair.yaml"]));
    assert_eq!(alone.script, "pair.nemo");
    assert_eq!(scenario_of(&alone).vnf_profiles.len(), 1);
    assert!(alone.files.contains_key("pair/Definitions/pair.yaml"));
}

#[test]
fn names_that_nemo_cannot_write_are_changed_with_a_note() {
    let mut files = fixture("openmano", &["pair.yaml", "chain-02.yaml"]);
    let text = String::from_utf8(files["pair.yaml"].clone()).unwrap();
    files.insert(
        "pair.yaml".into(),
        text.replace("name: east", "name: 1/east").into_bytes(),
    );
    let text = String::from_utf8(files["chain-02.yaml"].clone()).unwrap();
    let text = text
        .replace("left: east", "left: 1/east")
        .replace("middle:", "Connection:");
    files.insert("chain-02.yaml".into(), text.into_bytes());
    let imported = imported(LeafFormat::OpenMano, &files);
    assert!(
        imported.notes.contains(&"`1/east` is called `n-1-east`".to_owned()),
        "{:?}",
        imported.notes
    );
    assert!(
        imported
            .notes
            .contains(&"`Connection` is called `n-Connection`".to_owned())
    );
    scenario_of(&imported);
}

#[test]
fn what_is_missing_or_of_another_language_is_named() {
    let fail = |format, files: &BTreeMap<String, Vec<u8>>| import(format, files, &Options::default()).unwrap_err();
    let mut files = fixture("openmano", &["chain-02.yaml"]);
    assert!(matches!(fail(LeafFormat::OpenMano, &files), ImportError::Selection(_)));
    files.extend(fixture("sol006", &["cache.yaml"]));
    assert!(matches!(
        fail(LeafFormat::OpenMano, &files),
        ImportError::OtherLanguage { .. }
    ));
    let mut files = fixture("openmano", &["pair.yaml", "chain-02.yaml", "chain-03.yaml"]);
    assert!(matches!(fail(LeafFormat::OpenMano, &files), ImportError::Selection(_)));
    files.remove("chain-03.yaml");
    let change = |files: &BTreeMap<String, Vec<u8>>, from: &str, to: &str| {
        let text = String::from_utf8(files["chain-02.yaml"].clone())
            .unwrap()
            .replace(from, to);
        let mut files = files.clone();
        files.insert("chain-02.yaml".into(), text.into_bytes());
        files
    };
    let missing = fail(
        LeafFormat::OpenMano,
        &change(&files, "vnf_name: pair", "vnf_name: trio"),
    );
    assert!(
        missing.to_string().contains("`trio`") && missing.to_string().contains("`pair`"),
        "{missing}"
    );
    let missing = fail(LeafFormat::OpenMano, &change(&files, "right: west", "right: wast"));
    assert!(missing.to_string().contains("`right:wast`"), "{missing}");
    let faulty = change(&files, "right: west", "wrong: west");
    assert!(matches!(fail(LeafFormat::OpenMano, &faulty), ImportError::Faults(_)));
}

/// Descriptors that others wrote, from beside the repository; a clone alone has none.
fn samples() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/openmano");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not here", folder.display());
    }
    folder.is_dir().then_some(folder)
}

#[test]
fn scenarios_of_others_come_back_as_they_were() {
    let Some(folder) = samples() else { return };
    for scenario in ["scenarios-simple.yaml", "scenarios-complex.yaml"] {
        let names = [
            "vnfs-dataplaneVNF1.yaml",
            "vnfs-dataplaneVNF2.yaml",
            "vnfs-linux.yaml",
            scenario,
        ];
        let files: BTreeMap<String, Vec<u8>> = names
            .iter()
            .map(|name| ((*name).to_owned(), std::fs::read(folder.join(name)).unwrap()))
            .collect();
        let (source, _) = openmano::read_scenario(scenario, &files[scenario]).unwrap();
        let back = scenario_of(&imported(LeafFormat::OpenMano, &files));
        assert_eq!(networks(&back), networks(&source), "{scenario}");
    }
}
