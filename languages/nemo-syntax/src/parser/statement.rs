//! Statements.

use super::{Parser, Place, Role, replace, shortened};
use crate::codes;
use crate::diagnostic::Severity;
use crate::keyword::{Keyword, nearest};
use crate::kind::SyntaxKind;

const DELETED: &[Keyword] = &[
    Keyword::Node,
    Keyword::Connection,
    Keyword::Link,
    Keyword::Flow,
    Keyword::Operation,
    Keyword::Policy,
    Keyword::ConnectionPoint,
    Keyword::NodeModel,
    Keyword::TemplateInstance,
    Keyword::TemplateDefinition,
];

impl Parser<'_, '_, '_> {
    /// A verb is next.
    pub(super) fn statement(&mut self) -> (Role, Place) {
        match self.word(0) {
            Some(Keyword::Create | Keyword::Import | Keyword::Update) => {
                if self.at_made(Keyword::is_model) && self.word(1) == Some(Keyword::NodeModel) {
                    return (Role::Header, self.model_header());
                }
                self.upsert();
            }
            Some(Keyword::Delete) => self.delete(),
            Some(Keyword::Query) => self.query(),
            Some(Keyword::Transaction | Keyword::Commit | Keyword::Withdraw) => self.transaction(),
            Some(Keyword::Notification) => self.notification(),
            _ => self.session(),
        }
        (Role::Statement, Place::Top)
    }

    fn at_made(&mut self, is_it: fn(Keyword) -> bool) -> bool {
        self.word(1).is_some_and(is_it)
    }

    fn upsert(&mut self) {
        if self.at_made(Keyword::is_model) {
            return self.reserved_model();
        }
        let checkpoint = self.checkpoint();
        let verb = self.peek(0);
        self.bump_keyword();
        if self.word(0).is_some_and(Keyword::is_entity) {
            self.open_at(checkpoint, SyntaxKind::Instance);
            self.entity();
        } else {
            self.open_at(checkpoint, SyntaxKind::Error);
            let span = self.here();
            let found = self.found();
            let token = self.peek(0);
            let made = Keyword::ALL.iter().filter(|word| word.is_entity() || word.is_model());
            let meant = nearest(self.text(token), made.map(|word| word.text()));
            let verb = self.text(verb);
            let message =
                format!("{verb} makes a NodeModel, Node, Connection, Flow, Operation or ConnectionPoint, not {found}");
            let told = self.error(codes::E_ENTITY, span, message);
            told.fix = meant.map(|meant| replace(span, meant, format!("write {meant}"), false));
            self.skip_rest(&[]);
            self.semicolon();
        }
        self.close();
    }

    /// A statement that does not begin with a verb.
    pub(super) fn without_verb(&mut self) {
        let first = self.peek(0);
        let span = self.token_span(0);
        let text = shortened(self.text(first));
        let is_thing = |word: Keyword| word.is_entity() || word.is_model();
        if first.word.is_some_and(is_thing) && self.is_keyword_use(0) {
            let message = format!("no verb stands before {text}, and no model's body is open here");
            let fix = replace(
                self.span(first.start, first.start),
                "CREATE ",
                "insert \"CREATE\"",
                false,
            );
            self.error(codes::E_VERB, span, message).fix = Some(fix);
            if first.word.is_some_and(Keyword::is_entity) {
                self.open(SyntaxKind::Instance);
                self.entity();
                self.close();
                return;
            }
        } else {
            let meant = nearest(
                &text,
                Keyword::ALL
                    .iter()
                    .filter(|word| word.is_verb())
                    .map(|word| word.text()),
            );
            let told = self.error(codes::E_STATEMENT, span, format!("no statement begins with `{text}`"));
            told.fix = meant.map(|meant| replace(span, meant, format!("write {meant}"), false));
        }
        self.junk();
    }

    /// Skips what is no statement and no member, up to and with its `;`.
    pub(super) fn junk(&mut self) {
        self.open(SyntaxKind::Error);
        self.bump();
        // A misspelt verb takes with it what it stands before.
        if self.word(0).is_some_and(|word| word.is_entity() || word.is_model()) {
            self.bump();
        }
        self.skip_rest(&[]);
        while matches!(self.kind(0), SyntaxKind::LeftBrace) {
            self.bump();
        }
        if self.at(SyntaxKind::Semicolon) {
            self.bump();
        }
        self.close();
    }

    fn delete(&mut self) {
        self.open(SyntaxKind::Delete);
        self.bump_keyword();
        if self.word(0).is_some_and(|word| DELETED.contains(&word)) {
            self.bump_keyword();
            self.path("of what is deleted");
        } else {
            let span = self.here();
            let found = self.found();
            let token = self.peek(0);
            let meant = nearest(self.text(token), DELETED.iter().map(|word| word.text()));
            let message = format!("DELETE is followed by what kind of thing goes, not by {found}");
            let told = self.error(codes::E_DELETE, span, message);
            told.help = Some(
                "DELETE Node, Connection, Flow, Operation, ConnectionPoint or NodeModel, then its name".to_owned(),
            );
            told.fix = meant.map(|meant| replace(span, meant, format!("write {meant}"), false));
        }
        self.end_of_statement();
    }

    /// Skips what stands before the `;`, and takes that.
    fn end_of_statement(&mut self) {
        if !self.at(SyntaxKind::Semicolon) && !self.at_boundary() {
            let span = self.token_span(0);
            let message = format!("{} is not expected here: the statement is complete", self.found());
            let is_told = self.diagnostics.iter().any(|told| told.severity == Severity::Error);
            if !is_told {
                self.error(codes::E_TOKEN, span, message);
            }
            self.skip_rest(&[]);
        }
        self.semicolon();
        self.close();
    }

    fn query(&mut self) {
        self.open(SyntaxKind::Query);
        self.bump_keyword();
        if self.at(SyntaxKind::Name) && !self.at_word(Keyword::From) {
            self.bump_as(SyntaxKind::Name);
        } else {
            let span = self.here();
            let found = self.found();
            let message =
                format!("Query asks for nodes, connections, flows, operations, a clause or a name, not {found}");
            self.error(codes::E_QUERY, span, message);
        }
        if self.at_word(Keyword::From) {
            self.open(SyntaxKind::FromClause);
            self.bump_keyword();
            self.path("of what is asked about");
            self.close();
        }
        self.end_of_statement();
    }

    fn transaction(&mut self) {
        self.open(SyntaxKind::Transaction);
        let is_long = self.at_word(Keyword::Transaction);
        self.bump_keyword();
        if is_long {
            if matches!(self.word(0), Some(Keyword::Begin | Keyword::End | Keyword::Commit)) {
                self.bump_keyword();
            } else {
                let span = self.here();
                let found = self.found();
                let message = format!("Transaction is followed by Begin, End or Commit, not by {found}");
                self.error(codes::E_TRANSACTION, span, message);
            }
        }
        self.end_of_statement();
    }

    fn reserved(&mut self, what: &str) {
        let span = self.token_span(0);
        let message = format!("{what} is reserved: it is read and has no effect");
        self.tell(codes::W_RESERVED, Severity::Warning, span, message);
    }

    fn notification(&mut self) {
        self.reserved("Notification");
        self.open(SyntaxKind::Notification);
        self.bump_keyword();
        self.name("a notification", &[]);
        for word in [Keyword::On, Keyword::Every, Keyword::RegisterListener] {
            if !self.at_word(word) {
                let span = self.here();
                let message = format!("{} is expected here, not {}", word.text(), self.found());
                self.error(codes::E_CLAUSE, span, message);
                break;
            }
            self.bump_keyword();
            if word == Keyword::Every {
                self.integer("the period in seconds");
            } else {
                self.name("what the notification is about or who hears it", &[]);
            }
        }
        self.end_of_statement();
    }

    /// Connect, Disconnect, Engines.
    fn session(&mut self) {
        let word = self.word(0).map_or("", Keyword::text);
        self.reserved(word);
        self.open(SyntaxKind::Reserved);
        self.bump_keyword();
        while !self.is_where_to_go_on(&[]) {
            self.bump();
        }
        self.semicolon();
        self.close();
    }

    fn reserved_model(&mut self) {
        let verb = self.peek(0);
        let model = self.peek(1);
        let span = self.span(verb.start, model.end);
        let message = format!("{} is reserved: it is read and has no effect", self.text(model));
        self.tell(codes::W_RESERVED, Severity::Warning, span, message);
        self.open(SyntaxKind::Reserved);
        self.bump_keyword();
        self.bump_keyword();
        self.name("a model", &[Keyword::Property, Keyword::Parameter]);
        while matches!(self.word(0), Some(Keyword::Property | Keyword::Parameter)) {
            self.parameters();
        }
        self.end_of_statement();
    }
}
