//! What the core asks of the world, one file per capability.
//!
//! Each method is one write, one transaction or one call, and its doc says what is atomic.
//! "Not found" and "lost the race" are outcomes; only the world breaking is a [`PortError`].

mod access_tokens;
mod budgets;
mod challenges;
mod clients;
mod clock;
mod code_keys;
mod counts;
mod devices;
mod entropy;
mod events;
mod key_rotation;
mod messages;
mod outbox;
mod passwords;
mod registrations;
mod sequence_ids;
mod sessions;
mod text_signatures;
mod users;
mod verifiable_registrations;
mod wording;

pub use access_tokens::{AccessTokens, CheckedToken, SignAccessToken};
pub use budgets::Budgets;
pub use challenges::{
    ChallengeState, Challenges, HeldCode, LiveCode, NewHandle, Opened, Opening, Redeemed,
    Redemption, Standing,
};
pub use clients::{ClientChange, ClientChanged, Clients};
pub use clock::Clock;
pub use code_keys::CodeKeys;
pub use counts::{CodeRefused, METRIC_EVENTS, MetricEvent, count};
pub use devices::{DeviceRegistered, DeviceRegistration, Devices, HandleOwner};
pub use entropy::{Entropy, random};
pub use events::Events;
pub use key_rotation::KeyRotation;
pub use messages::{Message, Messages, Sent};
pub use outbox::{Outbox, WaitingEntries};
pub use passwords::{Passwords, Verdict};
pub use registrations::{Proof, Registered, Registration, Registrations};
pub use sequence_ids::SequenceIds;
pub use sessions::{
    Credential, Ending, RefreshKeys, Rotated, Rotation, Sessions, SignIn, SignInOutcome,
    TokenEnding,
};
pub use text_signatures::{SignText, TextSignatures};
pub use users::{PasswordChange, Users, Verification, Verified};
pub use verifiable_registrations::{
    NewChallenge, VerifiableRegistered, VerifiableRegistration, VerifiableRegistrations,
};
pub use wording::{EventMapper, MessageContent, MessageTemplates};

use std::error::Error;

/// The world broke: what was attempted, and the cause behind it.
#[derive(Debug, thiserror::Error)]
#[error("could not {action}")]
pub struct PortError {
    action: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl PortError {
    /// A failure to do `action` (a phrase that fits "could not …").
    pub fn new(action: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { action, source: source.into() }
    }
}

/// An error and everything behind it, on one line.
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
