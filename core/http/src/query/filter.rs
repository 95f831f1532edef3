//! Attribute-based filtering (GS NFV-SOL 013 5.2): grammar, tree, evaluation.
//!
//! ```text
//! filter  = expr *( ";" expr )                    all of them hold
//! expr    = "(" op "," path "," value *( "," value ) ")"
//! op      = eq neq gt lt gte lte (one value) | in nin cont ncont (one or more)
//! path    = name *( "/" name )                    a name `@key` stands for the key of a map's entry
//! value   = what contains , ) or ' stands in '…' with ' doubled
//! ```
//!
//! An array matches when any of its elements does. What an absent attribute says: nothing, so no positive operator holds for
//! it, and the negative ones (`neq`, `nin`, `ncont`) hold only if the attribute is there and differs.

use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;

/// How long a filter may be, in bytes: a fraction of what a URI may hold.
pub const FILTER_BYTES_MAX: usize = 4_096;

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal to the value.
    Eq,
    /// Different from the value.
    Neq,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Gte,
    /// Less or equal.
    Lte,
    /// Equal to one of the values.
    In,
    /// Equal to none of the values.
    Nin,
    /// Contains one of the values as a part of its text.
    Cont,
    /// Contains none of the values.
    Ncont,
}

impl Operator {
    const ALL: [(Operator, &'static str); 10] = [
        (Operator::Eq, "eq"),
        (Operator::Neq, "neq"),
        (Operator::Gt, "gt"),
        (Operator::Lt, "lt"),
        (Operator::Gte, "gte"),
        (Operator::Lte, "lte"),
        (Operator::In, "in"),
        (Operator::Nin, "nin"),
        (Operator::Cont, "cont"),
        (Operator::Ncont, "ncont"),
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(operator, _)| *operator == self)
            .map_or("", |(_, text)| text)
    }

    /// Whether more than one value may follow.
    pub fn multi(self) -> bool {
        matches!(self, Operator::In | Operator::Nin | Operator::Cont | Operator::Ncont)
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// How.
    pub operator: Operator,
    /// The names on the way to the attribute; never empty.
    pub path: Vec<String>,
    /// The values; exactly one unless the operator takes more.
    pub values: Vec<String>,
}

/// Comparisons that all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In the order in which they were written.
    pub comparisons: Vec<Comparison>,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the filter is malformed at byte {at}: {what}")]
pub struct FilterError {
    /// Offset in the decoded filter, in bytes.
    pub at: usize,
    /// What was expected or found there.
    pub what: String,
}

impl Filter {
    /// Reads a filter from the (percent-decoded) value of the query parameter `filter`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text, at: 0 };
        if text.len() > FILTER_BYTES_MAX {
            return Err(parser.refuse(format!("longer than {FILTER_BYTES_MAX} bytes")));
        }
        let mut comparisons = vec![parser.comparison()?];
        while parser.at < text.len() {
            parser.expect(';')?;
            comparisons.push(parser.comparison()?);
        }
        Ok(Self { comparisons })
    }

    /// Whether the object (a resource's JSON) matches.
    pub fn matches(&self, object: &Value) -> bool {
        self.comparisons.iter().all(|comparison| comparison.matches(object))
    }

    /// The top-level attributes that it speaks of.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.comparisons
            .iter()
            .filter_map(|comparison| comparison.path.first())
            .map(String::as_str)
    }
}

impl Comparison {
    fn matches(&self, object: &Value) -> bool {
        any(object, &self.path, &|leaf| self.holds(leaf))
    }

    fn holds(&self, leaf: &Value) -> bool {
        let first = || self.values.first().map_or("", String::as_str);
        match self.operator {
            Operator::Eq => equal(leaf, first()),
            Operator::Neq => !equal(leaf, first()),
            Operator::Gt => order(leaf, first()) == Some(Ordering::Greater),
            Operator::Lt => order(leaf, first()) == Some(Ordering::Less),
            Operator::Gte => matches!(order(leaf, first()), Some(Ordering::Greater | Ordering::Equal)),
            Operator::Lte => matches!(order(leaf, first()), Some(Ordering::Less | Ordering::Equal)),
            Operator::In => self.values.iter().any(|value| equal(leaf, value)),
            Operator::Nin => !self.values.iter().any(|value| equal(leaf, value)),
            Operator::Cont => self.values.iter().any(|value| text_of(leaf).contains(value.as_str())),
            Operator::Ncont => !self.values.iter().any(|value| text_of(leaf).contains(value.as_str())),
        }
    }
}

/// Whether any simple value at `path` below `value` satisfies `holds`. Arrays are gone through on the way and at the end.
fn any(value: &Value, path: &[String], holds: &dyn Fn(&Value) -> bool) -> bool {
    if let Value::Array(elements) = value {
        return elements.iter().any(|element| any(element, path, holds));
    }
    match path {
        [] => !matches!(value, Value::Object(_) | Value::Null) && holds(value),
        [name, rest @ ..] if name == "@key" => match value {
            Value::Object(map) if rest.is_empty() => map.keys().any(|key| holds(&Value::String(key.clone()))),
            // `@key` on the way stands for every entry of the map.
            Value::Object(map) => map.values().any(|entry| any(entry, rest, holds)),
            _ => false,
        },
        [name, rest @ ..] => value.get(name).is_some_and(|inner| any(inner, rest, holds)),
    }
}

fn text_of(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn equal(leaf: &Value, value: &str) -> bool {
    match leaf {
        Value::String(text) => text == value,
        Value::Number(_) => order(leaf, value) == Some(Ordering::Equal),
        Value::Bool(flag) => value == if *flag { "true" } else { "false" },
        _ => false,
    }
}

/// Numbers by value; texts (and with them RFC 3339 times in UTC) byte by byte; anything else has no order.
fn order(leaf: &Value, value: &str) -> Option<Ordering> {
    match leaf {
        Value::Number(number) => match (number.as_i128(), value.parse::<i128>()) {
            (Some(left), Ok(right)) => Some(left.cmp(&right)),
            _ => number.as_f64()?.partial_cmp(&value.parse::<f64>().ok()?),
        },
        Value::String(text) => Some(text.as_str().cmp(value)),
        _ => None,
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn refuse(&self, what: impl Into<String>) -> FilterError {
        FilterError {
            at: self.at,
            what: what.into(),
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<(), FilterError> {
        match self.peek() {
            Some(found) if found == wanted => {
                self.at += wanted.len_utf8();
                Ok(())
            }
            Some(found) => Err(self.refuse(format!("expected {wanted:?}, found {found:?}"))),
            None => Err(self.refuse(format!("expected {wanted:?}, found the end"))),
        }
    }

    /// Everything up to one of `ends`, at least one character.
    fn word(&mut self, what: &str, ends: &[char]) -> Result<String, FilterError> {
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.refuse(format!("expected {what}")));
        }
        let word = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length;
        Ok(word)
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        self.expect('(')?;
        let start = self.at;
        let word = self.word("an operator", &[',', ')', '(', ';', '\''])?;
        let Some((operator, _)) = Operator::ALL.into_iter().find(|(_, text)| *text == word) else {
            self.at = start;
            return Err(self.refuse(format!("{word:?} is no operator")));
        };
        self.expect(',')?;
        let mut path = vec![self.word("an attribute name", &[',', ')', '(', ';', '\'', '/'])?];
        while self.peek() == Some('/') {
            self.expect('/')?;
            path.push(self.word("an attribute name", &[',', ')', '(', ';', '\'', '/'])?);
        }
        self.expect(',')?;
        let mut values = vec![self.value()?];
        while self.peek() == Some(',') {
            if !operator.multi() {
                return Err(self.refuse(format!("{:?} takes one value", operator.as_str())));
            }
            self.expect(',')?;
            values.push(self.value()?);
        }
        self.expect(')')?;
        Ok(Comparison { operator, path, values })
    }

    fn value(&mut self) -> Result<String, FilterError> {
        if self.peek() != Some('\'') {
            return self.word("a value", &[',', ')', '\'']);
        }
        self.expect('\'')?;
        let mut value = String::new();
        loop {
            let Some(next) = self.peek() else {
                return Err(self.refuse("a quoted value does not end"));
            };
            self.at += next.len_utf8();
            if next != '\'' {
                value.push(next);
            } else if self.peek() == Some('\'') {
                self.at += 1;
                value.push('\'');
            } else {
                return Ok(value);
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, comparison) in self.comparisons.iter().enumerate() {
            if index > 0 {
                f.write_str(";")?;
            }
            write!(f, "({},{}", comparison.operator.as_str(), comparison.path.join("/"))?;
            for value in &comparison.values {
                if value.is_empty() || value.contains([',', ')', '\'']) {
                    write!(f, ",'{}'", value.replace('\'', "''"))?;
                } else {
                    write!(f, ",{value}")?;
                }
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}
