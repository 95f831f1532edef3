//! Statements.

use super::Lowering;
use crate::keyword::Keyword;
use crate::kind::SyntaxNode;
use crate::script::{
    DeleteKind, DescriptorRef, Entity, Model, Name, Parameter, ParameterKind, Statement, TransactionBound, Verb,
};
use crate::tree::{self, AstNode};

/// What a piece says.
#[derive(Debug)]
pub(crate) enum Said {
    /// A model as yet without members.
    Header(Model),
    /// A member.
    Member(Entity),
    /// Any other statement.
    Statement(Statement),
}

impl Lowering {
    /// `None`: nothing that can be used.
    pub(crate) fn piece(self, piece: &SyntaxNode) -> Option<Said> {
        let node = piece.first_child()?;
        if let Some(header) = tree::ModelHeader::cast(node.clone()) {
            return self.header(&header).map(Said::Header);
        }
        if let Some(entity) = tree::Entity::cast(node.clone()) {
            return self.entity(&entity).map(Said::Member);
        }
        self.statement(&tree::Statement::cast(node)?).map(Said::Statement)
    }

    fn header(self, header: &tree::ModelHeader) -> Option<Model> {
        let parameters = header.parameters().map(|clause| clause.parameters());
        let parameters = parameters.into_iter().flatten();
        Some(Model {
            verb: verb(header.verb()),
            name: self.name(&header.name()?),
            parameters: parameters.filter_map(|parameter| self.parameter(&parameter)).collect(),
            descriptor: self.descriptor(header),
            members: Vec::new(),
            span: self.span_of(header.syntax()),
        })
    }

    fn parameter(self, parameter: &tree::Parameter) -> Option<Parameter> {
        let kind = parameter.kind().map(|keyword| match keyword {
            Keyword::String => ParameterKind::String,
            Keyword::Integer => ParameterKind::Integer,
            Keyword::Range => ParameterKind::Range,
            _ => ParameterKind::Reserved,
        });
        Some(Parameter {
            kind,
            name: self.name(&parameter.name()?),
            span: self.span_of(parameter.syntax()),
        })
    }

    fn descriptor(self, header: &tree::ModelHeader) -> Option<DescriptorRef> {
        let clause = header.descriptor()?;
        let first = clause.parts().next()?;
        let last = clause.parts().last()?;
        Some(DescriptorRef {
            uri: clause.uri(),
            span: self.span(first.text_range().cover(last.text_range())),
            digest: header.digest().and_then(|digest| self.digest(&digest)),
        })
    }

    fn digest(self, digest: &tree::DigestClause) -> Option<Name> {
        let first = digest.parts().next()?;
        let last = digest.parts().last()?;
        Some(Name {
            text: digest.parts().map(|part| part.text().to_owned()).collect(),
            span: self.span(first.text_range().cover(last.text_range())),
        })
    }

    fn statement(self, statement: &tree::Statement) -> Option<Statement> {
        let span = self.span_of(statement.syntax());
        match statement {
            tree::Statement::Model(_) => None,
            tree::Statement::Instance(instance) => Some(Statement::Instance {
                verb: verb(instance.verb()),
                entity: self.entity(&instance.entity()?)?,
                span,
            }),
            tree::Statement::Delete(delete) => Some(Statement::Delete {
                kind: delete_kind(delete.kind()?)?,
                path: self.path(&delete.path()?)?,
                span,
            }),
            tree::Statement::Query(query) => Some(Statement::Query {
                what: self.name(&query.what()?),
                from: query.from().and_then(|path| self.path(&path)),
                span,
            }),
            tree::Statement::Transaction(transaction) => {
                let bound = match transaction.bound()? {
                    Keyword::Begin => TransactionBound::Begin,
                    Keyword::End => TransactionBound::End,
                    Keyword::Commit => TransactionBound::Commit,
                    Keyword::Withdraw => TransactionBound::Withdraw,
                    _ => return None,
                };
                Some(Statement::Transaction { bound, span })
            }
            tree::Statement::Notification(notification) => {
                let behind = |keyword| notification.name_behind(keyword).map(|name| self.name(&name));
                Some(Statement::Notification {
                    name: behind(Keyword::Notification)?,
                    on: behind(Keyword::On),
                    every: notification.every(),
                    listener: behind(Keyword::RegisterListener),
                    span,
                })
            }
            tree::Statement::Reserved(reserved) => Some(Statement::Reserved {
                keyword: self.name(&reserved.keyword()?),
                span,
            }),
        }
    }
}

fn verb(keyword: Option<Keyword>) -> Verb {
    match keyword {
        Some(Keyword::Import) => Verb::Import,
        Some(Keyword::Update) => Verb::Update,
        _ => Verb::Create,
    }
}

fn delete_kind(keyword: Keyword) -> Option<DeleteKind> {
    Some(match keyword {
        Keyword::Node => DeleteKind::Node,
        Keyword::Connection | Keyword::Link => DeleteKind::Connection,
        Keyword::Flow => DeleteKind::Flow,
        Keyword::Operation | Keyword::Policy => DeleteKind::Operation,
        Keyword::ConnectionPoint => DeleteKind::ConnectionPoint,
        Keyword::NodeModel => DeleteKind::NodeModel,
        Keyword::TemplateInstance => DeleteKind::TemplateInstance,
        Keyword::TemplateDefinition => DeleteKind::TemplateDefinition,
        _ => return None,
    })
}
