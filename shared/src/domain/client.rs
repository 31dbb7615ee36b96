//! Clients: programs that act for a shop, and the secrets they authenticate with.

use super::id::hex;
use super::realm::Realm;
use super::time::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeSet;
use std::fmt;
use subtle::{Choice, ConstantTimeEq as _};

/// The id of a client. It is not secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Returns the id with these random bytes: 32 hex digits.
    #[must_use]
    pub fn new(random: &[u8; 16]) -> Self {
        Self(hex(random))
    }

    /// Returns the id that a caller presented. A text that is not an id becomes an id that no
    /// client has, so that it causes the same look-up as any other.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| Self::new(&[0; 16]))
    }

    /// Parses an id: 32 lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 32 && hex).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The secret of a client: 64 hex digits, 256 random bits.
pub struct ClientSecret(SecretString);

impl ClientSecret {
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        Self(hex(random).into())
    }

    /// Returns the text that a caller presented as a secret.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the administrator who created it; it is shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the digest that is stored. One SHA-256 without a salt is enough, because 256 random
    /// bits cannot be guessed.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        let mut bytes = [0; 32];
        let digest = digest(&SHA256, self.expose().as_bytes());
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        SecretDigest(bytes)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret")
    }
}

#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// A digest that no known secret has; it replaces a secret that a client does not have.
    pub const NONE: Self = Self([0; 32]);

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the digest with these stored bytes; `None` unless there are 32.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Compares two digests in constant time.
    fn same(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// The names of what a client may do, in alphabetical order.
pub type Scopes = BTreeSet<String>;

/// A client and its rights.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    /// The realm whose users the client may act on.
    pub realm: Realm,
    /// What the client may do.
    pub scopes: Scopes,
    /// The secret of the client; the older one while it has two.
    pub secret: SecretDigest,
    /// The newer secret, while the client moves from one secret to the other.
    pub next_secret: Option<SecretDigest>,
    pub status: ClientStatus,
    pub created_at: Timestamp,
}

impl Client {
    /// Returns whether the request for `other`, a client with the same id, repeats that for this one.
    #[must_use]
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        let mut secrets = std::iter::once(&self.secret).chain(&self.next_secret);
        let has_secret = secrets.any(|own| own.as_bytes() == other.secret.as_bytes());
        has_secret && self.realm == other.realm && self.scopes == other.scopes
    }
}

/// Whether a client gets tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStatus {
    Active,
    /// The client gets no tokens until an administrator activates it again.
    Suspended,
}

/// One of the two secrets of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSecret {
    /// The secret that the client had first.
    Old,
    /// The secret that the client was given last.
    New,
}

/// Returns whether `presented` is a secret of the client. It always makes two comparisons, so that
/// the time does not show whether the client exists or how many secrets it has.
#[must_use]
pub fn secret_matches(presented: &SecretDigest, client: Option<&Client>) -> bool {
    let secret = client.map_or(&SecretDigest::NONE, |client| &client.secret);
    let next = client.and_then(|client| client.next_secret.as_ref());
    let either = presented.same(secret) | presented.same(next.unwrap_or(&SecretDigest::NONE));
    bool::from(either) & client.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(secret: &ClientSecret, next: Option<&ClientSecret>) -> Client {
        Client {
            id: ClientId::new(&[1; 16]),
            realm: Realm::of_shop("a", "S"),
            scopes: Scopes::new(),
            secret: secret.digest(),
            next_secret: next.map(ClientSecret::digest),
            status: ClientStatus::Active,
            created_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn only_the_secrets_of_the_client_match() {
        let secrets = [1, 2, 3].map(|byte| ClientSecret::new(&[byte; 32]));
        let [one, two, three] = &secrets;
        let single = client(one, None);
        let double = client(one, Some(two));
        assert!(secret_matches(&one.digest(), Some(&single)));
        assert!(!secret_matches(&two.digest(), Some(&single)));
        assert!(
            secret_matches(&one.digest(), Some(&double))
                && secret_matches(&two.digest(), Some(&double))
        );
        assert!(!secret_matches(&three.digest(), Some(&double)));
        assert!(secret_matches(&one.digest(), Some(&client(one, Some(one)))));
        assert!(!secret_matches(&one.digest(), None));
        // A caller who presents the placeholder's digest is refused.
        assert!(!secret_matches(&SecretDigest::NONE, None));
    }

    #[test]
    fn malformed_ids_are_refused_and_secrets_are_not_shown() {
        let id = ClientId::new(&[0xab; 16]);
        assert_eq!(ClientId::parse(id.as_str()), Some(id));
        for bad in ["", "AB", &"A".repeat(32), &"a".repeat(33), &"g".repeat(32)] {
            assert_eq!(ClientId::parse(bad), None, "{bad}");
            assert_eq!(ClientId::presented(bad), ClientId::new(&[0; 16]));
        }
        let secret = ClientSecret::new(&[7; 32]);
        assert_eq!(secret.expose().len(), 64);
        assert_eq!(format!("{secret:?} {:?}", secret.digest()), "ClientSecret SecretDigest");
    }

    #[test]
    fn a_digest_is_stored_in_32_bytes() {
        let digest = ClientSecret::presented("secret").digest();
        let stored = SecretDigest::from_stored(digest.as_bytes()).unwrap();
        assert!(bool::from(stored.same(&digest)));
        assert_eq!(digest.as_bytes().first(), Some(&0x2b));
        assert!(SecretDigest::from_stored(&[0; 31]).is_none());
    }
}
