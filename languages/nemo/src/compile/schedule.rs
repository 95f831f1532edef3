//! Conditions on time as windows: each an interval of the calendar together with an interval of the day.

use super::CompileError;
use manifold_descriptors::tosca_write::{Fields, Yaml};
use manifold_nemo_syntax::script::{Comparison, Condition, Name, Value, ValueKind};

const DAY: i64 = 86_400;
const WINDOWS_MAX: usize = 64;
const DEPTH_MAX: usize = 64;

/// The time when something holds. Ends are exclusive; seconds of the operator's clock, from the start of 1970 or of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    from: i64,
    until: i64,
    daily_from: i64,
    daily_until: i64,
}

const ALWAYS: Window = Window {
    from: i64::MIN,
    until: i64::MAX,
    daily_from: 0,
    daily_until: DAY,
};

impl Window {
    fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
            daily_from: self.daily_from.max(other.daily_from),
            daily_until: self.daily_until.min(other.daily_until),
        };
        (both.from < both.until && both.daily_from < both.daily_until).then_some(both)
    }

    /// Both as one window, where they are: one is in the other, or they differ in one of the intervals only and meet there.
    fn or(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.min(other.from),
            until: self.until.max(other.until),
            daily_from: self.daily_from.min(other.daily_from),
            daily_until: self.daily_until.max(other.daily_until),
        };
        let is_same_day = (self.daily_from, self.daily_until) == (other.daily_from, other.daily_until);
        let is_same_time = (self.from, self.until) == (other.from, other.until);
        let meets = self.from <= other.until && other.from <= self.until;
        let meets_daily = self.daily_from <= other.daily_until && other.daily_from <= self.daily_until;
        let is_one = both == self || both == other || is_same_day && meets || is_same_time && meets_daily;
        is_one.then_some(both)
    }
}

/// The windows as a policy's `schedule`; `None`: always.
pub(crate) fn schedule(rule: &str, condition: Option<&Condition>) -> Result<Option<Yaml>, CompileError> {
    let Some(condition) = condition else { return Ok(None) };
    let windows = Reading { rule }.windows(condition, false, 0)?;
    let item = |window: &Window| {
        Fields::new()
            .with_some("from", (window.from > i64::MIN).then(|| moment(window.from)))
            .with_some("until", (window.until < i64::MAX).then(|| moment(window.until)))
            .with("daily_from", clock(window.daily_from))
            .with("daily_until", clock(window.daily_until))
            .flow()
    };
    if windows.contains(&ALWAYS) {
        return Ok(None);
    }
    Ok(Some(Yaml::List(windows.iter().map(item).collect())))
}

struct Reading<'a> {
    rule: &'a str,
}

impl Reading<'_> {
    fn fault<T>(&self, fault: impl Into<String>) -> Result<T, CompileError> {
        Err(CompileError::Condition {
            rule: self.rule.to_owned(),
            fault: fault.into(),
        })
    }

    fn windows(&self, condition: &Condition, is_not: bool, depth: usize) -> Result<Vec<Window>, CompileError> {
        if depth > DEPTH_MAX {
            return self.fault(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        Ok(match (condition, is_not) {
            (Condition::Not(inner), _) => self.windows(inner, !is_not, depth + 1)?,
            (Condition::Any(parts), false) | (Condition::All(parts), true) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.windows(part, is_not, depth + 1)?);
                    self.few(&mut all)?;
                }
                all
            }
            (Condition::All(parts), false) | (Condition::Any(parts), true) => {
                let mut all = vec![ALWAYS];
                for part in parts {
                    let these = self.windows(part, is_not, depth + 1)?;
                    all = all
                        .iter()
                        .flat_map(|one| these.iter().filter_map(|other| one.and(*other)))
                        .collect();
                    self.few(&mut all)?;
                }
                all
            }
            (
                Condition::Term {
                    name,
                    comparison,
                    value,
                    ..
                },
                _,
            ) => self.term(name, *comparison, value, is_not)?,
        })
    }

    /// Windows that are one put together; too many are refused before they multiply.
    fn few(&self, windows: &mut Vec<Window>) -> Result<(), CompileError> {
        let mut kept: Vec<Window> = Vec::new();
        for mut window in windows.drain(..) {
            while let Some((at, both)) = kept
                .iter()
                .enumerate()
                .find_map(|(at, one)| Some((at, one.or(window)?)))
            {
                kept.remove(at);
                window = both;
            }
            kept.push(window);
            if kept.len() > WINDOWS_MAX {
                return self.fault(format!("it falls apart into more than {WINDOWS_MAX} windows of time"));
            }
        }
        *windows = kept;
        Ok(())
    }

    fn term(
        &self,
        name: &Name,
        comparison: Comparison,
        value: &Value,
        is_not: bool,
    ) -> Result<Vec<Window>, CompileError> {
        let kind = name.text.to_ascii_lowercase();
        // How long what is compared with lasts: a second or a day.
        let (read, lasts): (fn(&str) -> Option<i64>, i64) = match kind.as_str() {
            "time" => (time_of_day, 1),
            "date" => (date, DAY),
            "fulltime" => (full_time, 1),
            _ => {
                return Err(CompileError::MeasuredState {
                    rule: self.rule.to_owned(),
                    state: name.text.clone(),
                });
            }
        };
        let moment = |value: &Value| match &value.kind {
            ValueKind::Text(text) => match read(text.trim()) {
                Some(moment) => Ok(moment),
                None => self.fault(format!("`{text}` cannot be compared with `{}`", name.text)),
            },
            _ => self.fault(format!("`{}` is compared with a time", name.text)),
        };
        let (least, most) = if kind == "time" { (0, DAY) } else { (i64::MIN, i64::MAX) };
        let intervals: Vec<(i64, i64)> = match comparison {
            Comparison::Between => {
                let ValueKind::List(values) = &value.kind else {
                    return self.fault("a range is written `[first, last]`");
                };
                let [first, last] = values.as_slice() else {
                    return self.fault("a range is written `[first, last]`");
                };
                let (first, last) = (moment(first)?, moment(last)? + lasts);
                match (first < last, kind == "time") {
                    (true, _) => vec![(first, last)],
                    // Over midnight.
                    (false, true) => vec![(first, most), (least, last)],
                    (false, false) => return self.fault("the range ends before it begins"),
                }
            }
            other => {
                let at = moment(value)?;
                match other {
                    Comparison::Equal => vec![(at, at + lasts)],
                    Comparison::NotEqual => vec![(least, at), (at + lasts, most)],
                    Comparison::Greater => vec![(at + lasts, most)],
                    Comparison::GreaterOrEqual => vec![(at, most)],
                    Comparison::Less => vec![(least, at)],
                    Comparison::LessOrEqual | Comparison::Between => vec![(least, at + lasts)],
                }
            }
        };
        let intervals = if is_not {
            complement(intervals, least, most)
        } else {
            intervals
        };
        let window = |(from, until): (i64, i64)| match kind.as_str() {
            "time" => Window {
                daily_from: from,
                daily_until: until.min(DAY),
                ..ALWAYS
            },
            _ => Window { from, until, ..ALWAYS },
        };
        Ok(intervals
            .into_iter()
            .filter(|(from, until)| from < until)
            .map(window)
            .collect())
    }
}

fn complement(mut intervals: Vec<(i64, i64)>, least: i64, most: i64) -> Vec<(i64, i64)> {
    intervals.sort_unstable();
    let mut from = least;
    let mut all = Vec::new();
    for (start, end) in intervals {
        all.push((from, start));
        from = end;
    }
    all.push((from, most));
    all
}

fn parts(text: &str, separator: char, bounds: [(i64, i64); 3]) -> Option<[i64; 3]> {
    let mut numbers = [0; 3];
    let mut parts = text.split(separator);
    for (number, (least, most)) in numbers.iter_mut().zip(bounds) {
        let part = parts
            .next()
            .filter(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok().filter(|number| (least..=most).contains(number))?;
    }
    parts.next().is_none().then_some(numbers)
}

fn time_of_day(text: &str) -> Option<i64> {
    let [hours, minutes, seconds] = parts(text, ':', [(0, 23), (0, 59), (0, 59)])?;
    Some(hours * 3600 + minutes * 60 + seconds)
}

fn date(text: &str) -> Option<i64> {
    let [year, month, day] = parts(text, '-', [(1, 9999), (1, 12), (1, 31)])?;
    let days = days(year, month, day);
    // The 31st of a month of 30 days would be another day.
    (civil(days) == (year, month, day)).then_some(days * DAY)
}

fn full_time(text: &str) -> Option<i64> {
    let (day, time) = text.split_once(',')?;
    Some(date(day.trim())? + time_of_day(time.trim())?)
}

/// Days from the start of 1970 in the Gregorian calendar, counted in years that begin in March: the day of a leap year is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719_468 days lie between the 1st of March of the year 0 and the start of 1970.
    year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1 - 719_468
}

/// The other way: the year is guessed from its mean length and set right.
fn civil(at: i64) -> (i64, i64, i64) {
    let mut year = 1970 + at.div_euclid(365);
    while days(year, 1, 1) > at {
        year -= 1;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= at).unwrap_or(1);
    (year, month, at - days(year, month, 1) + 1)
}

fn moment(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}T{}", clock(seconds.rem_euclid(DAY)))
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifold_nemo_syntax::diagnostic::Span;

    fn text(text: &str) -> Value {
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

    fn list(first: &str, last: &str) -> Value {
        Value {
            kind: ValueKind::List(vec![text(first), text(last)]),
            unit: None,
            span: Span::default(),
        }
    }

    fn written(condition: &Condition) -> String {
        match schedule("r", Some(condition)) {
            Ok(Some(windows)) => windows.document(),
            Ok(None) => "always".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        for at in -800_000..800_000 {
            let (year, month, day) = civil(at);
            assert_eq!(days(year, month, day), at);
        }
        assert_eq!(date("2026-02-29"), None);
        assert_eq!(date("2024-02-29").map(|at| at / DAY), Some(days(2024, 2, 29)));
    }

    #[test]
    fn office_hours_in_one_month() {
        let condition = Condition::All(vec![
            term("time", Comparison::GreaterOrEqual, text("08:00:00")),
            term("time", Comparison::Less, text("18:00:00")),
            term("date", Comparison::Between, list("2026-01-01", "2026-01-31")),
        ]);
        assert_eq!(
            written(&condition),
            "- { from: \"2026-01-01T00:00:00\", until: \"2026-02-01T00:00:00\", daily_from: \"08:00:00\", daily_until: \"18:00:00\" }\n"
        );
        // And at all other times.
        let windows = Reading { rule: "r" }.windows(&Condition::Not(Box::new(condition)), false, 0);
        assert_eq!(windows.map(|windows| windows.len()), Ok(4));
    }

    #[test]
    fn a_night_is_two_windows() {
        let night = term("time", Comparison::Between, list("22:00:00", "05:59:59"));
        assert_eq!(
            written(&night),
            "- { daily_from: \"22:00:00\", daily_until: \"24:00:00\" }\n- { daily_from: \"00:00:00\", daily_until: \"06:00:00\" }\n"
        );
        assert_eq!(
            written(&Condition::Not(Box::new(night))),
            "- { daily_from: \"06:00:00\", daily_until: \"22:00:00\" }\n"
        );
    }

    #[test]
    fn what_never_holds_has_no_window_and_what_always_holds_no_schedule() {
        let before = term("time", Comparison::Less, text("08:00:00"));
        let never = Condition::All(vec![before.clone(), Condition::Not(Box::new(before.clone()))]);
        assert_eq!(written(&never), "[]\n");
        let midnight = term("time", Comparison::GreaterOrEqual, text("00:00:00"));
        assert_eq!(written(&midnight), "always");
    }

    #[test]
    fn what_is_measured_or_malformed_is_refused() {
        let load = term("cpu-load", Comparison::Greater, text("80"));
        assert!(written(&load).contains("depends on `cpu-load`"), "{}", written(&load));
        let odd = term("time", Comparison::Greater, text("25:00:00"));
        assert!(
            written(&odd).contains("`25:00:00` cannot be compared"),
            "{}",
            written(&odd)
        );
        let mut deep = term("time", Comparison::Greater, text("01:00:00"));
        for _ in 0..1000 {
            deep = Condition::Not(Box::new(deep));
        }
        assert!(written(&deep).contains("deeper than"), "{}", written(&deep));
        // Each part doubles what the ones before it gave.
        let second = |at: i64| term("time", Comparison::NotEqual, text(&format!("10:00:{at:02}")));
        let many = Condition::All(
            (0..59)
                .map(|at| Condition::Any(vec![second(at), second(at + 1)]))
                .collect(),
        );
        assert_eq!(written(&many), "always");
        let split = Condition::All((0..59).step_by(2).map(second).collect());
        assert_eq!(written(&split).lines().count(), 31);
        let days = (1..=31).map(|day| term("date", Comparison::NotEqual, text(&format!("2026-01-{day:02}"))));
        let all = days.step_by(2).chain((0..60).step_by(2).map(second));
        let refused = written(&Condition::All(all.collect()));
        assert!(refused.contains("more than 64 windows"), "{refused}");
    }
}
