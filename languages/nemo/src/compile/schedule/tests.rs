//! Windows are held against a second way of judging, which knows no intervals: a moment is compared as the calendar writes it.

use super::*;
use manifold_nemo_syntax::diagnostic::Span;
use manifold_nemo_syntax::script::ValueKind;

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

fn window(from: Option<u64>, until: Option<u64>, daily_from: u32, daily_until: u32) -> nsd::Window {
    nsd::Window {
        from,
        until,
        daily_from,
        daily_until,
    }
}

fn windows(condition: &Condition) -> Vec<nsd::Window> {
    match when("r", Some(condition)) {
        Ok(When::In(windows)) => windows,
        other => panic!("{other:?}"),
    }
}

fn not(condition: &Condition) -> Condition {
    Condition::Not(Box::new(condition.clone()))
}

fn refused(condition: &Condition) -> String {
    when("r", Some(condition)).unwrap_err().to_string()
}

#[test]
fn days_are_counted_as_the_calendar_has_them() {
    assert_eq!(days(1970, 1, 1), 0);
    assert_eq!(days(2000, 2, 29), 11_016);
    assert_eq!(days(2201, 1, 1) * DAY, LAST);
    let mut at = days(1600, 1, 1);
    for year in 1600..2400 {
        let february = 28 + i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
        for (month, length) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            assert_eq!(days(year, month, 1), at);
            at += length;
        }
    }
}

fn office() -> Condition {
    Condition::All(vec![
        term("time", Comparison::GreaterOrEqual, text("08:00:00")),
        term("time", Comparison::Less, text("18:00:00")),
        term("date", Comparison::Between, list("2026-01-01", "2026-01-31")),
    ])
}

#[test]
fn office_hours_in_one_month() {
    let january = (1_767_225_600, 1_769_904_000);
    assert_eq!(
        windows(&office()),
        [window(Some(january.0), Some(january.1), 28_800, 64_800)]
    );
    // And at all other times.
    assert_eq!(windows(&not(&office())).len(), 4);
}

#[test]
fn a_night_is_two_windows() {
    let night = term("time", Comparison::Between, list("22:00:00", "05:59:59"));
    assert_eq!(
        windows(&night),
        [window(None, None, 79_200, 86_400), window(None, None, 0, 21_600)]
    );
    assert_eq!(windows(&not(&night)), [window(None, None, 21_600, 79_200)]);
}

#[test]
fn what_always_holds_and_what_never_does_has_no_windows() {
    let before = term("time", Comparison::Less, text("08:00:00"));
    let never = Condition::All(vec![before.clone(), not(&before)]);
    assert_eq!(when("r", Some(&never)), Ok(When::Never));
    let midnight = term("time", Comparison::GreaterOrEqual, text("00:00:00"));
    assert_eq!(when("r", Some(&midnight)), Ok(When::Always));
    let long_ago = term("date", Comparison::Less, text("1970-01-01"));
    assert_eq!(when("r", Some(&long_ago)), Ok(When::Never));
    let ever_since = term("date", Comparison::LessOrEqual, text("2200-12-31"));
    assert_eq!(windows(&ever_since), [window(None, None, 0, 86_400)]);
}

/// Year, month, day, hour, minute, second.
type Moment = [u16; 6];

const NOON: Moment = [2026, 2, 28, 12, 0, 0];

/// Whether a moment is in one of the windows.
fn is_in(windows: &[nsd::Window], moment: Moment) -> bool {
    let [year, month, day, ..] = moment.map(i64::from);
    let daily = seconds(Clock::Time, &moment[3..]);
    let at = u64::try_from(days(year, month, day) * DAY + daily).unwrap();
    let daily = u32::try_from(daily).unwrap();
    windows.iter().any(|window| {
        window.from.is_none_or(|from| from <= at)
            && window.until.is_none_or(|until| at < until)
            && (window.daily_from..window.daily_until).contains(&daily)
    })
}

fn is_now(condition: &Condition, moment: Moment) -> bool {
    match when("r", Some(condition)).unwrap() {
        When::Always => true,
        When::Never => false,
        When::In(windows) => is_in(&windows, moment),
    }
}

/// The second way of judging.
fn holds(condition: &Condition, at: Moment) -> bool {
    match condition {
        Condition::Any(all) => all.iter().any(|one| holds(one, at)),
        Condition::All(all) => all.iter().all(|one| holds(one, at)),
        Condition::Not(inner) => !holds(inner, at),
        Condition::Term {
            name,
            comparison,
            value,
            ..
        } => {
            let clock = Clock::named(&name.text).unwrap();
            let now = match clock {
                Clock::Time => &at[3..],
                Clock::Date => &at[..3],
                Clock::FullTime => &at[..],
            };
            let moments = clock.moments(*comparison, value).unwrap();
            let (first, last) = (moments[0].as_slice(), moments[moments.len() - 1].as_slice());
            match comparison {
                Comparison::Equal => now == first,
                Comparison::NotEqual => now != first,
                Comparison::Greater => now > first,
                Comparison::Less => now < first,
                Comparison::GreaterOrEqual => now >= first,
                Comparison::LessOrEqual => now <= first,
                Comparison::Between if first <= last => first <= now && now <= last,
                // Over midnight.
                Comparison::Between => now >= first || now <= last,
            }
        }
    }
}

#[test]
fn a_window_of_the_day_may_go_over_midnight() {
    let between = |first, last| term("time", Comparison::Between, list(first, last));
    assert!(is_now(&between("08:00:00", "18:00:00"), NOON));
    assert!(!is_now(&between("22:00:00", "06:00:00"), NOON));
    assert!(is_now(&between("22:00:00", "06:00:00"), [2026, 2, 28, 23, 0, 0]));
    assert!(is_now(&between("12:00:00", "12:00:00"), NOON), "both bounds are inside");
}

#[test]
fn dates_compare_from_the_year_down() {
    assert!(is_now(&term("date", Comparison::Less, text("2026-03-01")), NOON));
    let full = |comparison| term("fulltime", comparison, text("2026-02-28,12:00:00"));
    assert!(is_now(&full(Comparison::GreaterOrEqual), NOON));
    assert!(!is_now(&full(Comparison::Greater), NOON));
}

/// At any moment, what a condition says and what its windows say is the same.
#[test]
fn windows_are_where_the_condition_holds() {
    let full = list("2026-01-10,12:00:00", "2026-01-20,12:00:00");
    let conditions = [
        office(),
        term("time", Comparison::Between, list("22:00:00", "05:59:59")),
        term("fulltime", Comparison::Between, full),
        term("date", Comparison::NotEqual, text("2026-01-15")),
        term("date", Comparison::Equal, text("2026-01-31")),
        term("time", Comparison::Greater, text("12:00:00")),
        term("fulltime", Comparison::LessOrEqual, text("2026-01-15,08:00:00")),
    ];
    let pairs = conditions
        .iter()
        .flat_map(|one| conditions.iter().map(move |other| (one, other)));
    for (one, other) in pairs {
        let condition = Condition::Any(vec![Condition::All(vec![one.clone(), not(other)]), other.clone()]);
        for condition in [not(&condition), condition] {
            let all = match when("r", Some(&condition)).unwrap() {
                When::Always => vec![window(None, None, 0, 86_400)],
                When::Never => Vec::new(),
                When::In(windows) => windows,
            };
            let january = (1..=31).map(|day| [2026, 1, day]);
            for [year, month, day] in [[2025, 12, 31]].into_iter().chain(january).chain([[2026, 2, 1]]) {
                for (hour, minute, second) in (0..24).flat_map(|hour| [(hour, 0, 0), (hour, 0, 1), (hour, 59, 59)]) {
                    let moment = [year, month, day, hour, minute, second];
                    assert_eq!(
                        is_in(&all, moment),
                        holds(&condition, moment),
                        "{condition:?} {moment:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_measured_or_malformed_is_refused() {
    let load = term("cpu-load", Comparison::Greater, text("80"));
    // Neither straight nor negated, nor where something else would do.
    let either = Condition::Any(vec![load.clone(), term("time", Comparison::Less, text("13:00:00"))]);
    for condition in [&load, &not(&load), &either] {
        let refused = refused(condition);
        assert!(refused.contains("depends on `cpu-load`"), "{refused}");
    }
    let odd = term("time", Comparison::Greater, text("25:00:00"));
    assert!(refused(&odd).contains("is no time of the day"), "{}", refused(&odd));
    let back = term("date", Comparison::Between, list("2026-02-01", "2026-01-01"));
    assert!(refused(&back).contains("ends before it begins"), "{}", refused(&back));
    let mut deep = term("time", Comparison::Greater, text("01:00:00"));
    for _ in 0..10_000 {
        deep = Condition::Not(Box::new(deep));
    }
    assert!(refused(&deep).contains("deeper than"), "{}", refused(&deep));
    // Dropped level by level, because dropping recurses as well.
    while let Condition::Not(inner) = deep {
        deep = *inner;
    }
    // Each part doubles what the ones before it gave.
    let second = |at: i64| term("time", Comparison::NotEqual, text(&format!("10:00:{at:02}")));
    let many = (0..59).map(|at| Condition::Any(vec![second(at), second(at + 1)]));
    assert_eq!(when("r", Some(&Condition::All(many.collect()))), Ok(When::Always));
    let split = Condition::All((0..59).step_by(2).map(second).collect());
    assert_eq!(windows(&split).len(), 31);
    let days = (1..=31).map(|day| term("date", Comparison::NotEqual, text(&format!("2026-01-{day:02}"))));
    let all = days.step_by(2).chain((0..60).step_by(2).map(second));
    let refused = refused(&Condition::All(all.collect()));
    assert!(refused.contains("more than 64 windows"), "{refused}");
}
