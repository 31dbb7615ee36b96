//! GoodCity's events; their schemas are in `shared/docs/events/`.

use super::{app, attributes, claims, mobile};
use crate::contracts::envelope;
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::ports::{EventMapper, PortError};
use serde::Serialize;

/// The source of the events.
const SOURCE: &str = "goodcity.auth";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserCreated<'a> {
    user_id: u32,
    mobile: &'a str,
    mobile_verified: bool,
    address_id: Option<u32>,
    district_id: Option<u32>,
    address_type: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserVerified<'a> {
    user_id: u32,
    mobile: &'a str,
    first_time: bool,
    verified_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceRegistered<'a> {
    user_id: u32,
    device_id: &'a str,
    app: Option<&'a str>,
    platform: Option<&'a str>,
    handle: Option<&'a str>,
    /// The channel that push messages to the user are published on.
    channel: String,
    moved_from: Option<u32>,
    registered_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserDeleted {
    user_id: u32,
    deleted_at: String,
}

/// Writes events in the format that GoodCity's services expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct GoodCityEvents;

impl EventMapper for GoodCityEvents {
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
        let one = |detail_type, at, facts: serde_json::Value| {
            envelope::message((SOURCE, detail_type), 1, facts, ids, at).map(|event| vec![event])
        };
        match fact {
            Fact::UserSignedUp { user, .. } => {
                let mobile = mobile::of(&user.identifiers)?;
                let attribute = |name: &str| user.attributes.text(name);
                let number = |name: &str| attribute(name).and_then(|text| text.parse().ok());
                let facts = UserCreated {
                    user_id: claims::user_number(&user.id)?,
                    mobile: mobile.text(),
                    mobile_verified: mobile.is_verified(),
                    address_id: number(attributes::ADDRESS_ID),
                    district_id: number(attributes::DISTRICT_ID),
                    address_type: attribute(attributes::ADDRESS_TYPE),
                    created_at: envelope::date_time(user.created_at),
                };
                one("user.created", user.created_at, envelope::value(&facts)?)
            }
            // GoodCity's users sign in with a pin, which verifies them, and cannot sign out.
            Fact::IdentifierVerified { .. }
            | Fact::VerificationAsked { .. }
            | Fact::SessionEnded { .. }
            | Fact::PasswordChanged { .. }
            | Fact::PhoneChanged { .. } => Ok(Vec::new()),
            Fact::UserDeleted { user, at, .. } => {
                let deleted_at = envelope::date_time(*at);
                let facts = UserDeleted { user_id: claims::user_number(user)?, deleted_at };
                one("user.deleted", *at, envelope::value(&facts)?)
            }
            Fact::SignedIn { user, at, .. } => {
                let mobile = mobile::of(&user.identifiers)?;
                let facts = UserVerified {
                    user_id: claims::user_number(&user.id)?,
                    mobile: mobile.text(),
                    first_time: !mobile.is_verified(),
                    verified_at: envelope::date_time(*at),
                };
                one("user.verified", *at, envelope::value(&facts)?)
            }
            Fact::DeviceRegistered { user, device, taken_from, at } => {
                let user_id = claims::user_number(user)?;
                let facts = DeviceRegistered {
                    user_id,
                    device_id: device.id.as_str(),
                    app: device.info.app.as_deref(),
                    platform: device.info.platform.as_deref(),
                    handle: device.info.push_token.as_deref(),
                    channel: match device.info.app.as_deref() {
                        None | Some(app::DONORS) => format!("user_{user_id}"),
                        Some(app) => format!("user_{user_id}_{app}"),
                    },
                    moved_from: taken_from.as_ref().map(claims::user_number).transpose()?,
                    registered_at: envelope::date_time(*at),
                };
                one("device.registered", *at, envelope::value(&facts)?)
            }
        }
    }
}
