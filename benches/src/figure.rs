//! A figure: what was measured, its floor, and the goal.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Unit {
    Milliseconds,
    Mebibytes,
    /// Memory for each line of a text.
    BytesPerLine,
    /// More is better.
    PerSecond,
}

impl Unit {
    fn write(self, value: f64) -> String {
        let digits = match value {
            _ if value >= 100.0 => 0,
            _ if value >= 10.0 => 1,
            _ => 2,
        };
        let name = match self {
            Unit::Milliseconds => " ms",
            Unit::Mebibytes => " MB",
            Unit::BytesPerLine => " B/line",
            Unit::PerSecond => "/s",
        };
        format!("{value:.digits$}{name}")
    }
}

/// Several runs of the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
    runs: usize,
}

impl Spread {
    /// # Panics
    /// Without any run.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            (values[middle - 1] + values[middle]) / 2.0
        };
        Self {
            median,
            least: values[0],
            most: values[values.len() - 1],
            runs: values.len(),
        }
    }

    pub(crate) fn of_times(times: &[Duration]) -> Self {
        Self::of(times.iter().map(|time| milliseconds(*time)))
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// What is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Goal {
    /// So many times the floor at most.
    Ratio(f64),
    /// So much at most, whatever the floor.
    AtMost(f64),
}

/// What a figure is beside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Floor {
    /// What it does.
    is: String,
    took: Spread,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figure {
    name: String,
    unit: Unit,
    ours: Spread,
    /// The first is what a goal is held against.
    floors: Vec<Floor>,
    goal: Option<Goal>,
    /// What else was seen, a line each.
    notes: Vec<String>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, unit: Unit, ours: Spread) -> Self {
        Self {
            name: name.into(),
            unit,
            ours,
            floors: Vec::new(),
            goal: None,
            notes: Vec::new(),
        }
    }

    /// One more floor.
    pub(crate) fn floor(mut self, is: impl Into<String>, took: Spread) -> Self {
        self.floors.push(Floor { is: is.into(), took });
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn ratio(&self, floor: &Floor) -> f64 {
        self.ours.median / floor.took.median
    }

    /// `None`: there is no goal.
    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::Ratio(most) => self.ratio(self.floors.first()?) <= most,
            Goal::AtMost(most) => self.ours.median <= most,
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<42}  ours {}", self.name, self.unit.write(self.ours.median))?;
        for floor in &self.floors {
            let median = self.unit.write(floor.took.median);
            write!(f, "  floor {median} ({})  ratio {:.2}", floor.is, self.ratio(floor))?;
        }
        match self.goal {
            None => {}
            Some(Goal::Ratio(most)) => write!(f, "  goal ≤ {most:.2}")?,
            Some(Goal::AtMost(most)) => write!(
                f,
                "  goal ≤ {most} {}",
                self.unit.write(0.0).trim_start_matches("0.00 ")
            )?,
        }
        match self.is_met() {
            Some(true) => write!(f, "  met")?,
            Some(false) => write!(f, "  MISSED")?,
            None => {}
        }
        if self.ours.runs > 1 {
            let (least, most) = (self.unit.write(self.ours.least), self.unit.write(self.ours.most));
            write!(f, "\n    {} runs, {least} to {most}", self.ours.runs)?;
            for floor in &self.floors {
                let (least, most) = (self.unit.write(floor.took.least), self.unit.write(floor.took.most));
                write!(f, "; floor {least} to {most}")?;
            }
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n    {note}"))
    }
}
