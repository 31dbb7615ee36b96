//! The requests of Gotu's clients, and the bodies of the responses.

use super::attributes::{REFERRAL_ID, SOURCE, USER_TYPE};
use super::{PASSWORD_MIN, Refusal, bodies, realm};
use crate::contracts::api::{Body, Fields as BodyFields};
use crate::domain::attributes::Attributes;
use crate::domain::challenge::{Audience, ChallengeKey, Purpose};
use crate::domain::device::DeviceInfo;
use crate::domain::email::EmailAddress;
use crate::domain::id::DeviceId;
use crate::domain::identifier::Identifier;
use crate::domain::password::{Password, PasswordError};
use crate::domain::phone::PhoneNumber;
use crate::domain::session::{RefreshToken, SessionsToEnd};
use crate::domain::source::Source;
use crate::http::{self, Successor};
use crate::usecases::{EnterByCodeCommand, Presented, Renewal, SignInCommand, SignUpCommand};
use futures_util::future::{BoxFuture, ready};
use lambda_http::{Request, RequestExt as _};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

/// The header with the id that the app gives its device.
const DEVICE_ID: &str = "X-Device-Id";
/// The password of the documented sign-up. It is accepted although it is a common one (CONTRACT.md,
/// "`POST /users`").
const SAMPLE_PASSWORD: &str = "password";
/// The length of the longest `source`, in characters.
const SOURCE_MAX: usize = 64;
/// The length of the longest device header, in bytes.
const HEADER_MAX: usize = 4096;
/// The platforms of devices.
const PLATFORMS: [&str; 3] = ["android", "ios", "web"];
/// The types that a user can sign up as.
const USER_TYPES: [&str; 2] = ["DNT", "HYG"];

/// The request of `POST /otp`.
#[derive(Debug)]
pub struct OtpRequest {
    pub key: ChallengeKey,
    /// Who gets a code.
    pub audience: Audience,
}

/// The request of `POST /users`, one variant for each flow.
#[derive(Debug)]
pub enum SignUpRequest {
    /// Sign-up with a code that was sent to the phone.
    Phone(EnterByCodeCommand),
    /// Sign-up with an e-mail address and a password.
    Email(SignUpCommand),
}

/// The request of `POST /sessions`.
#[derive(Debug)]
pub struct SessionRequest {
    pub command: SignInCommand,
    pub password: Password,
}

/// The request of `POST /sessions/phone`.
#[derive(Debug)]
pub struct SessionByPhoneRequest {
    pub command: EnterByCodeCommand,
}

/// The request of `POST /sessions/refresh`.
#[derive(Debug)]
pub struct RefreshRequest {
    /// The token, not checked.
    pub refresh_token: SecretString,
}

/// The request of `POST /otp/verification`.
#[derive(Debug)]
pub struct VerificationRequest {
    pub key: ChallengeKey,
    /// The code that the client sent.
    pub code: String,
}

/// The request of `PATCH /users/password`.
#[derive(Debug)]
pub struct PasswordRequest {
    /// The new password.
    pub password: Password,
    /// The token that allows to set it, not checked.
    pub request_token: SecretString,
}

/// The request of `DELETE /users`.
#[derive(Debug)]
pub enum DeletionRequest {
    Password(Password),
    Code {
        /// The challenge of the code.
        key: ChallengeKey,
        /// The code that the client sent.
        code: String,
    },
}

/// The request of `PATCH /users/phone`.
#[derive(Debug)]
pub struct PhoneRequest {
    /// The new phone number.
    pub phone: PhoneNumber,
    /// The token that allows to set it, not checked.
    pub request_token: SecretString,
}

/// The response with a request token: `{"data":{"requestToken":…}}`.
#[derive(JsonSchema, Serialize)]
pub struct RequestTokenResponse {
    data: RequestTokenData,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestTokenData {
    request_token: String,
}

impl RequestTokenResponse {
    #[must_use]
    pub const fn new(request_token: String) -> Self {
        Self { data: RequestTokenData { request_token } }
    }
}

/// The response with a session: `{"data":…}`.
#[derive(JsonSchema, Serialize)]
pub struct Session {
    pub data: Tokens,
}

/// The tokens of a session.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// A JWT.
    pub access_token: String,
    /// How many seconds the access token is valid.
    pub expires_in: u64,
    /// 52 characters of `[0-9a-v]`.
    pub refresh_token: String,
    /// `Bearer`.
    #[schemars(extend("const" = "Bearer"))]
    pub token_type: &'static str,
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::Invalid(text.into())
}

/// The fields of a body. Every field is a text; `null` and `""` mean that it is absent.
struct Fields(BodyFields<'static>);

impl Fields {
    fn read(request: &Request, body: &'static Body) -> Result<Self, Refusal> {
        Ok(Self(BodyFields::read(request, body)?))
    }

    fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} must be a string"))),
        }
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)?.ok_or_else(|| invalid(format!("{name} is required")))
    }
}

fn parse_email(name: &str, text: &str) -> Result<EmailAddress, Refusal> {
    EmailAddress::parse(text).map_err(|_| invalid(format!("{name} must be a valid email address")))
}

fn parse_phone(name: &str, text: &str) -> Result<PhoneNumber, Refusal> {
    let wrong = || invalid(format!("{name} must be a phone number in E.164 format"));
    PhoneNumber::parse(text).map_err(|_| wrong())
}

/// Reads the identifier: an e-mail address or a phone number.
fn read_identifier(fields: &Fields) -> Result<Identifier, Refusal> {
    let identifier = fields.required("identifier")?;
    if identifier.contains('@') {
        return parse_email("identifier", identifier).map(Identifier::Email);
    }
    let wrong = "identifier must be an email address or a phone number in E.164 format";
    PhoneNumber::parse(identifier).map(Identifier::Phone).map_err(|_| invalid(wrong))
}

/// Reads the code: 4 to 8 digits.
fn read_code(fields: &Fields) -> Result<String, Refusal> {
    let code = fields.required("otpCode")?;
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (4..=8).contains(&code.len()) {
        Ok(code.to_owned())
    } else {
        Err(invalid("otpCode must be 4 to 8 digits"))
    }
}

/// Reads a new password. `sample` is the common password that is accepted all the same.
fn new_password(fields: &Fields, name: &str, sample: Option<&str>) -> Result<Password, Refusal> {
    Password::parse_new(fields.required(name)?, PASSWORD_MIN, sample).map_err(|error| match error {
        PasswordError::TooShort => {
            invalid(format!("{name} must be at least {PASSWORD_MIN} characters"))
        }
        PasswordError::TooLong => invalid(format!("{name} must be at most 1024 bytes")),
        PasswordError::TooCommon => invalid(format!("{name} is too common")),
    })
}

impl SessionRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::SIGN_IN)?;
        let email = parse_email("email", fields.required("email")?)?;
        // A password that no user can have is refused like a wrong one.
        let password = fields.required("password")?;
        let password = Password::parse(password, 1).map_err(|_| Refusal::Password)?;
        let (realm, identifier) = (realm(), Identifier::Email(email));
        let (device, source) = (read_device(request)?, source(request));
        let locale = http::locale(request, &super::LOCALES).to_owned();
        let command = SignInCommand { realm, identifier, device, source, locale };
        Ok(Self { command, password })
    }
}

impl SessionByPhoneRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::SIGN_IN_BY_PHONE)?;
        let phone = parse_phone("phoneNumber", fields.required("phoneNumber")?)?;
        let code = read_code(&fields)?;
        let key = challenge_key(Purpose::SignIn, phone);
        Ok(Self {
            command: EnterByCodeCommand {
                presented: Presented::Recipient(key),
                code,
                attributes: Attributes::default(),
                device: read_device(request)?,
                source: source(request),
            },
        })
    }
}

/// The caller that the idempotency key of a request belongs to: its device or its network.
pub fn caller<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    Box::pin(ready(Ok(source(request).caller())))
}

/// The account that the idempotency key of a request belongs to: the holder of its bearer token.
pub fn account<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    Box::pin(ready(Ok(http::bearer(request).unwrap_or_default().to_owned())))
}

/// The id that the app gives its device, if the request has one.
#[must_use]
pub fn client_device(request: &Request) -> Option<String> {
    http::header_text(request, DEVICE_ID)
}

/// The source of a request, with the id that the app gives its device.
#[must_use]
pub fn source(request: &Request) -> Source {
    http::source(request).with_device(http::header(request, DEVICE_ID))
}

/// The challenge of a phone.
fn challenge_key(purpose: Purpose, phone: PhoneNumber) -> ChallengeKey {
    ChallengeKey::new(realm(), purpose, Identifier::Phone(phone))
}

/// The refresh token that a request presents, for an answer that contains its successor.
#[must_use]
pub fn presented_token(request: &Request) -> Option<RefreshToken> {
    let RefreshRequest { refresh_token } = RefreshRequest::read(request).ok()?;
    RefreshToken::parse(refresh_token.expose_secret())
}

/// The refresh token in the answer to a refresh.
#[must_use]
pub fn successor(renewal: &Renewal) -> Successor {
    let Renewal { session, key_id } = renewal;
    Successor {
        token: session.refresh_token.expose().to_owned(),
        family: session.grant.session.family.as_str().to_owned(),
        key: key_id.as_str().to_owned(),
    }
}

impl RefreshRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::REFRESH)?;
        Ok(Self { refresh_token: fields.required("refreshToken")?.into() })
    }
}

impl VerificationRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::VERIFICATION)?;
        let recipient = read_identifier(&fields)?;
        let code = read_code(&fields)?;
        let purpose = match fields.required("otpType")? {
            "change_phone" => Purpose::ChangePhone,
            "reset_password" => Purpose::ResetPassword,
            _ => return Err(invalid("otpType must be one of change_phone, reset_password")),
        };
        Ok(Self { key: ChallengeKey::new(realm(), purpose, recipient), code })
    }
}

impl DeletionRequest {
    /// Reads the request: a password, or an identifier and the code that was sent to it.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::DELETION)?;
        match (fields.optional("password")?, fields.optional("otpCode")?) {
            (Some(password), None) => {
                // A password that no user can have is refused like a wrong one.
                let password = Password::parse(password, 1).map_err(|_| Refusal::Password)?;
                Ok(Self::Password(password))
            }
            (None, Some(_)) => {
                let recipient = read_identifier(&fields)?;
                let key = ChallengeKey::new(realm(), Purpose::DeleteAccount, recipient);
                Ok(Self::Code { key, code: read_code(&fields)? })
            }
            (Some(_), Some(_)) | (None, None) => Err(invalid("password or otpCode is required")),
        }
    }
}

impl PhoneRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::NEW_PHONE)?;
        let request_token = fields.required("requestToken")?.into();
        let phone = parse_phone("phoneNumber", fields.required("phoneNumber")?)?;
        Ok(Self { phone, request_token })
    }
}

impl PasswordRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::NEW_PASSWORD)?;
        let request_token = fields.required("requestToken")?.into();
        Ok(Self { password: new_password(&fields, "newPassword", None)?, request_token })
    }
}

/// Returns the sessions that a sign-out ends: all of them with `?all=true`, else that of the device.
#[must_use]
pub fn sessions_to_end(request: &Request, device: DeviceId) -> SessionsToEnd {
    match request.query_string_parameters().first("all") {
        Some("true") => SessionsToEnd::All,
        _ => SessionsToEnd::One(device),
    }
}

impl OtpRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::OTP)?;
        let recipient = read_identifier(&fields)?;
        let (purpose, audience) = match fields.required("otpType")? {
            "login" => (Purpose::SignIn, Audience::Registered),
            "change_phone" => (Purpose::ChangePhone, Audience::Unregistered),
            "reset_password" => (Purpose::ResetPassword, Audience::Registered),
            "sign_up" => (Purpose::SignUp, Audience::Unregistered),
            "delete_account" => (Purpose::DeleteAccount, Audience::Registered),
            _ => {
                let types = "login, change_phone, reset_password, sign_up, delete_account";
                return Err(invalid(format!("otpType must be one of {types}")));
            }
        };
        Ok(Self { key: ChallengeKey::new(realm(), purpose, recipient), audience })
    }
}

impl SignUpRequest {
    /// Reads the request. A field that the flow does not use is ignored.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::SIGN_UP)?;
        if by_phone(&fields)? { read_phone(&fields, request) } else { read_email(&fields, request) }
    }
}

/// Returns whether the request is a sign-up by phone. Without a `type`, the identifier decides.
fn by_phone(fields: &Fields) -> Result<bool, Refusal> {
    let absent = |value: &Value| value.is_null() || value == "";
    let has = |name: &str| fields.0.get(name).is_some_and(|value| !absent(value));
    match fields.optional("type")?.map(str::to_ascii_lowercase).as_deref() {
        Some("phone") => Ok(true),
        Some("email") => Ok(false),
        Some(_) => Err(invalid("type must be phone or email")),
        None if has("phoneNumber") != has("email") => Ok(has("phoneNumber")),
        None => Err(invalid("type is required")),
    }
}

fn read_phone(fields: &Fields, request: &Request) -> Result<SignUpRequest, Refusal> {
    let phone = parse_phone("phoneNumber", fields.required("phoneNumber")?)?;
    let code = read_code(fields)?;
    let user_type = fields.required("userType")?;
    if !USER_TYPES.contains(&user_type) {
        return Err(invalid("userType must be DNT or HYG"));
    }
    Ok(SignUpRequest::Phone(EnterByCodeCommand {
        presented: Presented::Recipient(challenge_key(Purpose::SignUp, phone)),
        code,
        attributes: sign_up_attributes(fields, Some(user_type))?,
        device: read_device(request)?,
        source: source(request),
    }))
}

fn read_email(fields: &Fields, request: &Request) -> Result<SignUpRequest, Refusal> {
    let email = parse_email("email", fields.required("email")?)?;
    let password = new_password(fields, "password", Some(SAMPLE_PASSWORD))?;
    let user_type = fields.optional("userType")?;
    match user_type {
        // Administrators exist, but users cannot sign up as one (CONTRACT.md, "Differences from the
        // original").
        Some("ADM") => return Err(Refusal::Forbidden),
        Some(other) if !USER_TYPES.contains(&other) => {
            return Err(invalid("userType must be DNT or HYG"));
        }
        _ => {}
    }
    Ok(SignUpRequest::Email(SignUpCommand {
        realm: realm(),
        identifiers: vec![Identifier::Email(email)],
        password,
        attributes: sign_up_attributes(fields, user_type)?,
        referrer: None,
        device: read_device(request)?,
        source: source(request),
        locale: http::locale(request, &super::LOCALES).to_owned(),
    }))
}

/// Reads what both flows have: user type, referral and source. An `id` in the request is ignored:
/// this service makes the ids (CONTRACT.md, "Differences from the original").
fn sign_up_attributes(fields: &Fields, user_type: Option<&str>) -> Result<Attributes, Refusal> {
    let mut attributes = Attributes::default();
    if let Some(user_type) = user_type {
        attributes.insert(USER_TYPE, user_type);
    }
    // The original documents no error for a referral, so a malformed id is ignored.
    let is_id = |id: &&str| id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let referral = fields.0.get("referralID").and_then(Value::as_str);
    if let Some(referral) = referral.filter(is_id) {
        attributes.insert(REFERRAL_ID, referral.to_ascii_lowercase());
    }
    if let Some(source) = fields.optional("source")? {
        if source.chars().count() > SOURCE_MAX {
            return Err(invalid(format!("source must be at most {SOURCE_MAX} characters")));
        }
        attributes.insert(SOURCE, source);
    }
    Ok(attributes)
}

fn read_device(request: &Request) -> Result<DeviceInfo, Refusal> {
    let read = |name: &str| match http::header_text(request, name) {
        Some(value) if value.len() > HEADER_MAX => {
            Err(invalid(format!("{name} must be at most {HEADER_MAX} bytes")))
        }
        value => Ok(value),
    };
    let platform = read("X-Device-Platform")?.map(|platform| platform.to_ascii_lowercase());
    if platform.as_ref().is_some_and(|platform| !PLATFORMS.contains(&platform.as_str())) {
        return Err(invalid("X-Device-Platform must be ios, android or web"));
    }
    Ok(DeviceInfo {
        app: None,
        client_id: read(DEVICE_ID)?,
        push_token: read("X-Device-Token")?,
        platform,
        model: read("X-Device-Model")?,
        app_version: read("X-App-Version")?,
        user_agent: read("User-Agent")?,
    })
}
