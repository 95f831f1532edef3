//! From checked bodies to a [`Service`]: each model once for each set of arguments.

mod leaves;
mod place;
mod root;
mod rules;

use crate::body::{Arguments, is_group, model_of};
use crate::check::{Checked, Placed};
use crate::code;
use crate::nets::{End as NetEnd, Net as BodyNet};
use crate::report::told;
use crate::service::{Composite, End, LeafUse, ModelUse, Net, NodeUse, Point, Service};
use crate::values::shown;
use manifold_nemo_syntax::diagnostic::{Diagnostic, Severity};
use manifold_nemo_syntax::script::{Property, Value};
use place::Place;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most composites that a service has, each counted once for each set of arguments.
pub const COMPOSITES_MAX: usize = 10_000;
/// Most VNFs that a service comes to when every composite is put out.
pub const VNFS_MAX: u64 = 100_000;

/// Arguments by parameter.
type Given = BTreeMap<String, Value>;

impl Checked {
    /// The service that the scripts describe. Errors: those of the check; or why no root can be chosen, or what a service cannot have.
    pub fn service(&self) -> Result<Service, Vec<Diagnostic>> {
        if self.has_errors {
            let is_error = |found: &&Diagnostic| found.severity == Severity::Error;
            return Err(self.diagnostics.iter().filter(is_error).cloned().collect());
        }
        let mut elaboration = Elaboration {
            checked: self,
            composites: Vec::new(),
            vnfs: Vec::new(),
            leaves: Vec::new(),
            made: HashMap::new(),
            names: self.models.keys().cloned().collect(),
            plain: BTreeSet::new(),
        };
        let root = elaboration.root().map_err(|found| vec![*found])?;
        Ok(Service {
            root,
            composites: elaboration.composites,
            leaves: elaboration.leaves,
        })
    }
}

struct Elaboration<'a> {
    checked: &'a Checked,
    composites: Vec<Composite>,
    /// For each composite, how many VNFs it comes to.
    vnfs: Vec<u64>,
    leaves: Vec<LeafUse>,
    made: HashMap<(String, Vec<String>), ModelUse>,
    /// Names that are taken: those of all models, and what was made of them.
    names: BTreeSet<String>,
    /// Models whose own name is given away.
    plain: BTreeSet<String>,
}

/// Why there is no service, in a box: it is seldom and large.
type Refused = Box<Diagnostic>;

impl Elaboration<'_> {
    /// A model with arguments; the same ones again give the same thing.
    fn model(&mut self, name: &str, given: Given) -> Result<ModelUse, Refused> {
        let Some(placed) = self.checked.models.get(name) else {
            // A script without errors names no model that is not there.
            return Err(Box::new(told(
                code::MODEL_UNKNOWN,
                Default::default(),
                format!("there is no model `{name}`"),
            )));
        };
        let key = (name.to_owned(), given.values().map(shown).collect());
        if let Some(made) = self.made.get(&key) {
            return Ok(*made);
        }
        let made = match &placed.unit.leaf {
            Some(Ok(leaf)) => self.leaf(placed, std::sync::Arc::clone(leaf), given),
            _ => {
                let composite = self.composite(placed, name, given)?;
                ModelUse::Composite(self.add(composite, placed)?)
            }
        };
        self.made.insert(key, made);
        Ok(made)
    }

    fn add(&mut self, composite: Composite, placed: &Placed) -> Result<usize, Refused> {
        let at = self.composites.len();
        let refused =
            |message: String| Box::new(told(code::LIMIT, Place(placed.by).of(placed.unit.body.span), message));
        if at == COMPOSITES_MAX {
            return Err(refused(format!(
                "the service has more than {COMPOSITES_MAX} composites, counted once for each set of arguments"
            )));
        }
        let count = |node: &NodeUse| match node.of {
            ModelUse::Leaf(_) => 1,
            ModelUse::Composite(inner) => self.vnfs[inner],
        };
        let vnfs = composite.nodes.iter().map(count).fold(0, u64::saturating_add);
        if vnfs > VNFS_MAX {
            return Err(refused(format!(
                "`{}` comes to more than {VNFS_MAX} VNFs",
                composite.name
            )));
        }
        self.composites.push(composite);
        self.vnfs.push(vnfs);
        Ok(at)
    }

    /// The model's name for its first set of arguments, a number behind it for others.
    fn name(&mut self, model: &str) -> String {
        if self.plain.insert(model.to_owned()) {
            return model.to_owned();
        }
        unique(model, 2, &mut self.names)
    }

    fn composite(&mut self, placed: &Placed, name: &str, given: Given) -> Result<Composite, Refused> {
        let (unit, place) = (&placed.unit, Place(placed.by));
        let body = &unit.body;
        let arguments = Arguments {
            parameters: &body.parameters,
            values: Some(&given),
        };
        let mut nodes = Vec::with_capacity(body.nodes.len());
        // Groups are no nodes, so numbers shift.
        let mut node_at = vec![None; body.nodes.len()];
        for (at, node) in body.nodes.iter().enumerate() {
            if is_group(node) {
                continue;
            }
            let Some(model) = model_of(node) else { continue };
            let properties = properties(&node.properties, arguments, place);
            let given = self.given(&model.text, &properties);
            node_at[at] = Some(nodes.len());
            nodes.push(NodeUse {
                name: node.name.text.clone(),
                of: self.model(&model.text, given)?,
                properties,
                span: place.of(node.span),
            });
        }
        let points = body.points.iter().zip(&unit.point_nets).map(|(point, net)| Point {
            name: point.name.text.clone(),
            net: *net,
            span: place.of(point.span),
        });
        let points = points.collect();
        let nets = self.nets(placed, &node_at, arguments);
        let rules = rules::rules(placed, &node_at, arguments);
        Ok(Composite {
            name: if body.is_root() { String::new() } else { self.name(name) },
            model: name.to_owned(),
            nodes,
            nets,
            points,
            rules,
            span: place.of(body.span),
            arguments: given,
        })
    }

    /// Those properties that are arguments of the model.
    fn given(&self, model: &str, properties: &BTreeMap<String, Value>) -> Given {
        let Some(placed) = self.checked.models.get(model) else {
            return Given::new();
        };
        let parameters = placed.unit.body.parameters.iter().map(|parameter| &parameter.name.text);
        parameters
            .filter_map(|name| Some((name.clone(), properties.get(name)?.clone())))
            .collect()
    }

    fn nets(&self, placed: &Placed, node_at: &[Option<usize>], arguments: Arguments<'_>) -> Vec<Net> {
        let (unit, place) = (&placed.unit, Place(placed.by));
        let body = &unit.body;
        let mut names: BTreeSet<String> = body
            .connections
            .iter()
            .map(|connection| connection.name.text.clone())
            .collect();
        let point_name = |node: usize, point: usize| -> Option<String> {
            let model = &model_of(&body.nodes[node])?.text;
            let signature = &self.checked.models.get(model)?.unit.signature;
            Some(signature.points.get(point)?.name.clone())
        };
        let net = |net: &BodyNet| {
            let mut made = Net {
                name: String::new(),
                connections: Vec::new(),
                shape: net.shape().name().to_owned(),
                ends: Vec::new(),
                points: Vec::new(),
                properties: BTreeMap::new(),
                span: body.span,
            };
            for connection in net.connections() {
                let connection = &body.connections[connection];
                made.connections.push(connection.name.text.clone());
                // What the first connection says counts.
                let mut said = properties(&connection.properties, arguments, place);
                said.append(&mut made.properties);
                made.properties = said;
            }
            if let Some(first) = net.segments.first() {
                let connection = &body.connections[first.connection];
                made.span = place.of(connection.span);
                made.name = match first.number {
                    None => connection.name.text.clone(),
                    Some(number) => unique(&format!("{}-{number}", connection.name.text), 1, &mut names),
                };
            }
            for end in &net.ends {
                match end {
                    NetEnd::Own(point) => made.points.push(*point),
                    NetEnd::Node(node, point) => {
                        if let (Some(at), Some(name)) = (node_at[*node], point_name(*node, *point)) {
                            made.ends.push(End { node: at, point: name });
                        }
                    }
                }
            }
            made
        };
        unit.nets.iter().map(net).collect()
    }
}

/// Properties by key, the spellings of one thing put together.
fn properties(properties: &[Property], arguments: Arguments<'_>, place: Place) -> BTreeMap<String, Value> {
    let key = |key: &str| match key {
        "ip-prefix" => "ipprefix".to_owned(),
        "gateway-ip" => "gatewayip".to_owned(),
        key => key.to_owned(),
    };
    let value = |value: &Value| arguments.substituted(&place.value(value.clone()));
    properties
        .iter()
        .map(|property| (key(&property.key.text), value(&property.value)))
        .collect()
}

/// The name itself if `first` is 1 and it is free, else with the first number behind it that makes it free.
fn unique(base: &str, first: usize, taken: &mut BTreeSet<String>) -> String {
    let numbered = (first..).map(|number| match number {
        1 => base.to_owned(),
        number => format!("{base}-{number}"),
    });
    let free = numbered
        .into_iter()
        .find(|name| !taken.contains(name))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}
