//! What the client can do, as far as answers depend on it, and what the server offers in return.

use crate::answers::{actions, tokens};
use crate::position::Encoding;
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, DocumentLinkOptions,
    ExecuteCommandOptions, FoldingRangeProviderCapability, HoverProviderCapability, InitializeParams, MarkupKind,
    OneOf, RenameOptions, SaveOptions, SemanticTokensFullOptions, SemanticTokensOptions, ServerCapabilities,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

/// The command that explains a diagnostic's code.
pub(crate) const EXPLAIN: &str = "nemo.explain";

/// What the client can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// What columns count.
    pub(crate) encoding: Encoding,
    /// Symbols within symbols.
    pub(crate) nests_symbols: bool,
    /// Places where a completed text is to be filled in.
    pub(crate) has_snippets: bool,
    /// Hovers and documentation in Markdown.
    pub(crate) has_markdown: bool,
    /// Other places beside a diagnostic.
    pub(crate) has_related: bool,
    /// A link on a diagnostic's code.
    pub(crate) has_code_links: bool,
    /// Edits that name a document's version.
    pub(crate) has_versioned_edits: bool,
    /// It can be asked to tell of changed files.
    pub(crate) watches_files: bool,
    /// Telling beforehand what a rename would rename.
    pub(crate) prepares_rename: bool,
    /// What a diagnostic's code is put behind to be explained.
    pub(crate) explain_base: Option<String>,
}

impl Client {
    /// As it introduces itself.
    pub(crate) fn of(params: &InitializeParams) -> Self {
        let general = params.capabilities.general.as_ref();
        let text = params.capabilities.text_document.clone().unwrap_or_default();
        let workspace = params.capabilities.workspace.clone().unwrap_or_default();
        let is_markdown = |formats: &[MarkupKind]| formats.contains(&MarkupKind::Markdown);
        let item = text.completion.and_then(|completion| completion.completion_item);
        let diagnostics = text.publish_diagnostics.unwrap_or_default();
        let options = params.initialization_options.as_ref();
        Self {
            encoding: Encoding::choose(general.and_then(|general| general.position_encodings.as_deref())),
            nests_symbols: text
                .document_symbol
                .and_then(|symbols| symbols.hierarchical_document_symbol_support)
                .unwrap_or_default(),
            has_snippets: item.and_then(|item| item.snippet_support).unwrap_or_default(),
            has_markdown: text
                .hover
                .and_then(|hover| hover.content_format)
                .is_some_and(|formats| is_markdown(&formats)),
            has_related: diagnostics.related_information.unwrap_or_default(),
            has_code_links: diagnostics.code_description_support.unwrap_or_default(),
            has_versioned_edits: workspace
                .workspace_edit
                .and_then(|edit| edit.document_changes)
                .unwrap_or_default(),
            watches_files: workspace
                .did_change_watched_files
                .and_then(|watch| watch.dynamic_registration)
                .unwrap_or_default(),
            prepares_rename: text
                .rename
                .and_then(|rename| rename.prepare_support)
                .unwrap_or_default(),
            explain_base: options
                .and_then(|options| options["explainBase"].as_str())
                .map(str::to_owned),
        }
    }

    /// What is offered to it.
    pub(crate) fn offer(&self) -> ServerCapabilities {
        ServerCapabilities {
            position_encoding: Some(self.encoding.kind()),
            text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions::default())),
                ..TextDocumentSyncOptions::default()
            })),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            completion_provider: Some(CompletionOptions {
                trigger_characters: Some([":", ".", " ", ","].map(str::to_owned).to_vec()),
                ..CompletionOptions::default()
            }),
            definition_provider: Some(OneOf::Left(true)),
            references_provider: Some(OneOf::Left(true)),
            document_highlight_provider: Some(OneOf::Left(true)),
            document_symbol_provider: Some(OneOf::Left(true)),
            workspace_symbol_provider: Some(OneOf::Left(true)),
            code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, actions::FIX_ALL]),
                ..CodeActionOptions::default()
            })),
            document_formatting_provider: Some(OneOf::Left(true)),
            document_range_formatting_provider: Some(OneOf::Left(true)),
            rename_provider: Some(if self.prepares_rename {
                OneOf::Right(RenameOptions {
                    prepare_provider: Some(true),
                    work_done_progress_options: Default::default(),
                })
            } else {
                OneOf::Left(true)
            }),
            document_link_provider: Some(DocumentLinkOptions {
                resolve_provider: Some(false),
                work_done_progress_options: Default::default(),
            }),
            folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
            execute_command_provider: Some(ExecuteCommandOptions {
                commands: vec![EXPLAIN.to_owned()],
                ..ExecuteCommandOptions::default()
            }),
            semantic_tokens_provider: Some(
                SemanticTokensOptions {
                    legend: tokens::legend(),
                    range: Some(true),
                    full: Some(SemanticTokensFullOptions::Delta { delta: Some(true) }),
                    ..SemanticTokensOptions::default()
                }
                .into(),
            ),
            workspace: Some(WorkspaceServerCapabilities {
                workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(OneOf::Left(true)),
                }),
                file_operations: None,
            }),
            ..ServerCapabilities::default()
        }
    }
}
