//! Sessions and their refresh tokens.

use super::attributes::Attributes;
use super::challenge::KeyId;
use super::device::{DeviceInfo, NewDevice};
use super::id::{DeviceId, UserId, hex};
use super::mac_message::mac_message;
use super::time::Timestamp;

use data_encoding::BASE32_DNSSEC;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;

/// How long a session stays open without a refresh: 30 days.
pub const IDLE_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long the device of a session is stored after the session could have ended last: 30 days. A
/// device that was signed out is stored as long.
pub const DEVICE_RETENTION: Duration = Duration::from_hours(30 * 24);

/// Returns the time at which the device of a session is deleted that was opened or refreshed at `at`
/// and is not refreshed again.
#[must_use]
pub fn end_of_device(at: Timestamp) -> Timestamp {
    at.plus(IDLE_LIFETIME).plus(DEVICE_RETENTION)
}

/// The lifetime of a session whose user asked to be remembered: 30 days.
pub const REMEMBERED_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// Whether the user asked to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// The user did not ask to be remembered.
    Usual,
    /// The user asked to be remembered.
    Remembered,
}

/// The lifetimes of sessions that end at a fixed time.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// The lifetime of a usual session.
    pub usual: Duration,
    /// The lifetime of a remembered session. A shorter one than the usual lifetime has no effect.
    pub remembered: Duration,
}

impl SessionLifetimes {
    /// Returns the lifetime of a session of this kind.
    #[must_use]
    pub fn of(&self, kind: SessionKind) -> Duration {
        match kind {
            SessionKind::Usual => self.usual,
            SessionKind::Remembered => self.remembered.max(self.usual),
        }
    }
}

/// A refresh token: 52 characters of `[0-9a-v]`, 256 random bits.
///
/// It cannot be computed from any id in the access token.
#[derive(Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        // BASE32_DNSSEC is base32hex in lower case without padding (RFC 5155, section 1.3).
        Self(BASE32_DNSSEC.encode(random).into())
    }

    /// Parses a token that a caller presented; `None` unless it has the right format.
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

/// The id that all refresh tokens share that follow from one sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyId(String);

impl FamilyId {
    #[must_use]
    pub fn new(random: &[u8; 16]) -> Self {
        Self(hex(random))
    }

    /// Returns the id with this stored text.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The input of the derivation of a successor. The same token has the same successor under the same
/// key, so a client that did not receive an answer gets the same token again.
#[derive(Debug)]
pub struct SuccessorSeed<'a> {
    pub family: &'a FamilyId,
    /// The token that is exchanged.
    pub token: &'a RefreshToken,
    /// The id of the key to derive with.
    pub key_id: &'a KeyId,
}

impl SuccessorSeed<'_> {
    /// Returns the message that the MAC is computed over: label, family and token.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        mac_message(["refresh", self.family.as_str(), self.token.expose()].map(str::as_bytes))
    }
}

/// The use of a refresh token so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// It was not exchanged.
    Unused,
    /// It was exchanged for a successor that is not used yet. A client that presents the token soon
    /// after that did not receive the answer.
    Used {
        /// The key that derived the successor.
        key_id: KeyId,
        at: Timestamp,
    },
    /// Its successor was used too. A caller that presents the token now has a copy of it.
    Spent,
}

/// The limits of sessions that refresh tokens keep open.
#[derive(Clone, Copy, Debug)]
pub struct RefreshLimits {
    /// How long a used token gives its successor again. A token that is presented later is a copy.
    pub repeat: Duration,
    /// How long after its start a session ends, whether or not it is refreshed.
    pub lifetime: Duration,
}

impl RefreshLimits {
    /// Returns whether a session that was opened at this time has reached its end.
    #[must_use]
    pub fn have_ended(&self, opened_at: Timestamp, now: Timestamp) -> bool {
        opened_at.plus(self.lifetime) <= now
    }

    /// Returns whether a token that was used at this time gives its successor again.
    #[must_use]
    pub fn allow_repeat(&self, used_at: Timestamp, now: Timestamp) -> bool {
        now < used_at.plus(self.repeat)
    }
}

/// How a user signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    Code,
    Password,
}

impl SignInMethod {
    const ALL: [Self; 2] = [Self::Code, Self::Password];

    /// The name of the method in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Password => "password",
        }
    }

    /// Returns the method with this name; the inverse of [`SignInMethod::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// The hash of the id that a client gives its device: 16 bytes of its SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDevice(String);

impl ClientDevice {
    #[must_use]
    pub fn of(client_id: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, client_id.as_bytes());
        Self(hex(digest.as_ref().get(..16).unwrap_or_default()))
    }

    /// Returns a stored hash.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The facts of a session. They are the same after every refresh.
#[derive(Clone, Debug)]
pub struct Session {
    pub family: FamilyId,
    pub user: UserId,
    /// The device of the session.
    pub device: DeviceId,
    /// How the user signed in; `None` for a session that a version without this fact opened.
    pub method: Option<SignInMethod>,
    /// The hash of the id that the client gives its device, if it sent one at the sign-in. A refresh
    /// with another id is one of a copy.
    pub client_device: Option<ClientDevice>,
    /// The time of the sign-in or sign-up.
    pub opened_at: Timestamp,
    /// The attributes of the user that access tokens contain.
    pub token_claims: Attributes,
}

/// A stored refresh token.
#[derive(Clone, Debug)]
pub struct StoredToken {
    pub session: Session,
    pub usage: TokenUse,
    /// The hash of the token before this one.
    pub predecessor: Option<String>,
}

/// An open session in the list of a user's sessions.
#[derive(Clone, Debug)]
pub struct ListedSession {
    pub device: DeviceId,
    pub info: DeviceInfo,
    /// How the user signed in, if it is known.
    pub method: Option<SignInMethod>,
    pub opened_at: Timestamp,
    /// The time of the last refresh.
    pub refreshed_at: Option<Timestamp>,
}

/// The sessions that a request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionsToEnd {
    /// The session of this device.
    One(DeviceId),
    /// All sessions of the user but the one of this device.
    Others(DeviceId),
    /// All sessions of the user.
    All,
}

/// The reason for the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEndReason {
    /// The user signed out of the session.
    SignedOut,
    /// The user signed out of every session.
    SignedOutEverywhere,
    /// The user signed out of every session but the current one.
    SignedOutElsewhere,
    /// A refresh token was presented after its successor was used, or too long after its own use:
    /// there is a copy of it.
    TokenReused,
    /// The user set a new password.
    PasswordReset,
    /// The user changed the phone number. The session that asked for it stays.
    PhoneChanged,
    /// The owner of an identifier proved it for the first time. The sessions may be a stranger's.
    IdentifierProved,
}

impl SessionsToEnd {
    /// The reason in the event, if the user asked for the end.
    #[must_use]
    pub const fn reason(&self) -> SessionEndReason {
        match self {
            Self::One(_) => SessionEndReason::SignedOut,
            Self::Others(_) => SessionEndReason::SignedOutElsewhere,
            Self::All => SessionEndReason::SignedOutEverywhere,
        }
    }

    /// The device whose session stays, if there is one.
    #[must_use]
    pub const fn kept(&self) -> Option<&DeviceId> {
        match self {
            Self::Others(device) => Some(device),
            Self::One(_) | Self::All => None,
        }
    }

    /// The device of the session that ends, if it is one.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::One(device) => Some(device),
            Self::Others(_) | Self::All => None,
        }
    }
}

impl SessionEndReason {
    /// The name of the reason in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::SignedOutElsewhere => "signed_out_elsewhere",
            Self::TokenReused => "token_reused",
            Self::PasswordReset => "password_reset",
            Self::PhoneChanged => "phone_changed",
            Self::IdentifierProved => "identifier_proved",
        }
    }
}

/// A session to be opened.
#[derive(Debug)]
pub struct NewSession {
    pub session: Session,
    /// The first refresh token.
    pub token: RefreshToken,
    pub device: NewDevice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_session_is_never_shorter_than_a_usual_one() {
        let week = Duration::from_hours(7 * 24);
        let lifetimes = SessionLifetimes { usual: week, remembered: REMEMBERED_LIFETIME };
        assert_eq!(lifetimes.of(SessionKind::Usual).as_secs(), 604_800);
        assert_eq!(lifetimes.of(SessionKind::Remembered).as_secs(), 2_592_000);
        let long =
            SessionLifetimes { usual: REMEMBERED_LIFETIME * 2, remembered: REMEMBERED_LIFETIME };
        assert_eq!(long.of(SessionKind::Remembered), REMEMBERED_LIFETIME * 2);
    }

    #[test]
    fn a_refresh_token_is_52_characters_of_base32hex() {
        let token = RefreshToken::new(&[0xff; 32]);
        assert_eq!(token.expose().len(), 52);
        assert!(token.expose().chars().all(|c| matches!(c, '0'..='9' | 'a'..='v')));
        assert_eq!(format!("{token:?}"), "RefreshToken");
    }

    #[test]
    fn the_message_of_a_successor_is_each_part_behind_its_length() {
        let (family, token) = (FamilyId::new(&[0xab; 16]), RefreshToken::new(&[0; 32]));
        let seed = SuccessorSeed { family: &family, token: &token, key_id: &KeyId::new("k") };
        let (family, token) = ("ab".repeat(16), "0".repeat(52));
        let expected = format!("\0\0\0\x07refresh\0\0\0\x20{family}\0\0\0\x34{token}");
        assert_eq!(seed.message(), expected.as_bytes());
    }

    #[test]
    fn only_52_characters_of_base32hex_are_a_refresh_token() {
        let token = RefreshToken::new(&[0xab; 32]);
        assert_eq!(RefreshToken::parse(token.expose()).unwrap().expose(), token.expose());
        for bad in ["", &"0".repeat(51), &"0".repeat(53), &"w".repeat(52), &"V".repeat(52)] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_successor_belongs_to_one_family_and_one_token() {
        let key_id = KeyId::new("k");
        let message = |family: u8, token: u8| {
            let (family, token) = (FamilyId::new(&[family; 16]), RefreshToken::new(&[token; 32]));
            SuccessorSeed { family: &family, token: &token, key_id: &key_id }.message()
        };
        assert_eq!(message(1, 1), message(1, 1));
        assert_ne!(message(1, 1), message(2, 1));
        assert_ne!(message(1, 1), message(1, 2));
    }

    #[test]
    fn a_stored_family_is_the_same_family() {
        let family = FamilyId::new(&[0xab; 16]);
        assert_eq!(family.as_str(), "ab".repeat(16));
        assert_eq!(FamilyId::from_stored(family.as_str()), family);
    }

    #[test]
    fn each_reason_has_a_name_of_its_own() {
        use SessionEndReason::*;
        let user = [SignedOut, SignedOutEverywhere, SignedOutElsewhere];
        let names = ["signed_out", "signed_out_everywhere", "signed_out_elsewhere"];
        assert_eq!(user.map(SessionEndReason::as_str), names);
        let other = [TokenReused, PasswordReset, IdentifierProved];
        let names = ["token_reused", "password_reset", "identifier_proved"];
        assert_eq!(other.map(SessionEndReason::as_str), names);
    }

    #[test]
    fn each_way_to_sign_in_has_a_name_of_its_own() {
        assert_eq!(SignInMethod::ALL.map(SignInMethod::as_str), ["code", "password"]);
        for method in SignInMethod::ALL {
            assert_eq!(SignInMethod::from_name(method.as_str()), Some(method));
        }
        assert_eq!(SignInMethod::from_name("other"), None);
    }

    #[test]
    fn the_event_of_an_end_names_the_device_only_if_it_is_one_session() {
        let device = DeviceId::number(7);
        let reason = |which: SessionsToEnd| (which.reason(), which.device().is_some());
        let one = SessionsToEnd::One(device.clone());
        assert_eq!(reason(one), (SessionEndReason::SignedOut, true));
        let others = SessionsToEnd::Others(device);
        assert_eq!(reason(others), (SessionEndReason::SignedOutElsewhere, false));
        let all = SessionsToEnd::All;
        assert_eq!(reason(all), (SessionEndReason::SignedOutEverywhere, false));
    }
}
