//! The API of GoodCity, as its CONTRACT.md describes it.
//!
#![doc = include_str!("CONTRACT.md")]

mod api;
mod app;
mod attributes;
mod authenticator;
mod bodies;
mod claims;
mod events;
mod messages;
mod mobile;
mod profile;
mod refusal;
mod routes;
mod wire;

pub use app::App;
pub use authenticator::Authenticator;
pub use claims::token_for;
pub use messages::LOCALES;
pub use profile::UserObject;
pub use refusal::Refusal;
pub use wire::{
    HeldPin, OtpAuthKey, RegisterDeviceRequest, SendPinRequest, SignupRequest, VerifiedUser,
    VerifyRequest, account, caller, source,
};

use super::Contract;
use super::imports::moved_in_user;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::code::CodeFormat;
use crate::domain::id::IdFormat;
use crate::domain::identifier::{Identifier, IdentifierKind};
use crate::domain::phone::PhoneNumber;
use crate::domain::realm::Realm;
use crate::http;
use crate::usecases::{Admission, Callers, Profile, SessionOwner, UserIdentifiers};
use data_encoding::BASE64;
use std::sync::Arc;

/// The constants that the core needs.
pub const PROFILE: Profile = Profile {
    name: "goodcity",
    // Pins of four digits, `0000` to `9999`.
    code_format: CodeFormat::all_of(4),
    handle: Some(otp_auth_key),
    token_claims: &[],
    events: || Arc::new(events::GoodCityEvents),
    moved_in: moved_in_user,
    callers: Callers::People,
    identifiers: UserIdentifiers { required: &[IdentifierKind::Phone], optional: &[] },
    user_ids: IdFormat::Number,
    sessions: SessionOwner::Token,
    has_devices: true,
    wallet: None,
    admission: Admission::VerifiedUsers,
};

/// The declaration for the functions that serve all contracts.
pub const CONTRACT: Contract = Contract {
    profile: &PROFILE,
    routes: routes::ROUTES,
    api: &api::API,
    paths: &["/api/v1"],
    cors: <Refusal as http::Refusal>::CORS,
    not_found: refusal::not_found,
    preflight: refusal::preflight,
    product: "GoodCity",
    languages: || &messages::LANGUAGES,
    code_message: messages::code_message,
    code_page: None,
    account_notice: None,
    verify_link: None,
};

/// The name space of GoodCity's users.
#[must_use]
pub fn realm() -> Realm {
    PROFILE.realm()
}

/// The challenge of a mobile. Sign-up and sign-in share it, and so the limits of sending.
fn challenge_key(mobile: PhoneNumber) -> ChallengeKey {
    let recipient = Identifier::Phone(mobile);
    ChallengeKey::new(realm(), Purpose::SignIn, recipient)
}

/// An `otp_auth_key`: 16 random bytes in base64, 24 characters.
fn otp_auth_key(random: &[u8; 16]) -> String {
    BASE64.encode(random)
}
