//! A text that was parsed.

use std::sync::{Arc, OnceLock};

use rowan::{GreenNode, NodeCache, NodeOrToken};

use crate::codes;
use crate::diagnostic::{Diagnostic, FileId, LabelPlace, Severity, Span};
use crate::kind::{SyntaxKind, SyntaxNode};
use crate::lower::Assembly;
use crate::parser::{ParseOptions, Piece, Place, Role, Source};
use crate::script::Script;

/// Offsets are 32 bits wide, and no person writes so much.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// A text with more faults than this is not read by anybody for its faults.
const DIAGNOSTICS_MAX: usize = 1_000;

/// A text that was parsed.
#[derive(Debug, Clone)]
pub struct Parse {
    pub(crate) options: ParseOptions,
    pub(crate) text: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) green: GreenNode,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) script: OnceLock<Arc<Script>>,
}

/// Parses a text: whatever it is, every byte of it is in the tree.
pub fn parse(text: &str, options: ParseOptions) -> Parse {
    Parse::new(text.to_owned(), options)
}

impl Parse {
    /// Parses a text. Of one that is larger than [`TEXT_BYTES_MAX`] nothing is read, and that is told.
    pub fn new(text: String, options: ParseOptions) -> Self {
        let mut pieces = Vec::new();
        let is_read = text.len() <= TEXT_BYTES_MAX;
        let mut source = Source::new(if is_read { &text } else { "" }, 0);
        let mut cache = NodeCache::default();
        let mut place = Place::Top;
        loop {
            let piece = Piece::read(&mut source, &mut cache, options, place);
            let is_last = piece.role == Role::Tail;
            place = piece.after;
            pieces.push(piece);
            if is_last {
                break;
            }
        }
        let mut parse = Self {
            options,
            text,
            green: root(&pieces),
            diagnostics: diagnostics(&pieces, options.file),
            pieces,
            script: OnceLock::new(),
        };
        if !is_read {
            parse.tell_size();
        }
        parse
    }

    fn tell_size(&mut self) {
        let span = Span {
            file: self.options.file,
            ..Span::default()
        };
        let bytes = self.text.len();
        self.diagnostics.push(Diagnostic {
            code: codes::E_SIZE,
            severity: Severity::Error,
            span,
            message: format!("the text has {bytes} bytes; of more than {TEXT_BYTES_MAX} nothing is read"),
            labels: Vec::new(),
            help: None,
            fix: None,
        });
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it was read.
    pub fn options(&self) -> ParseOptions {
        self.options
    }

    /// The root of the tree.
    pub fn syntax(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.green.clone())
    }

    /// What is wrong, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether any of it is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|told| told.severity == Severity::Error)
    }

    /// What the text says. Found when it is first asked for, and kept.
    pub fn script(&self) -> &Arc<Script> {
        self.script.get_or_init(|| self.lower())
    }

    fn lower(&self) -> Arc<Script> {
        let mut assembly = Assembly::new(self.options.file);
        let mut start = 0;
        for piece in &self.pieces {
            assembly.add(piece, start, None);
            start += piece.length();
        }
        Arc::new(Script {
            statements: assembly.statements,
        })
    }
}

/// The pieces as one tree.
pub(crate) fn root(pieces: &[Piece]) -> GreenNode {
    let own = |child: NodeOrToken<&rowan::GreenNodeData, &rowan::GreenTokenData>| match child {
        NodeOrToken::Node(node) => NodeOrToken::Node(node.to_owned()),
        NodeOrToken::Token(token) => NodeOrToken::Token(token.to_owned()),
    };
    let mut statements = Vec::with_capacity(pieces.len() * 2);
    let mut model: Option<Vec<_>> = None;
    for piece in pieces {
        if !piece.is_in_body()
            && let Some(children) = model.take()
        {
            statements.push(NodeOrToken::Node(GreenNode::new(SyntaxKind::Model.into(), children)));
        }
        let children = piece.green.children().map(own);
        match (&mut model, piece.role) {
            (Some(model), _) => model.extend(children),
            (None, Role::Header) => {
                let (header, trivia): (Vec<_>, Vec<_>) = children.partition(|child| child.as_node().is_some());
                statements.extend(trivia);
                model = Some(header);
            }
            (None, _) => statements.extend(children),
        }
    }
    GreenNode::new(SyntaxKind::Script.into(), statements)
}

/// The pieces' diagnostics with their places in the text.
pub(crate) fn diagnostics(pieces: &[Piece], file: FileId) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let mut start = 0;
    for piece in pieces {
        for told in &piece.diagnostics {
            let mut told = told.clone();
            shift(&mut told, start);
            if all.len() == DIAGNOSTICS_MAX {
                all.push(Diagnostic {
                    code: codes::E_MANY,
                    severity: Severity::Error,
                    span: Span { file, ..told.span },
                    message: format!("only the first {DIAGNOSTICS_MAX} faults are told"),
                    labels: Vec::new(),
                    help: None,
                    fix: None,
                });
                return all;
            }
            all.push(told);
        }
        start += piece.length();
    }
    all
}

fn shift(diagnostic: &mut Diagnostic, by: u32) {
    let move_span = |span: &mut Span| {
        span.start += by;
        span.end += by;
    };
    move_span(&mut diagnostic.span);
    for label in &mut diagnostic.labels {
        if let LabelPlace::Script(span) = &mut label.place {
            move_span(span);
        }
    }
    for edit in diagnostic.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
        move_span(&mut edit.span);
    }
}
