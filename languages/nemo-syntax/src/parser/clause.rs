//! Clauses, names, paths and lists.

use super::{Parser, replace, shortened};
use crate::codes;
use crate::diagnostic::{Label, LabelPlace, Span};
use crate::keyword::{Keyword, nearest};
use crate::kind::SyntaxKind;

impl Parser<'_, '_, '_> {
    /// A clause of an entity; its keyword is next.
    pub(super) fn clause(&mut self, keyword: Keyword) {
        let node = match keyword {
            Keyword::Type => SyntaxKind::TypeClause,
            Keyword::Contain => SyntaxKind::ContainClause,
            Keyword::Endnodes => SyntaxKind::EndnodesClause,
            Keyword::Match => SyntaxKind::MatchClause,
            Keyword::Target | Keyword::ApplyTo => SyntaxKind::TargetClause,
            Keyword::Priority => SyntaxKind::PriorityClause,
            Keyword::Condition => SyntaxKind::ConditionClause,
            Keyword::Action => SyntaxKind::ActionClause,
            Keyword::At => SyntaxKind::AtClause,
            _ => SyntaxKind::PropertyClause,
        };
        self.open(node);
        self.bump_keyword();
        match keyword {
            Keyword::Type => self.path("of a type"),
            Keyword::Contain => self.list(Self::at_item, |parser| parser.path("of a node")),
            Keyword::Endnodes => self.ends(),
            Keyword::Target | Keyword::ApplyTo => self.path("of a target"),
            Keyword::Priority => self.integer("a priority"),
            Keyword::Condition => self.condition(),
            Keyword::Action => self.list(Self::at_item, Self::action),
            Keyword::At => self.interface(),
            _ => self.list(Self::at_key, Self::property),
        }
        self.close();
    }

    /// Tells when a clause stands a second time.
    pub(super) fn once(&mut self, seen: &mut Vec<(Keyword, Span)>, keyword: Keyword, name: &str) {
        let span = self.token_span(0);
        match seen.iter().find(|(word, _)| *word == keyword).map(|(_, first)| *first) {
            None => seen.push((keyword, span)),
            Some(first) => {
                let told = self.error(
                    codes::E_TWICE,
                    span,
                    format!("{name} stands here a second time; the first one counts"),
                );
                told.labels.push(Label {
                    place: LabelPlace::Script(first),
                    message: "the first one".to_owned(),
                });
            }
        }
    }

    /// Neither a clause of this nor its end is next.
    pub(super) fn unexpected_clause(&mut self, title: &str, clauses: &[Keyword]) {
        let token = self.peek(0);
        let span = self.token_span(0);
        let text = shortened(self.text(token));
        let is_name = token.kind == SyntaxKind::Name;
        let meant = nearest(&text, clauses.iter().map(|word| word.text())).filter(|_| is_name);
        if let Some(meant) = meant {
            let told = self.error(
                codes::E_CLAUSE,
                span,
                format!("`{text}` is no clause of {title}; {meant} is"),
            );
            told.fix = Some(replace(span, meant, format!("write {meant}"), false));
            let keyword = clauses.iter().copied().find(|word| word.text() == meant);
            if let Some(keyword) = keyword.filter(|word| !matches!(word, Keyword::At | Keyword::Vnfd | Keyword::Digest))
            {
                return self.meant_clause(keyword);
            }
        } else if token.word.is_some_and(Keyword::is_clause) {
            self.error(codes::E_CLAUSE, span, format!("{title} has no {text}"));
        } else {
            let mut expected: Vec<_> = clauses.iter().map(|word| word.text()).collect();
            expected.push("`;`");
            let message = format!("`{text}` is not expected here: {} may follow", expected.join(", "));
            self.error(codes::E_TOKEN, span, message);
        }
        self.skip_rest(clauses);
        if self.at(SyntaxKind::LeftBrace) && !clauses.contains(&Keyword::Vnfd) {
            self.bump();
        }
    }

    /// Reads on as if the keyword were written right.
    fn meant_clause(&mut self, keyword: Keyword) {
        self.clause(keyword);
    }

    /// Items with commas between them.
    pub(super) fn list(&mut self, at_item: fn(&mut Self) -> bool, item: impl Fn(&mut Self)) {
        loop {
            item(self);
            if self.at(SyntaxKind::Comma) {
                self.bump();
            } else if at_item(self) {
                let span = self.behind();
                let told = self.error(codes::E_COMMA, span, "`,` is missing here");
                told.fix = Some(replace(span, ",", "insert \",\"", true));
            } else {
                break;
            }
        }
    }

    /// Whether a further item of a list of names or paths stands here although no comma does.
    fn at_item(&mut self) -> bool {
        let is_word = matches!(self.kind(0), SyntaxKind::Name | SyntaxKind::Atom) && self.word(0).is_none();
        let next = self.peek(1);
        let is_behind_item = matches!(
            next.kind,
            SyntaxKind::Comma | SyntaxKind::Semicolon | SyntaxKind::Colon | SyntaxKind::Dot
        );
        is_word && is_behind_item
    }

    /// The same for `key: value`.
    pub(super) fn at_key(&mut self) -> bool {
        self.at(SyntaxKind::Name) && self.kind(1) == SyntaxKind::Colon
    }

    pub(super) fn ends(&mut self) {
        self.list(Self::at_item, |parser| parser.path("of an end"));
    }

    /// A name that is given here; `clauses` may follow it.
    pub(super) fn name(&mut self, of: &str, clauses: &[Keyword]) {
        match self.kind(0) {
            SyntaxKind::Name if !self.is_keyword_use(0) => {
                let is_clause = self.word(0).is_some_and(|word| clauses.contains(&word));
                let next = self.peek(1);
                let begins_clause = is_clause && next.kind.is_scalar() && next.word.is_none();
                if !begins_clause {
                    return self.bump_as(SyntaxKind::Name);
                }
            }
            SyntaxKind::Atom | SyntaxKind::Int => {
                let token = self.peek(0);
                let span = self.token_span(0);
                let text = shortened(self.text(token));
                let message = format!("`{text}` is no name: a letter, then letters, digits, `_` and `-`");
                self.error(codes::E_NAME, span, message);
                return self.bump_as(SyntaxKind::Name);
            }
            SyntaxKind::Less if self.at_placeholder() => return self.placeholder(),
            kind if kind.is_scalar() && kind != SyntaxKind::Name => {
                let span = self.token_span(0);
                let message = format!("a name is expected here, not {}", self.found());
                self.error(codes::E_NAME, span, message);
                return self.skip_scalar();
            }
            _ => {}
        }
        let span = self.behind();
        let message = format!("the name of {} is missing here", of.trim_start_matches("of "));
        self.error(codes::E_NAME, span, message);
    }

    /// `<name>`: something that is to be filled in.
    pub(super) fn at_placeholder(&mut self) -> bool {
        self.at(SyntaxKind::Less) && self.kind(1) == SyntaxKind::Name && self.kind(2) == SyntaxKind::Greater
    }

    pub(super) fn placeholder(&mut self) {
        let name = self.peek(1);
        let span = self.token_span(0).to(self.token_span(2));
        let text = self.text(name);
        let told = self.error(
            codes::E_NAME,
            span,
            format!("`<{text}>` stands for something that is to be written here"),
        );
        told.fix = Some(replace(span, text, "remove the brackets", false));
        self.bump();
        self.bump_as(SyntaxKind::Name);
        self.bump();
    }

    /// `a`, `a:b`, `a.b.c`.
    pub(super) fn path(&mut self, of: &str) {
        if !self.at_segment() {
            return self.name(of, &[]);
        }
        self.open(SyntaxKind::Path);
        self.segments();
        while matches!(self.kind(0), SyntaxKind::Colon | SyntaxKind::Dot) {
            self.bump();
            if !self.at_segment() {
                let span = self.behind();
                self.error(codes::E_NAME, span, "a name is missing here");
                break;
            }
            self.segments();
        }
        self.close();
    }

    fn at_segment(&mut self) -> bool {
        match self.kind(0) {
            SyntaxKind::Name => !self.is_keyword_use(0),
            kind => matches!(
                kind,
                SyntaxKind::Atom
                    | SyntaxKind::Int
                    | SyntaxKind::Mac
                    | SyntaxKind::Ipv6
                    | SyntaxKind::Time
                    | SyntaxKind::Uri
            ),
        }
    }

    /// A token as the names and separators that it is made of.
    fn segments(&mut self) {
        let token = self.peek(0);
        if token.kind == SyntaxKind::Name {
            return self.bump_as(SyntaxKind::Name);
        }
        let text = self.text(token);
        let span = self.token_span(0);
        let is_name =
            |part: &str| part.starts_with(|first: char| first.is_ascii_alphabetic()) && !part.contains(['/', '%']);
        if !text.split(['.', ':']).all(is_name) {
            let message = format!(
                "`{}` is no path of names: a letter, then letters, digits, `_` and `-`",
                shortened(text)
            );
            self.error(codes::E_NAME, span, message);
        }
        self.trivia();
        let mut rest = text;
        while let Some(at) = rest.find(['.', ':']) {
            if at > 0 {
                self.builder.token(SyntaxKind::Name.into(), &rest[..at]);
            }
            let separator = if rest.as_bytes()[at] == b'.' {
                SyntaxKind::Dot
            } else {
                SyntaxKind::Colon
            };
            self.builder.token(separator.into(), &rest[at..=at]);
            rest = &rest[at + 1..];
        }
        if !rest.is_empty() {
            self.builder.token(SyntaxKind::Name.into(), rest);
        }
        self.source.take();
        self.behind = token.end;
    }

    /// Takes the `:` between two things or tells that it lacks; then, whether it makes sense to read on.
    pub(super) fn colon(&mut self, between: &str) -> bool {
        if self.at(SyntaxKind::Colon) {
            self.bump();
            return true;
        }
        let goes_on = self.kind(0).is_scalar() && !self.is_keyword_use(0);
        let span = self.behind();
        let told = self.error(codes::E_COLON, span, format!("`:` is missing between {between}"));
        if goes_on {
            told.fix = Some(replace(span, ":", "insert \":\"", false));
        }
        goes_on
    }

    /// `VNFD:iface`, behind `at`.
    fn interface(&mut self) {
        if self.at_word(Keyword::Vnfd) {
            self.bump_keyword();
            if !self.colon("VNFD and an interface") {
                return;
            }
        } else {
            let span = self.here();
            let found = self.found();
            let told = self.error(
                codes::E_AT,
                span,
                format!("`at` is followed by `VNFD:` and an interface, not by {found}"),
            );
            told.help = Some("ConnectionPoint name at VNFD:interface;".to_owned());
        }
        match self.kind(0) {
            SyntaxKind::Name if self.is_keyword_use(0) => self.name("an interface", &[]),
            SyntaxKind::Less if self.at_placeholder() => self.placeholder(),
            SyntaxKind::Name | SyntaxKind::Atom | SyntaxKind::Int => self.bump_as(SyntaxKind::Atom),
            _ => self.name("an interface", &[]),
        }
    }
}
