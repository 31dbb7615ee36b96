//! The position of a function in a stream that several lanes process.

use super::positions::Positions;
use crate::logs::Logs;
use crate::sync::lock;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The records in process, and the position that follows from them.
#[derive(Debug)]
pub(super) struct Progress {
    positions: Arc<Positions>,
    key: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Sequence numbers have the same length, so their texts are in order.
    open: BTreeSet<String>,
    closed: BTreeSet<String>,
}

impl Progress {
    pub(super) fn new(positions: Arc<Positions>, key: String) -> Self {
        let state = State { open: BTreeSet::new(), closed: BTreeSet::new() };
        Self { positions, key, state: Mutex::new(state) }
    }

    /// Adds a record that was read.
    pub(super) fn read(&self, sequence: &str) {
        lock(&self.state).open.insert(sequence.to_owned());
    }

    /// Marks a record as processed. The position moves up to the oldest record that is not.
    pub(super) fn done(&self, sequence: &str, logs: &Logs) {
        let mut state = lock(&self.state);
        if state.open.remove(sequence) {
            state.closed.insert(sequence.to_owned());
        }
        let behind = match state.open.first().cloned() {
            None => std::mem::take(&mut state.closed),
            Some(oldest) => {
                let ahead = state.closed.split_off(&oldest);
                std::mem::replace(&mut state.closed, ahead)
            }
        };
        if let Some(last) = behind.last()
            && let Err(error) = self.positions.set(&self.key, last)
        {
            logs.stack(&format!("failed to keep the position of {}: {error:#}", self.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_does_not_pass_a_record_in_process() {
        let logs = Logs::default();
        let positions = Arc::new(Positions::default());
        let progress = Progress::new(Arc::clone(&positions), "k".to_owned());
        for sequence in ["1", "2", "3", "4"] {
            progress.read(sequence);
        }
        let at = |done: &str| {
            progress.done(done, &logs);
            positions.get("k")
        };
        assert_eq!(at("2"), None);
        assert_eq!(at("1").as_deref(), Some("2"));
        assert_eq!(at("4").as_deref(), Some("2"));
        assert_eq!(at("3").as_deref(), Some("4"));
    }
}
