//! Checking: all faults of some scripts at once, and what editors want to know of them.
//!
//! ```text
//! sources ──fold──> models, root ──order──> bodies, those that are used first ──look──> units ──┬──> diagnostics
//!                                                                ^      │                      ├──> index (hover, rename …)
//!                                                                └──signature of each          └──elaborate──> Service
//! ```
//! A body is looked at alone, against the signatures of the models that it uses. So a [`Checker`], which keeps the units of the last
//! check, looks anew only at bodies whose text has changed, or that use a model whose signature has; what merely moved is told again
//! at its new place. Signatures hold no places, hence moving a model does not touch those who use it.

mod connections;
mod ends;
mod leaves;
mod look;
mod nodes;
mod rules;
mod world;

pub(crate) use look::{Occurrence, Target, Unit};

use crate::body::Body;
use crate::code;
use crate::leaf::LeafSource;
use crate::nearest::nearest;
use crate::report::{Report, Tell, in_order, moved_diagnostic, told};
use crate::signature::Signature;
use crate::statements::{Folded, fold, span_of};
pub use crate::statements::{MemberKind, Strictness};
use manifold_nemo_syntax::diagnostic::{Diagnostic, FileId, Severity, Span};
use manifold_nemo_syntax::script::{Entity, Model, Name, Path, Script};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use world::World;

/// Most diagnostics of one check: nobody reads more, and hostile text shall not fill the memory.
pub const DIAGNOSTICS_MAX: usize = 1_000;

/// A script with the text that it was read from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file that the script's spans name.
    pub file: FileId,
    /// Its text.
    pub text: &'a str,
    /// What it says.
    pub script: &'a Script,
}

/// How scripts are checked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How strictly.
    pub strictness: Strictness,
    /// The model that is the service, where no node stands at the top, or where it shall not count.
    pub root: Option<String>,
    /// What the service is called where nodes stand at the top; `service`, if nothing is said.
    pub name: Option<String>,
}

/// Scripts that were checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is wrong, file by file in the order of the text. What the parser told is not among it.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there were.
    pub left_out: usize,
    pub(crate) has_errors: bool,
    pub(crate) models: HashMap<String, Placed>,
    /// Names of models in the order of the files, for answers that shall not hang on a map's order.
    pub(crate) model_order: Vec<String>,
    pub(crate) root: Placed,
    pub(crate) options: Options,
}

/// A unit at its present place: how far it has moved since it was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) unit: Arc<Unit>,
    pub(crate) by: i64,
}

impl Checked {
    /// Whether a service can be made of the scripts, for all that is known before a root is chosen.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }
}

/// Checks scripts once.
pub fn check(sources: &[Source<'_>], leaves: &dyn LeafSource, options: &Options) -> Checked {
    Checker::default().check(sources, leaves, options)
}

/// Checks scripts again and again, and looks anew only at what has changed.
#[derive(Debug, Default)]
pub struct Checker {
    keys: RandomState,
    kept: HashMap<u64, Vec<Kept>>,
    looked: usize,
}

#[derive(Debug)]
struct Kept {
    file: FileId,
    base: u32,
    unit: Arc<Unit>,
}

impl Checker {
    /// How many bodies the last check looked at, those that were kept left out.
    pub fn looked_at(&self) -> usize {
        self.looked
    }

    /// Checks scripts. The order of the sources does not matter.
    pub fn check(&mut self, sources: &[Source<'_>], leaves: &dyn LeafSource, options: &Options) -> Checked {
        self.looked = 0;
        let mut report = Report::on(Span::default());
        let sources = in_one_order(sources);
        let files: Vec<Folded<'_>> = sources
            .iter()
            .map(|source| fold(&source.script.statements, source.text, options.strictness, &mut report))
            .collect();
        let mut world = World::of(&files, leaves, &mut report);
        let all: Vec<&Cow<'_, Model>> = files.iter().flat_map(|file| &file.models).collect();
        let models: Vec<&Model> = all
            .iter()
            .map(|model| model.as_ref())
            .filter(|model| world.is_the_one(model))
            .collect();
        let whole: HashMap<*const Model, bool> = all
            .iter()
            .map(|model| (std::ptr::from_ref(model.as_ref()), matches!(model, Cow::Borrowed(_))))
            .collect();
        let (ordered, has_circles) = world.in_order(&models, &mut report);
        // On a circle some model is used before it was looked at.
        for model in ordered.iter().filter(|_| has_circles) {
            world.know(&model.name.text, Arc::new(Signature::shallow_of_model(model)));
        }
        let texts: HashMap<FileId, &str> = sources.iter().map(|source| (source.file, source.text)).collect();
        let mut kept = HashMap::new();
        let mut placed: HashMap<String, Placed> = HashMap::with_capacity(ordered.len());
        for model in ordered {
            let is_whole = whole.get(&std::ptr::from_ref(model)).copied().unwrap_or(false);
            let members = model.members.iter();
            let key = is_whole
                .then(|| self.key(false, model.span, &texts, members.map(span_of)))
                .flatten();
            let unit = self.unit(key, model.span, &world, &mut kept, || Body::of_model(model));
            world.know(&model.name.text, Arc::clone(&unit.unit.signature));
            placed.insert(model.name.text.clone(), unit);
        }
        let root = self.root(&files, &texts, &world, &mut kept);
        queries(&files, &placed, &root, &mut report);
        self.kept = kept;
        let model_order = models.iter().map(|model| model.name.text.clone()).collect();
        finish(report, placed, model_order, root, options)
    }

    fn root(
        &mut self,
        files: &[Folded<'_>],
        texts: &HashMap<FileId, &str>,
        world: &World<'_>,
        kept: &mut HashMap<u64, Vec<Kept>>,
    ) -> Placed {
        let entities = || files.iter().flat_map(|file| &file.root);
        let is_whole = entities().all(|entity| matches!(entity, Cow::Borrowed(_)));
        let mut spans = entities().map(|entity| span_of(entity));
        let span = spans.next().map_or(Span::default(), |first| {
            spans.fold(first, |all, next| {
                if all.file == next.file {
                    Span {
                        start: all.start.min(next.start),
                        ..all.to(next)
                    }
                } else {
                    all
                }
            })
        });
        let one_file = entities().all(|entity| span_of(entity).file == span.file);
        let key = (is_whole && one_file)
            .then(|| self.root_key(span, texts, entities().map(|entity| span_of(entity))))
            .flatten();
        self.unit(key, span, world, kept, || {
            Body::of_members(entities().map(|entity| -> &Entity { entity }), span)
        })
    }

    /// What a body's text comes to; `None`: the text is not at hand.
    fn key(
        &self,
        is_root: bool,
        span: Span,
        texts: &HashMap<FileId, &str>,
        members: impl Iterator<Item = Span>,
    ) -> Option<u64> {
        let text = texts.get(&span.file)?.get(span.start as usize..span.end as usize)?;
        let mut hasher = self.keys.build_hasher();
        (is_root, text).hash(&mut hasher);
        for member in members {
            (
                member.start.checked_sub(span.start)?,
                member.end.checked_sub(span.start)?,
            )
                .hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// The root is what stands between models, so only the text of its members counts.
    fn root_key(&self, span: Span, texts: &HashMap<FileId, &str>, members: impl Iterator<Item = Span>) -> Option<u64> {
        let text = texts.get(&span.file)?;
        let mut hasher = self.keys.build_hasher();
        for member in members {
            let text = text.get(member.start as usize..member.end as usize)?;
            (member.start.checked_sub(span.start)?, text).hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// The kept unit, if all that it rests on is as it was; else the body is looked at.
    fn unit(
        &mut self,
        key: Option<u64>,
        span: Span,
        world: &World<'_>,
        kept: &mut HashMap<u64, Vec<Kept>>,
        body: impl FnOnce() -> Body,
    ) -> Placed {
        let mut found = None;
        if let Some(key) = key
            && let Some(same) = self.kept.get_mut(&key)
        {
            let fits = |old: &Kept| old.file == span.file && still_holds(&old.unit, world);
            found = same.iter().position(fits).map(|at| same.swap_remove(at));
        }
        let entry = found.unwrap_or_else(|| {
            self.looked += 1;
            Kept {
                file: span.file,
                base: span.start,
                unit: Arc::new(look::look(body(), world)),
            }
        });
        let placed = Placed {
            unit: Arc::clone(&entry.unit),
            by: i64::from(span.start) - i64::from(entry.base),
        };
        if let Some(key) = key
            && entry.unit.keeps
        {
            kept.entry(key).or_default().push(entry);
        }
        placed
    }
}

fn still_holds(unit: &Unit, world: &World<'_>) -> bool {
    let same = |(name, then): &(String, Option<Arc<Signature>>)| match (then, world.signature(name)) {
        (Some(then), Some(now)) => Arc::ptr_eq(then, now) || then == now,
        (None, None) => true,
        _ => false,
    };
    let same_leaf = || match (&unit.leaf, &unit.body.descriptor) {
        (Some(then), Some(descriptor)) => {
            let now = world.leaves.leaf(
                &descriptor.uri,
                descriptor.digest.as_ref().map(|digest| digest.text.as_str()),
            );
            match (then, &now) {
                (Ok(then), Ok(now)) => Arc::ptr_eq(then, now) || then == now,
                (Err(then), Err(now)) => then == now,
                _ => false,
            }
        }
        _ => true,
    };
    unit.uses.iter().all(same) && same_leaf()
}

/// Sources in an order that their contents give, so that it does not matter how they were handed over.
fn in_one_order<'a>(sources: &[Source<'a>]) -> Vec<Source<'a>> {
    let mut sources = sources.to_vec();
    if sources.len() > 1 {
        sources.sort_by(|a, b| a.text.cmp(b.text).then(a.file.cmp(&b.file)));
    }
    sources
}

/// Questions about names that nothing has.
fn queries(files: &[Folded<'_>], models: &HashMap<String, Placed>, root: &Placed, report: &mut Report) {
    let body = &root.unit.body;
    let kinds = [
        MemberKind::Node,
        MemberKind::Connection,
        MemberKind::Flow,
        MemberKind::Operation,
        MemberKind::ConnectionPoint,
    ];
    let known = || {
        kinds
            .into_iter()
            .flat_map(|kind| body.names(kind))
            .map(|name| name.text.as_str())
    };
    let asked = files
        .iter()
        .flat_map(|file| &file.queries)
        .filter_map(|(_, from): &(&Name, Option<&Path>)| *from);
    for name in asked.filter_map(|path| path.segments.first()) {
        if models.contains_key(&name.text) || known().any(|other| other == name.text) {
            continue;
        }
        let message = format!(
            "nothing here is called `{}`; the question is about what runs under that name",
            name.text
        );
        let found = told(code::QUERY, name.span, message);
        report.push(
            match nearest(&name.text, known().chain(models.keys().map(String::as_str))) {
                Some(near) => found.replace(format!("write `{near}`"), name.span, near, crate::report::Sure::No),
                None => found,
            },
        );
    }
}

fn finish(
    report: Report,
    models: HashMap<String, Placed>,
    model_order: Vec<String>,
    root: Placed,
    options: &Options,
) -> Checked {
    let mut diagnostics = report.list;
    for placed in models.values().chain([&root]) {
        diagnostics.extend(
            placed
                .unit
                .diagnostics
                .iter()
                .map(|found| moved_diagnostic(found, placed.by)),
        );
    }
    let has_errors = diagnostics.iter().any(|found| found.severity == Severity::Error);
    in_order(&mut diagnostics);
    let left_out = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    if left_out > 0 {
        // Errors are never left out in favour of what is less.
        diagnostics.sort_by_key(|found| std::cmp::Reverse(found.severity));
        diagnostics.truncate(DIAGNOSTICS_MAX);
        in_order(&mut diagnostics);
    }
    Checked {
        diagnostics,
        left_out,
        has_errors,
        models,
        model_order,
        root,
        options: options.clone(),
    }
}
