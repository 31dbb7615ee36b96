//! How far one stream has been dealt with when several lanes work on it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::positions::Positions;
use crate::logs::Logs;
use crate::sync::lock;

/// The records that are still being worked on, and the position that follows from them.
#[derive(Debug)]
pub(super) struct Progress {
    positions: Arc<Positions>,
    key: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Sequence numbers are of one length, so they sort as the numbers they are.
    open: BTreeSet<String>,
    closed: BTreeSet<String>,
}

impl Progress {
    pub(super) fn new(positions: Arc<Positions>, key: String) -> Self {
        let state = State { open: BTreeSet::new(), closed: BTreeSet::new() };
        Self { positions, key, state: Mutex::new(state) }
    }

    /// A record has been read.
    pub(super) fn read(&self, sequence: &str) {
        lock(&self.state).open.insert(sequence.to_owned());
    }

    /// A record is dealt with. Everything up to the oldest one still open need not be read again.
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
            logs.stack(&format!("cannot keep the position of {}: {error:#}", self.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_waits_for_the_slowest_record() {
        let logs = Logs::new(false);
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
