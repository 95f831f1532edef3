//! What the service is: the nodes that stand at the top; else the model that was asked for; else the one that no other uses.

use super::{Elaboration, Given, Refused, unique};
use crate::body::model_of;
use crate::check::Placed;
use crate::code;
use crate::nearest::nearest;
use crate::report::{Tell, listed, moved, told};
use crate::service::{Composite, End, ModelUse, Net, NodeUse, Point};
use manifold_nemo_syntax::diagnostic::Span;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What a service is called when nothing is said.
const NAME: &str = "service";

impl Elaboration<'_> {
    /// The root's number.
    pub(super) fn root(&mut self) -> Result<usize, Refused> {
        let checked = self.checked;
        let top = &checked.root;
        if let Some(asked) = &checked.options.root {
            return match checked.models.get(asked) {
                Some(model) => self.root_model(asked, model),
                None => {
                    let found = told(
                        code::ROOT,
                        Span::default(),
                        format!("there is no model `{asked}` that could be the service"),
                    );
                    let names = checked.model_order.iter().map(String::as_str);
                    Err(Box::new(match nearest(asked, names.clone()) {
                        Some(near) => found.help(format!("did you mean `{near}`?")),
                        None => found.help(format!("the models are {}", listed(names))),
                    }))
                }
            };
        }
        if !top.unit.body.nodes.is_empty() {
            let name = checked.options.name.as_deref().unwrap_or(NAME);
            let name = unique(name, 1, &mut self.names);
            let mut composite = self.composite(top, "", Given::new())?;
            composite.name = name;
            self.open_ends(&mut composite);
            return self.add(composite, top);
        }
        let name = self.only_candidate()?;
        match checked.models.get(&name) {
            Some(model) => self.root_model(&name, model),
            None => Err(Box::new(told(code::ROOT, Span::default(), "there is no service"))),
        }
    }

    /// The model that no other uses; composites go before leaves.
    fn only_candidate(&self) -> Result<String, Refused> {
        let checked = self.checked;
        let used: HashSet<&str> = checked
            .models
            .values()
            .flat_map(|placed| &placed.unit.body.nodes)
            .filter_map(model_of)
            .map(|name| name.text.as_str())
            .collect();
        let unused = || checked.model_order.iter().filter(|name| !used.contains(name.as_str()));
        let is_leaf = |name: &String| {
            checked
                .models
                .get(name)
                .is_some_and(|placed| placed.unit.signature.is_leaf)
        };
        let mut candidates: Vec<&String> = unused().filter(|name| !is_leaf(name)).collect();
        if candidates.is_empty() {
            candidates = unused().collect();
        }
        let place = |name: &str| {
            let placed = checked.models.get(name)?;
            Some(moved(placed.unit.body.name.as_ref()?.span, placed.by))
        };
        match candidates.as_slice() {
            [] => Err(Box::new(
                told(
                    code::ROOT,
                    Span::default(),
                    "the script has no nodes and no models: there is nothing to make",
                )
                .help("write `CREATE Node`, a name, `Type` and a model"),
            )),
            [one] => Ok((*one).clone()),
            [first, others @ ..] => {
                let names = listed(candidates.iter().map(|name| name.as_str()));
                let mut found = told(
                    code::ROOT,
                    place(first).unwrap_or_default(),
                    format!("no node stands at the top, and {names} are all used by none: which one is the service?"),
                )
                .help("write `CREATE Node`, a name, `Type` and the model, or name the model where the script is used");
                for other in others.iter().take(8) {
                    if let Some(span) = place(other) {
                        found = found.label(span, "or this one");
                    }
                }
                Err(Box::new(found))
            }
        }
    }

    fn root_model(&mut self, name: &str, model: &Placed) -> Result<usize, Refused> {
        let body = &model.unit.body;
        if !body.parameters.is_empty() {
            let place = body.name.as_ref().map_or(body.span, |name| name.span);
            let wanted = listed(body.parameters.iter().map(|parameter| parameter.name.text.as_str()));
            return Err(Box::new(
                told(
                    code::ROOT,
                    moved(place, model.by),
                    format!("`{name}` is no service by itself: it has the parameters {wanted}"),
                )
                .help(format!(
                    "write `CREATE Node`, a name, `Type {name} Property` and a value for each"
                )),
            ));
        }
        match self.model(name, Given::new())? {
            ModelUse::Composite(at) => Ok(at),
            // One VNF alone is a service that has it as its only node.
            leaf @ ModelUse::Leaf(_) => {
                let service = self.checked.options.name.as_deref().unwrap_or(NAME);
                let mut composite = Composite {
                    name: unique(service, 1, &mut self.names),
                    model: String::new(),
                    arguments: BTreeMap::new(),
                    nodes: vec![NodeUse {
                        name: name.to_owned(),
                        of: leaf,
                        properties: BTreeMap::new(),
                        span: moved(body.span, model.by),
                    }],
                    nets: Vec::new(),
                    points: Vec::new(),
                    rules: Vec::new(),
                    span: moved(body.span, model.by),
                };
                self.open_ends(&mut composite);
                self.add(composite, model)
            }
        }
    }

    /// What the nodes at the top leave unconnected is how the service meets the world: `node-point`.
    fn open_ends(&self, composite: &mut Composite) {
        let connected: BTreeSet<End> = composite.nets.iter().flat_map(|net| net.ends.iter().cloned()).collect();
        let mut point_names: BTreeSet<String> = composite.points.iter().map(|point| point.name.clone()).collect();
        let mut net_names: BTreeSet<String> = composite.nets.iter().map(|net| net.name.clone()).collect();
        for (at, node) in composite.nodes.iter().enumerate() {
            let names: Vec<&String> = match node.of {
                // Their order is that of the model's text.
                ModelUse::Leaf(leaf) => {
                    let leaf = &self.leaves[leaf];
                    let body = self.checked.models.get(&leaf.model).map(|placed| &placed.unit.body);
                    body.into_iter()
                        .flat_map(|body| &body.points)
                        .map(|point| &point.name.text)
                        .collect()
                }
                ModelUse::Composite(inner) => self.composites[inner].points.iter().map(|point| &point.name).collect(),
            };
            for point in names {
                let end = End {
                    node: at,
                    point: point.clone(),
                };
                if connected.contains(&end) {
                    continue;
                }
                let name = unique(&format!("{}-{point}", node.name), 1, &mut point_names);
                composite.nets.push(Net {
                    name: unique(&name, 1, &mut net_names),
                    connections: Vec::new(),
                    shape: "p2p".to_owned(),
                    ends: vec![end],
                    points: vec![composite.points.len()],
                    properties: BTreeMap::new(),
                    span: node.span,
                });
                composite.points.push(Point {
                    name,
                    net: Some(composite.nets.len() - 1),
                    span: node.span,
                });
            }
        }
    }
}
