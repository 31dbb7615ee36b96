//! The requests of UrbanFits' clients, and the bodies of the responses.

use super::attributes::{PHONE_NUMBER, PHONE_PREFIX, TIMEZONE, USER_AGENT};
use super::cookies::SESSION_TOKEN;
use super::user::{REGISTER_PROVIDER, UserObject};
use super::{Refusal, bodies, realm};
use crate::contracts::api::Fields;
use crate::domain::attributes::Attributes;
use crate::domain::challenge::{ChallengeHandle, Purpose};
use crate::domain::device::DeviceInfo;
use crate::domain::email::EmailAddress;
use crate::domain::identifier::Identifier;
use crate::domain::password::{Password, PasswordError, length};
use crate::domain::session::SessionKind;
use crate::domain::username::{Username, UsernameError};
use crate::http;
use crate::ports::PortError;
use crate::usecases::{
    CodeRequested, EnterByCodeCommand, Presented, ResendSignUpCommand, ResetByCodeCommand,
    SignInCommand, StartSignUpCommand,
};
use futures_util::future::{BoxFuture, ready};
use jiff::tz;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The length of the shortest and of the longest password, in characters (CONTRACT.md,
/// "`POST /auth/signup`").
const PASSWORD_MIN: usize = 8;
const PASSWORD_MAX: usize = 128;
/// The password of the documented sign-up. It is accepted although it is a common one (CONTRACT.md,
/// "`POST /auth/signup`").
const SAMPLE_PASSWORD: &str = "password";
/// The number of digits of a phone number without its prefix, and the limit with it (CONTRACT.md,
/// "`POST /auth/signup`"; ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 4..=14;
const E164_DIGITS_MAX: usize = 15;
/// The length of the shortest `otp_id` that the original accepts, in characters (CONTRACT.md,
/// "`POST /auth/signup/callback`").
const OTP_ID_MIN: usize = 18;
/// The part of a `User-Agent` that is stored, in bytes. The session's cookie contains it, encoded
/// twice, and browsers ignore cookies above 4096 bytes.
const USER_AGENT_MAX: usize = 512;

/// The request of `POST …/signup`.
#[derive(Debug)]
pub struct SignupRequest {
    pub command: StartSignUpCommand,
    /// The address as the client sent it. The response repeats it.
    pub submitted_email: String,
}

/// The request of `POST …/signup/callback`.
#[derive(Debug)]
pub struct CallbackRequest {
    pub command: EnterByCodeCommand,
}

/// The response to a sign-up.
#[derive(JsonSchema, Serialize)]
pub struct PendingResponse {
    success: bool,
    otp_id: String,
    msg: String,
    redirect_url: String,
}

/// The request of `POST …/signup/resend`.
#[derive(Debug)]
pub struct ResendRequest {
    pub command: ResendSignUpCommand,
}

/// The request of `POST …/otp/forgot-password`.
#[derive(Debug)]
pub struct ForgotPasswordRequest {
    pub email: EmailAddress,
    /// The address as the client sent it. The response repeats it.
    pub submitted_email: String,
}

/// The request of `PUT …/otp/change-password`.
#[derive(Debug)]
pub struct ChangePasswordRequest {
    pub command: ResetByCodeCommand,
}

/// The response to a request for a code that is sent by e-mail.
#[derive(JsonSchema, Serialize)]
pub struct CodeSentResponse {
    success: bool,
    otp_id: String,
    msg: String,
}

impl CodeSentResponse {
    /// The response to a client that sent `email`, whether it has an account or not.
    #[must_use]
    pub fn new(requested: &CodeRequested, email: &str) -> Self {
        let otp_id = requested.handle.as_ref().map(|handle| handle.expose().to_owned());
        let msg = format!("Verification Email sent to {email}");
        Self { success: true, otp_id: otp_id.unwrap_or_default(), msg }
    }

    /// The response to a client that may not know the address: it states the masked one.
    #[must_use]
    pub fn again(requested: &CodeRequested) -> Self {
        Self::new(requested, &masked(requested.recipient.as_str()))
    }
}

/// The first letters of the two parts of an address, and its top-level domain:
/// `i•••@d•••.com`. The number of dots does not tell the length.
fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let top = domain.rsplit_once('.').map(|(_, top)| top).unwrap_or_default();
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}•••@{}•••.{top}", first(local), first(domain))
}

/// The request of `POST …/login`.
#[derive(Debug)]
pub struct LoginRequest {
    pub command: SignInCommand,
    pub password: Password,
    /// The kind that `remember_me` asks for.
    pub session_kind: SessionKind,
    /// The name of the browser, cut to the length that is stored.
    pub user_agent: String,
}

/// The request of `DELETE /user/delete/me`.
#[derive(Debug)]
pub struct DeletionRequest {
    pub password: Password,
}

/// The request of `POST …/logout`.
#[derive(Debug)]
pub struct LogoutRequest {
    pub sessions: LogoutSessions,
}

/// The sessions that a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutSessions {
    /// The session of the request.
    Current,
    /// All sessions of the user.
    All,
}

/// The response with a user.
#[derive(JsonSchema, Serialize)]
pub struct UserResponse {
    success: bool,
    msg: &'static str,
    user: UserObject,
}

impl PendingResponse {
    /// The response to a client that sent `email`. It returns the handle with the code.
    ///
    /// # Errors
    /// There is no handle, which is a defect of the contract's profile.
    pub fn new(requested: &CodeRequested, email: &str) -> Result<Self, PortError> {
        let handle = requested.handle.as_ref();
        let handle = handle
            .ok_or_else(|| PortError::new("start a sign-up", "the contract has no handles"))?;
        let otp_id = handle.expose().to_owned();
        Ok(Self {
            success: true,
            msg: format!("Verification Email sent to {email}"),
            redirect_url: format!("/auth/signup/verify-otp?otp_id={otp_id}"),
            otp_id,
        })
    }
}

impl UserResponse {
    /// The response to a completed sign-up. The text is the original's, to the letter.
    #[must_use]
    pub const fn registered(user: UserObject) -> Self {
        Self { success: true, msg: "You're Resgistered successfully !", user }
    }

    /// The response to a sign-in.
    #[must_use]
    pub const fn signed_in(user: UserObject) -> Self {
        Self { success: true, msg: "You're Logged in successfully !", user }
    }

    /// The response to `GET …/get/me`.
    #[must_use]
    pub const fn known(user: UserObject) -> Self {
        Self { success: true, msg: "", user }
    }
}

/// The name of the browser, cut to the length that is stored.
fn user_agent(request: &Request) -> String {
    http::header_start(request, "user-agent", USER_AGENT_MAX).unwrap_or_default()
}

impl LoginRequest {
    /// Reads the request. A malformed address, username or password is refused like a wrong one.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::SIGN_IN) {
            Err(http::BodyError::Malformed) => return Err(Refusal::LoginParameters),
            fields => fields?,
        };
        let text = |name| required(&fields, name).map_err(|_| Refusal::LoginParameters);
        let (login, password) = (text("email")?, text("password")?);
        let provider = fields.get("register_provider").filter(|provider| !provider.is_null());
        if provider.is_some_and(|provider| provider != REGISTER_PROVIDER) {
            return Err(Refusal::Provider);
        }
        let identifier = if login.contains('@') {
            EmailAddress::parse(login).ok().map(Identifier::Email)
        } else {
            Username::parse(login).ok().map(Identifier::Username)
        };
        let identifier = identifier.ok_or(Refusal::Credentials)?;
        Ok(Self {
            password: Password::parse(password, 1).map_err(|_| Refusal::Credentials)?,
            command: SignInCommand {
                realm: realm(),
                identifier,
                device: DeviceInfo::default(),
                source: http::source(request),
                locale: http::locale(request, &super::LOCALES).to_owned(),
            },
            session_kind: match fields.get("remember_me") {
                Some(Value::Bool(true)) => SessionKind::Remembered,
                _ => SessionKind::Usual,
            },
            user_agent: user_agent(request),
        })
    }
}

impl LogoutRequest {
    /// Reads the request. An empty or malformed body is like an empty object.
    ///
    /// # Errors
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let sessions = match Fields::read(request, &bodies::SIGN_OUT) {
            Ok(fields) if fields.get("all") == Some(&Value::Bool(true)) => LogoutSessions::All,
            Ok(_) | Err(http::BodyError::Malformed) => LogoutSessions::Current,
            Err(error @ http::BodyError::TooLarge) => return Err(error.into()),
        };
        Ok(Self { sessions })
    }
}

/// The text of a field.
///
/// # Errors
/// [`Refusal::Parameters`] if the field is missing, empty or not a text.
fn required<'a>(fields: &'a Fields<'_>, name: &str) -> Result<&'a str, Refusal> {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() { Err(Refusal::Parameters) } else { Ok(text) }
}

/// The IANA name of a timezone, in upper and lower case as in the database.
fn timezone(name: &str) -> Result<String, Refusal> {
    let zone = tz::db().get(name).map_err(|_| Refusal::Parameters)?;
    zone.iana_name().map(str::to_owned).ok_or(Refusal::Parameters)
}

fn phone(prefix: &str, number: &str) -> Result<(), Refusal> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let country = prefix.strip_prefix('+').unwrap_or_default();
    if !(1..=4).contains(&country.len()) || !digits(country) || country.starts_with('0') {
        return Err(Refusal::Invalid("Phone prefix should be a country code such as +971."));
    }
    if !PHONE_DIGITS.contains(&number.len()) || !digits(number) {
        return Err(Refusal::Invalid("Phone number should have 4 to 14 digits."));
    }
    if country.len().saturating_add(number.len()) > E164_DIGITS_MAX {
        return Err(Refusal::Invalid("Phone number and prefix should have 15 digits at most."));
    }
    Ok(())
}

/// The caller that the idempotency key of a request belongs to: its network.
pub fn caller<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    Box::pin(ready(Ok(http::source(request).caller())))
}

/// The account that the idempotency key of a request belongs to: the holder of its session.
pub fn account<'a, S>(_: &'a S, request: &'a Request) -> BoxFuture<'a, Result<String, Refusal>> {
    let session = http::cookie(request, SESSION_TOKEN).unwrap_or_default();
    Box::pin(ready(Ok(session.to_owned())))
}

impl SignupRequest {
    /// Reads the request. The order of the checks is the contract's: missing fields, formats,
    /// policies. Unknown fields are ignored.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request, locale: &str) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::SIGN_UP) {
            Err(http::BodyError::Malformed) => return Err(Refusal::Parameters),
            fields => fields?,
        };
        let text = |name| required(&fields, name);
        let (username, submitted_email) = (text("username")?, text("email")?);
        let (prefix, number) = (text("phone_prefix")?, text("phone_number")?);
        let password = text("password")?;
        let timezone = timezone(text("timezone")?)?;
        let username = Username::parse(username).map_err(|error| {
            Refusal::Invalid(match error {
                UsernameError::Length => "Username should have 4 to 30 characters.",
                UsernameError::Character => {
                    "Username can have letters, digits, underscores, dots and hyphens only."
                }
            })
        })?;
        let email = EmailAddress::parse(submitted_email)
            .map_err(|_| Refusal::Invalid("Email should be a valid email address."))?;
        phone(prefix, number)?;
        let password = new_password(password, Some(SAMPLE_PASSWORD))?;
        if fields.get("accept_policies") != Some(&Value::Bool(true)) {
            return Err(Refusal::Policies);
        }
        let attributes = [(PHONE_PREFIX, prefix), (PHONE_NUMBER, number), (TIMEZONE, &timezone)];
        let attributes =
            attributes.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        Ok(Self {
            submitted_email: submitted_email.to_owned(),
            command: StartSignUpCommand {
                realm: realm(),
                email,
                username,
                password,
                attributes: attributes.collect(),
                source: http::source(request),
                locale: locale.to_owned(),
            },
        })
    }
}

impl ResendRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// [`Refusal::ResendParameters`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request, locale: &str) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::HANDLE) {
            Err(http::BodyError::Malformed) => return Err(Refusal::ResendParameters),
            fields => fields?,
        };
        let command = ResendSignUpCommand {
            realm: realm(),
            handle: otp_id(&fields).ok_or(Refusal::ResendParameters)?,
            source: http::source(request),
            locale: locale.to_owned(),
        };
        Ok(Self { command })
    }
}

impl ForgotPasswordRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::ADDRESS) {
            Err(http::BodyError::Malformed) => return Err(Refusal::ForgotParameters),
            fields => fields?,
        };
        let submitted_email = required(&fields, "email").map_err(|_| Refusal::ForgotParameters)?;
        let email = EmailAddress::parse(submitted_email)
            .map_err(|_| Refusal::Invalid("Email should be a valid email address."))?;
        Ok(Self { email, submitted_email: submitted_email.to_owned() })
    }
}

impl DeletionRequest {
    /// Reads the request. A password that no user can have is a wrong one.
    ///
    /// # Errors
    /// [`Refusal::DeletionParameters`], [`Refusal::Credentials`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::DELETION) {
            Err(http::BodyError::Malformed) => return Err(Refusal::DeletionParameters),
            fields => fields?,
        };
        let password = required(&fields, "password").map_err(|_| Refusal::DeletionParameters)?;
        let password = Password::parse(password, 1).map_err(|_| Refusal::Credentials)?;
        Ok(Self { password })
    }
}

impl ChangePasswordRequest {
    /// Reads the request. A code that is a JSON number is a wrong code, as in [`CallbackRequest`].
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::NEW_PASSWORD) {
            Err(http::BodyError::Malformed) => return Err(Refusal::ChangeParameters),
            fields => fields?,
        };
        let (otp_id, code) = held_code(&fields).ok_or(Refusal::ChangeParameters)?;
        let password = required(&fields, "new_password").map_err(|_| Refusal::ChangeParameters)?;
        let command = ResetByCodeCommand {
            presented: Presented::Handle(otp_id, Purpose::ResetPassword),
            code,
            password: new_password(password, None)?,
            source: http::source(request),
        };
        Ok(Self { command })
    }
}

/// The `otp_id` of a request; `None` if it is missing or too short.
fn otp_id(fields: &Fields<'_>) -> Option<ChallengeHandle> {
    let otp_id = fields.get("otp_id").and_then(Value::as_str).unwrap_or_default();
    (otp_id.chars().count() >= OTP_ID_MIN).then(|| ChallengeHandle::new(otp_id))
}

/// The `otp_id` and the code of a request; `None` if one of them is missing.
fn held_code(fields: &Fields<'_>) -> Option<(ChallengeHandle, String)> {
    let code = match fields.get("otp") {
        Some(Value::String(otp)) if !otp.is_empty() => otp.clone(),
        // A code is never empty, so this one is counted as a guess and refused.
        Some(Value::Number(_)) => String::new(),
        _ => return None,
    };
    Some((otp_id(fields)?, code))
}

/// A new password. `sample` is accepted although it is a common one.
fn new_password(password: &str, sample: Option<&str>) -> Result<Password, Refusal> {
    let too_long = Refusal::Invalid("Password should be at most 128 characters.");
    if length(password) > PASSWORD_MAX {
        return Err(too_long);
    }
    Password::parse_new(password, PASSWORD_MIN, sample).map_err(|error| match error {
        PasswordError::TooShort => Refusal::Invalid("Password should be at least 8 characters."),
        PasswordError::TooLong => too_long,
        PasswordError::TooCommon => Refusal::Invalid("Password is too common."),
    })
}

impl CallbackRequest {
    /// Reads the request. A code that is a JSON number is a wrong code, not a missing one
    /// (CONTRACT.md, "`POST /auth/signup/callback`").
    ///
    /// # Errors
    /// [`Refusal::CallbackParameters`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match Fields::read(request, &bodies::HELD_CODE) {
            Err(http::BodyError::Malformed) => return Err(Refusal::CallbackParameters),
            fields => fields?,
        };
        let (otp_id, code) = held_code(&fields).ok_or(Refusal::CallbackParameters)?;
        let mut attributes = Attributes::default();
        attributes.insert(USER_AGENT, user_agent(request));
        let command = EnterByCodeCommand {
            presented: Presented::Handle(otp_id, Purpose::SignUp),
            code,
            attributes,
            device: DeviceInfo::default(),
            source: http::source(request),
        };
        Ok(Self { command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(change: impl FnOnce(&mut Value)) -> Result<SignupRequest, Refusal> {
        let mut body = json!({
            "username": "user_123", "email": "Example@Domain.com", "phone_prefix": "+92",
            "phone_number": "30142353150", "password": "password", "timezone": "Asia/Dubai",
            "accept_policies": true,
        });
        change(&mut body);
        SignupRequest::read(&Request::new(body.to_string().into()), "en")
    }

    #[test]
    fn the_documented_request_is_read() {
        let request = read(|_| {}).unwrap();
        assert_eq!(request.submitted_email, "Example@Domain.com");
        assert_eq!(request.command.email.as_str(), "example@domain.com");
        assert_eq!(request.command.attributes.text(TIMEZONE), Some("Asia/Dubai"));
        // The zone is stored with the upper and lower case of the database.
        let lower_case = read(|body| body["timezone"] = "asia/karachi".into()).unwrap();
        assert_eq!(lower_case.command.attributes.text(TIMEZONE), Some("Asia/Karachi"));
    }

    #[test]
    fn missing_fields_are_refused_before_formats_and_formats_before_policies() {
        let refusal = |change: fn(&mut Value)| read(change).unwrap_err();
        assert_eq!(
            refusal(|body| {
                body["password"] = "short".into();
                body["timezone"] = "Mars/Base".into();
                body["accept_policies"] = false.into();
            }),
            Refusal::Parameters
        );
        assert_eq!(
            refusal(|body| {
                body["password"] = "short".into();
                body["accept_policies"] = false.into();
            }),
            Refusal::Invalid("Password should be at least 8 characters.")
        );
        assert_eq!(refusal(|body| body["accept_policies"] = "true".into()), Refusal::Policies);
    }

    #[test]
    fn a_masked_address_shows_two_letters_and_the_top_level_domain() {
        for (email, shown) in [
            ("ines@domain.com", "i•••@d•••.com"),
            ("i@d.co", "i•••@d•••.co"),
            ("ines.long-name@mail.shop.domain.com.au", "i•••@m•••.au"),
        ] {
            assert_eq!(masked(email), shown);
        }
    }

    #[test]
    fn a_phone_is_a_prefix_and_digits() {
        assert!(phone("+92", "30142353150").is_ok());
        assert!(phone("+1", "2025550123").is_ok());
        for (prefix, number) in [
            ("92", "30142353150"),
            ("+", "30142353150"),
            ("+0", "30142353150"),
            ("+92345", "30142353"),
            ("+92", "301"),
            ("+92", "301423531501234"),
            ("+92", "3014 235"),
            ("+92", "٣٠١٤٢٣٥٣"),
            ("+9234", "301423531501"),
        ] {
            assert!(phone(prefix, number).is_err(), "{prefix} {number}");
        }
    }
}
