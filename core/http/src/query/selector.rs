//! Attribute selectors (GS NFV-SOL 013 5.3): which complex attributes of a resource a list shows.

use serde_json::Value;

/// What a resource looks like to filters and selectors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// Every top-level attribute: a filter or selector that names another is refused with 400. Empty = not checked.
    pub attributes: &'static [&'static str],
    /// The complex attributes that a list leaves out unless they are asked for; `a/b` for nested ones.
    pub default_exclude: &'static [&'static str],
    /// The complex attributes that have to be there and are never left out.
    pub mandatory: &'static [&'static str],
}

/// Which attributes are shown. No selector at all is [`Selector::Default`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selector {
    /// All but the default-exclude list.
    #[default]
    Default,
    /// All.
    AllFields,
    /// All but the default-exclude list, from which these are taken.
    Fields(Vec<String>),
    /// All but these.
    ExcludeFields(Vec<String>),
}

/// Why selectors were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A combination that 5.3.2.2 does not list.
    #[error(
        "all_fields, fields, exclude_fields and exclude_default exclude each other, except exclude_default with fields"
    )]
    Combination,
    /// A list without names, or with an empty one.
    #[error("{0} has to name attributes, with commas between them")]
    Empty(&'static str),
}

impl Selector {
    /// Combines the four parameters as they were given; a flag's value is ignored.
    pub fn of(
        all_fields: bool,
        fields: Option<&str>,
        exclude_fields: Option<&str>,
        exclude_default: bool,
    ) -> Result<Self, SelectorError> {
        match (all_fields, fields, exclude_fields, exclude_default) {
            (false, None, None, _) => Ok(Selector::Default),
            (true, None, None, false) => Ok(Selector::AllFields),
            (false, Some(names), None, _) => Ok(Selector::Fields(list("fields", names)?)),
            (false, None, Some(names), false) => Ok(Selector::ExcludeFields(list("exclude_fields", names)?)),
            _ => Err(SelectorError::Combination),
        }
    }

    /// The top-level attributes that it names.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Selector::Default | Selector::AllFields => &[][..],
            Selector::Fields(names) | Selector::ExcludeFields(names) => names,
        };
        names.iter().filter_map(|name| name.split('/').next())
    }

    /// Leaves out of `object` what the selector does not show. Simple attributes always stay.
    pub fn apply(&self, object: &mut Value, shape: &Shape) {
        match self {
            Selector::AllFields => {}
            Selector::Default => {
                for path in shape.default_exclude {
                    exclude(object, &split(path), &[]);
                }
            }
            Selector::Fields(names) => {
                let keep: Vec<Vec<&str>> = names.iter().map(|name| split(name)).collect();
                for path in shape.default_exclude {
                    let path = split(path);
                    let kept: Vec<&[&str]> = keep.iter().filter_map(|keep| below(keep, &path)).collect();
                    // Whoever asks for an attribute, or for one that holds it, gets it whole.
                    if !keep.iter().any(|keep| path.starts_with(keep)) {
                        exclude(object, &path, &kept);
                    }
                }
            }
            Selector::ExcludeFields(names) => {
                for name in names {
                    if !shape.mandatory.contains(&name.as_str()) {
                        exclude(object, &split(name), &[]);
                    }
                }
            }
        }
    }
}

fn list(parameter: &'static str, names: &str) -> Result<Vec<String>, SelectorError> {
    names
        .split(',')
        .map(|name| match name {
            "" => Err(SelectorError::Empty(parameter)),
            name => Ok(name.to_owned()),
        })
        .collect()
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

/// The rest of `path` below `prefix`; `None` when it does not lie there.
fn below<'a>(path: &'a [&'a str], prefix: &[&'a str]) -> Option<&'a [&'a str]> {
    path.strip_prefix(prefix).filter(|rest| !rest.is_empty())
}

/// Removes the complex attribute at `path`, but for the parts of it that lie at one of `kept`.
fn exclude(value: &mut Value, path: &[&str], kept: &[&[&str]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| exclude(element, path, kept)),
        Value::Object(map) => match path {
            [] => {}
            [last] => {
                let complex = map
                    .get(*last)
                    .is_some_and(|inner| inner.is_object() || inner.is_array());
                if complex && kept.is_empty() {
                    map.remove(*last);
                } else if let Some(inner) = map.get_mut(*last) {
                    retain(inner, kept);
                }
            }
            [name, rest @ ..] => {
                if let Some(inner) = map.get_mut(*name) {
                    exclude(inner, rest, kept);
                }
            }
        },
        _ => {}
    }
}

/// Keeps an object's simple attributes (the resource stays valid) and the complex ones on the way to `kept`.
fn retain(value: &mut Value, kept: &[&[&str]]) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| retain(element, kept)),
        Value::Object(map) => map.retain(|name, inner| {
            if !inner.is_object() && !inner.is_array() {
                return true;
            }
            let deeper: Vec<&[&str]> = kept
                .iter()
                .filter_map(|path| path.strip_prefix(&[name.as_str()][..]))
                .collect();
            if deeper.is_empty() {
                return false;
            }
            if deeper.iter().all(|rest| !rest.is_empty()) {
                retain(inner, &deeper);
            }
            true
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHAPE: Shape = Shape {
        attributes: &["id", "name", "info", "list"],
        default_exclude: &["info", "list/deep"],
        mandatory: &["list"],
    };

    fn resource() -> Value {
        json!({"id": "1", "name": "n", "info": {"a": 1, "b": {"c": 2}, "d": [3]}, "list": [{"x": 1, "deep": {"y": 2}}]})
    }

    fn seen(selector: &Selector) -> Value {
        let mut object = resource();
        selector.apply(&mut object, &SHAPE);
        object
    }

    #[test]
    fn the_legal_combinations_are_read_and_every_other_is_refused() {
        let some = Some("a,b/c");
        let fields = Selector::Fields(vec!["a".into(), "b/c".into()]);
        for all in [false, true] {
            for fields_given in [None, some] {
                for exclude_given in [None, some] {
                    for default in [false, true] {
                        let read = Selector::of(all, fields_given, exclude_given, default);
                        match (all, fields_given.is_some(), exclude_given.is_some(), default) {
                            (false, false, false, _) => assert_eq!(read, Ok(Selector::Default)),
                            (true, false, false, false) => assert_eq!(read, Ok(Selector::AllFields)),
                            (false, true, false, _) => assert_eq!(read, Ok(fields.clone())),
                            (false, false, true, false) => assert!(matches!(read, Ok(Selector::ExcludeFields(_)))),
                            _ => assert_eq!(read, Err(SelectorError::Combination)),
                        }
                    }
                }
            }
        }
        assert_eq!(
            Selector::of(false, Some("a,,b"), None, false),
            Err(SelectorError::Empty("fields"))
        );
    }

    #[test]
    fn the_default_leaves_out_the_default_exclude_list_also_inside_arrays() {
        assert_eq!(
            seen(&Selector::Default),
            json!({"id": "1", "name": "n", "list": [{"x": 1}]})
        );
        assert_eq!(seen(&Selector::AllFields), resource());
    }

    #[test]
    fn fields_bring_back_what_they_name_and_keep_simple_attributes_beside_it() {
        let info = seen(&Selector::Fields(vec!["info".into()]));
        assert_eq!(info["info"], resource()["info"]);
        assert_eq!(info["list"], json!([{"x": 1}]));
        let part = seen(&Selector::Fields(vec!["info/b".into()]));
        assert_eq!(part["info"], json!({"a": 1, "b": {"c": 2}}));
        let holder = seen(&Selector::Fields(vec!["list".into()]));
        assert_eq!(holder["list"], resource()["list"]);
    }

    #[test]
    fn exclude_fields_takes_complex_attributes_but_no_simple_and_no_mandatory_ones() {
        let seen = seen(&Selector::ExcludeFields(vec![
            "info/b".into(),
            "name".into(),
            "list".into(),
        ]));
        assert_eq!(seen["info"], json!({"a": 1, "d": [3]}));
        assert_eq!(seen["name"], "n");
        assert_eq!(seen["list"], resource()["list"]);
    }
}
