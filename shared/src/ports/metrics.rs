//! The metrics of the use cases.
//!
//! A metric is a `tracing` event, like a log line, and not a call of a trait. Every use case
//! records metrics, so a trait would be one more field of each of them. The runtime collects the
//! events of the target [`METRIC_EVENTS`] and adds them up (decision 0010).

use std::time::Duration;

/// The target of the events that are metrics and not log lines.
pub const METRIC_EVENTS: &str = "counts";

/// An event that is counted. It happened for good: its transaction is committed, the carrier accepted
/// the message, or the message can no longer be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricEvent {
    /// An account was created.
    SignUp,
    /// An existing user opened a session.
    SignIn,
    /// A carrier accepted a message with a code or a link.
    CodeSent,
    /// A code or a link ended before it could be sent.
    CodeEnded,
    /// A carrier will never send to this recipient.
    RecipientRefused,
    /// A carrier refuses what this account sends, whoever the recipient is.
    SenderRefused,
    /// A carrier reports that a message arrived.
    MessageDelivered,
    /// A carrier reports that a message which it had accepted did not arrive.
    MessageUndelivered,
    /// A code or a link was used.
    CodeVerified,
    /// A code was refused.
    CodeRefused(CodeRefusal),
    /// An outbox entry was delivered. Contains its age.
    Delivered(Duration),
    /// An outbox entry could not be delivered yet. Contains its age.
    Waiting(Duration),
    /// A sweep of a part of the outbox came to its end, perhaps because its time was up.
    Swept,
    /// A process took a block of integer ids. Contains the used part of all ids.
    IdSpaceUsed { percent: u64 },
    /// A message was asked for. Contains the used part of the fullest ceiling that it counts in.
    BillUsed { percent: u64 },
    /// A request was refused because a ceiling of the bill, or the guard of a prefix, was reached.
    BillRefused,
    /// A code or a password was wrong.
    WrongGuess,
    /// A password could not be compared: the format of the stored hash is unknown, or its cost is above the limits.
    UnknownHash,
    /// A user of the old system moved in with a request.
    UserMovedIn,
    /// The fixed code of a test number was accepted.
    TestCodeAccepted,
    /// The release did something wrong: a service of the stack refused a call that it never refuses to a right
    /// release, or a request panicked.
    Defect,
    /// Test numbers have not ended. Contains how many.
    TestNumbersOpen { count: u64 },
}

/// The reason for the refusal of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// There is no valid code: it was used, was replaced, has expired or had too many guesses.
    NoCode,
    /// The code is wrong.
    Wrong,
    /// The source made too many wrong guesses.
    TooMany,
}

impl MetricEvent {
    /// The name of the metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "SignUps",
            Self::SignIn => "SignIns",
            Self::CodeSent => "CodesSent",
            Self::CodeEnded => "CodesEnded",
            Self::RecipientRefused => "RecipientsRefused",
            Self::SenderRefused => "SendersRefused",
            Self::MessageDelivered => "MessagesDelivered",
            Self::MessageUndelivered => "MessagesUndelivered",
            Self::CodeVerified => "CodesVerified",
            Self::CodeRefused(_) => "CodesRefused",
            Self::Delivered(_) => "RelayLag",
            Self::Waiting(_) => "OutboxAge",
            Self::Swept => "Sweeps",
            Self::IdSpaceUsed { .. } => "IdSpaceUsed",
            Self::BillUsed { .. } => "BillUsed",
            Self::BillRefused => "BillRefused",
            Self::WrongGuess => "WrongGuesses",
            Self::UnknownHash => "UnknownHashes",
            Self::UserMovedIn => "UsersMovedIn",
            Self::TestCodeAccepted => "TestCodesAccepted",
            Self::Defect => "Defects",
            Self::TestNumbersOpen { .. } => "TestNumbersOpen",
        }
    }

    const fn cause(self) -> Option<&'static str> {
        match self {
            Self::CodeRefused(CodeRefusal::NoCode) => Some("no_code"),
            Self::CodeRefused(CodeRefusal::Wrong) => Some("wrong_code"),
            Self::CodeRefused(CodeRefusal::TooMany) => Some("too_many_guesses"),
            _ => None,
        }
    }

    /// The value: one to add, the milliseconds of an age, a part in percent, or a count.
    fn value(self) -> u64 {
        match self {
            Self::Delivered(age) | Self::Waiting(age) => {
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
            }
            Self::IdSpaceUsed { percent } | Self::BillUsed { percent } => percent,
            Self::TestNumbersOpen { count } => count,
            _ => 1,
        }
    }
}

/// Records an event of the users of a contract, or of no contract.
pub fn record_metric(contract: Option<&str>, event: MetricEvent) {
    record_metric_of_group(contract, "", event);
}

/// The same for one group: the messages of one entry of the price table (a dial code, `mail` or `other`), or a part of the outbox.
pub fn record_metric_of_group(contract: Option<&str>, group: &str, event: MetricEvent) {
    let (metric, cause, value) = (event.name(), event.cause(), event.value());
    let contract = contract.unwrap_or_default();
    let cause = cause.unwrap_or_default();
    tracing::info!(target: METRIC_EVENTS, metric, contract, cause, group, value);
}
