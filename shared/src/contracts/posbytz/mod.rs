#![doc = include_str!("CONTRACT.md")]

mod admin;
mod claims;
mod events;
mod field_errors;
mod oauth2;
mod refusal;
mod texts;
mod validation;
mod wire;

pub use admin::{ClientTask, ClientTaskError, changed, credentials};
pub use claims::{Caller, ClientsOnly, customer_token};
pub use events::PosBytzEvents;
pub use field_errors::FieldErrors;
pub use oauth2::{TokenAnswer, TokenRefusal, TokenRequest, token_answer};
pub use refusal::{Refusal, answer, internal_error};
pub use texts::LOCALES;
pub use wire::{
    Contacts, CustomerCreated, CustomerSession, EmailVerifyRequest, OtpVerifyRequest,
    SigninRequest, SignupRequest, Success,
};

use super::{Product, Route, VerifyLink};
use crate::domain::code::CodeFormat;

/// The contract's name.
pub const NAME: &str = "posbytz";

/// Its codes: six digits, `100000` to `999999`, because clients send them as JSON numbers
/// (contracts.md 0.13).
pub const CODE_FORMAT: CodeFormat = CodeFormat { digits: 6, lowest: 100_000, count: 900_000 };

/// Where the link of a mail leads.
const EMAIL_VERIFY: &str = "/ecommerce/v1/auth/email/verify";

const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/ecommerce/oauth2/token", function: "posbytz-oauth2-token" },
    Route { method: "POST", path: "/ecommerce/v1/auth/signup", function: "posbytz-signup" },
    Route { method: "POST", path: "/ecommerce/v1/auth/signin", function: "posbytz-signin" },
    Route { method: "POST", path: "/ecommerce/v1/auth/otp/verify", function: "posbytz-otp-verify" },
    Route { method: "GET", path: EMAIL_VERIFY, function: "posbytz-email-verify" },
];

/// What functions that serve every contract need of it.
pub const PRODUCT: Product = Product {
    name: NAME,
    routes: ROUTES,
    owns: |path| path == "/ecommerce" || path.starts_with("/ecommerce/"),
    unrouted: refusal::unrouted,
    preflight: |_| refusal::preflight(),
    code_format: CODE_FORMAT,
    code_words: texts::code_words,
    verify_link: Some(VerifyLink {
        path: |user, link| {
            format!("{EMAIL_VERIFY}?userId={}&token={}", user.as_str(), link.expose())
        },
        words: texts::link_words,
    }),
};
