//! What the messages of every contract have in common.

use std::time::Duration;

/// A code's life in whole minutes, rounded up, at least one: that is how people read it.
pub(super) fn minutes(life: Duration) -> u64 {
    life.as_secs().div_ceil(60).max(1)
}
