#![doc = include_str!("CONTRACT.md")]

mod claims;
mod events;
mod refusal;
mod signed_in;
mod texts;
mod wire;

pub use claims::{request_token, session_issued, session_opened, session_refreshed};
pub use events::GotuEvents;
pub use refusal::{Refusal, answer, internal_error};
pub use signed_in::{SignedIn, reset_allowed};
pub use texts::LOCALES;
pub use wire::{
    OtpRequest, PasswordRequest, RefreshRequest, RequestTokenAnswer, STATED, Session,
    SessionByPhoneRequest, SessionRequest, SignUpRequest, USER_TYPE, VerificationRequest,
    all_sessions,
};

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
    Route { method: "POST", path: "/sessions", function: "gotu-post-sessions" },
    Route { method: "POST", path: "/sessions/phone", function: "gotu-post-sessions-phone" },
    Route { method: "POST", path: "/sessions/refresh", function: "gotu-post-sessions-refresh" },
    Route { method: "DELETE", path: "/sessions", function: "gotu-delete-sessions" },
    Route { method: "POST", path: "/otp/verification", function: "gotu-post-otp-verification" },
    Route { method: "PATCH", path: "/users/password", function: "gotu-patch-users-password" },
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
