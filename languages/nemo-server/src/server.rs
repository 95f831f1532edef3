//! What the server knows: the client, the documents, what checks have found; and when a document has to be checked anew.

use crate::address::Address;
use crate::answers::{Failure, Look, actions, diagnostics};
use crate::checks::{Checked, Checks, Job, Leaves, Told};
use crate::client::Client;
use crate::closure;
use crate::documents::{Document, Documents};
use crate::index::World;
use lsp_server::{Message, Notification, Request, RequestId, Response};
use lsp_types::{
    CodeActionParams, InitializeParams, InitializeResult, MessageType, PublishDiagnosticsParams, SemanticToken,
    ServerInfo, ShowMessageParams,
};
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// What a check of a document was made of: the states of the documents that it looked at, and of the descriptors.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    documents: Vec<(FileId, u64)>,
    descriptors: u64,
}

/// The newest check of an open document.
#[derive(Debug)]
struct Check {
    made: Made,
    number: u64,
    /// What it found; `None`: it is not done yet.
    found: Option<Vec<Diagnostic>>,
}

/// The server's state.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) documents: Documents,
    pub(crate) leaves: Leaves,
    checks: Checks,
    newest: BTreeMap<FileId, Check>,
    next_check: u64,
    descriptors: u64,
    /// Code actions that are asked for before the check that finds them is done.
    waiting: Vec<(RequestId, CodeActionParams)>,
    /// What was last answered about a document's semantic tokens.
    pub(crate) tokens: HashMap<FileId, (u64, Vec<SemanticToken>)>,
    outgoing: Vec<Message>,
    next_request: i32,
    has_told_of_cut: bool,
}

impl Server {
    /// A server that knows nothing yet.
    pub(crate) fn new(checks: Checks) -> Self {
        Self {
            client: Client::default(),
            documents: Documents::default(),
            leaves: Leaves::default(),
            checks,
            newest: BTreeMap::new(),
            next_check: 0,
            descriptors: 0,
            waiting: Vec::new(),
            tokens: HashMap::new(),
            outgoing: Vec::new(),
            next_request: 0,
            has_told_of_cut: false,
        }
    }

    /// Meets the client.
    pub(crate) fn initialize(&mut self, params: Value) -> Result<Value, serde_json::Error> {
        let params: InitializeParams = serde_json::from_value(params)?;
        self.client = Client::of(&params);
        for folder in folders(&params) {
            self.documents.add_folder(&folder);
        }
        serde_json::to_value(InitializeResult {
            capabilities: self.client.offer(),
            server_info: Some(ServerInfo {
                name: "manifold nemo lsp".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    /// The client is ready.
    pub(crate) fn initialized(&mut self) {
        if self.client.watches_files {
            let watch = json!([{ "globPattern": "**/*.nemo" }, { "globPattern": "**/*.{yaml,yml,csar}" }]);
            let registration = json!({
                "id": "files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watch },
            });
            self.ask("client/registerCapability", json!({ "registrations": [registration] }));
        }
        self.tell_of_cut();
    }

    fn tell_of_cut(&mut self) {
        if self.documents.is_cut() && !self.has_told_of_cut {
            self.has_told_of_cut = true;
            let message = "the workspace has more NEMO scripts than are looked at; names of the others are not found";
            self.show(MessageType::WARNING, message);
        }
    }

    /// No more questions.
    pub(crate) fn shut_down(&mut self) {
        for (id, _) in std::mem::take(&mut self.waiting) {
            self.answer(id, Err(Failure::Cancelled));
        }
        self.newest.clear();
    }

    /// To look at what is known.
    pub(crate) fn look(&self) -> Look<'_> {
        Look::new(&self.documents, &self.leaves, &self.client)
    }

    /// The document at an address that the client speaks of.
    pub(crate) fn document(&self, uri: &lsp_types::Uri) -> Result<&Document, Failure> {
        let address = Address::of(uri);
        let known = self.documents.at(&address);
        known.ok_or_else(|| Failure::Invalid(format!("{address} is not open")))
    }

    // what changes

    /// Descriptors may have changed.
    pub(crate) fn descriptors_changed(&mut self) {
        self.descriptors += 1;
        self.checks.forget_descriptors();
    }

    /// A document was closed: its diagnostics go.
    pub(crate) fn closed(&mut self, address: &Address, file: FileId) {
        self.checks.close(file);
        self.newest.remove(&file);
        self.tokens.remove(&file);
        self.publish(address, None, Vec::new());
    }

    /// Gives to the worker what has to be checked anew.
    pub(crate) fn idle(&mut self) {
        self.tell_of_cut();
        let world = World::new(&self.documents);
        let mut jobs = Vec::new();
        for document in self.documents.open_ones() {
            let files = closure::of(&world, document.file);
            let made = Made {
                documents: files
                    .iter()
                    .filter_map(|file| Some((*file, self.documents.get(*file)?.stamp())))
                    .collect(),
                descriptors: self.descriptors,
            };
            if self.newest.get(&document.file).is_some_and(|check| check.made == made) {
                continue;
            }
            self.next_check += 1;
            let job = Job {
                file: document.file,
                stamp: self.next_check,
                folder: document.folder().unwrap_or(Path::new("/")).to_path_buf(),
                sources: closure::sources(&self.documents, document, &files),
            };
            jobs.push((job, made));
        }
        for (job, made) in jobs {
            let check = Check {
                made,
                number: job.stamp,
                found: None,
            };
            self.newest.insert(job.file, check);
            self.checks.submit(job);
        }
    }

    /// The worker tells.
    pub(crate) fn told(&mut self, told: Told) {
        match told {
            Told::Checked(checked) => self.checked(checked),
            Told::Waiting { file, stamp } => {
                // Meanwhile what the parser says is shown.
                if let Some(check) = self.present(file, stamp) {
                    let shown = check.found.clone().unwrap_or_default();
                    self.publish_document(file, &shown);
                }
            }
        }
    }

    /// The check of that number, if it is of the text that the document has now: what is told of it bears the document's version.
    fn present(&self, file: FileId, number: u64) -> Option<&Check> {
        let own = (file, self.documents.get(file)?.stamp());
        let check = self.newest.get(&file)?;
        (check.number == number && check.made.documents.contains(&own)).then_some(check)
    }

    fn checked(&mut self, checked: Checked) {
        self.leaves.extend(checked.leaves);
        if self.present(checked.file, checked.stamp).is_none() {
            return;
        }
        if let Some(check) = self.newest.get_mut(&checked.file) {
            check.found = Some(checked.diagnostics.clone());
        }
        self.publish_document(checked.file, &checked.diagnostics);
        let waiting = std::mem::take(&mut self.waiting);
        for (id, params) in waiting {
            self.code_actions(id, params);
        }
    }

    fn publish_document(&mut self, file: FileId, checked: &[Diagnostic]) {
        let Some(document) = self.documents.get(file) else {
            return;
        };
        let shown = diagnostics::published(&self.look(), document, checked);
        let (address, version) = (document.address.clone(), document.version);
        self.publish(&address, version, shown);
    }

    fn publish(&mut self, address: &Address, version: Option<i32>, diagnostics: Vec<lsp_types::Diagnostic>) {
        if let Some(uri) = address.uri() {
            self.notify(
                "textDocument/publishDiagnostics",
                PublishDiagnosticsParams::new(uri, diagnostics, version),
            );
        }
    }

    /// Answers with code actions once the check of the document's text is done.
    pub(crate) fn code_actions(&mut self, id: RequestId, params: CodeActionParams) {
        let result = match self.document(&params.text_document.uri) {
            Err(failure) => Err(failure),
            Ok(document) => {
                let check = self.newest.get(&document.file);
                let own = (document.file, document.stamp());
                let found = check
                    .filter(|check| check.made.documents.contains(&own))
                    .and_then(|check| check.found.as_ref());
                match found {
                    Some(found) => {
                        let bytes = document
                            .lines()
                            .bytes(document.text(), params.range, self.client.encoding);
                        let found = actions::actions(&self.look(), document, found, &bytes, &params.context);
                        Ok(json!(found))
                    }
                    None if document.version.is_some() => {
                        self.waiting.push((id, params));
                        return;
                    }
                    None => Ok(json!([])),
                }
            }
        };
        self.answer(id, result);
    }

    // what is said

    /// What is to be sent. Waiting questions that the client does not want any more are answered so.
    pub(crate) fn take_outgoing(&mut self, is_cancelled: &dyn Fn(&RequestId) -> bool) -> Vec<Message> {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, params) in waiting {
            if is_cancelled(&id) {
                self.answer(id, Err(Failure::Cancelled));
            } else if self.document(&params.text_document.uri).is_err() {
                self.answer(id, Ok(json!([])));
            } else {
                self.waiting.push((id, params));
            }
        }
        std::mem::take(&mut self.outgoing)
    }

    pub(crate) fn answer(&mut self, id: RequestId, result: Result<Value, Failure>) {
        let response = match result {
            Ok(value) => Response {
                id,
                result: Some(value),
                error: None,
            },
            Err(failure) => Response::new_err(id, failure.code(), failure.to_string()),
        };
        self.outgoing.push(response.into());
    }

    fn notify(&mut self, method: &str, params: impl Serialize) {
        self.outgoing.push(Notification::new(method.to_owned(), params).into());
    }

    fn ask(&mut self, method: &str, params: Value) {
        self.next_request += 1;
        let id = RequestId::from(self.next_request);
        self.outgoing.push(Request::new(id, method.to_owned(), params).into());
    }

    /// Tells the user.
    pub(crate) fn show(&mut self, typ: MessageType, message: &str) {
        let params = ShowMessageParams {
            typ,
            message: message.to_owned(),
        };
        self.notify("window/showMessage", params);
    }

    /// Writes into the client's log.
    pub(crate) fn log(&mut self, message: &str) {
        let params = lsp_types::LogMessageParams {
            typ: MessageType::WARNING,
            message: message.to_owned(),
        };
        self.notify("window/logMessage", params);
    }
}

/// The folders that a client works in.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let named = params.workspace_folders.iter().flatten();
    let mut folders: Vec<PathBuf> = named.filter_map(|folder| Address::of(&folder.uri).path()).collect();
    if params.workspace_folders.is_none() {
        #[allow(deprecated, reason = "older clients have nothing else")]
        folders.extend(params.root_uri.as_ref().and_then(|uri| Address::of(uri).path()));
    }
    folders
}
