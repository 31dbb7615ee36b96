#![doc = include_str!("CONTRACT.md")]

mod admin;
mod claims;
mod field_errors;
mod oauth2;
mod refusal;
mod texts;

pub use admin::{ClientTask, ClientTaskError, changed, credentials};
pub use claims::{Caller, ClientsOnly};
pub use field_errors::FieldErrors;
pub use oauth2::{TokenAnswer, TokenRefusal, TokenRequest, token_answer};
pub use refusal::{Refusal, answer, internal_error};
pub use texts::LOCALES;

use super::{Product, Route};
use crate::domain::code::CodeFormat;

/// The contract's name.
pub const NAME: &str = "posbytz";

/// Its codes: six digits, `100000` to `999999`, because clients send them as JSON numbers
/// (contracts.md 0.13).
pub const CODE_FORMAT: CodeFormat = CodeFormat { digits: 6, lowest: 100_000, count: 900_000 };

const ROUTES: &[Route] = &[Route {
    method: "POST",
    path: "/ecommerce/oauth2/token",
    function: "posbytz-oauth2-token",
}];

/// What functions that serve every contract need of it.
pub const PRODUCT: Product = Product {
    name: NAME,
    routes: ROUTES,
    owns: |path| path == "/ecommerce" || path.starts_with("/ecommerce/"),
    unrouted: refusal::unrouted,
    preflight: |_| refusal::preflight(),
    code_format: CODE_FORMAT,
    code_words: texts::code_words,
    verify_link: None,
};
