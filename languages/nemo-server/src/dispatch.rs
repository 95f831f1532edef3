//! From a method's name to what answers it.

use crate::address::Address;
use crate::answers::{Failure, completion, folding, format, hover, links, navigate, rename, symbols, tokens};
use crate::client::EXPLAIN;
use crate::documents::{Document, Refused};
use crate::server::Server;
use lsp_server::{Notification, Request};
use lsp_types::{
    CodeActionParams, CompletionParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentFormattingParams,
    DocumentHighlightParams, DocumentLinkParams, DocumentRangeFormattingParams, DocumentSymbolParams,
    ExecuteCommandParams, FoldingRangeParams, GotoDefinitionParams, HoverParams, MessageType, PrepareRenameResponse,
    ReferenceParams, RenameParams, SemanticTokens, SemanticTokensDelta, SemanticTokensDeltaParams,
    SemanticTokensParams, SemanticTokensRangeParams, TextDocumentPositionParams, WorkspaceSymbolParams,
};
use manifold_nemo_syntax::diagnostic::FileId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Server {
    /// Answers a question, now or, when it has to wait for a check, later.
    pub(crate) fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        if method == "textDocument/codeAction" {
            match read::<CodeActionParams>(params) {
                Ok(params) => self.code_actions(id, params),
                Err(failure) => self.answer(id, Err(failure)),
            }
            return;
        }
        // An answer that fails must not take the editor's texts with it.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer_to(&method, params)));
        let answer = answer.unwrap_or_else(|_| Err(Failure::Internal(format!("{method} panicked"))));
        self.answer(id, answer);
    }

    fn answer_to(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        match method {
            "textDocument/completion" => self.at(params, |server, asked: CompletionParams| {
                let (file, offset) = server.place(&asked.text_document_position)?;
                Ok(completion::completion(&server.look(), file, offset))
            }),
            "textDocument/hover" => self.at(params, |server, asked: HoverParams| {
                let (file, offset) = server.place(&asked.text_document_position_params)?;
                Ok(hover::hover(&server.look(), file, offset))
            }),
            "textDocument/definition" => self.at(params, |server, asked: GotoDefinitionParams| {
                let (file, offset) = server.place(&asked.text_document_position_params)?;
                Ok(navigate::definition(&server.look(), file, offset))
            }),
            "textDocument/references" => self.at(params, |server, asked: ReferenceParams| {
                let (file, offset) = server.place(&asked.text_document_position)?;
                let with_definition = asked.context.include_declaration;
                Ok(navigate::references(&server.look(), file, offset, with_definition))
            }),
            "textDocument/documentHighlight" => self.at(params, |server, asked: DocumentHighlightParams| {
                let (file, offset) = server.place(&asked.text_document_position_params)?;
                Ok(navigate::highlights(&server.look(), file, offset))
            }),
            "textDocument/prepareRename" => {
                self.at(params, |server, asked: TextDocumentPositionParams| {
                    let (file, offset) = server.place(&asked)?;
                    let found = rename::prepare(&server.look(), file, offset)?;
                    Ok(found
                        .map(|(range, placeholder)| PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
                })
            }
            "textDocument/rename" => self.at(params, |server, asked: RenameParams| {
                let (file, offset) = server.place(&asked.text_document_position)?;
                rename::rename(&server.look(), file, offset, &asked.new_name)
            }),
            "textDocument/documentSymbol" => self.at(params, |server, asked: DocumentSymbolParams| {
                let document = server.document(&asked.text_document.uri)?;
                Ok(symbols::outline(&server.look(), document))
            }),
            "workspace/symbol" => self.at(params, |server, asked: WorkspaceSymbolParams| {
                Ok(symbols::search(&server.look(), &asked.query))
            }),
            "textDocument/formatting" => self.at(params, |server, asked: DocumentFormattingParams| {
                let document = server.document(&asked.text_document.uri)?;
                format::format(&server.look(), document, None)
            }),
            "textDocument/rangeFormatting" => self.at(params, |server, asked: DocumentRangeFormattingParams| {
                let document = server.document(&asked.text_document.uri)?;
                let bytes = document
                    .lines()
                    .bytes(document.text(), asked.range, server.client.encoding);
                format::format(&server.look(), document, Some(bytes))
            }),
            "textDocument/foldingRange" => self.at(params, |server, asked: FoldingRangeParams| {
                let document = server.document(&asked.text_document.uri)?;
                Ok(folding::folds(&server.look(), document))
            }),
            "textDocument/documentLink" => self.at(params, |server, asked: DocumentLinkParams| {
                let document = server.document(&asked.text_document.uri)?;
                Ok(links::links(&server.look(), document))
            }),
            "textDocument/semanticTokens/full" => {
                let asked: SemanticTokensParams = read(params)?;
                write(self.all_tokens(&asked.text_document.uri)?)
            }
            "textDocument/semanticTokens/full/delta" => self.token_changes(read(params)?),
            "textDocument/semanticTokens/range" => self.at(params, |server, asked: SemanticTokensRangeParams| {
                let document = server.document(&asked.text_document.uri)?;
                let bytes = document
                    .lines()
                    .bytes(document.text(), asked.range, server.client.encoding);
                Ok(SemanticTokens {
                    result_id: None,
                    data: tokens::tokens(&server.look(), document, bytes),
                })
            }),
            "workspace/executeCommand" => self.at(params, |_, asked: ExecuteCommandParams| {
                match (asked.command.as_str(), asked.arguments.first().and_then(Value::as_str)) {
                    (EXPLAIN, Some(code)) => Ok(crate::explain::explain(code)),
                    (EXPLAIN, None) => Err(Failure::Invalid(format!("{EXPLAIN} wants a diagnostic's code"))),
                    (other, _) => Err(Failure::Invalid(format!("there is no command {other}"))),
                }
            }),
            other => Err(Failure::NoMethod(other.to_owned())),
        }
    }

    /// Takes note of what the client tells.
    pub(crate) fn note(&mut self, note: Notification) {
        let Notification { method, params } = note;
        let taken = match method.as_str() {
            "initialized" => {
                self.initialized();
                Ok(())
            }
            "textDocument/didOpen" => read(params).and_then(|params| self.opened(params)),
            "textDocument/didChange" => read(params).and_then(|params| self.changed(params)),
            "textDocument/didClose" => read(params).and_then(|params| self.document_closed(&params)),
            "workspace/didChangeWatchedFiles" => read(params).map(|params| self.files_changed(params)),
            "workspace/didChangeWorkspaceFolders" => read(params).map(|params| self.folders_changed(params)),
            // What a client may tell and a server may leave alone: saving, settings, tracing, and what later versions bring.
            _ => Ok(()),
        };
        if let Err(failure) = taken {
            self.log(&format!("{method}: {failure}"));
        }
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) -> Result<(), Failure> {
        let opened = params.text_document;
        let address = Address::of(&opened.uri);
        let taken = self.documents.open(address, opened.version, opened.text);
        if let Err(refused @ Refused::TooMany { .. }) = &taken {
            self.show(MessageType::WARNING, &refused.to_string());
        }
        taken.map(drop).map_err(|refused| Failure::Refused(refused.to_string()))
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) -> Result<(), Failure> {
        let changed = params.text_document;
        let address = Address::of(&changed.uri);
        let encoding = self.client.encoding;
        let taken = self
            .documents
            .change(&address, changed.version, params.content_changes, encoding);
        taken.map(drop).map_err(|refused| Failure::Refused(refused.to_string()))
    }

    fn document_closed(&mut self, params: &DidCloseTextDocumentParams) -> Result<(), Failure> {
        let address = Address::of(&params.text_document.uri);
        let file = self.document(&params.text_document.uri)?.file;
        let taken = self.documents.close(&address);
        taken.map_err(|refused| Failure::Refused(refused.to_string()))?;
        self.closed(&address, file);
        Ok(())
    }

    fn files_changed(&mut self, params: DidChangeWatchedFilesParams) {
        let mut has_descriptor = false;
        for change in params.changes {
            if let Some(path) = Address::of(&change.uri).path() {
                has_descriptor |= !crate::folders::is_script(&path);
                self.documents.read(&path);
            }
        }
        if has_descriptor {
            self.descriptors_changed();
        }
    }

    fn folders_changed(&mut self, params: DidChangeWorkspaceFoldersParams) {
        for folder in params.event.removed {
            if let Some(path) = Address::of(&folder.uri).path() {
                self.documents.remove_folder(&path);
            }
        }
        for folder in params.event.added {
            if let Some(path) = Address::of(&folder.uri).path() {
                self.documents.add_folder(&path);
            }
        }
    }

    fn all_tokens(&mut self, uri: &lsp_types::Uri) -> Result<SemanticTokens, Failure> {
        let document = self.document(uri)?;
        let (file, number) = (document.file, document.stamp());
        let data = tokens::tokens(&self.look(), document, whole(document));
        self.tokens.insert(file, (number, data.clone()));
        Ok(SemanticTokens {
            result_id: Some(number.to_string()),
            data,
        })
    }

    /// What changed since an answer that the client has; everything, if that is not known any more.
    fn token_changes(&mut self, asked: SemanticTokensDeltaParams) -> Result<Value, Failure> {
        let file = self.document(&asked.text_document.uri)?.file;
        let known = self.tokens.remove(&file);
        let known = known.filter(|(number, _)| number.to_string() == asked.previous_result_id);
        let now = self.all_tokens(&asked.text_document.uri)?;
        match known {
            Some((_, before)) => write(SemanticTokensDelta {
                result_id: now.result_id,
                edits: tokens::delta(&before, &now.data),
            }),
            None => write(now),
        }
    }

    fn at<P: DeserializeOwned, R: Serialize>(
        &self,
        params: Value,
        answer: impl FnOnce(&Self, P) -> Result<R, Failure>,
    ) -> Result<Value, Failure> {
        write(answer(self, read(params)?)?)
    }

    /// The document and the byte that a position means.
    fn place(&self, at: &TextDocumentPositionParams) -> Result<(FileId, u32), Failure> {
        let document = self.document(&at.text_document.uri)?;
        let offset = document
            .lines()
            .offset(document.text(), at.position, self.client.encoding);
        Ok((document.file, offset as u32))
    }
}

fn whole(document: &Document) -> std::ops::Range<usize> {
    0..document.text().len()
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, Failure> {
    serde_json::from_value(params).map_err(|error| Failure::Invalid(error.to_string()))
}

fn write(answer: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(answer).map_err(|error| Failure::Internal(error.to_string()))
}
