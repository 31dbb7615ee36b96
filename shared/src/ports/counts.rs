//! What the core counts.
//!
//! A count is told by `tracing`, as a log line is, and not through a trait: every use case counts,
//! so a port would be a field of each of them, and what is done with a count is nobody's business
//! here. Whoever starts the process takes the events of the target [`METRIC_EVENTS`] and adds them up
//! (decision 0010).

use std::time::Duration;

/// The target of the events that are counts, and no log lines.
pub const METRIC_EVENTS: &str = "counts";

/// Something that happened once, for good: its transaction is written, or its carrier took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricEvent {
    /// An account was made.
    SignUp,
    /// Somebody who had an account opened a session.
    SignIn,
    /// A carrier took a code.
    CodeSent,
    /// A code was used for what it was sent for.
    CodeVerified,
    /// A code was not taken.
    CodeRefused(CodeRefused),
    /// An entry of the outbox was delivered, so long after it was written.
    Delivered(Duration),
    /// An entry of the outbox could not be delivered yet, so long after it was written.
    Waiting(Duration),
}

/// Why a code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefused {
    /// There is none: used, replaced, ended, or guessed at too often.
    None,
    /// It is another one.
    Wrong,
    /// The source guessed wrong too often.
    TooMany,
}

impl MetricEvent {
    /// The name that it is counted under.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "SignUps",
            Self::SignIn => "SignIns",
            Self::CodeSent => "CodesSent",
            Self::CodeVerified => "CodesVerified",
            Self::CodeRefused(_) => "CodesRefused",
            Self::Delivered(_) => "RelayLag",
            Self::Waiting(_) => "OutboxAge",
        }
    }

    const fn cause(self) -> &'static str {
        match self {
            Self::CodeRefused(CodeRefused::None) => "no_code",
            Self::CodeRefused(CodeRefused::Wrong) => "wrong_code",
            Self::CodeRefused(CodeRefused::TooMany) => "too_many_guesses",
            _ => "",
        }
    }

    /// What it adds: one, or its milliseconds.
    fn value(self) -> u64 {
        match self {
            Self::Delivered(age) | Self::Waiting(age) => {
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
            }
            _ => 1,
        }
    }
}

/// Counts something that happened to users of a contract; `""` if it belongs to none.
pub fn count(contract: &str, counted: MetricEvent) {
    let (metric, cause, value) = (counted.name(), counted.cause(), counted.value());
    tracing::info!(target: METRIC_EVENTS, metric, contract, cause, value);
}
