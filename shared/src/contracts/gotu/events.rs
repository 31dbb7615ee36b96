//! Gotu's events (CONTRACT.md, "Events"); their schemas are in `shared/docs/events/`.

use super::attributes;
use super::claims::device_number;
use crate::contracts::envelope;
use crate::domain::device::NewDevice;
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::session::{SessionEndReason, SignInMethod};
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::{EventMapper, PortError};
use serde::Serialize;

/// The source of the events.
const SOURCE: &str = "auth-service";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthUserCreated<'a> {
    user_id: &'a str,
    r#type: &'static str,
    user_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    phone_verified: bool,
    #[serde(rename = "referralID", skip_serializing_if = "Option::is_none")]
    referral_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewDeviceToken<'a> {
    user_id: &'a str,
    device_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    device_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserSignedIn<'a> {
    user_id: &'a str,
    method: &'static str,
    device_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    device_token: Option<&'a str>,
    signed_in_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionRevoked<'a> {
    user_id: &'a str,
    /// Absent if all sessions of the user ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<u32>,
    reason: &'static str,
    revoked_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhoneChanged<'a> {
    user_id: &'a str,
    phone_number: &'a str,
    changed_at: String,
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

/// The type of the event for a session that ended.
const SESSION_REVOKED: &str = "AUTH_SESSION_REVOKED";

/// Writes events in the format that Gotu's services expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct GotuEvents;

impl EventMapper for GotuEvents {
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
        match fact {
            Fact::UserSignedUp { user, device: Some(device), .. } => {
                user_signed_up(user, device, ids)
            }
            Fact::SignedIn { user, method, device, at, .. } => {
                signed_in(&user.id, *method, device.as_ref(), *at, ids)
            }
            Fact::SessionEnded { user, device, reason, at } => {
                let ended = session_revoked(user, device.as_ref(), *reason, *at)?;
                Ok(vec![envelope::message((SOURCE, SESSION_REVOKED), 1, ended, ids, *at)?])
            }
            Fact::PasswordChanged { user, at, .. } => password_changed(user, *at, ids),
            Fact::UserDeleted { user, at, .. } => {
                let deleted_at = envelope::date_time(*at);
                let facts = UserDeleted { user_id: user.as_str(), deleted_at };
                Ok(vec![envelope::message((SOURCE, "AUTH_USER_DELETED"), 1, facts, ids, *at)?])
            }
            Fact::PhoneChanged { user, phone, at, .. } => phone_changed(user, phone, *at, ids),
            // Gotu has no sign-up without a device, no separate verification, and no registration of
            // devices.
            Fact::UserSignedUp { device: None, .. }
            | Fact::IdentifierVerified { .. }
            | Fact::VerificationAsked { .. }
            | Fact::DeviceRegistered { .. } => Ok(Vec::new()),
        }
    }
}

fn signed_in(
    user: &UserId,
    method: SignInMethod,
    device: Option<&NewDevice>,
    at: Timestamp,
    ids: &EventIds,
) -> Result<Vec<EventMessage>, PortError> {
    let info = device.map(|device| &device.info);
    let signed_in = UserSignedIn {
        user_id: user.as_str(),
        method: match method {
            SignInMethod::Code => "otp",
            SignInMethod::Password => "password",
        },
        device_id: device.map(|device| device_number(&device.id)).transpose()?,
        platform: info.and_then(|info| info.platform.as_deref()),
        device_token: info.and_then(|info| info.push_token.as_deref()),
        signed_in_at: envelope::date_time(at),
    };
    Ok(vec![envelope::message((SOURCE, "AUTH_USER_SIGNED_IN"), 1, signed_in, ids, at)?])
}

fn session_revoked<'a>(
    user: &'a UserId,
    device: Option<&DeviceId>,
    reason: SessionEndReason,
    at: Timestamp,
) -> Result<SessionRevoked<'a>, PortError> {
    Ok(SessionRevoked {
        user_id: user.as_str(),
        device_id: device.map(device_number).transpose()?,
        reason: reason.as_str(),
        revoked_at: envelope::date_time(at),
    })
}

fn password_changed(
    user: &UserId,
    at: Timestamp,
    ids: &EventIds,
) -> Result<Vec<EventMessage>, PortError> {
    let changed = PasswordChanged { user_id: user.as_str(), changed_at: envelope::date_time(at) };
    let ended = session_revoked(user, None, SessionEndReason::PasswordReset, at)?;
    Ok(vec![
        envelope::message((SOURCE, "AUTH_PASSWORD_CHANGED"), 1, changed, ids, at)?,
        envelope::message((SOURCE, SESSION_REVOKED), 2, ended, ids, at)?,
    ])
}

fn phone_changed(
    user: &UserId,
    phone: &Identifier,
    at: Timestamp,
    ids: &EventIds,
) -> Result<Vec<EventMessage>, PortError> {
    let changed_at = envelope::date_time(at);
    let changed = PhoneChanged { user_id: user.as_str(), phone_number: phone.as_str(), changed_at };
    let ended = session_revoked(user, None, SessionEndReason::PhoneChanged, at)?;
    Ok(vec![
        envelope::message((SOURCE, "AUTH_PHONE_CHANGED"), 1, changed, ids, at)?,
        envelope::message((SOURCE, SESSION_REVOKED), 2, ended, ids, at)?,
    ])
}

fn user_signed_up(
    user: &User,
    device: &NewDevice,
    ids: &EventIds,
) -> Result<Vec<EventMessage>, PortError> {
    let attribute = |name: &str| user.attributes.text(name);
    let (email, phone) = (user.identifiers.email(), user.identifiers.phone());
    let at = user.created_at;
    let created = AuthUserCreated {
        user_id: user.id.as_str(),
        r#type: if phone.is_some() { "phone" } else { "email" },
        user_type: attribute(attributes::USER_TYPE),
        email: email.map(KnownBy::text),
        email_verified: email.is_some_and(KnownBy::is_verified),
        phone_number: phone.map(KnownBy::text),
        phone_verified: phone.is_some_and(KnownBy::is_verified),
        referral_id: attribute(attributes::REFERRAL_ID),
        source: attribute(attributes::SOURCE),
        created_at: envelope::date_time(at),
    };
    // Also published without a push token, as in the original.
    let device = NewDeviceToken {
        user_id: user.id.as_str(),
        device_id: device_number(&device.id)?,
        platform: device.info.platform.as_deref(),
        device_token: device.info.push_token.as_deref(),
    };
    Ok(vec![
        envelope::message((SOURCE, "AUTH_USER_CREATED"), 1, created, ids, at)?,
        envelope::message((SOURCE, "NEW_DEVICE_TOKEN"), 2, device, ids, at)?,
    ])
}
