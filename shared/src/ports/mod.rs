//! The ports: traits through which the use cases reach storage, carriers and other services.
//!
//! Each file holds the port of one capability. Each method is one write, one transaction or one
//! call, and its documentation says what is atomic. An expected result such as "not found" or
//! "another request was faster" is an outcome. A [`PortError`] means that the service behind the
//! port failed or did not answer.
//!
//! A port needs a reason. The first is that the core names no vendor: what speaks to AWS, hashes or
//! signs is behind one. The second is that a use case's fields say what it may touch; the rights of
//! a function are compared with the calls behind them. Ports with one adapter have one because of
//! these two reasons: [`Standings`], [`Accounts`], [`Users`], [`Challenges`], [`Budgets`], [`AttemptRecords`],
//! [`Sessions`], [`RefreshTokens`], [`Devices`], [`Clients`], [`Answers`], [`Outbox`],
//! [`Deliveries`], [`People`], [`Imports`], [`UserPages`], [`Histories`], [`Audit`] and [`SequenceIds`] (DynamoDB), [`Passwords`] (Argon2), [`HashFormats`] (the hashes of other systems), [`CodeKeys`], [`RefreshKeys`], [`AnswerKeys`],
//! [`AccessTokens`] and [`TextSignatures`] (key rings), [`KeyRotation`] (Secrets Manager), [`CarrierAccounts`] (SNS and SES), [`OldSystem`] (an endpoint of the operator). The others have several:
//! [`Clock`] and [`Entropy`] (the tests move and seed them), [`Messages`] (SMS and mail) and
//! [`Events`] (the tests also record what goes out), [`EventMapper`], [`DeliveryEvents`] and
//! [`MessageTemplates`] (the contracts, and one of the tests).
//!
//! To add a port: define a trait with `#[async_trait]` and `Send + Sync` in a new file, give each
//! method an outcome enum, export both here, and implement the trait in `adapters`.

mod access_tokens;
mod accounts;
mod answers;
mod audit;
mod budgets;
mod carrier_accounts;
mod challenges;
mod clients;
mod clock;
mod code_keys;
mod deliveries;
mod devices;
mod entropy;
mod events;
mod histories;
mod imports;
mod key_rotation;
mod messages;
mod metrics;
mod old_system;
mod operator_events;
mod outbox;
mod password_attempts;
mod passwords;
mod people;
mod person_hashes;
mod presentation;
mod refresh_tokens;
mod sequence_ids;
mod sessions;
mod standings;
mod test_numbers;
mod text_signatures;
mod trace;
mod users;

pub use access_tokens::{AccessTokens, CheckedToken, SignAccessToken};
pub use accounts::{Accounts, Entry, EntryOutcome, KeptLonger, NewChallenge, NewHandle};
pub use answers::{
    AnswerClaim, AnswerKey, AnswerKeys, Answers, ClaimOutcome, NewAnswer, Recorder, StoredAnswer,
};
pub use audit::{Audit, AuditEntry};
pub use budgets::{Budgets, TakeOutcome};
pub use carrier_accounts::{CarrierAccounts, MailAccount, TextAccount};
pub use challenges::{ChallengeState, Challenges, StoredLinks};
pub use clients::{ChangeClientOutcome, ClientChange, Clients, CreateClientOutcome};
pub use clock::Clock;
pub use code_keys::CodeKeys;
pub use deliveries::{Deliveries, DeliveryEvent, DeliveryEvents, Suppression};
pub use devices::{DeviceRegistration, Devices, PushTokenOwner, RegisterDeviceOutcome};
pub use entropy::{Entropy, random};
pub use events::{Events, MOST_EVENTS, RejectedEvent};
pub use histories::Histories;
pub use imports::{
    Arrivals, HashFormats, ImportPlace, Imports, MOST_IMPORTED_ITEMS, UserPage, UserPages,
};
pub use key_rotation::KeyRotation;
pub use messages::{MAIL_CARRIER, Message, Messages, SendOutcome};
pub use metrics::{CodeRefusal, METRIC_EVENTS, MetricEvent, record_metric, record_metric_of_group};
pub use old_system::OldSystem;
pub use operator_events::{OperatorEvents, OperatorFact};
pub use outbox::{
    DueEntry, DuePlace, Outbox, ParkedEntry, PauseChange, PausedCarriers, WaitingEntries,
};
pub use password_attempts::AttemptRecords;
pub use passwords::{PasswordVerdict, Passwords};
pub use people::{BanChange, BanOutcome, Erased, LedgerPolicy, People, Person, StoredParts};
pub use person_hashes::PersonHashes;
pub use presentation::{EventMapper, MessageContent, MessageTemplates};
pub use refresh_tokens::{RefreshKeys, RefreshTokens, TokenRotation, TokenRotationOutcome};
pub use sequence_ids::SequenceIds;
pub use sessions::{EndOutcome, EndSessions, EndToken, Sessions};
pub use standings::{Holder, Standing, StandingQuery, Standings};
pub use test_numbers::TestNumberEvents;
pub use text_signatures::{SignText, TextSignatures};
pub use trace::{TRACE_EVENTS, trace_identifier, trace_user};
pub use users::Users;

use std::error::Error;

/// The failure of a service behind a port: the action that failed and its cause.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action}")]
pub struct PortError {
    action: &'static str,
    source: Box<dyn Error + Send + Sync>,
    kind: ErrorKind,
}

/// What an error means for those who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    Fault,
    Contention,
    Misconfiguration,
}

impl PortError {
    /// Creates the error for `action`, a phrase that completes "failed to …".
    pub fn new(action: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { action, source: source.into(), kind: ErrorKind::Fault }
    }

    /// Creates the error for `action`, which wrote nothing because other requests wrote the same
    /// items in every try.
    #[must_use]
    pub fn contention(action: &'static str) -> Self {
        let source = "other requests wrote the same items in every try".into();
        Self { action, source, kind: ErrorKind::Contention }
    }

    /// Creates the error for `action`, which the service refuses to every recipient until an operator
    /// changes the account or the settings.
    pub fn misconfiguration(
        action: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind: ErrorKind::Misconfiguration, ..Self::new(action, source) }
    }

    /// Returns whether an operator must change the account or the settings.
    #[must_use]
    pub const fn is_misconfiguration(&self) -> bool {
        matches!(self.kind, ErrorKind::Misconfiguration)
    }

    /// Returns whether nothing failed but other requests were faster. The caller may repeat the
    /// request.
    #[must_use]
    pub const fn is_contention(&self) -> bool {
        matches!(self.kind, ErrorKind::Contention)
    }
}

/// Returns an error and all its causes on one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
