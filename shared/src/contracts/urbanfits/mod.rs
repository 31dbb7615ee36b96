//! The API of UrbanFits, as its CONTRACT.md describes it.
//!
#![doc = include_str!("CONTRACT.md")]

mod api;
mod attributes;
mod authenticator;
mod bodies;
mod cookies;
mod events;
mod messages;
mod page;
mod refusal;
mod routes;
mod session_issuer;
mod user;
mod wire;

pub use authenticator::Authenticator;
pub use cookies::cleared_cookies;
pub use messages::LOCALES;
pub use page::CodePages;
pub use refusal::{Refusal, account_deleted, password_changed, signed_out};
pub use session_issuer::SessionIssuer;
pub use user::UserObject;
pub use wire::{
    CallbackRequest, ChangePasswordRequest, CodeSentResponse, DeletionRequest,
    ForgotPasswordRequest, LoginRequest, LogoutRequest, LogoutSessions, PendingResponse,
    ResendRequest, SignupRequest, UserResponse, account, caller,
};

use super::imports::moved_in_user;
use super::{CodePage, Contract};
use crate::domain::challenge::Purpose;
use crate::domain::code::CodeFormat;
use crate::domain::id::{IdFormat, hex};
use crate::domain::identifier::IdentifierKind;
use crate::domain::realm::Realm;
use crate::http;
use crate::usecases::{Admission, Callers, Profile, SessionOwner, UserIdentifiers, WalletPolicy};
use std::sync::Arc;

/// The wallet of every user: a card of twenty digits that begins with 705, and 500 points.
const WALLET: WalletPolicy =
    WalletPolicy { card_prefix: "705", card_digits: 17, points: 500, source: "signup" };

/// The constants that the core needs.
pub const PROFILE: Profile = Profile {
    name: "urbanfits",
    // Five digits, `10000` to `99999`.
    code_format: CodeFormat { digits: 5, lowest: 10_000, count: 90_000 },
    handle: Some(otp_id),
    token_claims: &[],
    events: || Arc::new(events::UrbanFitsEvents),
    moved_in: moved_in_user,
    callers: Callers::People,
    identifiers: UserIdentifiers {
        required: &[IdentifierKind::Email, IdentifierKind::Username, IdentifierKind::Card],
        optional: &[],
    },
    user_ids: IdFormat::ObjectId,
    // A session exists only as the token in its cookie.
    sessions: SessionOwner::Token,
    has_devices: false,
    wallet: Some(WALLET),
    // A sign-up ends with the proof of the address, so every user is verified.
    admission: Admission::VerifiedUsers,
};

/// The declaration for the functions that serve all contracts.
pub const CONTRACT: Contract = Contract {
    profile: &PROFILE,
    routes: routes::ROUTES,
    api: &api::API,
    paths: &["/auth", "/user", "/api/auth", "/api/user"],
    cors: <Refusal as http::Refusal>::CORS,
    not_found: refusal::not_found,
    preflight: |request| request.origins.preflight(request.request, request.methods),
    product: "UrbanFits",
    languages: || &messages::LANGUAGES,
    code_message: messages::code_message,
    code_page: Some(CodePage {
        purpose: Purpose::SignUp,
        path: "/auth/signup/verify-otp",
        message: messages::sign_up_message,
    }),
    account_notice: None,
    verify_link: None,
};

/// The name space of UrbanFits' users.
#[must_use]
pub fn realm() -> Realm {
    PROFILE.realm()
}

/// An `otp_id`: 24 hex digits of 12 random bytes.
fn otp_id(random: &[u8; 16]) -> String {
    hex(random.first_chunk::<12>().map_or(&[][..], |bytes| bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_otp_id_is_24_hex_digits() {
        assert_eq!(otp_id(&[0xab; 16]), "ab".repeat(12));
    }
}
