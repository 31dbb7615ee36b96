//! UrbanFits' user object and the claims of its sessions (CONTRACT.md, "The user object" and
//! "Tokens").

use super::{PROFILE, attributes};
use crate::contracts::{envelope, tokens};
use crate::domain::id::UserId;
use crate::domain::identifier::IdentifierKind;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{PortError, SignAccessToken, SignText};
use data_encoding::BASE64;
use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The provider that registered a user. Users of UrbanFits have no other.
pub(super) const REGISTER_PROVIDER: &str = PROFILE.name;

/// A user as responses show it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct UserObject {
    username: String,
    register_provider: &'static str,
    image: &'static str,
    phone_prefix: String,
    phone_number: String,
    email: String,
    /// Random bytes in the format of the original's encrypted password. Only the response to a
    /// sign-up has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    password: Option<String>,
    two_fa_enabled: bool,
    role: &'static str,
    is_active: bool,
    uf_wallet: Wallet,
    last_checkin: String,
    timezone: String,
    user_agent: String,
    purchases: u32,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "createdAt")]
    created_at: String,
    #[serde(rename = "updatedAt")]
    updated_at: String,
    #[serde(rename = "__v")]
    version: u32,
}

#[derive(Clone, Debug, JsonSchema, Serialize)]
struct Wallet {
    card_number: String,
    bar_code: String,
}

/// The claims of a session's token.
#[derive(Serialize)]
struct Claims<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    username: &'a str,
    email: &'a str,
    register_provider: &'static str,
    user_agent: &'a str,
    timezone: &'a str,
    two_fa_enabled: bool,
    uf_wallet: &'a Wallet,
    last_checkin: &'a str,
    #[serde(rename = "createdAt")]
    created_at: &'a str,
    role: &'static str,
    iat: i64,
    exp: i64,
}

/// The date in the user's timezone, in the format of the original: midnight of that date, marked as
/// UTC.
fn midnight(at: Timestamp, timezone: &str) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    format!("{}T00:00:00.000Z", instant.to_zoned(zone).date())
}

/// The substitute for the encrypted password of the original: the prefix of such a text (`Salted__`,
/// written by OpenSSL) and random bytes. New for each response, and never stored.
fn placeholder(random: &[u8; 24]) -> String {
    BASE64.encode(&[b"Salted__".as_slice(), random].concat())
}

impl UserObject {
    /// The object of a user who has just signed up.
    ///
    /// # Errors
    /// The user does not belong to UrbanFits: the username, the address or the card is missing.
    pub fn of(user: &User, agents: &dyn SignText, random: &[u8; 24]) -> Result<Self, PortError> {
        let shown = Self::new(user, user.created_at)?;
        let agent = user.attributes.text(attributes::USER_AGENT);
        let user_agent = agents.sign(agent.unwrap_or_default());
        Ok(Self { password: Some(placeholder(random)), user_agent, ..shown })
    }

    /// The object of a user who was last active at `last_checkin`; `user_agent` is the signed name of
    /// the browser.
    ///
    /// # Errors
    /// The user does not belong to UrbanFits.
    pub fn of_known(
        user: &User,
        last_checkin: Timestamp,
        user_agent: String,
    ) -> Result<Self, PortError> {
        Ok(Self { user_agent, ..Self::new(user, last_checkin)? })
    }

    fn new(user: &User, last_checkin: Timestamp) -> Result<Self, PortError> {
        let User { id, identifiers, attributes, created_at, .. } = user;
        let known = |kind| {
            let known = identifiers.of_kind(kind).map(|known| known.identifier.as_written());
            known.ok_or_else(|| PortError::new("show a user", "an identifier is missing"))
        };
        let attribute = |name: &str| attributes.text(name).unwrap_or_default().to_owned();
        let card_number = known(IdentifierKind::Card)?.to_owned();
        let timezone = attribute(attributes::TIMEZONE);
        let created = midnight(*created_at, &timezone);
        Ok(Self {
            username: known(IdentifierKind::Username)?.to_owned(),
            register_provider: REGISTER_PROVIDER,
            image: "/website-copyrights/default-pfp.webp",
            phone_prefix: attribute(attributes::PHONE_PREFIX),
            phone_number: attribute(attributes::PHONE_NUMBER),
            email: known(IdentifierKind::Email)?.to_owned(),
            password: None,
            two_fa_enabled: false,
            role: "customer",
            is_active: true,
            uf_wallet: Wallet {
                bar_code: format!("/uf-wallet-barcodes/{card_number}"),
                card_number,
            },
            last_checkin: envelope::date_time(last_checkin),
            timezone,
            user_agent: String::new(),
            purchases: 0,
            id: id.as_str().to_owned(),
            updated_at: created.clone(),
            created_at: created,
            version: 0,
        })
    }
}

/// The claims that are read from the token of a session.
#[derive(Deserialize)]
struct ReadClaims<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    user_agent: &'a str,
    iat: i64,
    exp: i64,
}

/// A genuine session that has not expired. It may have been ended earlier.
pub(super) struct Session {
    pub(super) user: UserId,
    /// The signed name of the browser that it was opened with.
    pub(super) user_agent: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// The session of genuine claims, unless it has expired.
pub(super) fn read_session(claims: &str, now: Timestamp) -> Option<Session> {
    let claims: ReadClaims<'_> = serde_json::from_str(claims).ok()?;
    (claims.exp > now.as_seconds()).then(|| Session {
        user: UserId::from_stored(claims.id),
        user_agent: claims.user_agent.to_owned(),
        issued_at: Timestamp::from_seconds(claims.iat),
        expires_at: Timestamp::from_seconds(claims.exp),
    })
}

/// The token of a session that `user` opens at `at`.
///
/// # Errors
/// The token cannot be signed.
pub(super) fn session_token(
    user: &UserObject,
    at: Timestamp,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let (iat, exp) = tokens::times(at, lifetime);
    let claims = Claims {
        id: &user.id,
        username: &user.username,
        email: &user.email,
        register_provider: user.register_provider,
        user_agent: &user.user_agent,
        timezone: &user.timezone,
        two_fa_enabled: user.two_fa_enabled,
        uf_wallet: &user.uf_wallet,
        last_checkin: &user.last_checkin,
        created_at: &user.created_at,
        role: user.role,
        iat,
        exp,
    };
    tokens::sign(&claims, signer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_the_users_timezone() {
        // 2024-06-06T22:49:13.345Z: still the 6th in London, the 7th in Dubai, noon in Honolulu.
        let at = Timestamp::from_millis(1_717_714_153_345);
        assert_eq!(midnight(at, "UTC"), "2024-06-06T00:00:00.000Z");
        assert_eq!(midnight(at, "Asia/Dubai"), "2024-06-07T00:00:00.000Z");
        assert_eq!(midnight(at, "Pacific/Honolulu"), "2024-06-06T00:00:00.000Z");
    }

    #[test]
    fn the_placeholder_has_the_format_of_the_original() {
        for byte in 0..=255 {
            let text = placeholder(&[byte; 24]);
            assert!(text.len() == 44 && text.starts_with("U2FsdGVkX1"), "{text}");
        }
    }
}
