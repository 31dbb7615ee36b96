//! The API of PosBytz, as its CONTRACT.md describes it.
//!
#![doc = include_str!("CONTRACT.md")]

mod admin;
mod api;
mod attributes;
mod bodies;
mod claims;
mod events;
mod field_errors;
mod messages;
mod oauth2;
mod page;
mod refusal;
mod routes;
mod validation;
mod wire;

pub use admin::{ClientRequest, ClientTask, ClientTaskError, changed, credentials};
pub use claims::{Caller, ClientAuthenticator, customer_token};
pub use field_errors::FieldErrors;
pub use messages::LOCALES;
pub use oauth2::{RequestedScopes, TokenRefusal, TokenRequest, TokenResponse};
pub use page::{LinkPage, LinkPages};
pub use refusal::Refusal;
pub use wire::{
    Contacts, CustomerCreated, CustomerDeleted, CustomerSession, DeletionRequest,
    EmailVerifyRequest, ForgotPasswordRequest, OtpVerifyRequest, ResendRequest,
    ResetPasswordRequest, SigninRequest, SignupRequest, Success,
};

use super::imports::moved_in_user;
use super::{Contract, LinkTemplate};
use crate::domain::code::CodeFormat;
use crate::domain::id::IdFormat;
use crate::domain::identifier::IdentifierKind;
use crate::http;
use crate::usecases::{Admission, Callers, Profile, SessionOwner, UserIdentifiers};
use std::sync::Arc;

/// The constants that the core needs.
pub const PROFILE: Profile = Profile {
    name: "posbytz",
    // Six digits, `100000` to `999999`: clients send codes as JSON numbers, which have no leading
    // zero.
    code_format: CodeFormat { digits: 6, lowest: 100_000, count: 900_000 },
    handle: None,
    token_claims: &[],
    events: || Arc::new(events::PosBytzEvents),
    moved_in: moved_in_user,
    callers: Callers::Servers,
    identifiers: UserIdentifiers {
        required: &[],
        optional: &[IdentifierKind::Email, IdentifierKind::Phone],
    },
    user_ids: IdFormat::ObjectId,
    // A session exists only as its token.
    sessions: SessionOwner::Token,
    has_devices: false,
    wallet: None,
    admission: Admission::VerifiedUsers,
};

/// The declaration for the functions that serve all contracts.
pub const CONTRACT: Contract = Contract {
    profile: &PROFILE,
    routes: routes::ROUTES,
    api: &api::API,
    paths: &["/ecommerce"],
    cors: <Refusal as http::Refusal>::CORS,
    not_found: refusal::not_found,
    preflight: |_| http::empty(http::StatusCode::NO_CONTENT),
    product: "PosBytz",
    languages: || &messages::LANGUAGES,
    code_message: messages::code_message,
    code_page: None,
    account_notice: None,
    verify_link: Some(LinkTemplate {
        path: |user, link| {
            let path = "/ecommerce/v1/auth/email/verify";
            format!("{path}?userId={}&token={}", user.as_str(), link.expose())
        },
        message: messages::link_message,
    }),
};
