//! A piece as words, each with what is to stand before it.

use crate::keyword::Keyword;
use crate::kind::{SyntaxKind, SyntaxNode, SyntaxToken};
use rowan::{NodeOrToken, WalkEvent};

/// Where a line may be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// Not before this word.
    Never,
    /// Here first: a clause begins.
    Clause,
    /// Here next: an item of the clause's list begins.
    Item,
}

/// A word of a piece.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) text: String,
    /// Nothing stands between it and the word before.
    pub(super) is_glued: bool,
    pub(super) may_break: Break,
    /// The line ends behind it: a `//` or `#` comment.
    pub(super) ends_line: bool,
    /// A comment that had its line to itself.
    pub(super) has_own_line: bool,
}

/// The words of a piece, without what stands before it.
pub(super) fn of(piece: &SyntaxNode) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut before: Option<SyntaxToken> = None;
    let mut has_line_ended = false;
    let mut may_break = Break::Never;
    for event in piece.preorder_with_tokens() {
        match event {
            WalkEvent::Enter(NodeOrToken::Node(node)) => may_break = may_break.max(break_before(&node)),
            WalkEvent::Enter(NodeOrToken::Token(token)) => {
                let is_trivia = token.kind().is_trivia();
                if is_trivia && items.is_empty() {
                    continue;
                }
                if token.kind() == SyntaxKind::Whitespace {
                    has_line_ended |= token.text().contains('\n');
                    continue;
                }
                if is_operator_of_list(&token) {
                    may_break = Break::Item;
                }
                items.push(Item {
                    is_glued: !is_trivia && before.as_ref().is_some_and(|before| is_glued(before, &token)),
                    may_break: if is_trivia || items.is_empty() {
                        Break::Never
                    } else {
                        may_break
                    },
                    ends_line: is_trivia && !token.text().starts_with("/*"),
                    has_own_line: is_trivia && has_line_ended,
                    text: text(&token),
                });
                if !is_trivia {
                    before = Some(token);
                    may_break = Break::Never;
                }
                has_line_ended = false;
            }
            WalkEvent::Leave(_) => {}
        }
    }
    items
}

fn break_before(node: &SyntaxNode) -> Break {
    let is_clause = |kind| (SyntaxKind::ParametersClause..=SyntaxKind::FromClause).contains(&kind);
    let is_one_of_many = |parent: SyntaxNode| is_clause(parent.kind()) && parent.children().nth(1).is_some();
    match node.kind() {
        kind if is_clause(kind) => Break::Clause,
        SyntaxKind::Parameter | SyntaxKind::Property | SyntaxKind::Action | SyntaxKind::Path
            if node.parent().is_some_and(is_one_of_many) =>
        {
            Break::Item
        }
        _ => Break::Never,
    }
}

fn is_operator_of_list(token: &SyntaxToken) -> bool {
    matches!(token.kind(), SyntaxKind::And | SyntaxKind::Or)
}

fn is_glued(before: &SyntaxToken, token: &SyntaxToken) -> bool {
    let parent = |token: &SyntaxToken| token.parent().map(|parent| parent.kind());
    let is_behind = match before.kind() {
        SyntaxKind::LeftParen | SyntaxKind::LeftBracket | SyntaxKind::Bang => true,
        SyntaxKind::Dot => parent(before) == Some(SyntaxKind::Path),
        SyntaxKind::Colon => !matches!(
            parent(before),
            Some(SyntaxKind::Property | SyntaxKind::Parameter | SyntaxKind::Action | SyntaxKind::Reserved)
        ),
        _ => false,
    };
    let is_before = match token.kind() {
        SyntaxKind::Semicolon
        | SyntaxKind::Comma
        | SyntaxKind::Colon
        | SyntaxKind::RightParen
        | SyntaxKind::RightBracket => true,
        SyntaxKind::Dot => parent(token) == Some(SyntaxKind::Path),
        SyntaxKind::LeftParen => parent(token) == Some(SyntaxKind::ValueUnit),
        _ => false,
    };
    is_behind || is_before
}

fn text(token: &SyntaxToken) -> String {
    let text = token.text();
    let parent = token.parent().map(|parent| parent.kind());
    match token.kind() {
        SyntaxKind::Keyword => Keyword::of(text).map_or(text, |keyword| keyword.text()).to_owned(),
        SyntaxKind::Dot if parent == Some(SyntaxKind::Path) => ":".to_owned(),
        SyntaxKind::String | SyntaxKind::AngleUri if parent == Some(SyntaxKind::VnfdClause) => {
            text.chars().filter(|char| !char.is_whitespace()).collect()
        }
        SyntaxKind::Comment => text.trim_end().to_owned(),
        _ => text.to_owned(),
    }
}
