//! Conditions: `a == 1 && (b > 2 || !c < 3)`.

use super::Parser;
use crate::codes;
use crate::keyword::Keyword;
use crate::kind::SyntaxKind;

/// Brackets and `!` go so deep: what a person writes is far from it, and a stack holds it easily.
const DEPTH_MAX: u32 = 64;

impl Parser<'_, '_, '_> {
    pub(super) fn condition(&mut self) {
        self.any(DEPTH_MAX);
    }

    fn any(&mut self, depth: u32) {
        self.joined(SyntaxKind::Or, SyntaxKind::Any, depth, |parser, depth| {
            parser.joined(SyntaxKind::And, SyntaxKind::All, depth, Self::not);
        });
    }

    fn joined(&mut self, operator: SyntaxKind, node: SyntaxKind, depth: u32, part: impl Fn(&mut Self, u32)) {
        let may_begin = matches!(
            self.kind(0),
            SyntaxKind::Bang | SyntaxKind::LeftParen | SyntaxKind::Name
        );
        if !may_begin || self.is_keyword_use(0) {
            return self.missing_term();
        }
        let checkpoint = self.checkpoint();
        part(self, depth);
        if !self.at(operator) {
            return;
        }
        self.open_at(checkpoint, node);
        while self.at(operator) {
            self.bump();
            part(self, depth);
        }
        self.close();
    }

    fn not(&mut self, depth: u32) {
        let is_nested = matches!(self.kind(0), SyntaxKind::Bang | SyntaxKind::LeftParen);
        if is_nested && depth == 0 {
            return self.too_deep();
        }
        match self.kind(0) {
            SyntaxKind::Bang => {
                self.open(SyntaxKind::Not);
                self.bump();
                self.not(depth - 1);
                self.close();
            }
            SyntaxKind::LeftParen => {
                self.open(SyntaxKind::Group);
                self.bump();
                self.any(depth - 1);
                if self.at(SyntaxKind::RightParen) {
                    self.bump();
                } else if self.diagnostics.last().is_none_or(|told| told.code != codes::E_DEPTH) {
                    let span = self.behind();
                    let fix = super::replace(span, ")", "insert \")\"", false);
                    self.error(codes::E_CONDITION, span, "`)` is missing here").fix = Some(fix);
                }
                self.close();
            }
            SyntaxKind::Name if !self.is_keyword_use(0) => self.term(),
            _ => self.missing_term(),
        }
    }

    fn missing_term(&mut self) {
        let span = self.behind();
        let message = format!("a comparison is missing here, before {}", self.found());
        let told = self.error(codes::E_CONDITION, span, message);
        told.help = Some("for instance `time > 08:00:00`".to_owned());
    }

    fn too_deep(&mut self) {
        let span = self.token_span(0);
        self.error(
            codes::E_DEPTH,
            span,
            format!("conditions are nested no deeper than {DEPTH_MAX}"),
        );
        self.open(SyntaxKind::Error);
        while matches!(self.kind(0), SyntaxKind::Bang | SyntaxKind::LeftParen) {
            self.bump();
        }
        self.close();
        self.skip_rest(&[Keyword::Action, Keyword::Target, Keyword::ApplyTo, Keyword::Priority]);
    }

    fn term(&mut self) {
        self.open(SyntaxKind::Term);
        self.bump_as(SyntaxKind::Name);
        let comparison = self.kind(0);
        let is_comparison = matches!(
            comparison,
            SyntaxKind::EqualEqual
                | SyntaxKind::NotEqual
                | SyntaxKind::Greater
                | SyntaxKind::Less
                | SyntaxKind::GreaterEqual
                | SyntaxKind::LessEqual
                | SyntaxKind::Star
        );
        if is_comparison {
            self.bump();
            self.value();
        } else {
            let span = self.here();
            let message = format!(
                "a comparison is `==`, `!=`, `>`, `<`, `>=`, `<=` or `*`, not {}",
                self.found()
            );
            self.error(codes::E_CONDITION, span, message);
            self.skip_scalar();
        }
        self.close();
    }
}
