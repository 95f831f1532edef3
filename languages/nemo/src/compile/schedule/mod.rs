//! Conditions on time as windows: each an interval of the calendar together with an interval of the day. Nothing else judges when a
//! condition holds.

use super::CompileError;
use crate::condition::Clock;
use manifold_descriptors::nsd;
use manifold_nemo_syntax::script::{Comparison, Condition, Name, Value};

const DAY: i64 = 86_400;
/// Deepest nesting of a condition that is looked at; a script's parser stops there as well.
const DEPTH_MAX: usize = 64;
const WINDOWS_MAX: usize = 64;
/// The end of the year 2200, the last that a descriptor can name: days from the start of 1970, in seconds.
const LAST: i64 = 84_371 * DAY;

/// The time when something holds. Ends are exclusive; seconds in UTC, from the start of 1970 or of the day.
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

/// When something holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum When {
    /// At any time.
    Always,
    /// At no time that a descriptor can name.
    Never,
    /// In one of these.
    In(Vec<nsd::Window>),
}

/// The windows of a rule's condition.
pub(crate) fn when(rule: &str, condition: Option<&Condition>) -> Result<When, CompileError> {
    let Some(condition) = condition else {
        return Ok(When::Always);
    };
    let windows = Reading { rule }.windows(condition, false, 0)?;
    if windows.contains(&ALWAYS) {
        return Ok(When::Always);
    }
    let windows: Vec<nsd::Window> = windows.into_iter().filter_map(told).collect();
    Ok(if windows.is_empty() {
        When::Never
    } else {
        When::In(windows)
    })
}

/// As a descriptor has it, which begins with 1970 and ends with 2200. `None`: all of it is before or after that.
fn told(window: Window) -> Option<nsd::Window> {
    let (from, until) = (window.from.max(0), window.until.min(LAST));
    let daily = |seconds: i64| u32::try_from(seconds).expect("a day has few seconds");
    let moment = |seconds: i64| u64::try_from(seconds).expect("what begins after it ends was left out");
    (from < until).then(|| nsd::Window {
        from: (from > 0).then(|| moment(from)),
        until: (until < LAST).then(|| moment(until)),
        daily_from: daily(window.daily_from),
        daily_until: daily(window.daily_until),
    })
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
        let Some(clock) = Clock::named(&name.text) else {
            return Err(CompileError::MeasuredState {
                rule: self.rule.to_owned(),
                state: name.text.clone(),
            });
        };
        let moments = match clock.moments(comparison, value) {
            Ok(moments) => moments,
            Err(refused) => return self.fault(format!("what `{}` is compared with {}", name.text, refused.why)),
        };
        let moments: Vec<i64> = moments.iter().map(|moment| seconds(clock, moment)).collect();
        // How long what is compared with lasts.
        let lasts = if clock == Clock::Date { DAY } else { 1 };
        let is_daily = clock == Clock::Time;
        let (least, most) = if is_daily { (0, DAY) } else { (i64::MIN, i64::MAX) };
        let intervals: Vec<(i64, i64)> = match (comparison, moments.as_slice()) {
            (Comparison::Between, [first, last]) => match (*first, *last + lasts) {
                (first, last) if first < last => vec![(first, last)],
                // Over midnight.
                (first, last) if is_daily => vec![(first, most), (least, last)],
                _ => return self.fault("the range ends before it begins"),
            },
            (Comparison::Equal, [at]) => vec![(*at, at + lasts)],
            (Comparison::NotEqual, [at]) => vec![(least, *at), (at + lasts, most)],
            (Comparison::Greater, [at]) => vec![(at + lasts, most)],
            (Comparison::GreaterOrEqual, [at]) => vec![(*at, most)],
            (Comparison::Less, [at]) => vec![(least, *at)],
            (Comparison::LessOrEqual, [at]) => vec![(least, at + lasts)],
            _ => return self.fault(format!("`{}` is compared with no one moment", name.text)),
        };
        let intervals = if is_not {
            complement(intervals, least, most)
        } else {
            intervals
        };
        let window = |(from, until): (i64, i64)| match is_daily {
            true => Window {
                daily_from: from,
                daily_until: until.min(DAY),
                ..ALWAYS
            },
            false => Window { from, until, ..ALWAYS },
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

/// Seconds of the calendar or of the day.
fn seconds(clock: Clock, moment: &[u16]) -> i64 {
    let time = |parts: &[u16]| parts.iter().fold(0, |sum, part| sum * 60 + i64::from(*part));
    let (date, time) = match (clock, moment) {
        (Clock::Time, parts) => return time(parts),
        (Clock::Date, date) => (date, 0),
        (Clock::FullTime, both) => {
            let (date, parts) = both.split_at(both.len().min(3));
            (date, time(parts))
        }
    };
    match date {
        [year, month, day] => days((*year).into(), (*month).into(), (*day).into()) * DAY + time,
        _ => time,
    }
}

/// Days from the start of 1970 in the Gregorian calendar, counted in years that begin in March: the day of a leap year is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719_468 days lie between the 1st of March of the year 0 and the start of 1970.
    year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests;
