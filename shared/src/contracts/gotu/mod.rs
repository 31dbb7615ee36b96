//! The API of Gotu, as its CONTRACT.md describes it.
//!
#![doc = include_str!("CONTRACT.md")]

mod api;
mod attributes;
mod authenticator;
mod bodies;
mod claims;
mod events;
mod messages;
mod refusal;
mod routes;
mod wire;

pub use authenticator::{Authenticator, phone_proved, reset_allowed};
pub use claims::{request_token, session_issued, session_opened};
pub use messages::LOCALES;
pub use refusal::Refusal;
pub use wire::{
    DeletionRequest, OtpRequest, PasswordRequest, PhoneRequest, RefreshRequest,
    RequestTokenResponse, Session, SessionByPhoneRequest, SessionRequest, SignUpRequest,
    VerificationRequest, account, caller, client_device, presented_token, sessions_to_end, source,
    successor,
};

use super::Contract;
use super::imports::moved_in_user;
use crate::domain::code::CodeFormat;
use crate::domain::id::IdFormat;
use crate::domain::identifier::IdentifierKind;
use crate::domain::realm::Realm;
use crate::http;
use crate::usecases::{Admission, Callers, Profile, SessionOwner, UserIdentifiers};
use std::sync::Arc;
use std::time::Duration;

/// The length of the shortest password, in Unicode scalar values.
pub const PASSWORD_MIN: usize = 8;

/// How long a changed phone number must have been the user's to delete the account with a code to it.
pub const STEADY_FOR: Duration = Duration::from_hours(24);

/// The constants that the core needs.
pub const PROFILE: Profile = Profile {
    name: "gotu",
    // Five digits, `00000` to `99999`.
    code_format: CodeFormat::all_of(5),
    handle: None,
    token_claims: &attributes::TOKEN_CLAIMS,
    events: || Arc::new(events::GotuEvents),
    moved_in: moved_in_user,
    callers: Callers::People,
    identifiers: UserIdentifiers {
        required: &[],
        optional: &[IdentifierKind::Phone, IdentifierKind::Email],
    },
    user_ids: IdFormat::ObjectId,
    // The token states the device as an integer.
    sessions: SessionOwner::Device(IdFormat::Number),
    has_devices: true,
    wallet: None,
    // Users whose address is not verified may sign in.
    admission: Admission::AllUsers,
};

/// The declaration for the functions that serve all contracts.
pub const CONTRACT: Contract = Contract {
    profile: &PROFILE,
    routes: routes::ROUTES,
    api: &api::API,
    paths: &["/otp", "/sessions", "/users"],
    cors: <Refusal as http::Refusal>::CORS,
    not_found: refusal::not_found,
    preflight: refusal::preflight,
    product: "Gotu",
    languages: || &messages::LANGUAGES,
    code_message: messages::code_message,
    code_page: None,
    account_notice: Some(messages::account_notice),
    verify_link: None,
};

/// The name space of Gotu's users.
#[must_use]
pub fn realm() -> Realm {
    PROFILE.realm()
}
