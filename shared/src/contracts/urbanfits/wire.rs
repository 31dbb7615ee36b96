//! What UrbanFits' clients send and get.

use super::{PROFILE, Refusal, UserObject, realm};
use crate::domain::challenge::ChallengeHandle;
use crate::domain::device::DeviceInfo;
use crate::domain::email::EmailAddress;
use crate::domain::identifier::Identifier;
use crate::domain::password::{Password, PasswordError};
use crate::domain::session::SessionKind;
use crate::domain::user::Attributes;
use crate::domain::username::{Username, UsernameError};
use crate::http;
use crate::usecases::{SignInCommand, StartSignUpCommand};
use jiff::tz;
use lambda_http::Request;
use serde::Serialize;
use serde_json::{Map, Value};

/// The attributes of a user.
pub(super) const PHONE_PREFIX: &str = "phone_prefix";
pub(super) const PHONE_NUMBER: &str = "phone_number";
pub(super) const TIMEZONE: &str = "timezone";
pub(super) const USER_AGENT: &str = "user_agent";

/// The shortest and the longest password, in characters (contracts.md C.1).
const PASSWORD_LEAST: usize = 8;
const PASSWORD_MOST: usize = 128;
/// The digits of a phone number without its prefix, and with it (contracts.md C.1; ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 4..=14;
const E164_DIGITS: usize = 15;
/// The fewest characters of an `otp_id`, by the original's check (contracts.md C.2).
const OTP_ID_LEAST: usize = 18;
/// What is kept of a `User-Agent`: the session's cookie carries it twice encoded, and browsers drop
/// cookies above 4096 bytes.
const USER_AGENT_MOST: usize = 512;

/// `POST …/signup`.
#[derive(Debug)]
pub struct SignupRequest {
    /// Who signs up.
    pub command: StartSignUpCommand,
    /// The address as it was typed: the answer echoes it.
    pub typed_email: String,
}

/// `POST …/signup/callback`.
#[derive(Debug)]
pub struct CallbackRequest {
    /// The `otp_id` that the sign-up answered.
    pub handle: ChallengeHandle,
    /// What was typed.
    pub otp: String,
    /// What the second step adds to the user.
    pub attributes: Attributes,
}

/// The answer to a sign-up.
#[derive(Serialize)]
pub struct PendingAnswer {
    success: bool,
    otp_id: String,
    msg: String,
    redirect_url: String,
}

/// `POST …/login`.
#[derive(Debug)]
pub struct LoginRequest {
    /// Who comes.
    pub command: SignInCommand,
    /// What they typed.
    pub password: Password,
    /// Whether they ask to be remembered.
    pub session_kind: SessionKind,
    /// The name of their browser.
    pub user_agent: String,
}

/// `POST …/logout`.
#[derive(Debug)]
pub struct LogoutRequest {
    /// Whether every session is meant.
    pub all: bool,
}

/// The answer that shows a user.
#[derive(Serialize)]
pub struct UserAnswer {
    success: bool,
    msg: &'static str,
    user: UserObject,
}

impl PendingAnswer {
    /// The answer to who typed `email` and comes back with `handle`.
    #[must_use]
    pub fn new(handle: &ChallengeHandle, email: &str) -> Self {
        let otp_id = handle.expose().to_owned();
        Self {
            success: true,
            msg: format!("Verification Email sent to {email}"),
            redirect_url: format!("/auth/signup/verify-otp?otp_id={otp_id}"),
            otp_id,
        }
    }
}

impl UserAnswer {
    /// The answer to somebody who is `user` now. The text is the contract's, to the letter.
    #[must_use]
    pub const fn registered(user: UserObject) -> Self {
        Self { success: true, msg: "You're Resgistered successfully !", user }
    }

    /// The answer to somebody who came back.
    #[must_use]
    pub const fn signed_in(user: UserObject) -> Self {
        Self { success: true, msg: "You're Logged in successfully !", user }
    }

    /// The answer to somebody who asks who they are.
    #[must_use]
    pub const fn known(user: UserObject) -> Self {
        Self { success: true, msg: "", user }
    }
}

/// The name of the request's browser, as long as it is kept.
fn user_agent(request: &Request) -> String {
    let agent = http::header(request, "user-agent").unwrap_or_default();
    agent.chars().take(USER_AGENT_MOST).collect()
}

impl LoginRequest {
    /// Reads the request. What could be nobody's address, name or password is wrong like one that
    /// is not.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match http::json_object(request) {
            Err(http::BodyError::Malformed) => return Err(Refusal::LoginParameters),
            fields => fields?,
        };
        let text = |name| required(&fields, name).map_err(|_| Refusal::LoginParameters);
        let (who, password) = (text("email")?, text("password")?);
        let provider = fields.get("register_provider").filter(|provider| !provider.is_null());
        if provider.is_some_and(|provider| provider != REGISTER_PROVIDER) {
            return Err(Refusal::Provider);
        }
        let identifier = if who.contains('@') {
            EmailAddress::parse(who).ok().map(Identifier::Email)
        } else {
            Username::parse(who).ok().map(Identifier::Username)
        };
        let identifier = identifier.ok_or(Refusal::Credentials)?;
        Ok(Self {
            password: Password::parse(password, 1).map_err(|_| Refusal::Credentials)?,
            command: SignInCommand {
                realm: realm(),
                identifier,
                device: DeviceInfo::default(),
                source: http::source_address(request),
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
    /// Reads the request; an empty body is an empty object.
    ///
    /// # Errors
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let all = match http::json_object(request) {
            Ok(fields) => fields.get("all") == Some(&Value::Bool(true)),
            Err(http::BodyError::Malformed) => false,
            Err(error @ http::BodyError::TooLarge) => return Err(error.into()),
        };
        Ok(Self { all })
    }
}

/// The text of a field; [`Refusal::Parameters`] if it is missing, empty or no text.
fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() { Err(Refusal::Parameters) } else { Ok(text) }
}

/// The IANA name of a timezone, in the database's own spelling.
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
    if country.len().saturating_add(number.len()) > E164_DIGITS {
        return Err(Refusal::Invalid("Phone number and prefix should have 15 digits at most."));
    }
    Ok(())
}

impl SignupRequest {
    /// Reads the request, in the contract's order: fields that are missing, formats, policies.
    /// Fields that it does not know have no effect.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(request: &Request, locale: &str) -> Result<Self, Refusal> {
        let fields = match http::json_object(request) {
            Err(http::BodyError::Malformed) => return Err(Refusal::Parameters),
            fields => fields?,
        };
        let text = |name| required(&fields, name);
        let (username, typed_email) = (text("username")?, text("email")?);
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
        let email = EmailAddress::parse(typed_email)
            .map_err(|_| Refusal::Invalid("Email should be a valid email address."))?;
        phone(prefix, number)?;
        let too_long = Refusal::Invalid("Password should be at most 128 characters.");
        if password.chars().count() > PASSWORD_MOST {
            return Err(too_long);
        }
        let password = Password::parse(password, PASSWORD_LEAST).map_err(|error| match error {
            PasswordError::TooShort => {
                Refusal::Invalid("Password should be at least 8 characters.")
            }
            PasswordError::TooLong => too_long,
        })?;
        if fields.get("accept_policies") != Some(&Value::Bool(true)) {
            return Err(Refusal::Policies);
        }
        let kept = [(PHONE_PREFIX, prefix), (PHONE_NUMBER, number), (TIMEZONE, &timezone)];
        let kept = kept.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            typed_email: typed_email.to_owned(),
            command: StartSignUpCommand {
                realm: realm(),
                email,
                username,
                password,
                attributes: kept.collect(),
                source: http::source_address(request),
                locale: locale.to_owned(),
            },
        })
    }
}

impl CallbackRequest {
    /// Reads the request. A code that is a number is a wrong one, not a missing one
    /// (contracts.md C.2).
    ///
    /// # Errors
    /// [`Refusal::CallbackParameters`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = match http::json_object(request) {
            Err(http::BodyError::Malformed) => return Err(Refusal::CallbackParameters),
            fields => fields?,
        };
        let otp_id = fields.get("otp_id").and_then(Value::as_str).unwrap_or_default();
        let otp = match fields.get("otp") {
            Some(Value::String(otp)) if !otp.is_empty() => otp.clone(),
            // No code is empty, so this is counted, compared and wrong.
            Some(Value::Number(_)) => String::new(),
            _ => return Err(Refusal::CallbackParameters),
        };
        if otp_id.chars().count() < OTP_ID_LEAST {
            return Err(Refusal::CallbackParameters);
        }
        let attributes = Attributes::from([(USER_AGENT.to_owned(), user_agent(request))]);
        Ok(Self { handle: ChallengeHandle::new(otp_id), otp, attributes })
    }
}

/// Who registered a user: the contract itself, not another provider.
pub(super) const REGISTER_PROVIDER: &str = PROFILE.name;

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
    fn the_seeds_request_is_read() {
        let request = read(|_| {}).unwrap();
        assert_eq!(request.typed_email, "Example@Domain.com");
        assert_eq!(request.command.email.as_str(), "example@domain.com");
        assert_eq!(request.command.attributes[TIMEZONE], "Asia/Dubai");
        // Another spelling of the same zone is kept in the database's.
        let spelled = read(|body| body["timezone"] = "asia/karachi".into()).unwrap();
        assert_eq!(spelled.command.attributes[TIMEZONE], "Asia/Karachi");
    }

    #[test]
    fn missing_fields_come_before_formats_and_formats_before_policies() {
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
    fn phones_are_a_prefix_and_digits() {
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
