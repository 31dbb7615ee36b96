#![doc = include_str!("CONTRACT.md")]

mod cookies;
mod events;
mod page;
mod refusal;
mod signed_in;
mod texts;
mod user;
mod wire;

pub use cookies::{CookiePolicy, cleared_cookies, session_cookies};
pub use events::UrbanFitsEvents;
pub use page::page as code_page;
pub use refusal::{Refusal, answer, internal_error, signed_out};
pub use signed_in::SignedIn;
pub use texts::LOCALES;
pub use user::{UserObject, session_claims};
pub use wire::{
    CallbackRequest, LoginRequest, LogoutRequest, PendingAnswer, SignupRequest, UserAnswer,
};

use super::{Product, Route};
use crate::domain::code::CodeFormat;
use crate::domain::id::hex;
use crate::domain::realm::Realm;
use crate::usecases::WalletPolicy;

/// The contract's name.
pub const NAME: &str = "urbanfits";

/// Its codes: five digits, `10000` to `99999` (contracts.md C.1).
pub const CODE_FORMAT: CodeFormat = CodeFormat { digits: 5, lowest: 10_000, count: 90_000 };

/// Everybody's wallet: twenty digits that begin with 705, and 500 points (contracts.md C.2, C.3).
pub const WALLET: WalletPolicy =
    WalletPolicy { card_prefix: "705", card_digits: 17, points: 500, source: "signup" };

const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/auth/login", function: "urbanfits-login" },
    Route { method: "POST", path: "/api/auth/login", function: "urbanfits-login" },
    Route { method: "POST", path: "/auth/logout", function: "urbanfits-logout" },
    Route { method: "POST", path: "/api/auth/logout", function: "urbanfits-logout" },
    Route { method: "GET", path: "/user/get/me", function: "urbanfits-get-me" },
    Route { method: "GET", path: "/api/user/get/me", function: "urbanfits-get-me" },
    Route { method: "POST", path: "/auth/signup", function: "urbanfits-signup" },
    Route { method: "POST", path: "/api/auth/signup", function: "urbanfits-signup" },
    Route { method: "POST", path: "/auth/signup/callback", function: "urbanfits-signup-callback" },
    Route {
        method: "POST",
        path: "/api/auth/signup/callback",
        function: "urbanfits-signup-callback",
    },
    Route { method: "GET", path: "/auth/signup/verify-otp", function: "urbanfits-verify-otp-page" },
    Route {
        method: "GET",
        path: "/api/auth/signup/verify-otp",
        function: "urbanfits-verify-otp-page",
    },
];

/// What functions that serve every contract need of it.
pub const PRODUCT: Product = Product {
    name: NAME,
    routes: ROUTES,
    owns: |path| {
        let path = path.strip_prefix("/api").unwrap_or(path);
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        matches!(first, "auth" | "user")
    },
    unrouted: refusal::unrouted,
    preflight: refusal::preflight,
    code_format: CODE_FORMAT,
    code_words: texts::code_words,
    verify_link: None,
};

/// Its users' name space.
#[must_use]
pub fn realm() -> Realm {
    Realm::of_contract(NAME)
}

/// An `otp_id`: 24 hex digits of 12 random bytes (contracts.md C.2).
#[must_use]
pub fn otp_id(random: &[u8; 16]) -> String {
    hex(random.first_chunk::<12>().map_or(&[][..], |bytes| bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_otp_id_is_24_hex_digits() {
        assert_eq!(otp_id(&[0xab; 16]), "ab".repeat(12));
    }

    #[test]
    fn paths_are_owned_with_and_without_api() {
        for own in ["/auth", "/auth/signup", "/api/auth/x", "/api/auth", "/user/get/me"] {
            assert!((PRODUCT.owns)(own), "{own}");
        }
        for other in ["/authority", "/api/v1/auth/verify", "/api", "/users"] {
            assert!(!(PRODUCT.owns)(other), "{other}");
        }
    }
}
