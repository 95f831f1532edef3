//! Models alone: what decides which documents have to do with each other, and so is asked for after every keystroke.

use manifold_nemo_syntax::script::{DeleteKind, Entity, Path, Script, Statement, Verb};
use std::collections::{BTreeSet, HashSet};

/// The models that a script speaks of.
#[derive(Debug, Default)]
pub(crate) struct Models {
    /// Those that it defines.
    pub(crate) defined: HashSet<String>,
    /// Those that it uses and does not define.
    pub(crate) foreign: BTreeSet<String>,
}

impl Models {
    /// Of a script.
    pub(crate) fn of(script: &Script) -> Self {
        let mut models = Self::default();
        for statement in &script.statements {
            if let Statement::Model(model) = statement
                && model.verb != Verb::Update
            {
                models.defined.insert(model.name.text.clone());
            }
        }
        for statement in &script.statements {
            match statement {
                Statement::Model(model) => {
                    models.used(&model.name.text);
                    model.members.iter().for_each(|member| models.entity(member));
                }
                Statement::Instance { entity, .. } => models.entity(entity),
                Statement::Delete {
                    kind: DeleteKind::NodeModel | DeleteKind::TemplateDefinition,
                    path,
                    ..
                } => models.path(path),
                _ => {}
            }
        }
        models
    }

    fn entity(&mut self, entity: &Entity) {
        if let Entity::Node(node) = entity
            && let Some(model) = &node.model
        {
            self.path(model);
        }
    }

    fn path(&mut self, path: &Path) {
        if let Some(name) = path.segments.last() {
            self.used(&name.text);
        }
    }

    fn used(&mut self, name: &str) {
        if !self.defined.contains(name) && !self.foreign.contains(name) {
            self.foreign.insert(name.to_owned());
        }
    }
}
