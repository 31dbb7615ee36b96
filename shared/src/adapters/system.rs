//! The clock and the random source of the machine. No other code may use them directly.

use crate::domain::time::Timestamp;
use crate::ports::{Clock, Entropy, PortError};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the clock is ahead of that of the machine, in milliseconds.
static AHEAD: OnceLock<fn() -> i64> = OnceLock::new();

/// The clock of the machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Puts the clock of this process ahead by what `millis` returns, which each reading of the clock
    /// calls. No deployed function calls this: the local stack lets time pass with it. The first call
    /// in a process holds.
    pub fn set_ahead(millis: fn() -> i64) {
        AHEAD.get_or_init(|| millis);
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let ahead = AHEAD.get().map_or(0, |millis| millis());
        Timestamp::from_millis(millis.saturating_add(ahead))
    }
}

/// The random source of the operating system.
#[derive(Debug)]
pub struct OsEntropy(SystemRandom);

impl Default for OsEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        // The error of ring does not contain a cause.
        let cause = "the operating system gave no random bytes";
        self.0.fill(bytes).map_err(|_| PortError::new("get random bytes", cause))
    }
}
