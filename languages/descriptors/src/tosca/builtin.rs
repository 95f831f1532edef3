//! The table of SOL001's own types, `builtin.txt`, whose form its head describes.

use std::collections::HashMap;

use super::types::{Constraint, Kind, Property, Requirement, Schema, Sort, Type, plain_kind};

pub(super) fn read(text: &str) -> HashMap<(Sort, String), Type> {
    let mut all = HashMap::new();
    let mut current: Option<((Sort, String), Type)> = None;
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            all.extend(current.take());
            let open = words[0].ends_with('*');
            let (sort, name) = match words[0].trim_end_matches('*') {
                "node" => (Sort::Node, words[1].to_owned()),
                "policy" => (Sort::Policy, words[1].to_owned()),
                "group" => (Sort::Group, words[1].to_owned()),
                _ => (Sort::Data, format!("tosca.datatypes.nfv.{}", words[1])),
            };
            let parent = words.get(3).map(|parent| (*parent).to_owned());
            current = Some((
                (sort, name),
                Type {
                    parent,
                    open,
                    ..Type::default()
                },
            ));
            continue;
        }
        let Some((_, t)) = &mut current else { continue };
        match words[0] {
            ">" => t.requirements.push(Requirement {
                name: words[1].trim_end_matches('!').to_owned(),
                required: words[1].ends_with('!'),
                targets: words[2].split('|').map(str::to_owned).collect(),
            }),
            "^" => t
                .capabilities
                .push((words[1].to_owned(), format!("tosca.datatypes.nfv.{}", words[2]))),
            name => {
                let schema = builtin_schema(&words[1..]);
                let property = Property {
                    schema: Some(schema),
                    extra_constraints: vec![],
                    required: Some(name.ends_with('!')),
                    default: None,
                };
                t.properties.push((name.trim_end_matches('!').to_owned(), property));
            }
        }
    }
    all.extend(current);
    all
}

/// `list string in a|b`: constraints belong to the innermost type.
fn builtin_schema(words: &[&str]) -> Schema {
    match words[0] {
        "list" => {
            return Schema {
                kind: Kind::List(Box::new(builtin_schema(&words[1..]))),
                constraints: vec![],
            };
        }
        "map" => {
            return Schema {
                kind: Kind::Map(Box::new(builtin_schema(&words[1..]))),
                constraints: vec![],
            };
        }
        _ => {}
    }
    let mut constraints = Vec::new();
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        if *word == "in" {
            constraints.extend(
                rest.next()
                    .map(|values| Constraint::OneOf(values.split('|').map(str::to_owned).collect())),
            );
        } else if let Some(n) = word.strip_prefix(">=") {
            constraints.push(Constraint::AtLeast(n.to_owned()));
        } else if let Some(n) = word.strip_prefix("<=") {
            constraints.push(Constraint::AtMost(n.to_owned()));
        } else if let Some(n) = word.strip_prefix('>') {
            constraints.push(Constraint::MoreThan(n.to_owned()));
        }
    }
    Schema {
        kind: plain_kind(words[0]),
        constraints,
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::Types;
    use super::*;

    #[test]
    fn every_type_that_the_table_names_is_in_it() {
        let types = Types::builtin();
        let mut schemas: Vec<Schema> = Vec::new();
        for ((sort, name), t) in &types.all {
            if let Some(parent) = &t.parent {
                assert!(types.get(*sort, parent).is_some(), "{name}: parent {parent}");
            }
            for requirement in &t.requirements {
                for target in &requirement.targets {
                    assert!(types.get(Sort::Node, target).is_some(), "{name}: target {target}");
                }
            }
            for (_, data) in &t.capabilities {
                assert!(types.get(Sort::Data, data).is_some(), "{name}: capability {data}");
            }
            schemas.extend(t.properties.iter().filter_map(|(_, p)| p.schema.clone()));
        }
        while let Some(schema) = schemas.pop() {
            match schema.kind {
                Kind::List(entry) | Kind::Map(entry) => schemas.push(*entry),
                Kind::Data(name) => assert!(types.get(Sort::Data, &name).is_some(), "data type {name}"),
                _ => {}
            }
        }
    }
}
