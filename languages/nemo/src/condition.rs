//! Conditions: windows of time, which are checked and can be evaluated, and measured states, which nothing here can know.

use crate::values::Refused;
use manifold_nemo_syntax::script::{Comparison, Condition, Name, Value, ValueKind};

/// Deepest nesting of a condition that is looked at.
pub(crate) const DEPTH_MAX: usize = 64;

/// A moment of a calendar, in whatever zone the operator's clock has. Compared from the year down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

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

    fn of(self, at: Moment) -> Vec<u16> {
        let date = [at.year, at.month.into(), at.day.into()];
        let time = [at.hour.into(), at.minute.into(), at.second.into()];
        match self {
            Self::Time => time.to_vec(),
            Self::Date => date.to_vec(),
            Self::FullTime => [date, time].concat(),
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

/// Whether a condition holds at a moment. One on a measured state never holds, and neither does its opposite; nor does one that is nested
/// deeper than any that a script can have.
///
/// A range of `time` that ends before it begins goes over midnight.
pub fn holds(condition: &Condition, at: Moment) -> bool {
    measured(condition).is_empty() && holds_at(condition, at, 0) == Some(true)
}

/// `None`: that cannot be said.
fn holds_at(condition: &Condition, at: Moment, depth: usize) -> Option<bool> {
    if depth > DEPTH_MAX {
        return None;
    }
    match condition {
        Condition::Any(all) => {
            let each: Option<Vec<bool>> = all.iter().map(|one| holds_at(one, at, depth + 1)).collect();
            Some(each?.contains(&true))
        }
        Condition::All(all) => {
            let each: Option<Vec<bool>> = all.iter().map(|one| holds_at(one, at, depth + 1)).collect();
            Some(!each?.contains(&false))
        }
        Condition::Not(inner) => Some(!holds_at(inner, at, depth + 1)?),
        Condition::Term {
            name,
            comparison,
            value,
            ..
        } => {
            let clock = Clock::named(&name.text)?;
            let now = clock.of(at);
            match (comparison, clock.moments(*comparison, value).ok()?.as_slice()) {
                (Comparison::Equal, [then]) => Some(now == *then),
                (Comparison::NotEqual, [then]) => Some(now != *then),
                (Comparison::Greater, [then]) => Some(now > *then),
                (Comparison::Less, [then]) => Some(now < *then),
                (Comparison::GreaterOrEqual, [then]) => Some(now >= *then),
                (Comparison::LessOrEqual, [then]) => Some(now <= *then),
                (Comparison::Between, [first, last]) if first <= last => Some(*first <= now && now <= *last),
                (Comparison::Between, [first, last]) if clock == Clock::Time => Some(now >= *first || now <= *last),
                _ => Some(false),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;

    const NOON: Moment = Moment {
        year: 2026,
        month: 2,
        day: 28,
        hour: 12,
        minute: 0,
        second: 0,
    };

    fn word(text: &str) -> Value {
        Value {
            kind: ValueKind::Text(text.to_owned()),
            unit: None,
            span: Span::default(),
        }
    }

    fn term(name: &str, comparison: Comparison, value: Value) -> Condition {
        Condition::Term {
            name: Name {
                text: name.to_owned(),
                span: Span::default(),
            },
            comparison,
            value,
            span: Span::default(),
        }
    }

    fn between(name: &str, first: &str, last: &str) -> Condition {
        let value = Value {
            kind: ValueKind::List(vec![word(first), word(last)]),
            ..word("")
        };
        term(name, Comparison::Between, value)
    }

    #[test]
    fn a_window_of_the_day_may_go_over_midnight() {
        assert!(holds(&between("time", "08:00:00", "18:00:00"), NOON));
        assert!(!holds(&between("time", "22:00:00", "06:00:00"), NOON));
        let night = Moment { hour: 23, ..NOON };
        assert!(holds(&between("time", "22:00:00", "06:00:00"), night));
        assert!(
            holds(&between("time", "12:00:00", "12:00:00"), NOON),
            "both bounds are inside"
        );
    }

    #[test]
    fn dates_compare_from_the_year_down() {
        assert!(holds(&term("date", Comparison::Less, word("2026-03-01")), NOON));
        assert!(holds(
            &term("fulltime", Comparison::GreaterOrEqual, word("2026-02-28,12:00:00")),
            NOON
        ));
        assert!(!holds(
            &term("fulltime", Comparison::Greater, word("2026-02-28,12:00:00")),
            NOON
        ));
    }

    #[test]
    fn a_measured_state_holds_neither_straight_nor_negated() {
        let load = || term("load", Comparison::Greater, word("80"));
        let either = Condition::Any(vec![load(), between("time", "00:00:00", "23:59:59")]);
        assert_eq!(measured(&either).len(), 1);
        assert!(!holds(&load(), NOON));
        assert!(!holds(&Condition::Not(Box::new(load())), NOON));
        assert!(!holds(&either, NOON));
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

    #[test]
    fn a_deep_condition_is_no_danger() {
        let mut condition = term("time", Comparison::Less, word("13:00:00"));
        for _ in 0..10_000 {
            condition = Condition::Not(Box::new(condition));
        }
        assert!(!holds(&condition, NOON));
        // Dropped level by level, because dropping recurses as well.
        while let Condition::Not(inner) = condition {
            condition = *inner;
        }
    }
}
