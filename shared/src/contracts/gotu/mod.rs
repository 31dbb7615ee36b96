#![doc = include_str!("CONTRACT.md")]

mod claims;
mod events;
mod refusal;
mod texts;
mod wire;

pub use claims::session_issued;
pub use events::GotuEvents;
pub use refusal::{Refusal, answer, internal_error};
pub use texts::LOCALES;
pub use wire::{OtpRequest, Session, SignUpRequest, USER_TYPE};

use super::{Product, Route};
use crate::domain::code::CodeFormat;
use crate::domain::realm::Realm;

/// The contract's name.
pub const NAME: &str = "gotu";

/// Its codes: five digits, `00000` to `99999` (contracts.md A.1).
pub const CODE_FORMAT: CodeFormat = CodeFormat::all_of(5);

/// The shortest password, in Unicode scalar values.
pub const PASSWORD_LEAST: usize = 8;

const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/otp", function: "gotu-post-otp" },
    Route { method: "POST", path: "/users", function: "gotu-post-users" },
];

/// Its users' name space.
#[must_use]
pub fn realm() -> Realm {
    Realm::of_contract(NAME)
}

/// What functions that serve every contract need of it.
pub const PRODUCT: Product = Product {
    name: NAME,
    routes: ROUTES,
    owns,
    unrouted: refusal::unrouted,
    preflight: |unrouted| refusal::preflight(unrouted.methods),
    code_format: CODE_FORMAT,
    code_words: texts::code_words,
    verify_link: None,
};

fn owns(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "users" | "otp" | "sessions")
}
