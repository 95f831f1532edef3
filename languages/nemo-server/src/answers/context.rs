//! What can stand at a place of a script that is being written: read from the words before it, since what follows is not there yet.

use crate::documents::Document;
use manifold_nemo_syntax::keyword::Keyword;
use manifold_nemo_syntax::kind::{SyntaxKind, SyntaxToken};
use std::ops::Range;

/// Words of a statement that are looked at. A statement that is longer is completed by its last ones.
const WORDS_MAX: usize = 20_000;

/// What can stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A statement begins; in a body also a member.
    Start,
    /// What a verb makes, changes or takes away.
    Entity(Keyword),
    /// The name of something that exists, of a kind, for UPDATE and DELETE. The names before it on its path.
    Existing(Keyword, Vec<String>),
    /// A clause of an entity; those that are there already cannot come again.
    Clause(Keyword, Vec<Keyword>),
    /// A model.
    Model,
    /// The shape of a connection.
    Shape,
    /// An end of a connection; the names before it on its path.
    End(Vec<String>),
    /// A node; the names before it on its path.
    Node(Vec<String>),
    /// What an operation acts on.
    Target,
    /// The key of a property of an entity; of a node, its model.
    Key(Keyword, Option<String>),
    /// The value of a property or a match.
    Value(Keyword, String),
    /// What a flow matches.
    MatchKey,
    /// An action.
    Action,
    /// The value of an action, and the names before it on a path.
    ActionValue(String, Vec<String>),
    /// The type of a parameter.
    ParameterType,
    /// `VNFD:` behind `at`.
    AtVnfd,
    /// An interface of the model's descriptor, or a parameter.
    Interface,
    /// The name of a state in a condition.
    State,
    /// These words.
    Words(&'static [Keyword]),
    /// What a query asks for.
    Query,
    /// Anything that has a name.
    Anything,
}

/// A place of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    /// What can stand there.
    pub(crate) wanted: Wanted,
    /// The part of a word that is there already.
    pub(crate) typed: Range<usize>,
    /// Whether the statement begins with a verb, and so is no member of a body.
    pub(crate) has_verb: bool,
    /// Whether a body that ends with `}` has ended before.
    pub(crate) is_behind_brace: bool,
}

/// The words of a statement up to a place.
#[derive(Default)]
struct Words {
    kinds: Vec<SyntaxKind>,
    texts: Vec<String>,
}

/// What can stand at a byte; `None`: nothing that could be proposed.
pub(crate) fn context(document: &Document, offset: u32) -> Option<Context> {
    let root = document.parse().syntax();
    let text = document.text();
    let offset = text.floor_char_boundary(offset as usize) as u32;
    let at = root.token_at_offset(offset.into()).left_biased();
    let mut typed = offset as usize..offset as usize;
    let mut token = at.clone();
    if let Some(here) = at {
        let range = here.text_range();
        let is_inside = u32::from(range.end()) > offset;
        match here.kind() {
            SyntaxKind::Comment if is_inside || here.text().starts_with(['/', '#']) && !here.text().ends_with("*/") => {
                return None;
            }
            SyntaxKind::String | SyntaxKind::OpenString | SyntaxKind::AngleUri | SyntaxKind::Uri => return None,
            SyntaxKind::Name | SyntaxKind::Keyword | SyntaxKind::Atom | SyntaxKind::Int => {
                let start = usize::from(range.start());
                let word = &text[start..offset as usize];
                // `a.b` can be one word: what is typed is behind its last dot.
                let parted = word.rfind('.').map_or(0, |dot| dot + 1);
                typed.start = start + parted;
                token = if parted > 0 { Some(here) } else { here.prev_token() };
            }
            _ => {}
        }
    }
    let (words, is_behind_brace) = words_before(token, typed.start);
    let (wanted, has_verb) = wanted(&words)?;
    Some(Context {
        wanted,
        typed,
        has_verb,
        is_behind_brace,
    })
}

/// The words from the last end of a statement up to a byte.
fn words_before(mut token: Option<SyntaxToken>, end: usize) -> (Words, bool) {
    let mut words = Words::default();
    let mut is_behind_brace = false;
    while let Some(here) = token {
        match here.kind() {
            SyntaxKind::Semicolon | SyntaxKind::LeftBrace => break,
            SyntaxKind::RightBrace => {
                is_behind_brace = true;
                break;
            }
            kind if kind.is_trivia() => {}
            kind => {
                let start = usize::from(here.text_range().start());
                let text = here.text();
                let text = &text[..text.len().min(end - start)];
                let is_path = kind == SyntaxKind::Atom && text.contains('.');
                if is_path {
                    // Taken apart from its end, since all words are turned round below.
                    for (number, part) in text.rsplit('.').enumerate() {
                        if number > 0 {
                            words.push(SyntaxKind::Dot, ".");
                        }
                        if !part.is_empty() {
                            words.push(SyntaxKind::Name, part);
                        }
                    }
                } else {
                    words.push(kind, text);
                }
            }
        }
        if words.kinds.len() > WORDS_MAX {
            break;
        }
        token = here.prev_token();
    }
    words.kinds.reverse();
    words.texts.reverse();
    (words, is_behind_brace)
}

impl Words {
    fn push(&mut self, kind: SyntaxKind, text: &str) {
        self.kinds.push(kind);
        self.texts.push(text.to_owned());
    }

    /// The keyword that a word is where a keyword can stand.
    fn keyword(&self, at: usize) -> Option<Keyword> {
        match self.kinds[at] {
            SyntaxKind::Keyword | SyntaxKind::Name => Keyword::of(&self.texts[at]),
            _ => None,
        }
    }

    /// The keyword that the parser has read a word as.
    fn read_keyword(&self, at: usize) -> Option<Keyword> {
        (self.kinds[at] == SyntaxKind::Keyword)
            .then(|| self.keyword(at))
            .flatten()
    }
}

/// A statement as far as it is written.
#[derive(Default)]
struct Statement {
    verb: Option<Keyword>,
    entity: Option<Keyword>,
    has_name: bool,
    clause: Option<Keyword>,
    seen: Vec<Keyword>,
    /// The first word of the clause's operand.
    operand: usize,
    model: Option<String>,
}

fn wanted(words: &Words) -> Option<(Wanted, bool)> {
    let mut statement = Statement::default();
    for at in 0..words.kinds.len() {
        statement.take(words, at);
    }
    let has_verb = statement.verb.is_some();
    Some((statement.wanted(words)?, has_verb))
}

impl Statement {
    fn take(&mut self, words: &Words, at: usize) {
        let may_begin = self.verb.is_none() && self.entity.is_none();
        let keyword = if may_begin || !self.has_name {
            words.keyword(at)
        } else {
            words.read_keyword(at)
        };
        match keyword {
            Some(verb) if verb.is_verb() && (may_begin || words.read_keyword(at).is_some()) => {
                *self = Self {
                    verb: Some(verb),
                    ..Self::default()
                };
            }
            Some(entity) if self.takes_entity(entity) && self.entity.is_none() => self.entity = Some(entity),
            // The statement before has no end yet, and the parser has seen that this one begins.
            Some(entity) if self.has_name && entity.is_entity() => {
                *self = Self {
                    entity: Some(entity),
                    ..Self::default()
                };
            }
            _ if self.entity.is_some() && !self.has_name => {
                self.has_name = true;
                self.operand = at;
            }
            // `at VNFD:` is one clause.
            Some(Keyword::Vnfd) if self.clause == Some(Keyword::At) => {}
            Some(clause) if self.has_name && clause.is_clause() => {
                self.clause = Some(clause);
                self.seen.push(clause);
                self.operand = at + 1;
            }
            Some(Keyword::From) if self.verb == Some(Keyword::Query) => {
                self.clause = Some(Keyword::From);
                self.operand = at + 1;
            }
            _ => {
                if self.clause == Some(Keyword::Type) && self.entity == Some(Keyword::Node) {
                    self.model = Some(words.texts[at].clone());
                }
            }
        }
    }

    fn takes_entity(&self, keyword: Keyword) -> bool {
        let is_template = matches!(keyword, Keyword::TemplateInstance | Keyword::TemplateDefinition);
        let takes_any = self.verb.is_none_or(|verb| verb <= Keyword::Delete);
        takes_any && (keyword.is_entity() || keyword.is_model() || is_template)
    }

    fn wanted(&self, words: &Words) -> Option<Wanted> {
        let rest = |from: usize| Rest::of(words, from);
        match (self.verb, self.entity) {
            (None, None) if words.kinds.is_empty() => return Some(Wanted::Start),
            (Some(Keyword::Transaction), None) => {
                const BOUNDS: &[Keyword] = &[Keyword::Begin, Keyword::End, Keyword::Commit];
                return (words.kinds.len() == 1).then_some(Wanted::Words(BOUNDS));
            }
            (Some(Keyword::Query), None) => {
                return match self.clause {
                    Some(_) => Some(Wanted::Anything),
                    None if words.kinds.len() == 1 => Some(Wanted::Query),
                    None => Some(Wanted::Words(&[Keyword::From])),
                };
            }
            (Some(verb), None) if verb <= Keyword::Delete => return Some(Wanted::Entity(verb)),
            (_, None) => return None,
            _ => {}
        }
        let entity = self.entity?;
        let is_existing = matches!(self.verb, Some(Keyword::Update | Keyword::Delete));
        if !self.has_name {
            return is_existing.then(|| Wanted::Existing(entity, Vec::new()));
        }
        if self.verb == Some(Keyword::Delete) {
            let path = rest(self.operand);
            return path.continues.then_some(Wanted::Existing(entity, path.before));
        }
        let Some(clause) = self.clause else {
            return Some(Wanted::Clause(entity, self.seen.clone()));
        };
        let item = rest(self.operand);
        let next_clause = || Some(Wanted::Clause(entity, self.seen.clone()));
        match clause {
            Keyword::Type if !item.is_empty => next_clause(),
            Keyword::Type if matches!(entity, Keyword::Connection | Keyword::Link) => Some(Wanted::Shape),
            Keyword::Type => Some(Wanted::Model),
            Keyword::Endnodes if item.wants_word => Some(Wanted::End(item.before)),
            Keyword::Contain if item.wants_word => Some(Wanted::Node(item.before)),
            Keyword::Target | Keyword::ApplyTo if item.wants_word => Some(match item.before.as_slice() {
                [] => Wanted::Target,
                _ => Wanted::Node(item.before),
            }),
            Keyword::Property | Keyword::Parameter if entity.is_model() => match item.key {
                None if item.is_empty => Some(Wanted::ParameterType),
                Some(_) if item.has_value => next_clause(),
                _ => None,
            },
            Keyword::Property => match item.key {
                None if item.is_empty => Some(Wanted::Key(entity, self.model.clone())),
                Some(_) if item.has_value => next_clause(),
                Some(key) => Some(Wanted::Value(entity, key)),
                None => None,
            },
            Keyword::Match => match item.key {
                None if item.is_empty => Some(Wanted::MatchKey),
                Some(_) if item.has_value => next_clause(),
                Some(key) => Some(Wanted::Value(Keyword::Match, key)),
                None => None,
            },
            Keyword::Action => match item.key {
                None if item.is_empty => Some(Wanted::Action),
                None => next_clause(),
                Some(_) if item.has_value && !item.wants_word => next_clause(),
                Some(key) => Some(Wanted::ActionValue(key, item.value_path)),
            },
            Keyword::Condition => item.wants_state.then_some(Wanted::State).or_else(next_clause),
            Keyword::Vnfd | Keyword::Priority | Keyword::Digest if !item.is_empty => next_clause(),
            Keyword::At if item.is_empty => Some(Wanted::AtVnfd),
            Keyword::At if item.wants_word => Some(Wanted::Interface),
            Keyword::Endnodes | Keyword::Contain | Keyword::Target | Keyword::ApplyTo => next_clause(),
            _ => None,
        }
    }
}

/// The last item of a clause's list, as far as it is written.
#[derive(Debug, Default)]
struct Rest {
    is_empty: bool,
    /// Whether a word can follow: at the start, and behind `:`, `.`, `,`, `[`.
    wants_word: bool,
    /// The last thing is `:` or `.`: a path goes on.
    continues: bool,
    /// The names of a path up to here.
    before: Vec<String>,
    /// The word before the first `:`.
    key: Option<String>,
    /// Something stands behind it.
    has_value: bool,
    /// The names of a path within the value.
    value_path: Vec<String>,
    /// Whether a comparison can begin.
    wants_state: bool,
}

impl Rest {
    fn of(words: &Words, from: usize) -> Self {
        let (mut start, mut depth) = (from, 0usize);
        for at in from..words.kinds.len() {
            match words.kinds[at] {
                SyntaxKind::LeftBracket | SyntaxKind::LeftParen => depth += 1,
                SyntaxKind::RightBracket | SyntaxKind::RightParen => depth = depth.saturating_sub(1),
                SyntaxKind::Comma if depth == 0 => start = at + 1,
                _ => {}
            }
        }
        let kinds = &words.kinds[start..];
        let texts = &words.texts[start..];
        let last = kinds.last();
        let is_separator = |kind: &SyntaxKind| matches!(kind, SyntaxKind::Colon | SyntaxKind::Dot);
        let colon = kinds.iter().position(|kind| *kind == SyntaxKind::Colon);
        let value = colon.map_or(kinds.len(), |colon| colon + 1);
        let inner = kinds[value..]
            .iter()
            .rposition(|kind| matches!(kind, SyntaxKind::Comma | SyntaxKind::LeftBracket));
        let value_start = inner.map_or(value, |inner| value + inner + 1);
        let names = |range: Range<usize>| {
            range
                .filter(|at| !is_separator(&kinds[*at]))
                .map(|at| texts[at].clone())
                .collect::<Vec<_>>()
        };
        let opens =
            |kind: &SyntaxKind| matches!(kind, SyntaxKind::Comma | SyntaxKind::LeftBracket) || is_separator(kind);
        Self {
            is_empty: kinds.is_empty(),
            wants_word: last.is_none_or(opens),
            continues: last.is_some_and(is_separator),
            before: if last.is_some_and(is_separator) {
                names(0..kinds.len())
            } else {
                Vec::new()
            },
            key: colon.and_then(|colon| texts[..colon].first().cloned()),
            has_value: value < kinds.len(),
            value_path: if value_start < kinds.len() {
                names(value_start..kinds.len())
            } else {
                Vec::new()
            },
            wants_state: last.is_none_or(|last| {
                matches!(
                    last,
                    SyntaxKind::And | SyntaxKind::Or | SyntaxKind::Bang | SyntaxKind::LeftParen
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests;
