//! Conditions: comparisons with the clock, which are checked here and become windows of time, and measured states, which nothing here
//! can know.

use crate::values::Refused;
use manifold_nemo_syntax::script::{Comparison, Condition, Name, Value, ValueKind};

/// Which part of a moment a term compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// `time`: hours, minutes and seconds, every day.
    Time,
    /// `date`: year, month, day.
    Date,
    /// `fulltime`: both.
    FullTime,
}

impl Clock {
    /// The names by which terms are about time.
    pub(crate) const NAMES: [&'static str; 3] = ["time", "date", "fulltime"];

    /// `None`: the name is that of something measured.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "time" => Some(Self::Time),
            "date" => Some(Self::Date),
            "fulltime" => Some(Self::FullTime),
            _ => None,
        }
    }

    fn form(self) -> &'static str {
        match self {
            Self::Time => "`hh:mm:ss`: `08:30:00`",
            Self::Date => "`yyyy-mm-dd`: `2026-01-31`",
            Self::FullTime => "`yyyy-mm-dd,hh:mm:ss`: `2026-01-31,08:30:00`",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Time => "is no time of the day",
            Self::Date => "is no date",
            Self::FullTime => "is no date with a time",
        }
    }

    fn read(self, text: &str) -> Option<Vec<u16>> {
        match self {
            Self::Time => time(text),
            Self::Date => date(text),
            Self::FullTime => {
                let (day, hour) = text.split_once(',')?;
                let mut both = date(day)?;
                both.extend(time(hour)?);
                Some(both)
            }
        }
    }

    /// What a term compares with: one moment, or the first and the last of a range.
    pub(crate) fn moments(self, comparison: Comparison, value: &Value) -> Result<Vec<Vec<u16>>, Refused> {
        let texts: Vec<&Value> = match (&value.kind, comparison) {
            (ValueKind::List(values), Comparison::Between) if values.len() == 2 => values.iter().collect(),
            (_, Comparison::Between) => {
                return Err(Refused {
                    why: "is no range".to_owned(),
                    help: Some(format!(
                        "write the first and the last moment: `[a, b]`, each as {}",
                        self.form()
                    )),
                });
            }
            _ => vec![value],
        };
        let read = |value: &Value| match &value.kind {
            ValueKind::Text(text) => self.read(text.trim()),
            _ => None,
        };
        let moments: Option<Vec<Vec<u16>>> = texts.into_iter().map(read).collect();
        moments.ok_or_else(|| Refused {
            why: self.word().to_owned(),
            help: Some(format!("write it as {}", self.form())),
        })
    }
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(separator);
    let mut read = [0; 3];
    for (number, width) in read.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() <= width && !part.is_empty())?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}

fn time(text: &str) -> Option<Vec<u16>> {
    let read = numbers(text, ':', [2, 2, 2])?;
    (read[0] < 24 && read[1] < 60 && read[2] < 60).then(|| read.to_vec())
}

fn date(text: &str) -> Option<Vec<u16>> {
    let read = numbers(text, '-', [4, 2, 2])?;
    let [year, month, day] = read;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then(|| read.to_vec())
}

/// The names of measured states that a condition needs. A rule with any can be checked and not be applied: nothing measures yet.
pub fn measured(condition: &Condition) -> Vec<&Name> {
    let mut found = Vec::new();
    let mut left = vec![condition];
    while let Some(condition) = left.pop() {
        match condition {
            Condition::Any(all) | Condition::All(all) => left.extend(all.iter().rev()),
            Condition::Not(inner) => left.push(inner),
            Condition::Term { name, .. } if Clock::named(&name.text).is_none() => found.push(name),
            Condition::Term { .. } => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;

    fn word(text: &str) -> Value {
        Value {
            kind: ValueKind::Text(text.to_owned()),
            unit: None,
            span: Span::default(),
        }
    }

    #[test]
    fn days_that_no_month_has_are_refused() {
        let day = |text| Clock::Date.moments(Comparison::Equal, &word(text));
        assert!(day("2024-02-29").is_ok());
        for wrong in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-00-10",
            "2026-1",
            "26-01-01x",
        ] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
        assert!(Clock::Time.moments(Comparison::Equal, &word("24:00:00")).is_err());
        assert!(Clock::Time.moments(Comparison::Between, &word("08:00:00")).is_err());
    }
}
