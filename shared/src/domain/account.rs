//! Accounts: how a request makes or uses one, and what a proof does to it.
//!
//! The rule that keeps every combination of sign-ups and proofs safe is here ([`IdentifierProof`]):
//! the first proof of an identifier belongs to the owner of the identifier, so it ends what others
//! set up on the account before.

use super::attributes::Attributes;
use super::challenge::Purpose;
use super::device::KnownDevice;
use super::id::{DeviceId, UserId};
use super::identifier::{Identifier, IdentifierKind};
use super::password::PasswordHash;
use super::password_attempts::AttemptSubject;
use super::proof::{Opener, ProvenCode};
use super::realm::Realm;
use super::time::Timestamp;
use super::user::{Identifiers, KnownBy, User};

/// What a request does with an account.
#[derive(Debug)]
pub enum Account {
    /// It makes and uses none. A code may be used up by itself.
    None(Option<ProvenCode>),
    /// It makes one.
    Make(NewAccount),
    /// It uses one that exists.
    Use(KnownAccount),
    /// It deletes one.
    Delete(DeletedAccount),
}

impl Account {
    /// The code that the request uses up.
    #[must_use]
    pub fn code(&self) -> Option<&ProvenCode> {
        match self {
            Self::None(code) => code.as_ref(),
            Self::Make(account) => account.code.as_ref(),
            Self::Use(account) => account.code(),
            Self::Delete(account) => account.code(),
        }
    }

    /// Takes the code out of an account that was not committed. The code is still valid.
    #[must_use]
    pub fn into_code(self) -> Option<ProvenCode> {
        match self {
            Self::None(code) => code,
            Self::Make(account) => account.code,
            Self::Use(KnownAccount {
                credential: Credential::Code(code) | Credential::CodeForPassword { code, .. },
                ..
            }) => Some(code),
            Self::Delete(DeletedAccount { proof: DeletionProof::Code(code), .. }) => Some(*code),
            Self::Use(_) | Self::Delete(_) => None,
        }
    }

    /// The user, as the request found or makes it.
    #[must_use]
    pub const fn user(&self) -> Option<&User> {
        match self {
            Self::None(_) => None,
            Self::Make(account) => Some(&account.user),
            Self::Use(account) => Some(&account.user),
            Self::Delete(account) => Some(&account.user),
        }
    }
}

/// An account to be deleted.
#[derive(Debug)]
pub struct DeletedAccount {
    /// The user, as it was read.
    pub user: User,
    pub proof: DeletionProof,
    /// The devices that are deleted with it.
    pub devices: Vec<KnownDevice>,
}

/// What entitles a signed-in user to the deletion of the account.
#[derive(Debug)]
pub enum DeletionProof {
    /// A right code to an identifier of the user.
    Code(Box<ProvenCode>),
    /// The password. The hash that it was compared with must still be the stored one.
    Password(PasswordHash),
    /// The request of an operator, who has checked who asks for it.
    Operator,
}

impl DeletedAccount {
    /// The code that is used up.
    #[must_use]
    pub fn code(&self) -> Option<&ProvenCode> {
        match &self.proof {
            DeletionProof::Code(code) => Some(code),
            DeletionProof::Password(_) | DeletionProof::Operator => None,
        }
    }
}

/// What every new account has.
#[derive(Debug)]
pub struct Draft {
    pub id: UserId,
    pub attributes: Attributes,
    pub created_at: Timestamp,
}

/// An account to be made. Its identifiers are unverified, except the recipient of a right code.
#[derive(Debug)]
pub struct NewAccount {
    user: User,
    code: Option<ProvenCode>,
}

impl NewAccount {
    /// Returns an account whose identifiers are not proved yet. `password` is the one that the
    /// request states.
    #[must_use]
    pub fn unproved(
        draft: Draft,
        realm: Realm,
        identifiers: Vec<Identifier>,
        password: Option<PasswordHash>,
    ) -> Self {
        let known_by = identifiers.into_iter().map(KnownBy::unverified).collect();
        Self { user: draft.user(realm, known_by, password), code: None }
    }

    /// Returns an account that is deleted at `end` unless an identifier is proved before. Each
    /// identifier is free again at `end` unless it is proved itself.
    #[must_use]
    pub fn until(mut self, end: Timestamp) -> Self {
        self.user.expires_at = Some(end);
        self.user.identifiers.reserve_until(end);
        self
    }

    /// Returns an account for the recipient of a right code, and for `others` that stay unverified.
    ///
    /// It has a password only if a sign-up waited for the code: then the request that sent the code
    /// stated the password. The identifiers and attributes of that sign-up are added.
    #[must_use]
    pub fn proven(draft: Draft, code: ProvenCode, others: Vec<Identifier>) -> Self {
        let key = code.key();
        let mut known_by = vec![KnownBy::verified(key.recipient.clone(), draft.created_at)];
        let mut attributes = Attributes::default();
        let mut password = None;
        if let Some(pending) = code.pending() {
            known_by.extend(pending.identifiers.iter().cloned().map(KnownBy::unverified));
            attributes.extend(pending.attributes.clone());
            password = Some(pending.password.clone());
        }
        known_by.extend(others.into_iter().map(KnownBy::unverified));
        attributes.extend(draft.attributes);
        let user = Draft { attributes, ..draft }.user(key.realm.clone(), known_by, password);
        Self { user, code: Some(code) }
    }

    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }
}

impl Draft {
    fn user(self, realm: Realm, known_by: Vec<KnownBy>, password: Option<PasswordHash>) -> User {
        let Self { id, attributes, created_at } = self;
        User {
            id,
            realm,
            identifiers: Identifiers::new(known_by),
            attributes,
            password,
            created_at,
            expires_at: None,
            last_active_at: None,
            password_changed_at: None,
            sessions_since: None,
            session_kept: None,
            banned_at: None,
        }
    }
}

/// An account that exists, and what entitles the caller to use it.
#[derive(Debug)]
pub struct KnownAccount {
    /// The user, as it was read.
    pub user: User,
    pub credential: Credential,
    pub visit: Visit,
}

impl KnownAccount {
    /// Returns the user as the request leaves it, as far as the end of earlier sessions is concerned: a
    /// takeover ends them, and the session that it opens must begin after the end.
    #[must_use]
    pub fn after(&self, at: Timestamp) -> User {
        let ends = self.takes_over() && self.user.may_have_sessions();
        let ended = ends.then(|| self.user.end_of_sessions(at));
        User { sessions_since: ended.or(self.user.sessions_since), ..self.user.clone() }
    }
}

/// Whether a request counts as a visit of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The user signs in. The time is stored with the user.
    SignsIn,
    /// The user changes the account without signing in.
    StaysOut,
}

/// What entitles a caller to use an account.
#[derive(Debug)]
pub enum Credential {
    /// A right code. It proves its recipient.
    Code(ProvenCode),
    /// A right code with a new password. It proves its recipient and ends every session.
    CodeForPassword { code: ProvenCode, hash: PasswordHash },
    /// The password. It proves nothing else.
    Password {
        /// The hash that the password was compared with. It must still be the stored one.
        seen: PasswordHash,
        /// A hash with the current cost, if the stored one is outdated.
        renewed: Option<PasswordHash>,
        /// The record of attempts that this one was counted in. It is deleted.
        attempts: AttemptSubject,
    },
    /// A code that was used up before. It allows one new password, which ends every session.
    EarlierCode {
        /// The new password.
        hash: PasswordHash,
        /// The time at which the code was used up. The password must not have changed since.
        proved_at: Timestamp,
        /// The kind of the recipient that was proved, if it is known.
        proved: Option<IdentifierKind>,
    },
    /// A session, and a code to a new phone number that was used up before. It allows one change of the
    /// number, which ends every session but this one.
    EarlierCodeOfPhone {
        phone: Identifier,
        /// The time at which the code was used up. The number must not have been proved since.
        proved_at: Timestamp,
        /// The device whose session stays.
        device: DeviceId,
    },
}

impl KnownAccount {
    /// The code that is used up.
    #[must_use]
    pub const fn code(&self) -> Option<&ProvenCode> {
        match &self.credential {
            Credential::Code(code) | Credential::CodeForPassword { code, .. } => Some(code),
            Credential::Password { .. }
            | Credential::EarlierCode { .. }
            | Credential::EarlierCodeOfPhone { .. } => None,
        }
    }

    /// Returns whether a proof takes an identifier away from the account: a takeover does it with
    /// the other ones that could receive a code. A stranger may have given them to keep a way in. A new
    /// phone number replaces the one before.
    #[must_use]
    pub fn drops(&self, identifier: &Identifier) -> bool {
        match &self.credential {
            Credential::EarlierCodeOfPhone { phone, .. } => {
                return identifier.kind() == phone.kind();
            }
            // The first proof of the identifier that the account was made with. Whoever made it may have
            // added a number of their own.
            Credential::EarlierCode { proved: Some(kind), .. } => {
                let known = self.user.identifiers.of_kind(*kind);
                let is_first = known.is_some_and(|known| !known.is_verified());
                return is_first && identifier.receives_codes() && identifier.kind() != *kind;
            }
            Credential::Code(_)
            | Credential::CodeForPassword { .. }
            | Credential::Password { .. }
            | Credential::EarlierCode { proved: None, .. } => {}
        }
        let is_proved = self.code().is_some_and(|code| code.key().recipient == *identifier);
        self.takes_over() && identifier.receives_codes() && !is_proved
    }

    /// Returns whether the right code takes the account over.
    #[must_use]
    pub fn takes_over(&self) -> bool {
        self.proof() == Some(IdentifierProof::TakesOver)
    }

    /// Returns what the right code means for the account; `None` without a code.
    #[must_use]
    pub fn proof(&self) -> Option<IdentifierProof> {
        self.code().map(|code| IdentifierProof::of(&self.user, code))
    }
}

/// What the proof of an identifier means for the account that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierProof {
    /// The identifier was verified before.
    Repeated,
    /// Another identifier was verified before, so the account has an owner already.
    Additional,
    /// The first proof of the account, and the request that opened the challenge stated the
    /// password: the proof completes that sign-up, and its password and sessions stay.
    CompletesSignUp,
    /// The first proof of the account, and the request that opened the challenge did not state the
    /// password. A stranger may have set up the account. The password and the other identifiers that
    /// could receive a code are removed, and every session ends.
    TakesOver,
}

impl IdentifierProof {
    /// Returns whether a right code or link is void: it verifies an identifier or sets a new password,
    /// the request for it did not state the password, and another identifier was verified since. The
    /// account has an owner then, who may be a stranger to the owner of this identifier.
    #[must_use]
    pub fn is_void(user: &User, code: &ProvenCode) -> bool {
        matches!(code.key().purpose, Purpose::Verify | Purpose::ResetPassword)
            && code.opener() == Opener::Other
            && Self::of(user, code) == Self::Additional
    }

    /// Returns what a right code means for a user.
    #[must_use]
    pub fn of(user: &User, code: &ProvenCode) -> Self {
        let known = user.identifiers.find(&code.key().recipient);
        if known.is_some_and(KnownBy::is_verified) {
            Self::Repeated
        } else if user.identifiers.any_verified() {
            Self::Additional
        } else {
            match code.opener() {
                Opener::StatedPassword => Self::CompletesSignUp,
                Opener::Other => Self::TakesOver,
            }
        }
    }
}
