//! Challenges: open requests to prove control of a recipient with a code that was sent to it.

use super::id::{UserId, hex};
use super::identifier::Identifier;
use super::realm::Realm;
use secrecy::{ExposeSecret as _, SecretString};

/// What a code may be used for. A code of one purpose is never accepted for another one. Who gets
/// a code is not decided here but by the request ([`Audience`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Creating an account.
    SignUp,
    /// Opening a session of an existing account.
    SignIn,
    /// Setting a new password.
    ResetPassword,
    /// Proving control of a new phone number of an existing account.
    ChangePhone,
    /// Proving control of the identifiers that an account was created with.
    Verify,
    /// Deleting an account.
    DeleteAccount,
}

impl Purpose {
    pub const ALL: [Self; 6] = [
        Self::SignUp,
        Self::SignIn,
        Self::ResetPassword,
        Self::ChangePhone,
        Self::Verify,
        Self::DeleteAccount,
    ];

    /// The name of the purpose in table keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::ResetPassword => "reset_password",
            Self::ChangePhone => "change_phone",
            Self::Verify => "verify",
            Self::DeleteAccount => "delete_account",
        }
    }

    /// Returns the purpose with this name; the inverse of [`Purpose::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// The recipients that a request sends its code to. To all others it sends nothing, at the same
/// cost and with the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Recipients that are an identifier of an account.
    Registered,
    /// Recipients that are not an identifier of any account.
    Unregistered,
    /// Every recipient.
    Everyone,
}

impl Audience {
    /// Returns whether the code is sent to a recipient that is an identifier of `user`.
    #[must_use]
    pub const fn includes(self, user: Option<&UserId>) -> bool {
        match self {
            Self::Registered => user.is_some(),
            Self::Unregistered => user.is_none(),
            Self::Everyone => true,
        }
    }
}

/// The key of a challenge. Each challenge has at most one valid code, and a record of the messages
/// that were sent for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeKey {
    pub realm: Realm,
    pub purpose: Purpose,
    /// The phone number or e-mail address that receives the code.
    pub recipient: Identifier,
    pub lane: Lane,
}

/// Who asks for the codes of a challenge. Each lane has its own code and its own limits, so that
/// requests in one cannot use up or replace anything of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Any source.
    Strangers,
    /// The sources whose network, or client, the account of the recipient knows.
    Network,
    /// The devices that the account knows. Neighbours in the network cannot use up anything of theirs.
    Device,
    /// Requests that send nothing, whoever the recipient is.
    Unsent,
}

impl Lane {
    pub const ALL: [Self; 4] = [Self::Strangers, Self::Network, Self::Device, Self::Unsent];

    /// The name of the lane in the tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strangers => "strangers",
            Self::Network => "network",
            Self::Device => "device",
            Self::Unsent => "unsent",
        }
    }

    /// Returns the lane with this name; the inverse of [`Lane::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}

impl ChallengeKey {
    /// Returns the key of a challenge in the lane of any source.
    #[must_use]
    pub const fn new(realm: Realm, purpose: Purpose, recipient: Identifier) -> Self {
        Self { realm, purpose, recipient, lane: Lane::Strangers }
    }

    /// Returns whether a link proves the recipient, and not a code: an address that is verified.
    #[must_use]
    pub const fn is_of_link(&self) -> bool {
        matches!((self.purpose, &self.recipient), (Purpose::Verify, Identifier::Email(_)))
    }

    /// Returns the key of the same challenge in another lane.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { lane, ..self.clone() }
    }
}

/// Who guesses at a code. Each has guesses of its own, so that strangers cannot use up those of the
/// person who asked for the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guesser {
    /// The source that asked for the code, or one of the same lane.
    Linked,
    /// Any other source.
    Stranger,
}

/// The random value that the code of one send is derived from: 128 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

impl Nonce {
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the nonce with these stored bytes; `None` unless there are 16.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for Nonce {
    /// Shows the first two bytes: enough to tell two sends apart, and useless without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nonce({}…)", hex(self.0.get(..2).unwrap_or_default()))
    }
}

/// The random reference that a client holds to a challenge. It allows guesses at the code. The
/// tables contain only its SHA-256.
#[derive(Clone)]
pub struct ChallengeHandle(SecretString);

impl ChallengeHandle {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the client and for the hash.
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

/// The id of a key in a key ring: the first 8 hex digits of the SHA-256 of its version id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The limits of guesses at codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimits {
    /// The number of guesses that one code allows, including the right one.
    pub per_code: u32,
    /// The number of guesses that one code allows while the contract is under attack.
    pub per_code_in_attack: u32,
}

impl GuessLimits {
    /// Returns the number of guesses at one code. Strangers have about half as many as the source
    /// that asked for the code. `attacked` tells whether the contract is under attack.
    #[must_use]
    pub fn per_code(&self, guesser: Guesser, attacked: bool) -> u32 {
        let most = if attacked { self.per_code_in_attack } else { self.per_code };
        match guesser {
            Guesser::Linked => most,
            Guesser::Stranger => most.div_ceil(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_parsed_from_its_name() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_name(purpose.as_str()), Some(purpose));
        }
        assert_eq!(Purpose::from_name("other"), None);
    }

    #[test]
    fn an_audience_includes_known_recipients_unknown_ones_or_both() {
        let user = UserId::from_stored("1");
        let known_and_unknown =
            |audience: Audience| (audience.includes(Some(&user)), audience.includes(None));
        assert_eq!(known_and_unknown(Audience::Registered), (true, false));
        assert_eq!(known_and_unknown(Audience::Unregistered), (false, true));
        assert_eq!(known_and_unknown(Audience::Everyone), (true, true));
    }

    #[test]
    fn a_lane_is_parsed_from_its_name() {
        for lane in Lane::ALL {
            assert_eq!(Lane::from_name(lane.as_str()), Some(lane));
        }
        let names = Lane::ALL.map(Lane::as_str);
        assert_eq!(names, ["strangers", "network", "device", "unsent"]);
        assert_eq!(Lane::from_name("other"), None);
    }

    #[test]
    fn strangers_have_half_of_the_guesses_and_an_attack_takes_some() {
        let limits = GuessLimits { per_code: 5, per_code_in_attack: 2 };
        assert_eq!(limits.per_code(Guesser::Linked, false), 5);
        assert_eq!(limits.per_code(Guesser::Stranger, false), 3);
        assert_eq!(limits.per_code(Guesser::Linked, true), 2);
        assert_eq!(limits.per_code(Guesser::Stranger, true), 1);
    }

    #[test]
    fn each_purpose_has_a_name_of_its_own() {
        let names = Purpose::ALL.map(Purpose::as_str);
        let expected =
            ["sign_up", "sign_in", "reset_password", "change_phone", "verify", "delete_account"];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_nonce_is_stored_in_16_bytes() {
        let nonce = Nonce::new([7; 16]);
        assert_eq!(Nonce::from_stored(nonce.as_bytes()), Some(nonce));
        for bad in [&[7; 15][..], &[7; 17]] {
            assert_eq!(Nonce::from_stored(bad), None);
        }
    }

    #[test]
    fn debug_shows_two_bytes_of_a_nonce_and_nothing_of_a_handle() {
        assert_eq!(format!("{:?}", Nonce::new([0xab; 16])), "Nonce(abab…)");
        assert_eq!(format!("{:?}", ChallengeHandle::new("secret")), "ChallengeHandle");
    }
}
