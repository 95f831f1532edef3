//! Properties of nodes and nets as the numbers and addresses that they mean.

use super::CompileError;
use ipnet::IpNet;
use manifold_nemo_syntax::script::{Value, ValueKind};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The properties of something that has a name.
pub(crate) struct Properties<'a> {
    of: &'a str,
    all: &'a BTreeMap<String, Value>,
}

impl<'a> Properties<'a> {
    pub(crate) fn new(of: &'a str, all: &'a BTreeMap<String, Value>) -> Self {
        Self { of, all }
    }

    /// The first of the keys that is there, whatever its case.
    fn find(&self, keys: &[&str]) -> Option<(&'a str, &'a Value)> {
        let is = |key: &&str, name: &str| key.eq_ignore_ascii_case(name);
        keys.iter()
            .find_map(|key| self.all.iter().find(|(name, _)| is(key, name)))
            .map(|(name, value)| (name.as_str(), value))
    }

    fn fault(&self, key: &str, value: &Value, wanted: &str) -> CompileError {
        CompileError::Property {
            of: self.of.to_owned(),
            key: key.to_owned(),
            value: shown(value),
            wanted: wanted.to_owned(),
        }
    }

    /// A word.
    pub(crate) fn word(&self, keys: &[&str]) -> Result<Option<String>, CompileError> {
        match self.find(keys) {
            None => Ok(None),
            Some((_, value)) => match &value.kind {
                ValueKind::Text(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
                ValueKind::Integer(number) => Ok(Some(number.to_string())),
                _ => Err(self.fault(keys[0], value, "write one word")),
            },
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, keys: &[&str], most: u32) -> Result<Option<u32>, CompileError> {
        let Some((key, value)) = self.find(keys) else {
            return Ok(None);
        };
        let number = match &value.kind {
            ValueKind::Integer(number) => u32::try_from(*number).ok(),
            ValueKind::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| *number <= most && value.unit.is_none()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.fault(key, value, &format!("write a whole number up to {most}"))),
        }
    }

    /// Bits per second: `10(mbps)`.
    pub(crate) fn rate(&self, keys: &[&str]) -> Result<Option<u64>, CompileError> {
        self.measure(keys, &RATES, "write a rate: `10(mbps)`")
    }

    /// Microseconds: `5(ms)`.
    pub(crate) fn micros(&self, keys: &[&str]) -> Result<Option<u64>, CompileError> {
        self.measure(keys, &TIMES, "write a time: `5(ms)`")
    }

    fn measure(&self, keys: &[&str], units: &[(&str, u64)], wanted: &str) -> Result<Option<u64>, CompileError> {
        let Some((key, value)) = self.find(keys) else {
            return Ok(None);
        };
        let (number, unit) = match (&value.kind, &value.unit) {
            (ValueKind::Integer(number), unit) => (number.to_string(), unit.as_ref().map(|unit| unit.text.as_str())),
            (ValueKind::Text(text), Some(unit)) => (text.trim().to_owned(), Some(unit.text.as_str())),
            (ValueKind::Text(text), None) => {
                let text = text.trim();
                let end = text
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(text.len());
                let unit = text[end..].trim();
                (text[..end].to_owned(), (!unit.is_empty()).then_some(unit))
            }
            _ => return Err(self.fault(key, value, wanted)),
        };
        let factor = match unit {
            None => units.first().map(|(_, factor)| *factor),
            Some(unit) => units
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .map(|(_, factor)| *factor),
        };
        let read = factor
            .and_then(|factor| scaled(&number, factor))
            .filter(|number| *number > 0);
        read.map(Some).ok_or_else(|| self.fault(key, value, wanted))
    }

    /// A share from 0 to 1.
    pub(crate) fn ratio(&self, keys: &[&str]) -> Result<Option<f64>, CompileError> {
        let Some((key, value)) = self.find(keys) else {
            return Ok(None);
        };
        let read = match &value.kind {
            ValueKind::Integer(number) => u32::try_from(*number).ok().map(f64::from),
            ValueKind::Text(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        match read.filter(|ratio| (0.0..=1.0).contains(ratio) && value.unit.is_none()) {
            Some(ratio) => Ok(Some(ratio)),
            None => Err(self.fault(key, value, "write a share from 0 to 1: `0.01`")),
        }
    }

    /// Networks, host bits aside: one, or a list of them.
    pub(crate) fn networks(&self, keys: &[&str]) -> Result<Vec<IpNet>, CompileError> {
        let Some((key, value)) = self.find(keys) else {
            return Ok(Vec::new());
        };
        let one = |value: &Value| match &value.kind {
            ValueKind::Text(text) => text.trim().parse::<IpNet>().ok().map(|net| net.trunc()),
            _ => None,
        };
        let read: Option<Vec<IpNet>> = match &value.kind {
            ValueKind::List(values) => values.iter().map(one).collect(),
            _ => one(value).map(|one| vec![one]),
        };
        read.ok_or_else(|| {
            self.fault(
                key,
                value,
                "write a network and the length of its prefix: `192.168.10.0/24`",
            )
        })
    }

    /// An address.
    pub(crate) fn address(&self, keys: &[&str]) -> Result<Option<IpAddr>, CompileError> {
        let Some((key, value)) = self.find(keys) else {
            return Ok(None);
        };
        let read = match &value.kind {
            ValueKind::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.map(Some)
            .ok_or_else(|| self.fault(key, value, "write an address: `192.168.10.1`"))
    }
}

const RATES: [(&str, u64); 9] = [
    ("bps", 1),
    ("kbps", 1_000),
    ("mbps", 1_000_000),
    ("gbps", 1_000_000_000),
    ("tbps", 1_000_000_000_000),
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("mbit/s", 1_000_000),
    ("gbit/s", 1_000_000_000),
];

const TIMES: [(&str, u64); 3] = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];

/// A decimal number times a whole one, without what is behind the point then.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let mut factor = factor;
    for digit in part.chars() {
        factor /= 10;
        sum = sum.checked_add(u64::from(digit.to_digit(10)?).checked_mul(factor)?)?;
    }
    Some(sum)
}

/// A value as it stands in a script.
pub(crate) fn shown(value: &Value) -> String {
    let text = match &value.kind {
        ValueKind::Text(text) => text.clone(),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Range(from, to) => format!("({from}, {to})"),
        ValueKind::List(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", ")),
    };
    match &value.unit {
        Some(unit) => format!("{text}({})", unit.text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;
    use manifold_nemo_syntax::script::Name;

    fn rate(kind: ValueKind, unit: Option<&str>) -> Result<Option<u64>, CompileError> {
        let unit = unit.map(|text| Name {
            text: text.to_owned(),
            span: Span::default(),
        });
        let value = Value {
            kind,
            unit,
            span: Span::default(),
        };
        let all = BTreeMap::from([("Bandwidth".to_owned(), value)]);
        Properties::new("net", &all).rate(&["bandwidth"])
    }

    #[test]
    fn rates_have_units() {
        assert_eq!(rate(ValueKind::Integer(128), Some("kbps")), Ok(Some(128_000)));
        assert_eq!(rate(ValueKind::Integer(5), None), Ok(Some(5)));
        assert_eq!(
            rate(ValueKind::Text("2.5".into()), Some("Gbps")),
            Ok(Some(2_500_000_000))
        );
        assert_eq!(rate(ValueKind::Text("10mbps".into()), None), Ok(Some(10_000_000)));
        for (kind, unit) in [
            (ValueKind::Integer(-1), Some("kbps")),
            (ValueKind::Integer(0), Some("kbps")),
            (ValueKind::Integer(1), Some("parsec")),
            (ValueKind::Integer(i64::MAX), Some("tbps")),
            (ValueKind::Text("x".into()), None),
            (ValueKind::Range(1, 2), None),
        ] {
            let refused = rate(kind.clone(), unit).expect_err("it is no rate");
            assert!(
                refused.to_string().contains("of `net`: write a rate"),
                "{kind:?}: {refused}"
            );
        }
    }
}
