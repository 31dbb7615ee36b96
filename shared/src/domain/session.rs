//! Sessions and their refresh tokens.

use super::challenge::KeyId;
use super::id::{DeviceId, UserId, hex};
use super::time::Timestamp;
use super::user::Attributes;
use data_encoding::BASE32_DNSSEC;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;

/// How long a session lives without being refreshed: 30 days (contracts.md A.4).
pub const IDLE_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long a remembered session lives: 30 days (contracts.md C.2).
pub const REMEMBERED_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long sessions live that end at a fixed time.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Everybody's.
    pub usual: Duration,
    /// Of those who ask to be remembered; never shorter than the usual one.
    pub remembered: Duration,
}

impl SessionLifetimes {
    /// How long a session lives that is opened now.
    #[must_use]
    pub fn of(&self, remember_me: bool) -> Duration {
        if remember_me { self.remembered.max(self.usual) } else { self.usual }
    }
}

/// A refresh token: 52 characters of `[0-9a-v]`, 256 random bits.
///
/// Unrelated to any id in the access token, so that who sees one cannot compute the other
/// (contracts.md 0.1).
#[derive(Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// The token made of these random bytes.
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        // BASE32_DNSSEC is base32hex, lower case, without padding (RFC 5155 1.3).
        Self(BASE32_DNSSEC.encode(random).into())
    }

    /// Reads a token that a client sent; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'v');
        (text.len() == 52 && text.bytes().all(known)).then(|| Self(text.into()))
    }

    /// The text, for the client and for the hash that is stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// The line of refresh tokens that began with one sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyId(String);

impl FamilyId {
    /// The family made of these random bytes.
    #[must_use]
    pub fn new(random: &[u8; 16]) -> Self {
        Self(hex(random))
    }

    /// Reads an id that was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which successor is meant: what its derivation is bound to. The same token has the same successor
/// under the same key, so a client that missed an answer gets it again.
#[derive(Debug)]
pub struct SuccessorSeed<'a> {
    /// The family.
    pub family: &'a FamilyId,
    /// The token that is used.
    pub token: &'a RefreshToken,
    /// The key to derive with.
    pub key_id: &'a KeyId,
}

impl SuccessorSeed<'_> {
    /// The bytes to compute the MAC over: label, family and token, each preceded by its length.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for part in ["refresh", self.family.as_str(), self.token.expose()] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        message
    }
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Nobody used it.
    Unused,
    /// It was used, and its successor, derived with this key, was not: whoever comes with it again
    /// missed the answer.
    Used(KeyId),
    /// Its successor was used too: whoever comes with it now is not who went on.
    Spent,
}

/// A refresh token as the store knows it.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// Its family.
    pub family: FamilyId,
    /// Whose it is.
    pub user: UserId,
    /// The device that it was given to.
    pub device: DeviceId,
    /// When the session was opened.
    pub opened_at: Timestamp,
    /// What became of it.
    pub usage: TokenUse,
    /// The hash of the token that it succeeded.
    pub predecessor: Option<String>,
    /// What the contract's access tokens state.
    pub token_claims: Attributes,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEndReason {
    /// Its user signed out of it.
    SignedOut,
    /// Its user signed out of every session.
    SignedOutEverywhere,
    /// A refresh token came back after its successor was used: somebody has a copy.
    TokenReused,
    /// Its user set a new password.
    PasswordReset,
}

impl SessionEndReason {
    /// The reason's name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::TokenReused => "token_reused",
            Self::PasswordReset => "password_reset",
        }
    }
}

/// A session about to be opened.
#[derive(Debug)]
pub struct NewSession {
    /// Its first refresh token.
    pub token: RefreshToken,
    /// Its family.
    pub family: FamilyId,
    /// Whose it is.
    pub user: UserId,
    /// The device it was opened on.
    pub device: DeviceId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What the contract's access tokens state.
    pub token_claims: Attributes,
}

impl NewSession {
    /// When the session ends if nobody refreshes it.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.opened_at.plus(IDLE_LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_be_remembered_lasts_longer() {
        let week = Duration::from_hours(7 * 24);
        let lifetimes = SessionLifetimes { usual: week, remembered: REMEMBERED_LIFETIME };
        assert_eq!(lifetimes.of(false).as_secs(), 604_800);
        assert_eq!(lifetimes.of(true).as_secs(), 2_592_000);
        let long =
            SessionLifetimes { usual: REMEMBERED_LIFETIME * 2, remembered: REMEMBERED_LIFETIME };
        assert_eq!(long.of(true), REMEMBERED_LIFETIME * 2);
    }

    #[test]
    fn a_refresh_token_is_52_characters_of_base32hex() {
        let token = RefreshToken::new(&[0xff; 32]);
        assert_eq!(token.expose().len(), 52);
        assert!(token.expose().chars().all(|c| matches!(c, '0'..='9' | 'a'..='v')));
        assert_eq!(format!("{token:?}"), "RefreshToken");
    }
}
