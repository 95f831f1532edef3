//! A client: it speaks the protocol, keeps its documents as an editor does, and waits for messages with a deadline.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// The slowest machine is slow; nothing that works takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A leaf's descriptor, in the language of OpenMANO.
pub(crate) const VNF: &str = "\
vnf:
    name: filter
    description: Two interfaces for packets and one for management
    external-connections:
    -   name: mgmt
        type: mgmt
        VNFC: filter-vm
        local_iface_name: eth0
    -   name: left
        type: data
        VNFC: filter-vm
        local_iface_name: xe0
    -   name: right
        type: data
        VNFC: filter-vm
        local_iface_name: xe1
    VNFC:
    -   name: filter-vm
        VNFC image: /images/filter.qcow2
        vcpus: 1
        ram: 1024
        bridge-ifaces:
        -   name: eth0
            vpci: '0000:00:09.0'
        -   name: xe0
            vpci: '0000:00:10.0'
        -   name: xe1
            vpci: '0000:00:11.0'
";

pub(crate) struct Client {
    process: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next_id: i32,
    /// Answers and notes that were read while something else was waited for.
    kept: Vec<Value>,
    /// Documents by address: their version and text.
    documents: HashMap<String, (i32, String)>,
    pub(crate) folder: tempfile::TempDir,
}

/// The server program, which is built together with the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    target
        .join("examples")
        .join(format!("nemo-lsp{}", std::env::consts::EXE_SUFFIX))
}

impl Client {
    /// A process that nothing was said to yet.
    pub(crate) fn start() -> Self {
        let mut process = Command::new(program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        let (sender, messages) = sync_channel(1024);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            messages,
            next_id: 0,
            kept: Vec::new(),
            documents: HashMap::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A process that has been introduced to an editor that can do everything, in a folder with these files.
    pub(crate) fn in_folder(files: &[(&str, &str)]) -> Self {
        let mut client = Self::start();
        for (name, text) in files {
            client.put(name, text);
        }
        let answer = client.initialize(json!({
            "general": { "positionEncodings": ["utf-16"] },
            "workspace": { "workspaceEdit": { "documentChanges": true } },
            "textDocument": {
                "publishDiagnostics": { "relatedInformation": true, "codeDescriptionSupport": true, "versionSupport": true },
                "hover": { "contentFormat": ["markdown"] },
                "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
                "rename": { "prepareSupport": true },
            },
        }));
        assert_eq!(answer["result"]["capabilities"]["positionEncoding"], "utf-16");
        client
    }

    pub(crate) fn initialize(&mut self, capabilities: Value) -> Value {
        let folder = self.uri("");
        let answer = self.ask(
            "initialize",
            json!({
                "processId": std::process::id(),
                "rootUri": folder,
                "capabilities": capabilities,
                "initializationOptions": { "explainBase": "editor://nemo/explain/" },
                "workspaceFolders": [{ "uri": folder, "name": "here" }],
            }),
        );
        self.note("initialized", json!({}));
        answer
    }

    // files and documents

    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.path().join(name).display())
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        &self.documents[&self.uri(name)].1
    }

    pub(crate) fn open(&mut self, name: &str, text: &str) {
        let uri = self.uri(name);
        self.documents.insert(uri.clone(), (1, text.to_owned()));
        self.note(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "nemo", "version": 1, "text": text } }),
        );
    }

    /// Opens a file of the folder as it is.
    pub(crate) fn open_file(&mut self, name: &str) {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        self.open(name, &text);
    }

    pub(crate) fn close(&mut self, name: &str) {
        let uri = self.uri(name);
        self.documents.remove(&uri);
        self.note("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    /// Replaces the only place where `old` stands.
    pub(crate) fn replace(&mut self, name: &str, old: &str, new: &str) {
        let start = self.find(name, old);
        self.edit(name, start, start + old.len(), new);
    }

    /// Types a text, key by key, at a byte.
    pub(crate) fn type_at(&mut self, name: &str, offset: usize, text: &str) {
        let mut offset = offset;
        for key in text.chars() {
            self.edit(name, offset, offset, key.encode_utf8(&mut [0; 4]));
            offset += key.len_utf8();
        }
    }

    pub(crate) fn edit(&mut self, name: &str, start: usize, end: usize, new: &str) {
        let range = json!({ "start": self.position(name, start), "end": self.position(name, end) });
        let uri = self.uri(name);
        let (version, text) = self.documents.get_mut(&uri).unwrap();
        text.replace_range(start..end, new);
        *version += 1;
        let version = *version;
        self.note(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": uri, "version": version },
                "contentChanges": [{ "range": range, "text": new }],
            }),
        );
    }

    /// The byte of the only place where `what` stands.
    pub(crate) fn find(&self, name: &str, what: &str) -> usize {
        let mut places = self.text(name).match_indices(what);
        let (start, _) = places.next().unwrap_or_else(|| panic!("{what:?} is not in {name}"));
        assert!(places.next().is_none(), "{what:?} stands twice in {name}");
        start
    }

    /// The position of a byte, in UTF-16, computed in the simplest way.
    pub(crate) fn position(&self, name: &str, offset: usize) -> Value {
        position(self.text(name), offset)
    }

    /// Applies what a server wants to be edited, as an editor does: all positions are those before the edit.
    pub(crate) fn apply(&mut self, edit: &Value) {
        for change in edit["documentChanges"].as_array().unwrap() {
            let uri = change["textDocument"]["uri"].as_str().unwrap().to_owned();
            let name = uri.strip_prefix(&self.uri("")).unwrap().to_owned();
            if !self.documents.contains_key(&uri) {
                assert!(change["textDocument"]["version"].is_null());
                self.open_file(&name);
            } else {
                assert_eq!(change["textDocument"]["version"], self.documents[&uri].0, "of {name}");
            }
            self.apply_edits(&name, &change["edits"]);
        }
    }

    pub(crate) fn apply_edits(&mut self, name: &str, edits: &Value) {
        let text = self.text(name).to_owned();
        let mut bytes: Vec<(usize, usize, String)> = edits
            .as_array()
            .unwrap()
            .iter()
            .map(|edit| {
                let at = |end: &str| offset(&text, &edit["range"][end]);
                (at("start"), at("end"), edit["newText"].as_str().unwrap().to_owned())
            })
            .collect();
        bytes.sort();
        for pair in bytes.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "edits overlap: {pair:?}");
        }
        for (start, end, new) in bytes.into_iter().rev() {
            self.edit(name, start, end, &new);
        }
    }

    // messages

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_body(message.to_string().as_bytes());
    }

    pub(crate) fn send_body(&mut self, body: &[u8]) {
        let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        frame.extend_from_slice(body);
        self.send_bytes(&frame);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn note(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a question and does not wait.
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> i32 {
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params }));
        self.next_id
    }

    /// Sends a question and waits for the whole answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        self.answer(id)
    }

    pub(crate) fn answer(&mut self, id: i32) -> Value {
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Asks about the byte where `what` begins, plus some, and gives the result.
    pub(crate) fn ask_at(&mut self, method: &str, name: &str, offset: usize, more: Value) -> Value {
        let mut params = json!({ "textDocument": { "uri": self.uri(name) }, "position": self.position(name, offset) });
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Asks about a whole document.
    pub(crate) fn ask_of(&mut self, method: &str, name: &str) -> Value {
        let params = json!({ "textDocument": { "uri": self.uri(name) } });
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The diagnostics of a document in its present version.
    pub(crate) fn diagnostics(&mut self, name: &str) -> Vec<Value> {
        let uri = self.uri(name);
        let version = self.documents[&uri].0;
        let told = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == *uri
                && message["params"]["version"] == version
        });
        told["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// The codes of a document's diagnostics.
    pub(crate) fn codes(&mut self, name: &str) -> Vec<String> {
        let diagnostics = self.diagnostics(name);
        diagnostics
            .iter()
            .map(|told| told["code"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The next message of a kind; others are kept for those who wait for them.
    pub(crate) fn wait(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&is_it) {
            return self.kept.remove(at);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) if is_it(&message) => return message,
                Ok(message) => self.kept.push(message),
                Err(RecvTimeoutError::Timeout) => panic!("nothing came in time; kept: {:?}", self.kept),
                Err(RecvTimeoutError::Disconnected) => panic!("the server is gone; kept: {:?}", self.kept),
            }
        }
    }

    /// Ends the conversation in order, and the process with it.
    pub(crate) fn quit(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null)["result"], Value::Null);
        self.note("exit", Value::Null);
        assert_eq!(self.exit_code(), Some(0));
    }

    /// Closes the server's input.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// What the process ended with, once its output has ended.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) => self.kept.push(message),
                Err(RecvTimeoutError::Disconnected) => return self.process.wait().unwrap().code(),
                Err(RecvTimeoutError::Timeout) => panic!("the server does not end"),
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After an orderly end there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The position of a byte in a text, in UTF-16.
pub(crate) fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    json!({ "line": line, "character": column })
}

/// The byte of a position.
pub(crate) fn offset(text: &str, position: &Value) -> usize {
    let (line, column) = (
        position["line"].as_u64().unwrap(),
        position["character"].as_u64().unwrap(),
    );
    let start: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
    let mut units = 0;
    for (at, char) in text[start..].char_indices() {
        if units == column {
            return start + at;
        }
        units += char.len_utf16() as u64;
    }
    text.len()
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            field => {
                let (name, value) = field.split_once(": ").unwrap();
                assert_eq!(name, "Content-Length");
                length = value.parse().unwrap();
            }
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(message["jsonrpc"], "2.0");
    Some(message)
}
