//! Nets of one composite that are one because something inside of a node joins them.

use super::ExpandError;
use super::union::Union;
use crate::service::{ModelUse, Net, RuleTarget, Service};

/// The same service in which no net is joined to another one of its composite from inside: where a composite has two connection
/// points on one net, what is connected to them is one net where it is used, too.
pub(crate) fn joined(service: &Service) -> Result<Service, ExpandError> {
    let mut service = service.clone();
    for at in 0..service.composites.len() {
        let (inner, rest) = service.composites.split_at_mut(at);
        let composite = &mut rest[0];
        let mut union = Union::default();
        union.grow(composite.nets.len());
        for (node_at, node) in composite.nodes.iter().enumerate() {
            match node.of {
                ModelUse::Leaf(leaf) if leaf < service.leaves.len() => {}
                ModelUse::Composite(used) if used < at => {
                    // The first net outside that each net inside met.
                    let mut met: Vec<Option<usize>> = vec![None; inner[used].nets.len()];
                    for (net_at, net) in composite.nets.iter().enumerate() {
                        for end in net.ends.iter().filter(|end| end.node == node_at) {
                            let point = inner[used].points.iter().find(|point| point.name == end.point);
                            let Some(inside) = point.and_then(|point| point.net) else {
                                continue;
                            };
                            let first = met.get_mut(inside).ok_or_else(|| malformed(&composite.name))?;
                            union.join(*first.get_or_insert(net_at), net_at);
                        }
                    }
                }
                _ => return Err(malformed(&composite.name)),
            }
        }
        let mut new_of: Vec<usize> = Vec::with_capacity(composite.nets.len());
        let mut nets: Vec<Net> = Vec::new();
        for (net_at, net) in std::mem::take(&mut composite.nets).into_iter().enumerate() {
            let first = union.find(net_at);
            if first == net_at {
                new_of.push(nets.len());
                nets.push(net);
                continue;
            }
            let to = new_of[first];
            new_of.push(to);
            let into = &mut nets[to];
            into.connections.extend(net.connections);
            into.ends.extend(net.ends);
            into.points.extend(net.points);
            if into.ends.len() > 2 {
                into.shape = "mesh".to_owned();
            }
            for (key, value) in net.properties {
                into.properties.entry(key).or_insert(value);
            }
        }
        for point in &mut composite.points {
            if let Some(net) = &mut point.net {
                *net = *new_of.get(*net).ok_or_else(|| malformed(&composite.name))?;
            }
        }
        for rule in &mut composite.rules {
            if let Some(RuleTarget::Net(net)) = &mut rule.target {
                *net = *new_of.get(*net).ok_or_else(|| malformed(&composite.name))?;
            }
        }
        composite.nets = nets;
    }
    Ok(service)
}

fn malformed(composite: &str) -> ExpandError {
    ExpandError::Malformed(format!("a net, node or point of `{composite}` leads nowhere"))
}
