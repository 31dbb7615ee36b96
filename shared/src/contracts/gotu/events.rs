//! Gotu's events (contracts.md A.2); their schemas are in `shared/docs/events/`.

use super::wire;
use crate::domain::event::{EventIds, EventMessage, UserSignedUp};
use crate::domain::identifier::Identifier;
use crate::domain::time::Timestamp;
use crate::ports::{EventWording, PortError};
use jiff::Timestamp as Instant;
use serde::Serialize;

/// Who says it.
const SOURCE: &str = "auth-service";
/// The version of the details' schemas.
const SCHEMA_VERSION: u8 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    schema_version: u8,
    event_id: String,
    correlation_id: String,
    sequence: u8,
    #[serde(flatten)]
    facts: T,
}

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

/// RFC 3339 with milliseconds and `Z`.
fn date_time(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// Spells events the way Gotu's services expect them.
#[derive(Clone, Copy, Debug)]
pub struct GotuEvents;

impl GotuEvents {
    fn message(
        detail_type: &str,
        sequence: u8,
        facts: impl Serialize,
        ids: &EventIds,
        at: Timestamp,
    ) -> Result<EventMessage, PortError> {
        let envelope = Envelope {
            schema_version: SCHEMA_VERSION,
            event_id: ids.event_id(sequence),
            correlation_id: ids.correlation_id(),
            sequence,
            facts,
        };
        let detail = serde_json::to_string(&envelope)
            .map_err(|error| PortError::new("write an event", error))?;
        let (source, detail_type) = (SOURCE.to_owned(), detail_type.to_owned());
        Ok(EventMessage { source, detail_type, detail, occurred_at: at })
    }
}

impl EventWording for GotuEvents {
    fn user_signed_up(
        &self,
        fact: &UserSignedUp,
        ids: &EventIds,
    ) -> Result<Vec<EventMessage>, PortError> {
        let UserSignedUp { user, device } = fact;
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let (email, phone) = match &user.identifier {
            Identifier::Email(email) => (Some(email.as_str()), None),
            Identifier::Phone(phone) => (None, Some(phone.as_str())),
        };
        let created = AuthUserCreated {
            user_id: user.id.as_str(),
            r#type: user.identifier.kind(),
            user_type: attribute(wire::USER_TYPE),
            email,
            email_verified: email.is_some() && user.verified,
            phone_number: phone,
            phone_verified: phone.is_some() && user.verified,
            referral_id: attribute(wire::REFERRAL_ID),
            source: attribute(wire::SOURCE),
            created_at: date_time(user.created_at),
        };
        // Published without a push handle too, as the original does.
        let device = NewDeviceToken {
            user_id: user.id.as_str(),
            device_id: device.id.as_u32(),
            platform: device.info.platform.as_deref(),
            device_token: device.info.push_handle.as_deref(),
        };
        Ok(vec![
            Self::message("AUTH_USER_CREATED", 1, created, ids, user.created_at)?,
            Self::message("NEW_DEVICE_TOKEN", 2, device, ids, user.created_at)?,
        ])
    }
}
