//! Going on after a restart.

use manifold_call::OccurrenceId;

/// An occurrence that this program cannot go on with. It keeps its subject busy; the program that wrote it, or a newer
/// one, can finish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The occurrence.
    pub occurrence: OccurrenceId,
    /// Why, for people.
    pub reason: String,
}

/// What [`crate::Engine::recover`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Occurrences that go on.
    pub resumed: Vec<OccurrenceId>,
    /// Occurrences in FAILED_TEMP, which wait for a task as before.
    pub held: Vec<OccurrenceId>,
    /// Occurrences that this program cannot go on with.
    pub parked: Vec<Parked>,
}
