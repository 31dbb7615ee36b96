//! PosBytz's events; their schemas are in `shared/docs/events/`.

use super::attributes;
use super::validation::number_of;
use crate::contracts::envelope;
use crate::domain::event::{EventIds, EventMessage, Fact, VerificationAsked};
use crate::domain::identifier::Identifier;
use crate::domain::session::SignInMethod;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::{EventMapper, PortError};
use serde::Serialize;

/// The type of the event for a sign-in.
const SIGNED_IN: &str = "customer.signed_in";

/// The type of the event for a message that verifies an identifier.
const VERIFICATION_REQUESTED: &str = "customer.verification_requested";

/// The source of the events.
const SOURCE: &str = "posbytz.ecommerce";

#[derive(Serialize)]
struct Mobile<'a> {
    code: &'a str,
    number: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerCreated<'a> {
    user_id: &'a str,
    store: &'a str,
    email: Option<&'a str>,
    email_verified: bool,
    mobile: Option<Mobile<'a>>,
    mobile_verified: bool,
    created_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerificationRequested<'a> {
    user_id: &'a str,
    store: &'a str,
    channel: &'static str,
    requested_at: String,
    expires_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReferralRecorded<'a> {
    user_id: &'a str,
    store: &'a str,
    referral_code: Option<&'a str>,
    referred_by: Option<&'a str>,
    /// Whether the referrer is a known user.
    resolved: bool,
    recorded_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmailVerified<'a> {
    user_id: &'a str,
    store: &'a str,
    email: &'a str,
    verified_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedIn<'a> {
    user_id: &'a str,
    store: &'a str,
    method: &'static str,
    #[serde(rename = "signedInAt")]
    at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MobileVerified<'a> {
    user_id: &'a str,
    store: &'a str,
    mobile: &'a str,
    verified_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordChanged<'a> {
    user_id: &'a str,
    store: &'a str,
    changed_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerDeleted<'a> {
    user_id: &'a str,
    store: &'a str,
    deleted_at: String,
}

/// Writes events in the format that PosBytz's services expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct PosBytzEvents;

impl EventMapper for PosBytzEvents {
    fn events(&self, fact: &Fact, ids: &EventIds) -> Result<Vec<EventMessage>, PortError> {
        match fact {
            Fact::UserSignedUp { user, asked, .. } => signed_up(user, asked, ids),
            Fact::VerificationAsked { user, asked, at } => {
                let messages = (1..).zip(asked).map(|(sequence, asked)| {
                    let facts = envelope::value(&verification_requested(user, asked, *at))?;
                    envelope::message((SOURCE, VERIFICATION_REQUESTED), sequence, facts, ids, *at)
                });
                messages.collect()
            }
            // The code that verifies a mobile also signs in (CONTRACT.md,
            // "`POST /ecommerce/v1/auth/otp/verify`").
            Fact::SignedIn { user, proved: Some(Identifier::Phone(phone)), at, .. } => {
                let (user_id, store) = (user.id.as_str(), user.realm.shop().unwrap_or_default());
                let verified = MobileVerified {
                    user_id,
                    store,
                    mobile: phone.as_str(),
                    verified_at: envelope::date_time(*at),
                };
                let at_text = envelope::date_time(*at);
                let signed_in = SignedIn { user_id, store, method: "otp", at: at_text };
                let name = (SOURCE, "customer.mobile_verified");
                Ok(vec![
                    envelope::message(name, 1, verified, ids, *at)?,
                    envelope::message((SOURCE, SIGNED_IN), 2, signed_in, ids, *at)?,
                ])
            }
            Fact::IdentifierVerified { user, realm, identifier, at } => {
                let facts = EmailVerified {
                    user_id: user.as_str(),
                    store: realm.shop().unwrap_or_default(),
                    email: identifier.as_str(),
                    verified_at: envelope::date_time(*at),
                };
                let name = (SOURCE, "customer.email_verified");
                Ok(vec![envelope::message(name, 1, facts, ids, *at)?])
            }
            Fact::SignedIn { user, method, at, .. } => {
                let facts = SignedIn {
                    user_id: user.id.as_str(),
                    store: user.realm.shop().unwrap_or_default(),
                    method: match method {
                        SignInMethod::Code => "otp",
                        SignInMethod::Password => "password",
                    },
                    at: envelope::date_time(*at),
                };
                Ok(vec![envelope::message((SOURCE, SIGNED_IN), 1, facts, ids, *at)?])
            }
            Fact::PasswordChanged { user, realm, at } => {
                let facts = PasswordChanged {
                    user_id: user.as_str(),
                    store: realm.shop().unwrap_or_default(),
                    changed_at: envelope::date_time(*at),
                };
                let name = (SOURCE, "customer.password_changed");
                Ok(vec![envelope::message(name, 1, facts, ids, *at)?])
            }
            Fact::UserDeleted { user, realm, at } => {
                let facts = CustomerDeleted {
                    user_id: user.as_str(),
                    store: realm.shop().unwrap_or_default(),
                    deleted_at: envelope::date_time(*at),
                };
                Ok(vec![envelope::message((SOURCE, "customer.deleted"), 1, facts, ids, *at)?])
            }
            // PosBytz has no devices and no sign-out.
            Fact::SessionEnded { .. }
            | Fact::PhoneChanged { .. }
            | Fact::DeviceRegistered { .. } => Ok(Vec::new()),
        }
    }
}

/// The channel that an identifier is verified by.
const fn channel(identifier: &Identifier) -> &'static str {
    match identifier {
        Identifier::Phone(_) => "mobile",
        Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => "email",
    }
}

fn verification_requested<'a>(
    user: &'a User,
    asked: &VerificationAsked,
    at: Timestamp,
) -> VerificationRequested<'a> {
    VerificationRequested {
        user_id: user.id.as_str(),
        store: user.realm.shop().unwrap_or_default(),
        channel: channel(&asked.identifier),
        requested_at: envelope::date_time(at),
        expires_at: envelope::date_time(asked.expires_at),
    }
}

fn signed_up(
    user: &User,
    asked: &[VerificationAsked],
    ids: &EventIds,
) -> Result<Vec<EventMessage>, PortError> {
    let (user_id, store, at) =
        (user.id.as_str(), user.realm.shop().unwrap_or_default(), user.created_at);
    let attribute = |name: &str| user.attributes.text(name);
    let mut sequences = 1_u8..;
    let mut message = |detail_type, facts: serde_json::Value| {
        let sequence = sequences.next().unwrap_or(u8::MAX);
        envelope::message((SOURCE, detail_type), sequence, facts, ids, at)
    };
    let mobile = user.identifiers.iter().find_map(|known| match &known.identifier {
        Identifier::Phone(phone) => {
            let code = attribute(attributes::MOBILE_CODE).unwrap_or_default();
            Some(Mobile { code, number: number_of(phone, code) })
        }
        Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => None,
    });
    let created = CustomerCreated {
        user_id,
        store,
        email: user.identifiers.email().map(KnownBy::text),
        email_verified: false,
        mobile,
        mobile_verified: false,
        created_at: envelope::date_time(at),
    };
    let mut events = vec![message("customer.created", envelope::value(&created)?)?];
    for asked in asked {
        let requested = verification_requested(user, asked, at);
        events.push(message(VERIFICATION_REQUESTED, envelope::value(&requested)?)?);
    }
    let (referral_code, referred_by) =
        (attribute(attributes::REFERRAL_CODE), attribute(attributes::REFERRED_BY));
    if referral_code.is_some() || referred_by.is_some() {
        let recorded = ReferralRecorded {
            user_id,
            store,
            referral_code,
            referred_by,
            resolved: referred_by.is_some(),
            recorded_at: envelope::date_time(at),
        };
        events.push(message("referral.recorded", envelope::value(&recorded)?)?);
    }
    Ok(events)
}
