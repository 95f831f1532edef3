//! Semantic tokens: what colours a name by what it means, and not by where it stands.

use super::Look;
use crate::documents::Document;
use crate::index::{Kind, Lookup};
use lsp_types::{SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokensEdit, SemanticTokensLegend};
use manifold_nemo_syntax::kind::SyntaxKind;
use std::ops::Range;

/// The types, in the order of their numbers.
const TYPES: [SemanticTokenType; 14] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::CLASS,
    SemanticTokenType::TYPE,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::INTERFACE,
    SemanticTokenType::EVENT,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::COMMENT,
];
const KEYWORD: u32 = 0;
const CLASS: u32 = 1;
const TYPE: u32 = 2;
const PARAMETER: u32 = 3;
const VARIABLE: u32 = 4;
const INTERFACE: u32 = 5;
const EVENT: u32 = 6;
const FUNCTION: u32 = 7;
const PROPERTY: u32 = 8;
const ENUM_MEMBER: u32 = 9;
const STRING: u32 = 10;
const NUMBER: u32 = 11;
const OPERATOR: u32 = 12;
const COMMENT: u32 = 13;

/// The only modifier: the name is given here.
const DECLARATION: u32 = 1;

/// What the numbers of types and modifiers mean.
pub(crate) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend {
        token_types: TYPES.to_vec(),
        token_modifiers: vec![SemanticTokenModifier::DECLARATION],
    }
}

struct Token {
    bytes: Range<usize>,
    kind: u32,
    modifiers: u32,
}

/// The tokens of a document that touch some bytes.
pub(crate) fn tokens(look: &Look<'_>, document: &Document, within: Range<usize>) -> Vec<SemanticToken> {
    let named = named(look, document, &within);
    let mut all = Vec::new();
    let mut names = named.into_iter().peekable();
    for token in spelled(document, &within) {
        // What a name means goes before how it is spelled; a word of the text can hold several names.
        let mut is_named = false;
        while let Some(name) = names.next_if(|name| name.bytes.start < token.bytes.end) {
            is_named |= name.bytes.end > token.bytes.start;
            all.push(name);
        }
        if !is_named {
            all.push(token);
        }
    }
    all.extend(names);
    encode(look, document, all)
}

/// Names, by what they mean.
fn named(look: &Look<'_>, document: &Document, within: &Range<usize>) -> Vec<Token> {
    let index = document.index();
    let mut found = Vec::new();
    let touches = |bytes: &Range<usize>| bytes.start < within.end && bytes.end > within.start;
    for definition in &index.definitions {
        let bytes = definition.name.span.start as usize..definition.name.span.end as usize;
        if touches(&bytes) {
            found.push(Token {
                bytes,
                kind: of(definition.kind),
                modifiers: DECLARATION,
            });
        }
    }
    for used in &index.uses {
        let bytes = used.name.span.start as usize..used.name.span.end as usize;
        if !touches(&bytes) {
            continue;
        }
        let kind = match look.world.resolve(document.file, used) {
            Some(symbol) => of(symbol.kind),
            None if matches!(used.lookup, Lookup::Key { .. }) => PROPERTY,
            // What means nothing keeps the colour of its place.
            None => continue,
        };
        found.push(Token {
            bytes,
            kind,
            modifiers: 0,
        });
    }
    found.sort_by_key(|token| token.bytes.start);
    found.dedup_by_key(|token| token.bytes.start);
    found
}

fn of(kind: Kind) -> u32 {
    match kind {
        Kind::Model => CLASS,
        Kind::Parameter => PARAMETER,
        Kind::Node | Kind::Connection => VARIABLE,
        Kind::ConnectionPoint | Kind::Interface => INTERFACE,
        Kind::Flow => EVENT,
        Kind::Operation => FUNCTION,
    }
}

/// All else, by how it is spelled and where it stands.
fn spelled(document: &Document, within: &Range<usize>) -> Vec<Token> {
    let mut found = Vec::new();
    let root = document.parse().syntax();
    let elements = root
        .descendants_with_tokens()
        .filter_map(|element| element.into_token());
    for token in elements {
        let range = token.text_range();
        let bytes = usize::from(range.start())..usize::from(range.end());
        if bytes.start >= within.end {
            break;
        }
        if bytes.end <= within.start {
            continue;
        }
        let parent = token.parent().map(|node| node.kind());
        let kind = match token.kind() {
            SyntaxKind::Comment => COMMENT,
            SyntaxKind::Keyword if parent == Some(SyntaxKind::Parameter) => TYPE,
            SyntaxKind::Keyword => KEYWORD,
            SyntaxKind::Int => NUMBER,
            SyntaxKind::String | SyntaxKind::OpenString | SyntaxKind::Uri | SyntaxKind::AngleUri => STRING,
            SyntaxKind::Ipv4
            | SyntaxKind::Ipv6
            | SyntaxKind::Mac
            | SyntaxKind::Date
            | SyntaxKind::Time
            | SyntaxKind::FullTime => NUMBER,
            SyntaxKind::EqualEqual
            | SyntaxKind::NotEqual
            | SyntaxKind::Greater
            | SyntaxKind::Less
            | SyntaxKind::GreaterEqual
            | SyntaxKind::LessEqual
            | SyntaxKind::Star
            | SyntaxKind::And
            | SyntaxKind::Or
            | SyntaxKind::Bang => OPERATOR,
            SyntaxKind::Name | SyntaxKind::Atom => match parent {
                Some(SyntaxKind::Property | SyntaxKind::Term) => PROPERTY,
                Some(SyntaxKind::Action) => FUNCTION,
                Some(SyntaxKind::Value | SyntaxKind::List) => STRING,
                Some(SyntaxKind::ValueUnit) => TYPE,
                Some(SyntaxKind::TypeClause) => ENUM_MEMBER,
                Some(SyntaxKind::Path) if is_shape(&token) => ENUM_MEMBER,
                _ => continue,
            },
            _ => continue,
        };
        found.push(Token {
            bytes,
            kind,
            modifiers: 0,
        });
    }
    found
}

/// Whether a word is the shape of a connection.
fn is_shape(token: &manifold_nemo_syntax::kind::SyntaxToken) -> bool {
    let ancestors: Vec<SyntaxKind> = token.parent_ancestors().map(|node| node.kind()).take(3).collect();
    ancestors == [SyntaxKind::Path, SyntaxKind::TypeClause, SyntaxKind::Connection]
}

/// As the protocol writes them: each relative to the one before, none over the end of a line.
fn encode(look: &Look<'_>, document: &Document, tokens: Vec<Token>) -> Vec<SemanticToken> {
    let (text, lines, encoding) = (document.text(), document.lines(), look.client.encoding);
    let mut encoded = Vec::with_capacity(tokens.len());
    let (mut line, mut column) = (0, 0);
    for token in tokens {
        let mut start = token.bytes.start;
        for part in text[token.bytes.clone()].split_inclusive(['\n', '\r']) {
            let end = start + part.trim_end_matches(['\n', '\r']).len();
            if end > start {
                let at = lines.range(text, start, end, encoding);
                let delta_line = at.start.line - line;
                encoded.push(SemanticToken {
                    delta_line,
                    delta_start: if delta_line == 0 {
                        at.start.character - column
                    } else {
                        at.start.character
                    },
                    length: at.end.character - at.start.character,
                    token_type: token.kind,
                    token_modifiers_bitset: token.modifiers,
                });
                (line, column) = (at.start.line, at.start.character);
            }
            start += part.len();
        }
    }
    encoded
}

/// What changed between two answers: one edit, since what an editor's user changes is mostly in one place.
pub(crate) fn delta(before: &[SemanticToken], after: &[SemanticToken]) -> Vec<SemanticTokensEdit> {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let shorter = before.len().min(after.len()) - same;
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take(shorter)
        .take_while(|(a, b)| a == b)
        .count();
    let (removed, added) = (before.len() - tail - same, &after[same..after.len() - tail]);
    if removed == 0 && added.is_empty() {
        return Vec::new();
    }
    // In numbers, of which a token has five.
    vec![SemanticTokensEdit {
        start: same as u32 * 5,
        delete_count: removed as u32 * 5,
        data: Some(added.to_vec()),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(number: u32) -> SemanticToken {
        SemanticToken {
            delta_line: number,
            delta_start: 0,
            length: 1,
            token_type: 0,
            token_modifiers_bitset: 0,
        }
    }

    #[test]
    fn the_numbers_of_types_are_those_of_the_legend() {
        let legend = legend().token_types;
        assert_eq!(legend[KEYWORD as usize], SemanticTokenType::KEYWORD);
        assert_eq!(legend[INTERFACE as usize], SemanticTokenType::INTERFACE);
        assert_eq!(legend[COMMENT as usize], SemanticTokenType::COMMENT);
        assert_eq!(legend.len() as u32, COMMENT + 1);
    }

    proptest! {
        #[test]
        fn a_delta_leads_from_one_answer_to_the_next(
            before in proptest::collection::vec(0u32..3, 0..12),
            after in proptest::collection::vec(0u32..3, 0..12),
        ) {
            let (before, after): (Vec<_>, Vec<_>) =
                (before.into_iter().map(token).collect(), after.into_iter().map(token).collect());
            let mut made = before.clone();
            for edit in delta(&before, &after) {
                let start = edit.start as usize / 5;
                let end = start + edit.delete_count as usize / 5;
                made.splice(start..end, edit.data.unwrap());
            }
            prop_assert_eq!(made, after);
        }
    }
}
