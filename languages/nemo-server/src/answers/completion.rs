//! What can be written at a place: names that are there, interfaces that a descriptor has, words that the language knows.

use super::context::{Context, Wanted, context};
use super::{Look, hover};
use crate::documents::Document;
use crate::index::{Body, Definition, Goal, Kind};
use lsp_types::{
    Command, CompletionItem, CompletionItemKind, CompletionList, CompletionTextEdit, Documentation, Range, TextEdit,
};
use manifold_nemo_syntax::diagnostic::{FileId, Span};
use manifold_nemo_syntax::keyword::Keyword;
use manifold_nemo_syntax::script::{Model, Name};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Items of one answer; an editor asks again when more is typed.
const ITEMS_MAX: usize = 500;

/// What a packet can have.
const MATCHES: [(&str, &str); 8] = [
    ("srcip", "source address or prefix"),
    ("dstip", "destination address or prefix"),
    ("proto", "tcp, udp, icmp or a number"),
    ("srcport", "source port or (first, last)"),
    ("dstport", "destination port or (first, last)"),
    ("srcmac", "source MAC address"),
    ("dstmac", "destination MAC address"),
    ("ethtype", "type of the frame"),
];
/// What can happen to it.
const ACTIONS: [(&str, &str); 5] = [
    ("go-through", "the packets pass these nodes, in this order"),
    ("block", "the packets are dropped"),
    ("allow", "the packets pass, whatever a rule of lower priority says"),
    ("bandwidth", "at most so many bits per second pass, as 10(mbps)"),
    ("priority", "0 (last) to 7 (first)"),
];
/// What a condition can look at without measuring.
const STATES: [(&str, &str); 3] = [
    ("time", "time of the day, as 08:00:00"),
    ("date", "as 2026-01-31"),
    ("fulltime", "as 2026-01-31,08:00:00"),
];
/// Properties that are no parameters.
const NODE_KEYS: [(&str, &str); 1] = [("location", "the point of presence that the node goes to")];
const CONNECTION_KEYS: [(&str, &str); 3] = [
    ("bandwidth", "as 10(mbps)"),
    ("ipprefix", "the addresses of the net, as 10.0.0.0/24"),
    ("provider", "the network of the provider that the net is"),
];
const SHAPES: [(&str, &str); 4] = [
    ("p2p", "two ends"),
    ("p2mp", "one to many"),
    ("mesh", "each to each"),
    ("chain", "one after the other"),
];
const QUERIES: [&str; 13] = [
    "nodes",
    "connections",
    "flows",
    "operations",
    "Type",
    "Contain",
    "Property",
    "Endnodes",
    "Match",
    "Priority",
    "Target",
    "Condition",
    "Action",
];

/// What can be written at a byte.
pub(crate) fn completion(look: &Look<'_>, file: FileId, offset: u32) -> Option<CompletionList> {
    let document = look.document(file)?;
    let context = context(document, offset)?;
    let mut completion = Completion::new(look, document, &context, offset);
    completion.fill(&context.wanted);
    let is_incomplete = completion.is_incomplete || completion.items.len() > ITEMS_MAX;
    completion.items.truncate(ITEMS_MAX);
    Some(CompletionList {
        is_incomplete,
        items: completion.items,
    })
}

struct Completion<'l, 's> {
    look: &'l Look<'s>,
    document: &'s Document,
    body: Body,
    range: Range,
    items: Vec<CompletionItem>,
    is_incomplete: bool,
}

impl<'l, 's> Completion<'l, 's> {
    fn new(look: &'l Look<'s>, document: &'s Document, context: &Context, offset: u32) -> Self {
        let is_outside = context.has_verb || context.is_behind_brace;
        let body = (!is_outside)
            .then(|| document.index().body_at(document.script(), offset))
            .flatten();
        Self {
            look,
            document,
            body,
            range: look.range(Span {
                file: document.file,
                start: context.typed.start as u32,
                end: context.typed.end as u32,
            }),
            items: Vec::new(),
            is_incomplete: false,
        }
    }

    fn fill(&mut self, wanted: &Wanted) {
        match wanted {
            Wanted::Start => {
                if self.body.is_some() {
                    self.words(&ENTITIES);
                }
                self.words(&VERBS);
            }
            Wanted::Entity(Keyword::Delete) => {
                self.words(&ENTITIES);
                self.words(&[Keyword::NodeModel]);
            }
            Wanted::Entity(_) => {
                self.words(&[Keyword::NodeModel]);
                self.words(&ENTITIES);
            }
            Wanted::Words(words) => self.words(words),
            Wanted::Clause(entity, seen) => self.clauses(*entity, seen),
            Wanted::Existing(entity, before) => self.existing(*entity, before),
            Wanted::Model => self.models(),
            Wanted::Shape => self.table(&SHAPES, CompletionItemKind::ENUM_MEMBER, ""),
            Wanted::End(before) if before.is_empty() => {
                self.members(&[Kind::ConnectionPoint, Kind::Node]);
                self.points_of_all_nodes();
            }
            Wanted::End(before) => self.points_of(before),
            Wanted::Node(before) if before.is_empty() => self.members(&[Kind::Node]),
            Wanted::Node(before) => self.inner_members(before, Kind::Node),
            Wanted::Target => self.members(&[Kind::Flow, Kind::Node, Kind::Connection]),
            Wanted::Key(entity, model) => self.keys(*entity, model.as_deref()),
            Wanted::Value(entity, key) => self.values(*entity, key),
            Wanted::MatchKey => self.table(&MATCHES, CompletionItemKind::PROPERTY, ": "),
            Wanted::Action => self.table(&ACTIONS, CompletionItemKind::FUNCTION, ""),
            Wanted::ActionValue(action, before) if action.eq_ignore_ascii_case("go-through") => match before.first() {
                None => self.members(&[Kind::Node]),
                Some(node) => self.points_of(std::slice::from_ref(node)),
            },
            Wanted::ActionValue(..) => self.members(&[Kind::Parameter]),
            Wanted::ParameterType => {
                self.words(&[Keyword::String, Keyword::Integer, Keyword::Range]);
            }
            Wanted::AtVnfd => self.item("VNFD:", CompletionItemKind::KEYWORD).command = ask_again(),
            Wanted::Interface => self.interfaces(),
            Wanted::State => self.table(&STATES, CompletionItemKind::PROPERTY, ""),
            Wanted::Query => {
                for word in QUERIES {
                    self.item(word, CompletionItemKind::KEYWORD);
                }
            }
            Wanted::Anything => self.members(&[
                Kind::Node,
                Kind::Connection,
                Kind::Flow,
                Kind::Operation,
                Kind::ConnectionPoint,
            ]),
        }
    }

    fn item(&mut self, label: &str, kind: CompletionItemKind) -> &mut CompletionItem {
        let at = self.items.len();
        self.items.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(self.range, label.to_owned()))),
            // The order is that of this answer.
            sort_text: Some(format!("{at:05}")),
            ..CompletionItem::default()
        });
        &mut self.items[at]
    }

    /// An item whose text is longer than its label.
    fn item_with(&mut self, label: &str, kind: CompletionItemKind, behind: &str) -> &mut CompletionItem {
        let edit = TextEdit::new(self.range, format!("{label}{behind}"));
        let item = self.item(label, kind);
        item.text_edit = Some(CompletionTextEdit::Edit(edit));
        item
    }

    fn words(&mut self, words: &[Keyword]) {
        for word in words {
            self.item(word.text(), CompletionItemKind::KEYWORD);
        }
    }

    fn table(&mut self, rows: &[(&str, &str)], kind: CompletionItemKind, behind: &str) {
        for (label, detail) in rows {
            self.item_with(label, kind, behind).detail = Some((*detail).to_owned());
        }
    }

    fn clauses(&mut self, entity: Keyword, seen: &[Keyword]) {
        let clauses: &[Keyword] = match entity {
            Keyword::Node => &[Keyword::Type, Keyword::Property, Keyword::Contain],
            Keyword::Connection | Keyword::Link => &[Keyword::Type, Keyword::Endnodes, Keyword::Property],
            Keyword::Flow => &[Keyword::Match, Keyword::Property],
            Keyword::Operation | Keyword::Policy => {
                &[Keyword::Target, Keyword::Priority, Keyword::Condition, Keyword::Action]
            }
            Keyword::ConnectionPoint => &[Keyword::At],
            Keyword::NodeModel => &[Keyword::Property, Keyword::Vnfd, Keyword::Digest],
            _ => &[],
        };
        let is_new = |clause: &&Keyword| !seen.contains(clause);
        let has_descriptor = seen.contains(&Keyword::Vnfd);
        let open: Vec<Keyword> = clauses
            .iter()
            .filter(is_new)
            .filter(|clause| **clause != Keyword::Digest || has_descriptor)
            .copied()
            .collect();
        self.words(&open);
    }

    fn existing(&mut self, entity: Keyword, before: &[String]) {
        let kind = match entity {
            Keyword::NodeModel | Keyword::TemplateDefinition => return self.models(),
            Keyword::Node | Keyword::TemplateInstance => Kind::Node,
            Keyword::Connection | Keyword::Link => Kind::Connection,
            Keyword::Flow => Kind::Flow,
            Keyword::Operation | Keyword::Policy => Kind::Operation,
            Keyword::ConnectionPoint => Kind::ConnectionPoint,
            _ => return,
        };
        match before {
            [] => self.members(&[kind]),
            _ => self.inner_members(before, kind),
        }
    }

    /// Models of this script, then those of others, the nearest of each name.
    fn models(&mut self) {
        let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
        let own = std::iter::once(self.document);
        let others = self
            .look
            .world
            .documents()
            .iter()
            .filter(|other| other.file != self.document.file);
        for document in own.chain(others) {
            let mut names: Vec<&Arc<str>> = document.index().model_names().collect();
            names.sort();
            for name in names {
                if self.items.len() > ITEMS_MAX || !seen.insert(name.clone()) {
                    continue;
                }
                let Some(file) = self.look.world.model(self.document.file, name) else {
                    continue;
                };
                let Some(model) = self.look.model(file, name) else {
                    continue;
                };
                let documentation = self.documented(file, model);
                let detail = match (&model.descriptor, file == self.document.file) {
                    (Some(descriptor), true) => format!("VNFD {}", descriptor.uri),
                    (None, true) => "composite".to_owned(),
                    (_, false) => self.file_name(file),
                };
                let item = self.item(name, CompletionItemKind::CLASS);
                item.detail = Some(detail);
                item.documentation = documentation;
            }
        }
    }

    fn documented(&self, file: FileId, model: &Model) -> Option<Documentation> {
        let document = self.look.document(file)?;
        let definition = document.index().models(&model.name.text).next()?;
        let symbol = self.look.world.symbol(file, definition);
        Some(Documentation::MarkupContent(hover::documentation(self.look, &symbol)))
    }

    fn file_name(&self, file: FileId) -> String {
        let path = self.look.document(file).and_then(Document::path);
        let name = path.and_then(|path| path.file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Members of the body.
    fn members(&mut self, kinds: &[Kind]) {
        let (file, body) = (self.document.file, self.body.clone());
        for kind in kinds {
            self.members_of(file, &body, *kind);
        }
    }

    fn members_of(&mut self, file: FileId, body: &Body, kind: Kind) {
        let Some(document) = self.look.document(file) else {
            return;
        };
        let mut seen = BTreeSet::new();
        for definition in document.index().members_of_kind(body, kind) {
            if seen.insert(definition.name.text.as_str()) {
                let detail = self.detail(file, definition);
                self.item(&definition.name.text, item_kind(kind)).detail = Some(detail);
            }
        }
    }

    fn detail(&self, file: FileId, definition: &Definition) -> String {
        match self.look.world.model_of(file, definition) {
            Some((_, model)) => format!("node of model {model}"),
            None => definition.kind.noun().to_owned(),
        }
    }

    /// `node:point`, for all nodes of the body.
    fn points_of_all_nodes(&mut self) {
        let nodes = self.document.index().members_of_kind(&self.body, Kind::Node);
        for node in nodes {
            let Some((file, model)) = self.look.world.model_of(self.document.file, node) else {
                continue;
            };
            let Some(document) = self.look.document(file) else {
                continue;
            };
            for point in document
                .index()
                .members_of_kind(&Some(model.clone()), Kind::ConnectionPoint)
            {
                if self.items.len() > ITEMS_MAX {
                    return;
                }
                let label = format!("{}:{}", node.name.text, point.name.text);
                self.item(&label, CompletionItemKind::INTERFACE).detail = Some(format!("connection point of {model}"));
            }
        }
    }

    /// The connection points of the node that a path leads to.
    fn points_of(&mut self, path: &[String]) {
        self.inner_members(path, Kind::ConnectionPoint);
    }

    fn inner_members(&mut self, path: &[String], kind: Kind) {
        let names: Vec<Name> = path
            .iter()
            .map(|text| Name {
                text: text.clone(),
                span: Span::default(),
            })
            .collect();
        let world = &self.look.world;
        let (file, to) = (self.document.file, Goal::One(Kind::Node));
        let found = world.follow(file, &self.body, &names, names.len(), to);
        let inside = found.and_then(|node| {
            let definition = world.member(node.file, &node.body, Kind::Node, &node.name)?;
            world.model_of(node.file, definition)
        });
        if let Some((file, model)) = inside {
            self.members_of(file, &Some(model), kind);
        }
    }

    /// Parameters of a node's model, then what every node or connection can have.
    fn keys(&mut self, entity: Keyword, model: Option<&str>) {
        let file = model.and_then(|model| self.look.world.model(self.document.file, model));
        if let (Some(file), Some(name)) = (file, model)
            && let Some(model) = self.look.model(file, name)
        {
            for parameter in &model.parameters {
                let item = self.item_with(&parameter.name.text, CompletionItemKind::PROPERTY, ": ");
                item.detail = Some(format!("parameter of {name}"));
            }
        }
        match entity {
            Keyword::Node => self.table(&NODE_KEYS, CompletionItemKind::PROPERTY, ": "),
            Keyword::Connection | Keyword::Link => self.table(&CONNECTION_KEYS, CompletionItemKind::PROPERTY, ": "),
            _ => {}
        }
    }

    /// Parameters of the body's model; for a protocol its names; for a parameter that names an interface, the interfaces.
    fn values(&mut self, entity: Keyword, key: &str) {
        self.members(&[Kind::Parameter]);
        if entity == Keyword::Match && key.eq_ignore_ascii_case("proto") {
            for name in ["tcp", "udp", "icmp"] {
                self.item(name, CompletionItemKind::VALUE);
            }
        }
    }

    /// The interfaces of the body's descriptor, and the model's parameters, one of which can name an interface.
    fn interfaces(&mut self) {
        let Some(model) = self
            .body
            .as_deref()
            .and_then(|name| self.look.model(self.document.file, name))
        else {
            return;
        };
        match self.look.leaf(self.document.file, model) {
            Some(Ok(leaf)) => {
                for interface in &leaf.interfaces {
                    let documentation = hover::interface_documentation(self.look, leaf, interface);
                    let item = self.item(&interface.name, CompletionItemKind::INTERFACE);
                    item.detail = Some(match &interface.vnfc {
                        Some(vnfc) if !interface.role.is_empty() => format!("{}, {vnfc}", interface.role),
                        Some(vnfc) => vnfc.clone(),
                        None => interface.role.clone(),
                    });
                    item.documentation = Some(Documentation::MarkupContent(documentation));
                }
            }
            Some(Err(_)) => {}
            // The descriptor is being fetched: the editor may ask again.
            None => self.is_incomplete = model.descriptor.is_some(),
        }
        self.members(&[Kind::Parameter]);
    }
}

const VERBS: [Keyword; 8] = [
    Keyword::Create,
    Keyword::Import,
    Keyword::Update,
    Keyword::Delete,
    Keyword::Query,
    Keyword::Transaction,
    Keyword::Commit,
    Keyword::Withdraw,
];
const ENTITIES: [Keyword; 5] = [
    Keyword::Node,
    Keyword::Connection,
    Keyword::ConnectionPoint,
    Keyword::Flow,
    Keyword::Operation,
];

fn item_kind(kind: Kind) -> CompletionItemKind {
    match kind {
        Kind::Model => CompletionItemKind::CLASS,
        Kind::Parameter => CompletionItemKind::TYPE_PARAMETER,
        Kind::Node => CompletionItemKind::VARIABLE,
        Kind::Connection => CompletionItemKind::FIELD,
        Kind::ConnectionPoint | Kind::Interface => CompletionItemKind::INTERFACE,
        Kind::Flow => CompletionItemKind::EVENT,
        Kind::Operation => CompletionItemKind::FUNCTION,
    }
}

/// Has the editor ask for what follows at once.
fn ask_again() -> Option<Command> {
    Some(Command::new(
        "complete".to_owned(),
        "editor.action.triggerSuggest".to_owned(),
        None,
    ))
}
