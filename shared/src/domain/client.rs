//! Programs that call on behalf of a store, and the secrets they show for it.

use super::id::hex;
use super::realm::Realm;
use super::time::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeSet;
use std::fmt;
use subtle::{Choice, ConstantTimeEq as _};

/// A client's id; no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// The id made of these random bytes: 32 hex digits.
    #[must_use]
    pub fn new(random: &[u8; 16]) -> Self {
        Self(hex(random))
    }

    /// The id that somebody sent. What cannot be one becomes an id that nobody has, so that it is
    /// looked up like any other.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| Self::new(&[0; 16]))
    }

    /// Reads an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 32 && hex).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client's secret: 64 hex digits, 256 random bits.
pub struct ClientSecret(SecretString);

impl ClientSecret {
    /// The secret made of these random bytes.
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        Self(hex(random).into())
    }

    /// What somebody sent as a secret.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the one who may see it, once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is kept of it. One SHA-256 is enough: there is nothing to guess at 256 random bits.
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

/// The SHA-256 of a client's secret.
#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of no secret: nobody knows what it would be made of.
    pub const NONE: Self = Self([0; 32]);

    /// Its bytes, for the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads bytes that were stored.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Whether both are the same, in a time that tells nothing about where they differ.
    fn same(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// What a client may do, by name, in alphabetical order.
pub type Scopes = BTreeSet<String>;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Whose users it may act upon.
    pub realm: Realm,
    /// What it may do.
    pub scopes: Scopes,
    /// Its secret; the older one, while there are two.
    pub secret: SecretDigest,
    /// The newer secret, while the client moves from one to the other.
    pub next_secret: Option<SecretDigest>,
    /// Whether it gets no tokens for the time being.
    pub suspended: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which of a client's two secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichSecret {
    /// The one it had first.
    Old,
    /// The one it was given last.
    New,
}

/// Whether `presented` is one of the client's secrets. Always two comparisons, client or not, so
/// that the time does not tell whether the client exists or how many secrets it has.
#[must_use]
pub fn proves(presented: &SecretDigest, client: Option<&Client>) -> bool {
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
            suspended: false,
            created_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn either_secret_proves_and_nothing_else() {
        let secrets = [1, 2, 3].map(|byte| ClientSecret::new(&[byte; 32]));
        let [one, two, three] = &secrets;
        let single = client(one, None);
        let double = client(one, Some(two));
        assert!(proves(&one.digest(), Some(&single)));
        assert!(!proves(&two.digest(), Some(&single)));
        assert!(proves(&one.digest(), Some(&double)) && proves(&two.digest(), Some(&double)));
        assert!(!proves(&three.digest(), Some(&double)));
        assert!(!proves(&one.digest(), None));
        // Whoever could present the missing secret's digest proves nothing by it.
        assert!(!proves(&SecretDigest::NONE, None));
    }

    #[test]
    fn ids_are_read_strictly_and_secrets_are_not_shown() {
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
}
