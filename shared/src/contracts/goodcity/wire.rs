//! The requests of GoodCity's clients, and the bodies of the responses.

use super::attributes::{ADDRESS_ID, ADDRESS_TYPE, DISTRICT_ID, FIRST_NAME, LAST_NAME};
use super::{App, Refusal, UserObject, bodies, challenge_key, mobile};
use crate::contracts::api::{Field, Fields};
use crate::domain::attributes::Attributes;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Purpose};
use crate::domain::device::DeviceInfo;
use crate::domain::id::Sequence;
use crate::domain::source::Source;
use crate::http;
use crate::usecases::{CodeRequested, Delivery, EnterByCodeCommand, Newcomer, Presented};
use futures_util::future::{BoxFuture, ready};
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The length of the longest name or address type, in characters: the width of the original's
/// columns.
const TEXT_MAX: usize = 255;
/// The part of a device's header that is stored, in bytes.
const HEADER_MAX: usize = 512;
/// The length of the longest push token, in characters.
const PUSH_TOKEN_MAX: usize = 4096;
/// The header with the id that the app gives its device.
const DEVICE_ID: &str = "x-goodcity-device-id";
/// The platforms of push messages.
const PLATFORMS: [&str; 3] = ["fcm", "gcm", "aps"];

/// The request of `POST …/send_pin`.
#[derive(Debug)]
pub struct SendPinRequest {
    pub key: ChallengeKey,
    /// Suppressed for an app that the user of the mobile may not sign in to.
    pub delivery: Delivery,
}

/// The request of `POST …/signup`.
#[derive(Debug)]
pub struct SignupRequest {
    pub key: ChallengeKey,
    /// Suppressed for an app that has no sign-up.
    pub delivery: Delivery,
    /// The user to create if the mobile is new.
    pub newcomer: Newcomer,
}

/// The request of `POST …/verify`.
#[derive(Debug)]
pub struct VerifyRequest {
    pub command: EnterByCodeCommand,
}

/// A pin, and the handle of its challenge: the request of
/// `DELETE /api/v1/auth/current_user_profile`.
#[derive(Debug)]
pub struct HeldPin {
    /// The handle that the client presents, for a code that signs in.
    pub presented: Presented,
    /// The pin that the client sent.
    pub pin: String,
}

/// The request of `POST …/register_device`.
#[derive(Debug)]
pub struct RegisterDeviceRequest {
    pub info: DeviceInfo,
}

/// The response to `send_pin` and `signup`.
#[derive(JsonSchema, Serialize)]
pub struct OtpAuthKey {
    otp_auth_key: String,
}

/// The response to a right pin.
#[derive(JsonSchema, Serialize)]
pub struct VerifiedUser {
    /// A JWT.
    pub jwt_token: String,
    pub user: UserObject,
}

impl From<&CodeRequested> for OtpAuthKey {
    fn from(requested: &CodeRequested) -> Self {
        let key = requested.handle.as_ref().map(|handle| handle.expose().to_owned());
        Self { otp_auth_key: key.unwrap_or_default() }
    }
}

/// Returns whether a request of `app` sends a pin. Users sign up in the donors' app only. A request of
/// a staff app gets the same response, but sends nothing.
fn delivery_in(app: App) -> Delivery {
    if app.is_for_donors() { Delivery::Allowed } else { Delivery::Suppressed }
}

/// The caller that the idempotency key of a request belongs to: its device or its network.
pub fn caller<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    Box::pin(ready(Ok(source(request).caller())))
}

/// The account that the idempotency key of a request belongs to: the holder of its bearer token.
pub fn account<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    Box::pin(ready(Ok(http::bearer(request).unwrap_or_default().to_owned())))
}

/// The source of a request, with the id that the app gives its device.
#[must_use]
pub fn source(request: &Request) -> Source {
    http::source(request).with_device(http::header(request, DEVICE_ID))
}

impl SendPinRequest {
    /// Reads the request: the app, then the mobile. Both are checked before any look-up.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::PIN)?;
        let app = App::of(request)?;
        let key = challenge_key(mobile::parse(fields.get("mobile"))?);
        Ok(Self { key, delivery: delivery_in(app) })
    }
}

/// A value as the messages of the original print it.
fn inspect(value: &Value) -> String {
    if value.is_null() { "nil".to_owned() } else { value.to_string() }
}

fn required_object<'a>(
    fields: &'a Fields<'_>,
    name: &str,
    declared: &'static [Field],
) -> Result<Fields<'a>, Refusal> {
    match fields.get(name) {
        None => Err(Refusal::Parameter(format!("Missing parameter {name}"))),
        Some(Value::Object(object)) => Ok(Fields::of(object, declared)),
        Some(other) => {
            let value = inspect(other);
            let text = format!("Invalid parameter '{name}' value {value}: Must be a Hash");
            Err(Refusal::Parameter(text))
        }
    }
}

fn optional_text<'a>(fields: &'a Fields<'_>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let value = inspect(other);
            let text = format!("Invalid parameter '{name}' value {value}: Must be a String");
            Err(Refusal::Parameter(text))
        }
    }
}

impl SignupRequest {
    /// Reads the request: the app, then types, then the mobile, then the rest.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::USER)?;
        let delivery = delivery_in(App::of(request)?);
        let user = required_object(&fields, "user_auth", bodies::USER_FIELDS)?;
        let address = required_object(&user, "address_attributes", bodies::ADDRESS_FIELDS)?;
        let given = [
            (FIRST_NAME, optional_text(&user, "first_name")?, "First name is too long"),
            (LAST_NAME, optional_text(&user, "last_name")?, "Last name is too long"),
            (DISTRICT_ID, optional_text(&address, "district_id")?, "Address district is invalid"),
            (ADDRESS_TYPE, optional_text(&address, "address_type")?, "Address type is too long"),
        ];
        let key = challenge_key(mobile::parse(user.get("mobile"))?);
        let mut attributes = Attributes::default();
        for (name, value, refusal) in given {
            let Some(value) = value else { continue };
            let is_number =
                (1..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            let fits = match name {
                DISTRICT_ID => value.is_empty() || is_number,
                _ => value.chars().count() <= TEXT_MAX,
            };
            if !fits {
                return Err(Refusal::Invalid(refusal));
            }
            attributes.insert(name, value);
        }
        let numbered = &[(ADDRESS_ID, Sequence::Address)];
        Ok(Self { key, delivery, newcomer: Newcomer { attributes, numbered } })
    }
}

impl VerifyRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// Those of [`HeldPin::read`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let HeldPin { presented, pin } = HeldPin::read(request)?;
        let command = EnterByCodeCommand {
            presented,
            code: pin,
            attributes: Attributes::default(),
            device: DeviceInfo::default(),
            source: source(request),
        };
        Ok(Self { command })
    }
}

impl HeldPin {
    /// Reads a pin and its handle. A missing or malformed field is refused like a wrong pin
    /// (CONTRACT.md, "`POST /api/v1/auth/verify`"), and so is a staff app.
    ///
    /// # Errors
    /// [`Refusal::Pin`], [`Refusal::Body`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::HELD_PIN)?;
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            _ => Err(Refusal::Pin),
        };
        let (handle, pin) = (text("otp_auth_key")?, text("pin")?);
        if !App::of(request).is_ok_and(App::is_for_donors) {
            return Err(Refusal::Pin);
        }
        let presented = Presented::Handle(ChallengeHandle::new(handle), Purpose::SignIn);
        Ok(Self { presented, pin: pin.clone() })
    }
}

impl RegisterDeviceRequest {
    /// Reads the request: the app, then the platform, then the push token.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::DEVICE)?;
        let app = App::of(request)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let platform = PLATFORMS.into_iter().find(|platform| *platform == text("platform"));
        let platform = platform.ok_or(Refusal::Platform)?;
        let push_token = text("handle");
        if push_token.trim().is_empty() {
            return Err(Refusal::Invalid("Handle can't be blank"));
        }
        if push_token.chars().count() > PUSH_TOKEN_MAX {
            return Err(Refusal::Invalid("Handle is too long"));
        }
        let header = |name: &str| http::header_start(request, name, HEADER_MAX);
        Ok(Self {
            info: DeviceInfo {
                app: Some(app.name().to_owned()),
                client_id: header(DEVICE_ID),
                push_token: Some(push_token.to_owned()),
                platform: Some(platform.to_owned()),
                model: None,
                app_version: header("x-goodcity-app-version"),
                user_agent: header("user-agent"),
            },
        })
    }
}
