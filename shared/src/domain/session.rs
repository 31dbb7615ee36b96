//! Sessions and their refresh tokens.

use super::id::{DeviceId, UserId, hex};
use super::time::Timestamp;
use data_encoding::BASE32_DNSSEC;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;

/// How long a session lives without being refreshed: 30 days (contracts.md A.4).
pub const IDLE_LIFE: Duration = Duration::from_hours(30 * 24);

/// How long a remembered session lives: 30 days (contracts.md C.2).
pub const REMEMBERED_LIFE: Duration = Duration::from_hours(30 * 24);

/// How long sessions live that end at a fixed time.
#[derive(Clone, Copy, Debug)]
pub struct SessionLives {
    /// Everybody's.
    pub usual: Duration,
    /// Of those who ask to be remembered; never shorter than the usual one.
    pub remembered: Duration,
}

impl SessionLives {
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

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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
}

impl NewSession {
    /// When the session ends if nobody refreshes it.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.opened_at.plus(IDLE_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_be_remembered_lasts_longer() {
        let week = Duration::from_hours(7 * 24);
        let lives = SessionLives { usual: week, remembered: REMEMBERED_LIFE };
        assert_eq!(lives.of(false).as_secs(), 604_800);
        assert_eq!(lives.of(true).as_secs(), 2_592_000);
        let long = SessionLives { usual: REMEMBERED_LIFE * 2, remembered: REMEMBERED_LIFE };
        assert_eq!(long.of(true), REMEMBERED_LIFE * 2);
    }

    #[test]
    fn a_refresh_token_is_52_characters_of_base32hex() {
        let token = RefreshToken::new(&[0xff; 32]);
        assert_eq!(token.expose().len(), 52);
        assert!(token.expose().chars().all(|c| matches!(c, '0'..='9' | 'a'..='v')));
        assert_eq!(format!("{token:?}"), "RefreshToken");
    }
}
