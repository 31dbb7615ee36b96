//! The clock and the random source of the machine. No other code may use them directly.

use crate::domain::time::Timestamp;
use crate::ports::{Clock, Entropy, PortError};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock of the machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
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
