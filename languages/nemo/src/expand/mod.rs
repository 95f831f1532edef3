//! Expansion: every instance of a service with its name, and the nets that result when connection points are taken for what they
//! are, aliases.
//!
//! ```text
//! Service ──walk (outer before inner)──> instances, one mark per (instance, net)
//!                                                 │ a node's connection point: the outer mark and the inner one are one
//!                                                 v
//!                                              Graph: nets, each called as its outermost part is
//! ```
//! Time and memory grow with the result, which is bounded by [`Limits`].

mod joined;
mod union;

pub(crate) use joined::joined;

use crate::service::{Composite, ModelUse, Service};
use serde::Serialize;
use std::collections::BTreeMap;
use union::Union;

/// How large a result may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most instances.
    pub instances_max: usize,
    /// Deepest nesting.
    pub depth_max: usize,
    /// Composites at this depth are not opened: they stand as boxes with their connection points. `None`: all are opened.
    pub fold_depth: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances_max: 100_000,
            depth_max: 64,
            fold_depth: None,
        }
    }
}

/// Why a service was not expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// More instances than the limit.
    #[error("the service has more than {instances_max} instances")]
    TooLarge {
        /// The limit.
        instances_max: usize,
    },
    /// Deeper than the limit.
    #[error("`{instance}` stands deeper than {depth_max} levels")]
    TooDeep {
        /// What stands too deep.
        instance: String,
        /// The limit.
        depth_max: usize,
    },
    /// A composite that uses itself or a later one, or an index that leads nowhere.
    #[error("the service is not put together well: {0}")]
    Malformed(String),
}

/// All instances of a service and the nets between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Graph {
    /// The root first, then each instance with what is inside it, in the order of the text.
    pub instances: Vec<Instance>,
    /// Outer ones before those that are wholly inside.
    pub nets: Vec<GraphNet>,
}

/// An instance of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Instance {
    /// `complex.input_vnf`; empty for the root.
    pub name: String,
    /// The last part of the name; for the root, the composite's.
    pub label: String,
    /// Name of the model.
    pub model: String,
    /// Index of the instance that it is in.
    pub parent: Option<usize>,
    /// The root has 0.
    pub depth: usize,
    /// Whether it has a descriptor (a leaf), is open (a composite with its inside here), or closed (a composite without it).
    pub kind: InstanceKind,
    /// What it is.
    #[serde(skip)]
    pub of: ModelUse,
    /// Its connection points: for a leaf by name, for a composite in the order of the text.
    pub points: Vec<InstancePoint>,
}

/// What an instance shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceKind {
    /// It has a descriptor.
    Leaf,
    /// A composite; what is in it are instances too.
    Open,
    /// A composite that was not opened.
    Folded,
}

/// A connection point of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstancePoint {
    /// Its name in the model.
    pub name: String,
    /// Index in [`Graph::nets`]; `None`: nothing is connected to it.
    pub net: Option<usize>,
}

/// A net over all levels that it crosses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphNet {
    /// Name of its outermost part: `complex.intn`.
    pub name: String,
    /// The instance that this part is in.
    pub scope: usize,
    /// `p2p`, `p2mp`, `mesh`, `chain`, of the outermost part.
    pub shape: String,
    /// Connection points of leaves and folded composites on it.
    pub ends: Vec<GraphEnd>,
    /// Connection points of the root that it is: where there are any, it is external.
    pub points: Vec<String>,
    /// Everything that became this net, the outermost first.
    pub parts: Vec<NetPart>,
}

/// A net of one composite that is part of a larger one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetPart {
    /// Index of the composite's instance in [`Graph::instances`].
    pub instance: usize,
    /// Index in [`Composite::nets`].
    #[serde(skip)]
    pub net: usize,
    /// Its name there.
    pub name: String,
}

/// An end of a net.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GraphEnd {
    /// Index in [`Graph::instances`].
    pub instance: usize,
    /// The connection point.
    pub point: String,
}

/// All instances of a service.
pub fn expand(service: &Service, limits: &Limits) -> Result<Graph, ExpandError> {
    let root = composite(service, service.root)?;
    let mut walk = Walk {
        service,
        limits,
        instances: vec![Instance {
            name: String::new(),
            label: root.name.clone(),
            model: root.model.clone(),
            parent: None,
            depth: 0,
            kind: InstanceKind::Open,
            of: ModelUse::Composite(service.root),
            points: Vec::new(),
        }],
        first_mark: BTreeMap::new(),
        marks: Vec::new(),
        ends: Vec::new(),
        union: Union::default(),
    };
    walk.inside(service.root, 0)?;
    Ok(walk.graph())
}

fn composite(service: &Service, at: usize) -> Result<&Composite, ExpandError> {
    let found = service.composites.get(at);
    found.ok_or_else(|| ExpandError::Malformed(format!("there is no composite {at}")))
}

struct Walk<'a> {
    service: &'a Service,
    limits: &'a Limits,
    instances: Vec<Instance>,
    /// Of an open composite: the mark of its first net.
    first_mark: BTreeMap<usize, usize>,
    /// (instance, net) of each mark.
    marks: Vec<(usize, usize)>,
    /// (mark, end).
    ends: Vec<(usize, GraphEnd)>,
    union: Union,
}

impl Walk<'_> {
    fn inside(&mut self, at: usize, own: usize) -> Result<(), ExpandError> {
        let of = composite(self.service, at)?;
        let first = self.marks.len();
        self.first_mark.insert(own, first);
        self.marks.extend((0..of.nets.len()).map(|net| (own, net)));
        self.union.grow(self.marks.len());
        let mut children = Vec::with_capacity(of.nodes.len());
        for node in &of.nodes {
            children.push(self.node(at, own, node)?);
        }
        for (net_at, net) in of.nets.iter().enumerate() {
            for end in &net.ends {
                let instance = *children
                    .get(end.node)
                    .ok_or_else(|| ExpandError::Malformed(format!("net `{}` ends at no node", net.name)))?;
                match (self.instances[instance].kind, self.instances[instance].of) {
                    (InstanceKind::Open, ModelUse::Composite(inner)) => {
                        let inner = composite(self.service, inner)?;
                        let point = inner.points.iter().find(|point| point.name == end.point);
                        let point = point.ok_or_else(|| no_point(&self.instances[instance], &end.point))?;
                        if let Some(inside) = point.net {
                            let mark = self.first_mark[&instance] + inside;
                            if inside >= inner.nets.len() {
                                return Err(ExpandError::Malformed(format!("point `{}` is of no net", point.name)));
                            }
                            self.union.join(first + net_at, mark);
                        }
                    }
                    _ => self.ends.push((
                        first + net_at,
                        GraphEnd {
                            instance,
                            point: end.point.clone(),
                        },
                    )),
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, at: usize, parent: usize, node: &crate::service::NodeUse) -> Result<usize, ExpandError> {
        let own = self.instances.len();
        if own >= self.limits.instances_max {
            return Err(ExpandError::TooLarge {
                instances_max: self.limits.instances_max,
            });
        }
        let outer = &self.instances[parent];
        let depth = outer.depth + 1;
        let name = match outer.name.as_str() {
            "" => node.name.clone(),
            outer => format!("{outer}.{}", node.name),
        };
        if depth > self.limits.depth_max {
            return Err(ExpandError::TooDeep {
                instance: name,
                depth_max: self.limits.depth_max,
            });
        }
        let point = |name: &String| InstancePoint {
            name: name.clone(),
            net: None,
        };
        let (kind, model, points) = match node.of {
            ModelUse::Leaf(leaf) => {
                let leaf = self.service.leaves.get(leaf);
                let leaf = leaf.ok_or_else(|| ExpandError::Malformed(format!("`{name}` is of no model")))?;
                (InstanceKind::Leaf, &leaf.model, leaf.points.keys().map(point).collect())
            }
            ModelUse::Composite(inner) => {
                if inner >= at {
                    return Err(ExpandError::Malformed(format!(
                        "`{name}` is of a model that comes after its own"
                    )));
                }
                let of = composite(self.service, inner)?;
                let is_folded = self.limits.fold_depth.is_some_and(|fold| depth >= fold);
                let kind = if is_folded {
                    InstanceKind::Folded
                } else {
                    InstanceKind::Open
                };
                (kind, &of.model, of.points.iter().map(|of| point(&of.name)).collect())
            }
        };
        self.instances.push(Instance {
            name,
            label: node.name.clone(),
            model: model.clone(),
            parent: Some(parent),
            depth,
            kind,
            of: node.of,
            points,
        });
        if let (InstanceKind::Open, ModelUse::Composite(inner)) = (kind, node.of) {
            self.inside(inner, own)?;
        }
        Ok(own)
    }

    fn graph(mut self) -> Graph {
        let mut nets: Vec<GraphNet> = Vec::new();
        let mut net_of: Vec<usize> = Vec::with_capacity(self.marks.len());
        for (mark, (instance, net)) in self.marks.iter().enumerate() {
            let first = self.union.find(mark);
            // Outer marks are smaller than inner ones, and the smallest stands for all.
            if first == mark {
                net_of.push(nets.len());
                let of = self.net(*instance, *net);
                nets.push(GraphNet {
                    name: match self.instances[*instance].name.as_str() {
                        "" => of.name.clone(),
                        scope => format!("{scope}.{}", of.name),
                    },
                    scope: *instance,
                    shape: of.shape.clone(),
                    ends: Vec::new(),
                    points: Vec::new(),
                    parts: Vec::new(),
                });
            } else {
                net_of.push(net_of[first]);
            }
            let name = self.net(*instance, *net).name.clone();
            nets[net_of[mark]].parts.push(NetPart {
                instance: *instance,
                net: *net,
                name,
            });
        }
        let mut point_at: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (mark, end) in &self.ends {
            point_at.insert((end.instance, &end.point), net_of[*mark]);
        }
        let mut found: Vec<Vec<Option<usize>>> = Vec::with_capacity(self.instances.len());
        for (at, instance) in self.instances.iter().enumerate() {
            found.push(match (instance.kind, instance.of) {
                (InstanceKind::Open, ModelUse::Composite(of)) => self.service.composites[of]
                    .points
                    .iter()
                    .map(|point| Some(net_of[self.first_mark[&at] + point.net?]))
                    .collect(),
                _ => instance
                    .points
                    .iter()
                    .map(|point| point_at.get(&(at, point.name.as_str())).copied())
                    .collect(),
            });
        }
        for (instance, nets) in self.instances.iter_mut().zip(found) {
            if instance.points.is_empty() && instance.parent.is_none() {
                let ModelUse::Composite(root) = instance.of else {
                    continue;
                };
                let names = self.service.composites[root]
                    .points
                    .iter()
                    .map(|point| point.name.clone());
                instance.points = names.map(|name| InstancePoint { name, net: None }).collect();
            }
            for (point, net) in instance.points.iter_mut().zip(nets) {
                point.net = net;
            }
        }
        for point in &self.instances[0].points {
            if let Some(net) = point.net {
                nets[net].points.push(point.name.clone());
            }
        }
        for (mark, end) in self.ends {
            nets[net_of[mark]].ends.push(end);
        }
        for net in &mut nets {
            net.ends.sort();
        }
        Graph {
            instances: self.instances,
            nets,
        }
    }

    fn net(&self, instance: usize, net: usize) -> &crate::service::Net {
        let ModelUse::Composite(of) = self.instances[instance].of else {
            unreachable!("marks are made of composites only");
        };
        &self.service.composites[of].nets[net]
    }
}

fn no_point(instance: &Instance, point: &str) -> ExpandError {
    ExpandError::Malformed(format!("`{}` has no connection point `{point}`", instance.name))
}
