//! One editing session from the first word to the last, as a person has it.

use crate::client::{Client, VNF};
use serde_json::{Value, json};

const LEAVES: &str = "\
CREATE NodeModel filter VNFD filter.yaml;
  ConnectionPoint inside at VNFD:left;
  ConnectionPoint outside at VNFD:right;
";

fn labels(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["label"].as_str().unwrap())
        .collect()
}

#[test]
fn a_service_is_written_mended_renamed_and_left() {
    let mut client = Client::in_folder(&[("leaves.nemo", LEAVES), ("filter.yaml", VNF)]);

    // An empty document has nothing wrong.
    client.open("service.nemo", "");
    assert_eq!(client.codes("service.nemo"), Vec::<String>::new());

    // A composite is typed; its first node is completed from the other script.
    client.type_at(
        "service.nemo",
        0,
        "CREATE NodeModel chain;\n  ConnectionPoint lan;\n  Node first Type fi",
    );
    let end = client.text("service.nemo").len();
    let list = client.ask_at("textDocument/completion", "service.nemo", end, Value::Null);
    assert!(labels(&list).contains(&"filter"), "{list}");
    let item = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["label"] == "filter")
        .unwrap()
        .clone();
    assert_eq!(item["detail"], "leaves.nemo");
    client.apply_edits("service.nemo", &json!([item["textEdit"]]));
    assert!(client.text("service.nemo").ends_with("Type filter"));

    // The `;` lacks, and then it does not.
    let codes = client.codes("service.nemo");
    assert!(codes.contains(&"E-SEMI".to_owned()), "{codes:?}");
    let end = client.text("service.nemo").len();
    client.type_at(
        "service.nemo",
        end,
        ";\n  Node second Type filter;\n  Connection c Type p2p Endnodes first:outside, second:",
    );
    let end = client.text("service.nemo").len();
    let list = client.ask_at("textDocument/completion", "service.nemo", end, Value::Null);
    assert_eq!(labels(&list), ["inside", "outside"]);
    client.type_at(
        "service.nemo",
        end,
        "inside;\n  Connection d Type p2p Endnodes lan, first:inside;\n",
    );
    let codes = client.codes("service.nemo");
    assert!(!codes.iter().any(|code| code.starts_with("E-")), "{codes:?}");

    // What is under the cursor.
    let at = client.find("service.nemo", "first Type") + 12;
    let hover = client.ask_at("textDocument/hover", "service.nemo", at, Value::Null);
    let shown = hover["contents"]["value"].as_str().unwrap();
    assert!(shown.contains("NodeModel filter VNFD filter.yaml"), "{shown}");
    assert!(shown.contains("`inside` at `left` (data)"), "{shown}");

    // Where it is defined: in the other script, and from there in the descriptor.
    let found = client.ask_at("textDocument/definition", "service.nemo", at, Value::Null);
    assert_eq!(found[0]["uri"], client.uri("leaves.nemo"));
    assert_eq!(found[0]["range"]["start"], json!({ "line": 0, "character": 17 }));
    client.open_file("leaves.nemo");
    assert_eq!(client.codes("leaves.nemo"), Vec::<String>::new());
    let at = client.find("leaves.nemo", "left");
    let found = client.ask_at("textDocument/definition", "leaves.nemo", at, Value::Null);
    assert_eq!(found[0]["uri"], client.uri("filter.yaml"));
    let line = found[0]["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(VNF.lines().nth(line).unwrap().contains("name: left"), "line {line}");

    // An interface that is not there: the descriptor's lines are shown beside it, and another is proposed.
    client.replace("leaves.nemo", "VNFD:left", "VNFD:lefd");
    let told = client.diagnostics("leaves.nemo");
    assert_eq!(told[0]["code"], "E-IFACE");
    assert_eq!(told[0]["codeDescription"]["href"], "editor://nemo/explain/E-IFACE");
    let related = told[0]["relatedInformation"].as_array().unwrap();
    assert!(
        related
            .iter()
            .any(|place| place["location"]["uri"] == client.uri("filter.yaml")),
        "{related:?}"
    );
    let range = told[0]["range"].clone();
    let actions = client.ask(
        "textDocument/codeAction",
        json!({ "textDocument": { "uri": client.uri("leaves.nemo") }, "range": range, "context": { "diagnostics": told } }),
    );
    let action = actions["result"][0].clone();
    assert_eq!(action["kind"], "quickfix", "{actions}");
    client.apply(&action["edit"]);
    assert_eq!(client.text("leaves.nemo"), LEAVES);
    assert_eq!(client.codes("leaves.nemo"), Vec::<String>::new());

    // A connection point gets another name, in both scripts at once.
    let at = client.find("leaves.nemo", "outside");
    let prepared = client.ask_at("textDocument/prepareRename", "leaves.nemo", at, Value::Null);
    assert_eq!(prepared["placeholder"], "outside");
    let edit = client.ask_at("textDocument/rename", "leaves.nemo", at, json!({ "newName": "wan" }));
    assert_eq!(edit["documentChanges"].as_array().unwrap().len(), 2, "{edit}");
    client.apply(&edit);
    assert!(
        client
            .text("service.nemo")
            .contains("Endnodes first:wan, second:inside")
    );
    assert!(client.text("leaves.nemo").contains("ConnectionPoint wan at VNFD:right"));
    // The server may have looked between the two scripts' changes; it tells again when it has seen both.
    while client.codes("service.nemo").iter().any(|code| code.starts_with("E-")) {}

    // The layout.
    client.replace("service.nemo", "  Node second", "\n\n\n      node   second");
    let formatting = json!({ "textDocument": { "uri": client.uri("service.nemo") }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = client.ask("textDocument/formatting", formatting.clone());
    client.apply_edits("service.nemo", &edits["result"]);
    assert!(
        client.text("service.nemo").contains("\n  Node second Type filter;\n"),
        "{}",
        client.text("service.nemo")
    );
    let edits = client.ask("textDocument/formatting", formatting);
    assert_eq!(edits["result"], json!([]), "a formatted text needs no edit");

    // Everything is closed, and what was shown goes.
    client.close("service.nemo");
    let uri = client.uri("service.nemo");
    client.wait(|message| {
        let params = &message["params"];
        params["uri"] == *uri && params["diagnostics"] == json!([]) && params.get("version").is_none()
    });
    client.quit();
}
