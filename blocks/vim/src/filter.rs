//! The attribute filter of SOL013 5.2.2 over the JSON form of what a query answers with: `(eq,name,blue);(in,zoneId,a,b)`.
//! Expressions are joined by `;` and all must hold; a path's members are joined by `/`; a list holds what one of its members
//! does. Values in single quotes may contain anything, a quote doubled.

use manifold_call::{CallError, Outcome};
use serde::Serialize;
use serde_json::Value;

/// Bytes of a filter.
const FILTER_BYTES_MAX: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Eq,
    Neq,
    In,
    Nin,
    Cont,
    Ncont,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Expression {
    test: Test,
    path: Vec<String>,
    values: Vec<String>,
}

/// A parsed filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AttributeFilter(Vec<Expression>);

impl AttributeFilter {
    /// Errors: `Invalid`, with what is wrong.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let refuse = |why: &str| {
            CallError::invalid(format!("the filter is not one: {why}"))
                .cure("write (eq,attribute,value) with eq, neq, in, nin, cont or ncont, joined by ;")
        };
        if text.len() > FILTER_BYTES_MAX {
            return Err(refuse("it is too long"));
        }
        let mut expressions = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let inside = rest
                .strip_prefix('(')
                .ok_or_else(|| refuse("an expression begins with ("))?;
            let (words, after) = words(inside).ok_or_else(|| refuse("an expression ends with )"))?;
            expressions.push(expression(words).map_err(|why| refuse(&why))?);
            rest = match after.strip_prefix(';') {
                Some(next) if !next.is_empty() => next,
                None if after.is_empty() => after,
                _ => return Err(refuse("expressions are joined by ;")),
            };
        }
        Ok(Self(expressions))
    }

    /// The items that the filter holds for.
    pub(crate) fn keep<T: Serialize>(&self, items: Vec<T>) -> Vec<T> {
        if self.0.is_empty() {
            return items;
        }
        let holds = |item: &T| serde_json::to_value(item).is_ok_and(|json| self.0.iter().all(|test| test.holds(&json)));
        items.into_iter().filter(holds).collect()
    }
}

/// The words up to the closing parenthesis, and what follows it.
fn words(text: &str) -> Option<(Vec<String>, &str)> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let word = words.last_mut().expect("there is always a word");
        match (c, quoted) {
            ('\'', true) if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
                word.push('\'');
            }
            ('\'', _) => quoted = !quoted,
            (',', false) => words.push(String::new()),
            (')', false) => return Some((words, &text[at + 1..])),
            (other, _) => word.push(other),
        }
    }
    None
}

fn expression(words: Vec<String>) -> Result<Expression, String> {
    let mut words = words.into_iter();
    let test = match words.next().as_deref() {
        Some("eq") => Test::Eq,
        Some("neq") => Test::Neq,
        Some("in") => Test::In,
        Some("nin") => Test::Nin,
        Some("cont") => Test::Cont,
        Some("ncont") => Test::Ncont,
        other => return Err(format!("{:?} is no operator here", other.unwrap_or_default())),
    };
    let path: Vec<String> = words.next().unwrap_or_default().split('/').map(str::to_owned).collect();
    let values: Vec<String> = words.collect();
    if path.iter().any(String::is_empty) {
        return Err("an attribute is missing".to_owned());
    }
    match (test, values.len()) {
        (_, 0) => Err("a value is missing".to_owned()),
        (Test::Eq | Test::Neq, 2..) => Err("eq and neq take one value".to_owned()),
        _ => Ok(Expression { test, path, values }),
    }
}

impl Expression {
    fn holds(&self, item: &Value) -> bool {
        let mut found = Vec::new();
        collect(item, &self.path, &mut found);
        let equal = |found: &String| self.values.contains(found);
        let contains = |found: &String| self.values.iter().any(|value| found.contains(value.as_str()));
        match self.test {
            Test::Eq | Test::In => found.iter().any(equal),
            Test::Neq | Test::Nin => !found.iter().any(equal),
            Test::Cont => found.iter().any(contains),
            Test::Ncont => !found.iter().any(contains),
        }
    }
}

fn collect(value: &Value, path: &[String], found: &mut Vec<String>) {
    match (value, path) {
        (Value::Array(items), _) => items.iter().for_each(|item| collect(item, path, found)),
        (Value::Object(members), [first, rest @ ..]) => {
            if let Some(member) = members.get(first) {
                collect(member, rest, found);
            }
        }
        (Value::String(text), []) => found.push(text.clone()),
        (Value::Number(number), []) => found.push(number.to_string()),
        (Value::Bool(truth), []) => found.push(truth.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept(filter: &str) -> Vec<u64> {
        let items = vec![
            json!({"n": 1, "name": "blue", "tags": ["a", "b"], "deep": {"x": "o'k"}, "on": true}),
            json!({"n": 2, "name": "light blue", "tags": [], "on": false}),
        ];
        AttributeFilter::parse(filter)
            .unwrap()
            .keep(items)
            .iter()
            .map(|item| item["n"].as_u64().unwrap())
            .collect()
    }

    #[test]
    fn expressions_hold_or_do_not() {
        assert_eq!(kept(""), [1, 2]);
        assert_eq!(kept("(eq,name,blue)"), [1]);
        assert_eq!(kept("(cont,name,blue);(neq,n,1)"), [2]);
        assert_eq!(kept("(in,n,1,2,3)"), [1, 2]);
        assert_eq!(kept("(nin,n,2,3)"), [1]);
        assert_eq!(kept("(eq,tags,b)"), [1]);
        assert_eq!(kept("(eq,deep/x,'o''k')"), [1]);
        assert_eq!(kept("(eq,on,true)"), [1]);
        assert_eq!(kept("(ncont,name,light)"), [1]);
        assert_eq!(kept("(eq,absent,x)"), [] as [u64; 0]);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "eq,a,b",
            "(eq,a,b",
            "(gt,a,1)",
            "(eq,a)",
            "(eq,,b)",
            "(eq,a,b)(eq,a,b)",
            "(eq,a,b);",
            "(eq,a,b,c)",
        ] {
            assert!(AttributeFilter::parse(text).is_err(), "{text}");
        }
        assert!(AttributeFilter::parse(&"(".repeat(5_000)).is_err());
    }
}
