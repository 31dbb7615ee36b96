//! UrbanFits' events; their schemas are in `shared/docs/events/`.

use super::attributes;
use crate::contracts::envelope;
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::identifier::IdentifierKind;
use crate::domain::session::SessionEndReason;
use crate::domain::user::{KnownBy, User};
use crate::domain::wallet::Credit;
use crate::ports::{EventMapper, PortError};
use serde::Serialize;

/// The source of the events.
const SOURCE: &str = "urbanfits.auth";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserCreated<'a> {
    user_id: &'a str,
    username: Option<&'a str>,
    email: Option<&'a str>,
    email_verified: bool,
    phone_prefix: Option<&'a str>,
    phone_number: Option<&'a str>,
    timezone: Option<&'a str>,
    /// For the mail that the original sends to its administrators.
    user_agent: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WalletOpened<'a> {
    user_id: &'a str,
    card_number: Option<&'a str>,
    points: u32,
    source: &'a str,
    opened_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserSignedIn<'a> {
    user_id: &'a str,
    method: &'static str,
    signed_in_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionRevoked<'a> {
    user_id: &'a str,
    reason: &'static str,
    revoked_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordChanged<'a> {
    user_id: &'a str,
    changed_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserDeleted<'a> {
    user_id: &'a str,
    deleted_at: String,
}

/// Writes events in the format that UrbanFits' services expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct UrbanFitsEvents;

impl EventMapper for UrbanFitsEvents {
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
        match fact {
            Fact::UserSignedUp { user, credit: Some(credit), .. } => signed_up(user, credit, ids),
            Fact::SignedIn { user, at, .. } => {
                let facts = UserSignedIn {
                    user_id: user.id.as_str(),
                    method: "password",
                    signed_in_at: envelope::date_time(*at),
                };
                let message = envelope::message((SOURCE, "user.signed_in"), 1, facts, ids, *at)?;
                Ok(vec![message])
            }
            Fact::SessionEnded { user, reason, at, .. } => {
                let facts = SessionRevoked {
                    user_id: user.as_str(),
                    reason: reason.as_str(),
                    revoked_at: envelope::date_time(*at),
                };
                let message = envelope::message((SOURCE, "session.revoked"), 1, facts, ids, *at)?;
                Ok(vec![message])
            }
            Fact::PasswordChanged { user, at, .. } => {
                let changed_at = envelope::date_time(*at);
                let changed = PasswordChanged { user_id: user.as_str(), changed_at };
                let ended = SessionRevoked {
                    user_id: user.as_str(),
                    reason: SessionEndReason::PasswordReset.as_str(),
                    revoked_at: envelope::date_time(*at),
                };
                Ok(vec![
                    envelope::message((SOURCE, "user.password_changed"), 1, changed, ids, *at)?,
                    envelope::message((SOURCE, "session.revoked"), 2, ended, ids, *at)?,
                ])
            }
            Fact::UserDeleted { user, at, .. } => {
                let deleted_at = envelope::date_time(*at);
                let facts = UserDeleted { user_id: user.as_str(), deleted_at };
                Ok(vec![envelope::message((SOURCE, "user.deleted"), 1, facts, ids, *at)?])
            }
            // Every sign-up of UrbanFits makes a wallet. The other facts do not occur.
            Fact::UserSignedUp { credit: None, .. }
            | Fact::IdentifierVerified { .. }
            | Fact::VerificationAsked { .. }
            | Fact::PhoneChanged { .. }
            | Fact::DeviceRegistered { .. } => Ok(Vec::new()),
        }
    }
}

fn signed_up(user: &User, credit: &Credit, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
    let written = |kind| {
        let known = user.identifiers.of_kind(kind);
        known.map(|known| known.identifier.as_written())
    };
    let attribute = |name: &str| user.attributes.text(name);
    let (at, user_id) = (user.created_at, user.id.as_str());
    let created = UserCreated {
        user_id,
        username: written(IdentifierKind::Username),
        email: user.identifiers.email().map(KnownBy::text),
        email_verified: user.identifiers.email().is_some_and(KnownBy::is_verified),
        phone_prefix: attribute(attributes::PHONE_PREFIX),
        phone_number: attribute(attributes::PHONE_NUMBER),
        timezone: attribute(attributes::TIMEZONE),
        user_agent: attribute(attributes::USER_AGENT),
        created_at: envelope::date_time(at),
    };
    let opened = WalletOpened {
        user_id,
        card_number: written(IdentifierKind::Card),
        points: credit.points,
        source: credit.source,
        opened_at: envelope::date_time(credit.at),
    };
    Ok(vec![
        envelope::message((SOURCE, "user.created"), 1, created, ids, at)?,
        envelope::message((SOURCE, "wallet.opened"), 2, opened, ids, at)?,
    ])
}
