//! What the messages of every contract have in common.

use std::time::Duration;

/// A code's lifetime in whole minutes, rounded up, at least one: that is how people read it.
pub(super) fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(60).max(1)
}
