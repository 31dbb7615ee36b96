//! Proofs: right codes and links, each good for one use.

use super::challenge::{ChallengeHandle, ChallengeKey, Nonce};
use super::code::{CodeSeed, OneTimeCode};
use super::id::UserId;
use super::link::LinkToken;
use super::time::Timestamp;
use super::user::PendingSignUp;

/// The request that opened a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// It stated the password of the account: the sign-up itself.
    StatedPassword,
    /// Any other request. Its sender may be a stranger to the account.
    Other,
}

/// The valid code or link of a challenge.
#[derive(Debug)]
pub struct LiveCode {
    /// The challenge, and what its code is derived from.
    pub seed: CodeSeed,
    /// Whether the code was sent. A guess at a code that was not sent never counts as right.
    pub sent: bool,
    /// The time at which the send was counted in budgets that a use gives back.
    pub counted_at: Option<Timestamp>,
    pub opener: Opener,
    /// The handle that the caller presented, if the code was found by one.
    pub handle: Option<ChallengeHandle>,
    /// The end of the code or link.
    pub expires_at: Timestamp,
    /// The user to be verified. Only a handle has one, and the handle of a decoy has none.
    pub holder: Option<UserId>,
    /// The sign-up that waits for the code.
    pub pending: Option<PendingSignUp>,
    /// Whether the handle allows no further guess.
    pub last_guess: bool,
}

impl LiveCode {
    /// Compares a guess with the `right` code. Returns the proof if they are equal and the code was
    /// sent.
    #[must_use]
    pub fn prove(self, right: &OneTimeCode, guess: &str) -> Option<ProvenCode> {
        self.prove_if(right.matches(guess))
    }

    /// Compares the secret of a link with the `right` one, like [`LiveCode::prove`].
    #[must_use]
    pub fn prove_link(self, right: &LinkToken, secret: &str) -> Option<ProvenCode> {
        self.prove_if(right.matches(secret))
    }

    fn prove_if(self, matches: bool) -> Option<ProvenCode> {
        let Self { seed, sent, counted_at, opener, handle, holder, pending, .. } = self;
        let CodeSeed { key, nonce, .. } = seed;
        // Both conditions are evaluated, so that a code that was not sent takes the same time as
        // one that was.
        (matches & sent).then_some(ProvenCode {
            key,
            nonce,
            counted_at,
            handle,
            holder,
            pending,
            opener,
        })
    }
}

/// A right code or link: the proof that the caller controls its recipient. It works once: the
/// transaction that it entitles the caller to uses it up. Only a comparison makes one
/// ([`LiveCode`]).
#[derive(Debug)]
pub struct ProvenCode {
    key: ChallengeKey,
    nonce: Nonce,
    counted_at: Option<Timestamp>,
    handle: Option<ChallengeHandle>,
    holder: Option<UserId>,
    pending: Option<PendingSignUp>,
    opener: Opener,
}

impl ProvenCode {
    /// The challenge, with the recipient that the caller controls.
    #[must_use]
    pub const fn key(&self) -> &ChallengeKey {
        &self.key
    }

    /// The nonce of the code. The code is invalid if a newer one was sent.
    #[must_use]
    pub const fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// The time at which the send was counted in budgets that a use gives back.
    #[must_use]
    pub const fn counted_at(&self) -> Option<Timestamp> {
        self.counted_at
    }

    /// The handle of the client. It is used up with the code.
    #[must_use]
    pub const fn handle(&self) -> Option<&ChallengeHandle> {
        self.handle.as_ref()
    }

    /// The user to be verified, if the code was found by a handle.
    #[must_use]
    pub const fn holder(&self) -> Option<&UserId> {
        self.holder.as_ref()
    }

    /// The sign-up that waited for the code.
    #[must_use]
    pub const fn pending(&self) -> Option<&PendingSignUp> {
        self.pending.as_ref()
    }

    #[must_use]
    pub const fn opener(&self) -> Opener {
        self.opener
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::challenge::{KeyId, Purpose};
    use crate::domain::code::CodeFormat;
    use crate::domain::identifier::Identifier;
    use crate::domain::realm::Realm;

    fn live(sent: bool) -> LiveCode {
        let recipient = Identifier::from_parts("phone", "+85291234567").unwrap();
        let key = ChallengeKey::new(Realm::of_contract("plain"), Purpose::SignIn, recipient);
        LiveCode {
            seed: CodeSeed { key, nonce: Nonce::new([1; 16]), key_id: KeyId::new("k") },
            sent,
            counted_at: None,
            expires_at: Timestamp::default(),
            opener: Opener::Other,
            handle: None,
            holder: None,
            pending: None,
            last_guess: false,
        }
    }

    #[test]
    fn only_the_right_code_that_was_sent_is_a_proof() {
        let right = OneTimeCode::truncate(&[0; 32], CodeFormat::all_of(5));
        assert!(live(true).prove(&right, "00000").is_some());
        assert!(live(true).prove(&right, "00001").is_none());
        assert!(live(false).prove(&right, "00000").is_none());
    }
}
