//! What a client, a network or a person can do wrong, and that the server stays.

use crate::client::{Client, VNF};
use serde_json::{Value, json};

fn code(answer: &Value) -> i64 {
    answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("no error: {answer}"))
}

#[test]
fn nothing_is_answered_before_the_introduction() {
    let mut client = Client::start();
    let answer = client.ask("textDocument/hover", json!({}));
    assert_eq!(code(&answer), -32002);
    // A note is passed over.
    client.open("a.nemo", "CREATE");
    client.initialize(json!({}));
    assert_eq!(code(&client.ask("initialize", json!({ "capabilities": {} }))), -32600);
    let answer = client.ask(
        "textDocument/hover",
        json!({
            "textDocument": { "uri": client.uri("a.nemo") }, "position": { "line": 0, "character": 0 },
        }),
    );
    assert_eq!(code(&answer), -32602, "the document was opened too early");
    client.quit();
}

#[test]
fn an_introduction_that_cannot_be_read_can_be_made_again() {
    let mut client = Client::start();
    assert_eq!(code(&client.ask("initialize", json!({ "capabilities": 7 }))), -32602);
    client.initialize(json!({}));
    client.quit();
}

#[test]
fn what_is_not_known_is_refused_and_what_is_optional_is_ignored() {
    let mut client = Client::in_folder(&[]);
    assert_eq!(code(&client.ask("textDocument/inlineValues", json!({}))), -32601);
    assert_eq!(code(&client.ask("$/unheard", json!({}))), -32601);
    assert_eq!(
        code(&client.ask("textDocument/hover", json!({ "textDocument": 1 }))),
        -32602
    );
    assert_eq!(code(&client.ask("textDocument/hover", Value::Null)), -32602);
    client.note("$/setTrace", json!({ "value": "verbose" }));
    client.note("workspace/unheard", json!({}));
    client.note(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": "file:///x.nemo", "version": 1 }, "contentChanges": [] }),
    );
    client.wait(|message| message["method"] == "window/logMessage");
    client.quit();
}

#[test]
fn a_message_that_is_no_message_is_answered_and_the_next_one_is_heard() {
    let mut client = Client::in_folder(&[]);
    for (body, expected) in [
        ("{\"jsonrpc\":\"2.0\", oops", -32700),
        ("\u{0}", -32700),
        ("[]", -32600),
        ("17", -32600),
        ("{\"jsonrpc\":\"2.0\"}", -32600),
    ] {
        client.send_body(body.as_bytes());
        let answer = client.wait(|message| message["id"].is_null() && message.get("error").is_some());
        assert_eq!(code(&answer), expected, "{body}");
    }
    client.send_body(b"\xff\xfe");
    assert_eq!(
        code(&client.wait(|message| message["id"].is_null() && message.get("error").is_some())),
        -32700
    );
    client.send(&json!({ "id": 99999999999u64, "method": "shutdown" }));
    assert_eq!(code(&client.wait(|message| message["id"] == 99999999999u64)), -32600);
    client.quit();
}

#[test]
fn a_broken_header_ends_the_process_with_an_error() {
    let mut client = Client::in_folder(&[]);
    client.send_bytes(b"Content-Length: many\r\n\r\n{}");
    assert_eq!(client.exit_code(), Some(1));
}

#[test]
fn ending_without_saying_so_is_told_by_the_exit_status() {
    let mut client = Client::in_folder(&[]);
    client.note("exit", Value::Null);
    assert_eq!(client.exit_code(), Some(1));
    let mut client = Client::in_folder(&[]);
    client.hang_up();
    assert_eq!(client.exit_code(), Some(1));
    let mut client = Client::in_folder(&[]);
    client.ask("shutdown", Value::Null);
    assert_eq!(code(&client.ask("textDocument/hover", json!({}))), -32600);
    client.note("exit", Value::Null);
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn positions_outside_of_the_text_are_drawn_in() {
    let mut client = Client::in_folder(&[("filter.yaml", VNF)]);
    client.open("a.nemo", "CREATE NodeModel m VNFD filter.yaml;\n");
    client.codes("a.nemo");
    let uri = client.uri("a.nemo");
    for (line, character) in [(0, 4_000_000_000u32), (4_000_000_000u32, 0), (99, 99)] {
        for method in [
            "textDocument/hover",
            "textDocument/completion",
            "textDocument/definition",
        ] {
            let answer = client.ask(
                method,
                json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } }),
            );
            assert!(answer.get("error").is_none(), "{method} {line}:{character}: {answer}");
        }
    }
    let answer = client.ask(
        "textDocument/hover",
        json!({ "textDocument": { "uri": uri }, "position": { "line": -1, "character": 0 } }),
    );
    assert_eq!(code(&answer), -32602);
    // A range that reaches beyond the end replaces up to the end; one that is turned round is turned back.
    client.note("textDocument/didChange", json!({
        "textDocument": { "uri": uri, "version": 2 },
        "contentChanges": [
            { "range": { "start": { "line": 0, "character": 19 }, "end": { "line": 70, "character": 3 } }, "text": ";" },
            { "range": { "start": { "line": 0, "character": 18 }, "end": { "line": 0, "character": 17 } }, "text": "model" },
        ],
    }));
    let symbols = client.ask_of("textDocument/documentSymbol", "a.nemo");
    assert_eq!(symbols[0]["name"], "model");
    client.quit();
}

#[test]
fn a_document_of_a_megabyte_is_edited_like_any_other() {
    let mut client = Client::in_folder(&[("filter.yaml", VNF)]);
    let mut text = String::from("CREATE NodeModel leaf VNFD filter.yaml;\n  ConnectionPoint p at VNFD:left;\n\n");
    let mut number = 0;
    while text.len() < 1 << 20 {
        text.push_str(&format!("CREATE Node node{number} Type leaf; // é {number}\n"));
        number += 1;
    }
    client.open("big.nemo", &text);
    let first = client.codes("big.nemo").len();
    let at = client.text("big.nemo").len() - 1;
    client.type_at("big.nemo", at, "\nCREATE Node another Type");
    let at = client.text("big.nemo").len() - 1;
    let list = client.ask_at("textDocument/completion", "big.nemo", at, Value::Null);
    assert!(list.is_object() || list.is_null());
    client.type_at("big.nemo", at, " leaf;");
    assert!(client.codes("big.nemo").len() >= first.min(999));
    let symbols = client.ask_of("textDocument/documentSymbol", "big.nemo");
    assert_eq!(symbols.as_array().unwrap().len(), number + 2);
    client.quit();
}

#[test]
fn a_text_that_is_too_large_is_told_of_and_looked_at_again_when_it_is_smaller() {
    let mut client = Client::in_folder(&[]);
    client.open("big.nemo", &" ".repeat(9 << 20));
    let told = client.diagnostics("big.nemo");
    assert!(told[0]["message"].as_str().unwrap().contains("larger"), "{told:?}");
    let uri = client.uri("big.nemo");
    client.note(
        "textDocument/didChange",
        json!({
            "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": "CREATE Node a Type b" }],
        }),
    );
    let told = client.wait(|message| message["params"]["version"] == 2);
    assert!(
        told["params"]["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .any(|told| told["code"] == "E-SEMI")
    );
    client.quit();
}

#[test]
fn a_question_that_is_withdrawn_is_answered_so() {
    let mut client = Client::in_folder(&[]);
    client.open("a.nemo", "");
    // Both are in the server's queue before it looks at the first: they come in one piece.
    let uri = client.uri("a.nemo");
    let mut bytes = Vec::new();
    let mut frame = |message: Value| {
        let body = message.to_string();
        bytes.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
    };
    // So much is to be done before that the cancellation is read first.
    for id in 1000..1200 {
        frame(
            json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/documentSymbol", "params": { "textDocument": { "uri": uri } } }),
        );
    }
    frame(
        json!({ "jsonrpc": "2.0", "id": "mine", "method": "textDocument/hover", "params": {
        "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } } }),
    );
    frame(json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "mine" } }));
    client.send_bytes(&bytes);
    let answer = client.wait(|message| message["id"] == "mine");
    // A cancellation may come too late: then there is a result. There is always one answer.
    assert!(
        answer["error"]["code"] == -32800 || answer.get("result").is_some(),
        "{answer}"
    );
    for id in 1000..1200 {
        client.answer(id);
    }
    client.quit();
}

#[test]
fn names_that_cannot_be_given_are_refused_with_the_reason() {
    const TEXT: &str = "\
CREATE NodeModel leaf VNFD filter.yaml;
  ConnectionPoint left at VNFD:left;
  ConnectionPoint right at VNFD:right;

CREATE NodeModel pair Property string: place;
  Node one Type leaf Property location: place;
  Node two Type leaf Property location: here;
  ConnectionPoint input;
  Connection a Endnodes input, one:left;
  Connection b Endnodes one:right, two:left;
  Node three Type leaf;
  Connection c Endnodes input, three;
";
    let mut client = Client::in_folder(&[("filter.yaml", VNF)]);
    client.open("a.nemo", TEXT);
    let uri = client.uri("a.nemo");
    let mut refused = |what: &str, new: &str, why: &str| {
        let position = client.position("a.nemo", client.find("a.nemo", what));
        let answer = client.ask(
            "textDocument/rename",
            json!({ "textDocument": { "uri": uri }, "position": position, "newName": new }),
        );
        assert_eq!(code(&answer), -32803, "{what} -> {new}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{what} -> {new}: {message}");
    };
    refused("two Type", "Node", "word of the language");
    refused("two Type", "CREATE", "word of the language");
    refused("two Type", "2nd", "is no name");
    refused("two Type", "", "is no name");
    refused("two Type", "a b", "is no name");
    refused("two Type", "one", "has a node `one` already (a.nemo, line 6)");
    refused("pair Property", "leaf", "has a model `leaf` already");
    // An end `input` would be the connection point: no name is taken, and yet it cannot be had.
    refused("three Type", "input", "would mean something else");
    // `here` is a text; it would become the parameter.
    refused("place;\n  Node one", "here", "would mean something else");
    refused("left;\n  ConnectionPoint right", "west", "names it");
    client.quit();
}
