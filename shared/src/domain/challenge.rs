//! Challenges: a code was sent, and whoever types it proves that they received it.

use super::id::hex;
use super::identifier::Identifier;
use super::realm::Realm;
use secrecy::{ExposeSecret as _, SecretString};

/// What a code is good for. A code of one purpose never serves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To create an account.
    SignUp,
    /// To open a session of an existing account.
    SignIn,
    /// To set a new password.
    ResetPassword,
    /// To prove a new phone number of an existing account.
    ChangePhone,
    /// To prove the identifiers that an account was made with.
    Verify,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::SignUp, Self::SignIn, Self::ResetPassword, Self::ChangePhone, Self::Verify];

    /// The purpose's name in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::ResetPassword => "reset_password",
            Self::ChangePhone => "change_phone",
            Self::Verify => "verify",
        }
    }

    /// Reads what [`Purpose::as_str`] wrote.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// Whether a code of this purpose goes to a recipient that is, or is not, registered.
    #[must_use]
    pub const fn serves(self, registered: bool) -> bool {
        match self {
            Self::SignUp | Self::ChangePhone => !registered,
            Self::SignIn | Self::ResetPassword | Self::Verify => registered,
        }
    }
}

/// Names a challenge: there is at most one live code for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeKey {
    /// The name space.
    pub realm: Realm,
    /// What the code is good for.
    pub purpose: Purpose,
    /// Who receives it.
    pub recipient: Identifier,
}

/// The random value that makes the code of one send; 128 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// The nonce made of these random bytes.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads bytes that were stored.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for Nonce {
    /// Shows the first two bytes: enough to tell two sends apart, and worthless without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nonce({}…)", hex(self.0.get(..2).unwrap_or_default()))
    }
}

/// What a client holds instead of the recipient of its code: who has it may guess. At rest only its
/// SHA-256 is kept.
pub struct ChallengeHandle(SecretString);

impl ChallengeHandle {
    /// The handle `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the client and for the hash that is stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for ChallengeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChallengeHandle")
    }
}

/// Which key of a ring: the first 8 hex digits of the SHA-256 of its version id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The key id `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How guesses are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimits {
    /// Guesses that one code allows, right ones included.
    pub per_code: u32,
    /// Wrong guesses that one source address may make in an hour; 0 switches the limit off.
    pub per_source_hour: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_read_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_name(purpose.as_str()), Some(purpose));
        }
        assert_eq!(Purpose::from_name("other"), None);
    }
}
