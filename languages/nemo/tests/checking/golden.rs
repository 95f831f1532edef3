//! Diagnostics as people read them, and as programs do.

use crate::world::{Catalogue, FW};
use manifold_nemo::check::Options;
use manifold_nemo::fix::all_diagnostics;
use manifold_nemo::render::{Files, render_all};
use manifold_nemo_syntax::diagnostic::FileId;
use std::path::Path;

fn golden(name: &str, now: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/checking/goldens")
        .join(name);
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, now).unwrap();
        return;
    }
    let then = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        then, now,
        "review the change of {name}, then run this test with GOLDEN=write"
    );
}

fn faulty() -> String {
    format!(
        "{FW}CREATE NodeModel shaper VNFD catalog:shaper;
  ConnectionPoint lan at VNFD:ge0;

CREATE NodeModel chain Property string: port;
  Node in Type fw;
\tNode out Type shapr;
  ConnectionPoint input;
  ConnectionPoint output
  Connection first Type p2p input, in:aa;
  Connection second Type p2p Endnodes in:a, in:m, output;
  Flow web Match dstpotr: 80, srcip: 10.0.0.1/24;
  Operation o Target wbe Action go-through: [in, outt], bandwidth: 10;

CREATE NodeModel a;
  Node b Type b;
CREATE NodeModel b;
  Node a Type a;

Transaction Begin;
CREATE Node x Type chain;
UPDATE Node y Type chain;
DELETE Connection none;
"
    )
}

#[test]
fn a_text_full_of_faults_reads_well() {
    let text = faulty();
    let found = all_diagnostics(std::slice::from_ref(&text), &Catalogue::new(), &Options::default());
    golden(
        "faulty.txt",
        &render_all(&found, &Files::new().with(FileId(0), "faulty.nemo", &text)),
    );
    let mut json = serde_json::to_string_pretty(&found[0]).unwrap();
    json.push('\n');
    golden("faulty-first.json", &json);
}
