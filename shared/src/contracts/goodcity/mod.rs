#![doc = include_str!("CONTRACT.md")]

mod app;
mod claims;
mod events;
mod mobile;
mod profile;
mod refusal;
mod signed_in;
mod texts;
mod wire;

pub use app::App;
pub use claims::token_for;
pub use events::GoodCityEvents;
pub use profile::UserObject;
pub use refusal::{Refusal, answer, internal_error};
pub use signed_in::SignedIn;
pub use texts::LOCALES;
pub use wire::{
    OtpAuthKey, RegisterDeviceRequest, SendPinRequest, SignupRequest, VerifiedUser, VerifyRequest,
};

use super::{Product, Route};
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::code::CodeFormat;
use crate::domain::identifier::Identifier;
use crate::domain::phone::PhoneNumber;
use crate::domain::realm::Realm;
use data_encoding::BASE64;

/// The contract's name.
pub const NAME: &str = "goodcity";

/// Its pins: four digits, `0000` to `9999` (contracts.md B.1).
pub const CODE_FORMAT: CodeFormat = CodeFormat::all_of(4);

const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/api/v1/auth/send_pin", function: "goodcity-send-pin" },
    Route { method: "POST", path: "/api/v1/auth/signup", function: "goodcity-signup" },
    Route { method: "POST", path: "/api/v1/auth/verify", function: "goodcity-verify" },
    Route {
        method: "GET",
        path: "/api/v1/auth/current_user_profile",
        function: "goodcity-current-user-profile",
    },
    Route {
        method: "POST",
        path: "/api/v1/auth/register_device",
        function: "goodcity-register-device",
    },
];

/// What functions that serve every contract need of it.
pub const PRODUCT: Product = Product {
    name: NAME,
    routes: ROUTES,
    owns: |path| path == "/api/v1" || path.starts_with("/api/v1/"),
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

/// The challenge of a mobile: sign-up and sign-in share it, and with it the limits of sending
/// (contracts.md B.2).
fn challenge_key(mobile: PhoneNumber) -> ChallengeKey {
    let recipient = Identifier::Phone(mobile);
    ChallengeKey { realm: realm(), purpose: Purpose::SignIn, recipient }
}

/// An `otp_auth_key`: 16 random bytes in base64, 24 characters (contracts.md section 1).
#[must_use]
pub fn otp_auth_key(random: &[u8; 16]) -> String {
    BASE64.encode(random)
}
