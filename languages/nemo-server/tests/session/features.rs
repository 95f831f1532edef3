//! Each thing that an editor asks for, on scripts small enough to see the answer.

use crate::client::{Client, VNF, offset};
use serde_json::{Value, json};

const TEXT: &str = "\
// Two filters, one behind the other.
// Between them a flow is looked at.
CREATE NodeModel filter Property string: place VNFD filter.yaml;
  ConnectionPoint left at VNFD:left;
  ConnectionPoint right at VNFD:xe1;

CREATE NodeModel pair;
  Node one Type filter Property place: north;
  Node two Type filter
    Property place: south;
  ConnectionPoint input;
  Connection a Type p2p Endnodes input, one:left;
  Connection b Type p2p Endnodes one:right, two:left;
  Flow web Match dstport: 80;
  Operation slow Target web Priority 3 Action bandwidth: 10(mbps);

CREATE Node all Type pair;
";

fn client() -> Client {
    let mut client = Client::in_folder(&[("filter.yaml", VNF)]);
    client.open("a.nemo", TEXT);
    client.codes("a.nemo");
    client
}

fn complete(client: &mut Client, text: &str) -> Vec<String> {
    let at = text.find('|').unwrap();
    let name = "complete.nemo";
    client.open(name, &text.replace('|', ""));
    client.diagnostics(name);
    let list = client.ask_at("textDocument/completion", name, at, Value::Null);
    client.close(name);
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .map(|item| item["label"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn completion_knows_what_can_stand_where() {
    let mut client = client();
    assert_eq!(complete(&mut client, "CREATE Node x Type |"), ["filter", "pair"]);
    let keys = complete(&mut client, "CREATE Node x Type filter Property |");
    assert_eq!(keys, ["place", "location"]);
    let interfaces = complete(
        &mut client,
        "CREATE NodeModel m VNFD filter.yaml;\n  ConnectionPoint p at VNFD:|;",
    );
    assert_eq!(interfaces, ["mgmt", "left", "right"]);
    let ends = "CREATE NodeModel m;\n  Node n Type filter;\n  ConnectionPoint p;\n  Connection c Endnodes ";
    assert_eq!(
        complete(&mut client, &format!("{ends}|")),
        ["p", "n", "n:left", "n:right"]
    );
    assert_eq!(complete(&mut client, &format!("{ends}p, n.l|")), ["left", "right"]);
    let clauses = complete(&mut client, "CREATE Connection c Type mesh |");
    assert_eq!(clauses, ["Endnodes", "Property"]);
    let start = complete(&mut client, "CREATE NodeModel m;\n  |");
    assert_eq!(&start[..2], ["Node", "Connection"]);
    assert!(
        complete(&mut client, "CREATE NodeModel m {\n  ConnectionPoint p;\n}\n|").starts_with(&["CREATE".to_owned()])
    );
    assert!(complete(&mut client, "// |").is_empty());
    client.quit();
}

#[test]
fn hovers_tell_of_nets_interfaces_and_descriptors() {
    let mut client = client();
    let mut shown = |what: &str| {
        let at = client.find("a.nemo", what);
        let hover = client.ask_at("textDocument/hover", "a.nemo", at, Value::Null);
        hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    assert!(shown("b Type").contains("On the net: `one:right`, `two:left`."));
    assert!(shown("input;").contains("On the net: `input`, `one:left`."));
    let interface = shown("xe1;");
    assert!(
        interface.contains("Interface `right`, data, `xe1` of VNFC `filter-vm`"),
        "{interface}"
    );
    assert!(interface.contains("filter.yaml:13"), "{interface}");
    assert!(shown("filter.yaml").contains("Interfaces: `mgmt` (mgmt), `left` (data), `right` (data)."));
    assert!(shown("place: north").contains("Parameter of model `filter`."));
    assert!(shown("pair;\n  Node").contains("Nodes: `one`: filter, `two`: filter."));
    assert!(shown("web Match").contains("Flow web Match dstport: 80"));
    assert_eq!(shown("north"), "");
    client.quit();
}

#[test]
fn references_are_found_in_all_scripts_and_highlights_in_one() {
    let mut client = Client::in_folder(&[
        ("a.nemo", TEXT),
        ("other/b.nemo", "CREATE Node x Type filter;\n"),
        ("filter.yaml", VNF),
    ]);
    client.open_file("a.nemo");
    let at = client.find("a.nemo", "filter Property string");
    let ask = |with: bool| json!({ "context": { "includeDeclaration": with } });
    let found = client.ask_at("textDocument/references", "a.nemo", at, ask(true));
    let mut uris: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["uri"].as_str().unwrap())
        .collect();
    uris.dedup();
    assert_eq!((found.as_array().unwrap().len(), uris.len()), (4, 2), "{found}");
    let found = client.ask_at("textDocument/references", "a.nemo", at, ask(false));
    assert_eq!(found.as_array().unwrap().len(), 3);
    let here = client.ask_at("textDocument/documentHighlight", "a.nemo", at, Value::Null);
    let kinds: Vec<&Value> = here.as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, [3, 2, 2]);
    client.quit();
}

#[test]
fn the_examples_are_without_fault() {
    let mut client = Client::in_folder(&[]);
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/nemo");
    let mut scripts = Vec::new();
    for folder in ["", "complex", "vnfs"] {
        for entry in std::fs::read_dir(examples.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
            let name = name.trim_start_matches('/');
            if path.is_file() {
                client.put(name, &std::fs::read_to_string(&path).unwrap());
            }
            if name.ends_with(".nemo") {
                scripts.push(name.to_owned());
            }
        }
    }
    assert!(scripts.len() >= 3, "{scripts:?}");
    for script in scripts {
        client.open_file(&script);
        let codes = client.codes(&script);
        assert!(!codes.iter().any(|code| code.starts_with("E-")), "{script}: {codes:?}");
    }
    client.quit();
}

#[test]
fn a_name_means_the_nearest_model() {
    let leaf = |interface: &str| {
        format!("CREATE NodeModel leaf VNFD filter.yaml;\n  ConnectionPoint p at VNFD:{interface};\n")
    };
    let mut client = Client::in_folder(&[
        ("x/leaf.nemo", &leaf("left")),
        ("y/leaf.nemo", &leaf("right")),
        ("x/filter.yaml", VNF),
        ("y/filter.yaml", VNF),
        ("y/use.nemo", "CREATE Node n Type leaf;\n"),
    ]);
    client.open_file("y/use.nemo");
    let codes = client.codes("y/use.nemo");
    assert!(
        !codes.iter().any(|code| code.starts_with("E-")),
        "two services are no clash: {codes:?}"
    );
    let at = client.find("y/use.nemo", "leaf");
    let found = client.ask_at("textDocument/definition", "y/use.nemo", at, Value::Null);
    assert_eq!(found[0]["uri"], client.uri("y/leaf.nemo"));
    // It goes away, and the other one is the nearest.
    std::fs::remove_file(client.folder.path().join("y/leaf.nemo")).unwrap();
    let uri = client.uri("y/leaf.nemo");
    client.note(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [{ "uri": uri, "type": 3 }] }),
    );
    let found = client.ask_at("textDocument/definition", "y/use.nemo", at, Value::Null);
    assert_eq!(found[0]["uri"], client.uri("x/leaf.nemo"));
    client.quit();
}

#[test]
fn a_descriptor_that_changes_on_the_disk_is_read_anew() {
    let mut client = client();
    client.put("filter.yaml", &VNF.replace("name: left", "name: west"));
    let uri = client.uri("filter.yaml");
    client.note(
        "workspace/didChangeWatchedFiles",
        json!({ "changes": [{ "uri": uri, "type": 2 }] }),
    );
    let told = client.diagnostics("a.nemo");
    assert!(told.iter().any(|told| told["code"] == "E-IFACE"), "{told:?}");
    client.quit();
}

#[test]
fn the_outline_shows_models_with_what_is_in_them() {
    let mut client = client();
    let symbols = client.ask_of("textDocument/documentSymbol", "a.nemo");
    let names = |symbols: &Value| -> Vec<String> {
        symbols
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&symbols), ["filter", "pair", "all"]);
    assert_eq!(names(&symbols[0]["children"]), ["place", "left", "right"]);
    assert_eq!(
        names(&symbols[1]["children"]),
        ["one", "two", "input", "a", "b", "web", "slow"]
    );
    let found = client.ask("workspace/symbol", json!({ "query": "flt" }));
    assert_eq!(names(&found["result"]), ["filter"]);
    client.quit();
}

#[test]
fn bodies_statements_and_comments_fold() {
    let mut client = client();
    let folds = client.ask_of("textDocument/foldingRange", "a.nemo");
    let lines: Vec<(u64, u64)> = folds
        .as_array()
        .unwrap()
        .iter()
        .map(|fold| (fold["startLine"].as_u64().unwrap(), fold["endLine"].as_u64().unwrap()))
        .collect();
    assert_eq!(lines, [(2, 4), (6, 14), (8, 9), (0, 1)]);
    client.quit();
}

#[test]
fn addresses_of_descriptors_are_links() {
    let mut client = client();
    let links = client.ask_of("textDocument/documentLink", "a.nemo");
    assert_eq!(links.as_array().unwrap().len(), 1);
    assert_eq!(links[0]["target"], client.uri("filter.yaml"));
    let start = offset(TEXT, &links[0]["range"]["start"]);
    assert!(TEXT[start..].starts_with("filter.yaml;"));
    client.quit();
}

#[test]
fn tokens_tell_names_by_what_they_mean() {
    let mut client = client();
    let legend = [
        "keyword",
        "class",
        "type",
        "parameter",
        "variable",
        "interface",
        "event",
        "function",
        "property",
        "enumMember",
        "string",
        "number",
        "operator",
        "comment",
    ];
    let answer = client.ask_of("textDocument/semanticTokens/full", "a.nemo");
    let data: Vec<usize> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_u64().unwrap() as usize)
        .collect();
    let lines: Vec<&str> = TEXT.lines().collect();
    let (mut line, mut column) = (0, 0);
    let mut words = Vec::new();
    for token in data.chunks(5) {
        (line, column) = if token[0] == 0 {
            (line, column + token[1])
        } else {
            (line + token[0], token[1])
        };
        words.push((&lines[line][column..column + token[2]], legend[token[3]], token[4]));
    }
    for expected in [
        ("CREATE", "keyword", 0),
        ("filter", "class", 1),
        ("string", "type", 0),
        ("place", "parameter", 1),
        ("left", "interface", 1),
        ("one", "variable", 1),
        ("filter", "class", 0),
        ("place", "parameter", 0),
        ("north", "string", 0),
        ("p2p", "enumMember", 0),
        ("one", "variable", 0),
        ("right", "interface", 0),
        ("web", "event", 1),
        ("dstport", "property", 0),
        ("80", "number", 0),
        ("slow", "function", 1),
        ("web", "event", 0),
        ("pair", "class", 0),
    ] {
        assert!(words.contains(&expected), "{expected:?} is not in {words:?}");
    }
    // What changes is told as a change.
    let previous = answer["resultId"].clone();
    client.replace("a.nemo", "north", "northern");
    let params = json!({ "textDocument": { "uri": client.uri("a.nemo") }, "previousResultId": previous });
    let changed = client.ask("textDocument/semanticTokens/full/delta", params);
    let edits = changed["result"]["edits"].as_array().unwrap();
    assert_eq!(
        (edits.len(), edits[0]["deleteCount"].as_u64()),
        (1, Some(5)),
        "{changed}"
    );
    client.quit();
}

#[test]
fn all_sure_fixes_are_one_action() {
    let mut client = Client::in_folder(&[("filter.yaml", VNF)]);
    client.open(
        "a.nemo",
        "create NodeModel m VNFD filter.yaml;\n  ConnectionPoint a at VNFD:left\n  ConnectionPoint b at VNFD:right\n",
    );
    let told = client.diagnostics("a.nemo");
    assert!(told.len() >= 3, "{told:?}");
    let ask = |client: &mut Client, only: Value| {
        let uri = client.uri("a.nemo");
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
        let context = json!({ "diagnostics": [], "only": only });
        client.ask(
            "textDocument/codeAction",
            json!({ "textDocument": { "uri": uri }, "range": range, "context": context }),
        )["result"]
            .clone()
    };
    let quick = ask(&mut client, json!(["quickfix"]));
    assert!(
        quick.as_array().unwrap().len() >= 3 && quick[0]["isPreferred"] == true,
        "{quick}"
    );
    let all = ask(&mut client, json!(["source.fixAll"]));
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    client.apply(&all[0]["edit"]);
    assert_eq!(
        client.text("a.nemo"),
        "CREATE NodeModel m VNFD filter.yaml;\n  ConnectionPoint a at VNFD:left;\n  ConnectionPoint b at VNFD:right;\n"
    );
    assert_eq!(client.codes("a.nemo"), Vec::<String>::new());
    assert_eq!(ask(&mut client, json!(["source.fixAll"])), json!([]));
    client.quit();
}

#[test]
fn an_action_waits_for_the_check_of_what_was_just_typed() {
    let mut client = client();
    client.replace("a.nemo", "VNFD:left", "VNFD:lefd");
    let at = client.position("a.nemo", client.find("a.nemo", "lefd"));
    let uri = client.uri("a.nemo");
    // Nothing was waited for in between.
    let answer = client.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri }, "range": { "start": at, "end": at }, "context": { "diagnostics": [] },
        }),
    );
    assert!(answer["result"].to_string().contains("left"), "{answer}");
    client.quit();
}

#[test]
fn a_part_of_a_text_is_formatted_alone() {
    let mut client = Client::in_folder(&[]);
    client.open("a.nemo", "CREATE   Node a Type b;\nCREATE   Node c Type d;\n");
    let params = json!({
        "textDocument": { "uri": client.uri("a.nemo") },
        "range": { "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 30 } },
        "options": { "tabSize": 2, "insertSpaces": true },
    });
    let edits = client.ask("textDocument/rangeFormatting", params);
    client.apply_edits("a.nemo", &edits["result"]);
    assert_eq!(
        client.text("a.nemo"),
        "CREATE   Node a Type b;\nCREATE Node c Type d;\n"
    );
    client.quit();
}

#[test]
fn a_code_is_explained() {
    let mut client = Client::in_folder(&[]);
    let ask = |argument: Value| json!({ "command": "nemo.explain", "arguments": [argument] });
    let answer = client.ask("workspace/executeCommand", ask(json!("E-SEMI")));
    assert!(answer["result"].as_str().unwrap().starts_with("# E-SEMI"), "{answer}");
    let answer = client.ask("workspace/executeCommand", ask(json!("E-IFACE")));
    assert!(answer["result"].as_str().unwrap().contains("```nemo"), "{answer}");
    let answer = client.ask("workspace/executeCommand", ask(json!("E-NOTHING")));
    assert_eq!(answer["result"], Value::Null);
    assert!(
        client
            .ask("workspace/executeCommand", ask(json!(1)))
            .get("error")
            .is_some()
    );
    client.quit();
}

#[test]
fn columns_are_what_the_client_counts() {
    let mut client = Client::start();
    let answer = client.initialize(json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } }));
    assert_eq!(answer["result"]["capabilities"]["positionEncoding"], "utf-8");
    client.open("a.nemo", "/* 😀 */ CREATE Node a Type b;\n");
    let symbols = client.ask_of("textDocument/documentSymbol", "a.nemo");
    let range = &symbols[0]["location"]["range"];
    assert_eq!(range["start"]["character"], 11, "{symbols}");
    client.quit();
    let mut client = Client::in_folder(&[]);
    client.open("a.nemo", "/* 😀 */ CREATE Node a Type b;\n");
    let symbols = client.ask_of("textDocument/documentSymbol", "a.nemo");
    assert_eq!(symbols[0]["range"]["start"]["character"], 9);
    // Typing behind the two halves of a character.
    let at = client.find("a.nemo", " */");
    client.type_at("a.nemo", at, "😀é");
    let symbols = client.ask_of("textDocument/documentSymbol", "a.nemo");
    assert_eq!(symbols[0]["range"]["start"]["character"], 12);
    client.quit();
}
