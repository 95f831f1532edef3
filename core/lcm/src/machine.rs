//! ETSI's machines of operation occurrences: SOL003 5.6.2 (VNF), SOL005 6.6.2 (NS), and the plain one of our own
//! resources, which is the NS machine without partial success.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which machine an operation follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Machine {
    /// `VnfLcmOpOcc`: begins in STARTING, where the grant is asked for.
    Vnf,
    /// `NsLcmOpOcc`: no STARTING; may end PARTIALLY_COMPLETED; has the task `continue`.
    Ns,
    /// Resources of a VIM, WIM, CCM or PIM: as NS, without `continue` and PARTIALLY_COMPLETED.
    Resource,
}

/// Where an occurrence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Preparing; no resource is changed yet. VNF only.
    Starting,
    /// Changing resources.
    Processing,
    /// Ended well.
    Completed,
    /// Ended, with failures that were accepted. NS only.
    PartiallyCompleted,
    /// Stopped by a failure or a cancellation; waits for a task.
    FailedTemp,
    /// Ended, given up.
    Failed,
    /// Undoing.
    RollingBack,
    /// Ended, everything is as it was before.
    RolledBack,
}

/// What a user may ask of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Go on from where it failed.
    Retry,
    /// Undo everything.
    Rollback,
    /// Accept the failures and finish the rest.
    Continue,
    /// Give up; what is there stays.
    Fail,
    /// Stop.
    Cancel,
}

/// How to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelMode {
    /// Begin nothing new, wait for what is under way.
    Graceful,
    /// Also break off what is under way; what became of it is found out later.
    Forceful,
}

/// Whether a notification tells of something under way or of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationStatus {
    /// The occurrence goes on.
    Start,
    /// The occurrence has come to rest.
    Result,
}

impl State {
    /// Every state, for tables.
    pub const ALL: [State; 8] = [
        State::Starting,
        State::Processing,
        State::Completed,
        State::PartiallyCompleted,
        State::FailedTemp,
        State::Failed,
        State::RollingBack,
        State::RolledBack,
    ];

    /// Whether the occurrence has ended, and its subject is free.
    pub fn is_terminal(self) -> bool {
        match self {
            State::Completed | State::PartiallyCompleted | State::Failed | State::RolledBack => true,
            State::Starting | State::Processing | State::FailedTemp | State::RollingBack => false,
        }
    }

    /// Whether the engine works on it; in FAILED_TEMP it waits for a task.
    pub fn is_running(self) -> bool {
        match self {
            State::Starting | State::Processing | State::RollingBack => true,
            State::Completed | State::PartiallyCompleted | State::FailedTemp | State::Failed | State::RolledBack => {
                false
            }
        }
    }

    /// What a notification of entering the state is.
    pub fn notification_status(self) -> NotificationStatus {
        if self.is_running() {
            NotificationStatus::Start
        } else {
            NotificationStatus::Result
        }
    }

    /// As ETSI spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "STARTING",
            State::Processing => "PROCESSING",
            State::Completed => "COMPLETED",
            State::PartiallyCompleted => "PARTIALLY_COMPLETED",
            State::FailedTemp => "FAILED_TEMP",
            State::Failed => "FAILED",
            State::RollingBack => "ROLLING_BACK",
            State::RolledBack => "ROLLED_BACK",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Task {
    /// Every task, for tables.
    pub const ALL: [Task; 5] = [Task::Retry, Task::Rollback, Task::Continue, Task::Fail, Task::Cancel];

    /// As it stands in a URI.
    pub fn as_str(self) -> &'static str {
        match self {
            Task::Retry => "retry",
            Task::Rollback => "rollback",
            Task::Continue => "continue",
            Task::Fail => "fail",
            Task::Cancel => "cancel",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Machine {
    /// Every machine, for tables.
    pub const ALL: [Machine; 3] = [Machine::Vnf, Machine::Ns, Machine::Resource];

    /// Whether occurrences of this machine can be in the state at all.
    pub fn has(self, state: State) -> bool {
        match state {
            State::Starting => self == Machine::Vnf,
            State::PartiallyCompleted => self == Machine::Ns,
            State::Processing
            | State::Completed
            | State::FailedTemp
            | State::Failed
            | State::RollingBack
            | State::RolledBack => true,
        }
    }

    /// Whether the machine knows the task, whatever the state.
    pub fn knows(self, task: Task) -> bool {
        match task {
            Task::Continue => self == Machine::Ns,
            Task::Retry | Task::Rollback | Task::Fail | Task::Cancel => true,
        }
    }

    /// Whether the task may be asked for in the state (SOL003 5.4.14 to 5.4.17, SOL005 6.4.11 to 6.4.15).
    pub fn allows(self, state: State, task: Task) -> bool {
        self.knows(task)
            && self.has(state)
            && match task {
                Task::Retry | Task::Rollback | Task::Continue | Task::Fail => state == State::FailedTemp,
                Task::Cancel => state.is_running(),
            }
    }

    /// Whether an occurrence may go from one state to the other.
    pub fn moves(self, from: State, to: State) -> bool {
        use State::{Completed, Failed, FailedTemp, PartiallyCompleted, Processing, RolledBack, RollingBack, Starting};
        self.has(from)
            && self.has(to)
            && matches!(
                (from, to),
                (Starting, Processing | RolledBack)
                    | (Processing, Completed | PartiallyCompleted | FailedTemp | Failed)
                    | (FailedTemp, Processing | RollingBack | Failed)
                    | (RollingBack, RolledBack | FailedTemp)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of SOL003 5.6.2 and SOL005 6.6.2, written out: every machine, state and task.
    #[test]
    fn tasks_are_allowed_where_the_tables_allow_them() {
        for machine in Machine::ALL {
            for state in State::ALL {
                for task in Task::ALL {
                    let allowed = matches!(
                        (machine, state, task),
                        (_, State::FailedTemp, Task::Retry | Task::Rollback | Task::Fail)
                            | (Machine::Ns, State::FailedTemp, Task::Continue)
                            | (_, State::Processing | State::RollingBack, Task::Cancel)
                            | (Machine::Vnf, State::Starting, Task::Cancel)
                    );
                    assert_eq!(machine.allows(state, task), allowed, "{machine:?} {state} {task}");
                }
            }
        }
    }

    #[test]
    fn nothing_leaves_a_terminal_state_and_every_other_can_be_left() {
        for machine in Machine::ALL {
            for from in State::ALL.into_iter().filter(|state| machine.has(*state)) {
                let exits = State::ALL.into_iter().filter(|to| machine.moves(from, *to)).count();
                assert_eq!(exits == 0, from.is_terminal(), "{machine:?} {from}");
            }
        }
    }

    #[test]
    fn starting_never_becomes_failed_temp() {
        assert!(!Machine::Vnf.moves(State::Starting, State::FailedTemp));
        assert!(!Machine::Ns.has(State::Starting));
        assert!(!Machine::Vnf.has(State::PartiallyCompleted));
    }

    #[test]
    fn states_are_spelled_as_etsi_spells_them() {
        for state in State::ALL {
            assert_eq!(
                serde_json::to_value(state).expect("a state is a string"),
                state.as_str()
            );
        }
    }
}
