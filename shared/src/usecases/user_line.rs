//! A user of another system, as a line of a file or an answer states it.

use crate::domain::attributes::Attributes;
use crate::domain::identifier::IdentifierKind;
use crate::domain::password::PasswordHash;
use crate::domain::time::Timestamp;
use crate::domain::user::KnownBy;

/// A user, as the other system knows it.
#[derive(Clone, Debug)]
pub struct UserLine {
    pub contract: String,
    /// The shop, for a contract with shops.
    pub shop: Option<String>,
    /// The id. Without it, one is derived from realm and first identifier.
    pub id: Option<String>,
    pub identifiers: Vec<KnownBy>,
    pub attributes: Attributes,
    /// Without it, the user can sign in with a code only, or sets a password with a code.
    pub password: Option<PasswordHash>,
    /// The time of the sign-up; `None` for now.
    pub created_at: Option<Timestamp>,
    pub banned_at: Option<Timestamp>,
}

/// The reason why a line is not imported. The text contains nothing of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    #[error(
        "the line must be an object with contract, identifiers and, if they are known, store, id, \
        attributes, passwordHash, createdAt and bannedAt"
    )]
    Form,
    #[error("there is no such contract")]
    NoContract,
    #[error("store must be the code of a shop, for a contract with shops alone")]
    Store,
    #[error("id must have the format of the contract's ids")]
    Id,
    #[error("id is missing: the contract counts its ids")]
    NoId,
    #[error("an identifier must be an object with kind, value and, if it is verified, verifiedAt")]
    IdentifierForm,
    #[error("the {} is not valid", name(*.0))]
    Invalid(IdentifierKind),
    #[error("users of the contract have no {}", name(*.0))]
    Foreign(IdentifierKind),
    #[error("a user has one {} at most", name(*.0))]
    Repeated(IdentifierKind),
    #[error("users of the contract have a {}", name(*.0))]
    Missing(IdentifierKind),
    #[error("a user has at least one identifier")]
    NoIdentifier,
    #[error("attributes must be an object of texts, with 8192 bytes at most")]
    Attributes,
    #[error("passwordHash has an unknown format, or its cost is above the limits")]
    Hash,
    #[error("createdAt, verifiedAt and bannedAt must be times of the past, as in RFC 3339")]
    Time,
    #[error("another user has this id, or the same user with other identifiers")]
    IdTaken,
    #[error("the {} belongs to another user", name(*.0))]
    Taken(IdentifierKind),
    #[error("the user moved in before and was deleted here")]
    Departed,
}

/// The name of a kind in texts.
const fn name(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Phone => "phone number",
        IdentifierKind::Email => "e-mail address",
        IdentifierKind::Username => "username",
        IdentifierKind::Card => "card number",
    }
}
