//! The requests of PosBytz's clients, and the bodies of the responses.

use super::attributes::{MOBILE_CODE, REFERRAL_CODE, REFERRED_BY};
use super::validation::{self, Mobile, given};
use super::{Caller, FieldErrors, Refusal, bodies};
use crate::contracts::api::Fields;
use crate::contracts::envelope::date_time;
use crate::domain::attributes::Attributes;
use crate::domain::challenge::{Audience, ChallengeKey, Purpose};
use crate::domain::device::DeviceInfo;
use crate::domain::email::EmailAddress;
use crate::domain::id::{UserId, hex};
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::phone::PhoneNumber;
use crate::domain::source::Source;
use crate::http;
use crate::usecases::{
    Delivery, EnterByCodeCommand, Entered, Presented, Referrer, RequestCodeCommand, ResendCommand,
    ResetByCodeCommand, SignInCommand, SignUpCommand,
};
use lambda_http::{Request, RequestExt as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// The request of `POST /ecommerce/v1/auth/signup`.
#[derive(Debug)]
pub struct SignupRequest {
    contacts: Contacts,
    password: Password,
    referral_code: Option<String>,
    referred_by: Option<UserId>,
    locale: String,
}

/// The recipients of a customer, at least one.
#[derive(Clone, Debug)]
pub struct Contacts {
    email: Option<EmailAddress>,
    mobile: Option<Mobile>,
}

/// The request of `GET /ecommerce/v1/auth/email/verify`.
#[derive(Debug)]
pub struct EmailVerifyRequest {
    pub user: UserId,
    /// The secret of the link that was mailed.
    pub token: String,
}

/// The request of `POST /ecommerce/v1/auth/signin`.
#[derive(Debug)]
pub struct SigninRequest {
    pub identifier: Identifier,
    pub password: Password,
    locale: String,
}

/// The request of `POST /ecommerce/v1/auth/password/forgot`.
#[derive(Debug)]
pub struct ForgotPasswordRequest {
    recipient: Identifier,
    locale: String,
}

/// The request of `POST /ecommerce/v1/auth/password/reset`.
#[derive(Debug)]
pub struct ResetPasswordRequest {
    recipient: Identifier,
    otp: String,
    password: Password,
}

/// The request of `DELETE /ecommerce/v1/user`.
#[derive(Debug)]
pub struct DeletionRequest {
    pub password: Password,
}

/// The response to the deletion of a customer.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerDeleted {
    status_code: u16,
}

impl CustomerDeleted {
    pub const OK: Self = Self { status_code: 200 };
}

/// The request of `POST /ecommerce/v1/auth/otp/resend` and `POST /ecommerce/v1/auth/email/resend`.
#[derive(Debug)]
pub struct ResendRequest {
    recipient: Identifier,
    locale: String,
}

/// The request of `POST /ecommerce/v1/auth/otp/verify`.
#[derive(Debug)]
pub struct OtpVerifyRequest {
    /// The mobile that the code was sent to.
    pub phone: PhoneNumber,
    /// The code that the client sent.
    pub otp: String,
}

/// The response with the session of a customer.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerSession {
    status_code: u16,
    data: CustomerToken,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerToken {
    access_token: String,
    #[schemars(extend("const" = "Bearer"))]
    token_type: &'static str,
    expires_in: u64,
}

impl CustomerSession {
    #[must_use]
    pub const fn new(access_token: String, lifetime: Duration) -> Self {
        let expires_in = lifetime.as_secs();
        Self {
            status_code: 200,
            data: CustomerToken { access_token, token_type: "Bearer", expires_in },
        }
    }
}

impl Contacts {
    /// Reads the recipients of a customer: an address, a mobile or both.
    fn read(fields: &Fields<'_>, errors: &mut FieldErrors) -> Self {
        let (email, mobile) = (given(fields, "email"), given(fields, "mobile"));
        if email.is_none() && mobile.is_none() {
            errors.add("email", vec![validation::NO_EMAIL]);
            errors.add("mobile", vec![validation::NO_MOBILE]);
        }
        Self {
            email: email.and_then(|value| validation::email(value, errors)),
            mobile: mobile.and_then(|value| validation::mobile(value, errors)),
        }
    }

    /// The identifier of a request that is about one. If there are two, it is the address.
    fn one(self) -> Option<Identifier> {
        let mobile = self.mobile.map(|mobile| Identifier::Phone(mobile.phone));
        self.email.map(Identifier::Email).or(mobile)
    }
}

impl SigninRequest {
    /// Reads the request. If it has an address and a mobile, the address is used.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all fields; [`Refusal::Credentials`] for a password
    /// that no customer can have; [`Refusal::Body`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::SIGN_IN)?;
        let mut errors = FieldErrors::default();
        let contacts = Contacts::read(&fields, &mut errors);
        let password = validation::known_password(&fields, &mut errors);
        match (contacts.one(), password) {
            (Some(identifier), Some(password)) if errors.is_empty() => {
                let password = Password::parse(password, 1).map_err(|_| Refusal::Credentials)?;
                let locale = http::locale(request, &super::LOCALES).to_owned();
                Ok(Self { identifier, password, locale })
            }
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// The command for the shop of the client, and the password.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> (SignInCommand, Password) {
        let command = SignInCommand {
            realm: caller.realm,
            identifier: self.identifier,
            device: DeviceInfo::default(),
            source: Source::of_client(caller.client),
            locale: self.locale,
        };
        (command, self.password)
    }
}

impl DeletionRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of the field; [`Refusal::Credentials`] for a password that
    /// no customer can have; [`Refusal::Body`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::DELETION)?;
        let mut errors = FieldErrors::default();
        let password = validation::known_password(&fields, &mut errors);
        match password.filter(|_| errors.is_empty()) {
            Some(password) => {
                let password = Password::parse(password, 1).map_err(|_| Refusal::Credentials)?;
                Ok(Self { password })
            }
            None => Err(Refusal::Invalid(errors)),
        }
    }
}

impl ForgotPasswordRequest {
    /// Reads the request. If it has an address and a mobile, the address is used.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all fields; [`Refusal::Body`] or
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::RECIPIENT)?;
        let mut errors = FieldErrors::default();
        let contacts = Contacts::read(&fields, &mut errors);
        match contacts.one() {
            Some(recipient) if errors.is_empty() => {
                let locale = http::locale(request, &super::LOCALES).to_owned();
                Ok(Self { recipient, locale })
            }
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// The command for the shop of the client.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> RequestCodeCommand {
        RequestCodeCommand {
            key: ChallengeKey::new(caller.realm, Purpose::ResetPassword, self.recipient),
            audience: Audience::Registered,
            delivery: Delivery::Allowed,
            source: Source::of_client(caller.client),
            locale: self.locale,
        }
    }
}

impl ResetPasswordRequest {
    /// Reads the request. If it has an address and a mobile, the address is used.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all fields; [`Refusal::Body`] or
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::RESET)?;
        let mut errors = FieldErrors::default();
        let contacts = Contacts::read(&fields, &mut errors);
        let otp = validation::otp(&fields, &mut errors);
        let password = validation::password(given(&fields, "password"), &mut errors);
        match (contacts.one(), otp, password) {
            (Some(recipient), Some(otp), Some(password)) if errors.is_empty() => {
                Ok(Self { recipient, otp, password })
            }
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// The command for the shop of the client.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> ResetByCodeCommand {
        let key = ChallengeKey::new(caller.realm, Purpose::ResetPassword, self.recipient);
        ResetByCodeCommand {
            presented: Presented::Recipient(key),
            code: self.otp,
            password: self.password,
            source: Source::of_client(caller.client),
        }
    }
}

impl ResendRequest {
    /// Reads the request. The last part of the path but one names what is sent again: `otp` to a
    /// mobile, `email` to an address.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of the field; [`Refusal::Body`] or
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let is_link = request.uri().path().ends_with("/email/resend");
        let (body, field, empty) = if is_link {
            (&bodies::RECIPIENT_EMAIL, "email", validation::NO_EMAIL)
        } else {
            (&bodies::RECIPIENT_MOBILE, "mobile", validation::NO_MOBILE)
        };
        let fields = Fields::read(request, body)?;
        let mut errors = FieldErrors::default();
        let recipient = match given(&fields, field) {
            Some(value) if is_link => validation::email(value, &mut errors).map(Identifier::Email),
            Some(value) => {
                validation::mobile(value, &mut errors).map(|mobile| Identifier::Phone(mobile.phone))
            }
            None => {
                errors.add(field, vec![empty]);
                None
            }
        };
        let locale = http::locale(request, &super::LOCALES).to_owned();
        match recipient {
            Some(recipient) if errors.is_empty() => Ok(Self { recipient, locale }),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// The command for the shop of the client.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> ResendCommand {
        ResendCommand {
            realm: caller.realm,
            recipient: self.recipient,
            source: Source::of_client(caller.client),
            locale: self.locale,
        }
    }
}

impl OtpVerifyRequest {
    /// Reads the request. The documented body has no field that identifies the customer; this one has
    /// `mobile`, as at sign-up.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all fields; [`Refusal::Otp`] for an address, which gets
    /// a link and no code; [`Refusal::Body`] or [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::CODE)?;
        let mut errors = FieldErrors::default();
        let otp = validation::otp(&fields, &mut errors);
        let source = given(&fields, "source").and_then(Value::as_str);
        if !matches!(source, Some("email" | "mobile")) {
            errors.add("source", vec!["source must be a valid enum value"]);
        }
        let mobile = match given(&fields, "mobile") {
            Some(value) => validation::mobile(value, &mut errors),
            None if source == Some("mobile") => {
                errors.add("mobile", vec![validation::NO_MOBILE]);
                None
            }
            None => None,
        };
        match (otp, mobile) {
            _ if !errors.is_empty() => Err(Refusal::Invalid(errors)),
            (Some(otp), Some(mobile)) if source == Some("mobile") => {
                Ok(Self { phone: mobile.phone, otp })
            }
            _ => Err(Refusal::Otp),
        }
    }

    /// The command for the shop of the client.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> EnterByCodeCommand {
        let (realm, recipient) = (caller.realm, Identifier::Phone(self.phone));
        let key = ChallengeKey::new(realm, Purpose::Verify, recipient);
        EnterByCodeCommand {
            presented: Presented::Recipient(key),
            code: self.otp,
            attributes: Attributes::default(),
            device: DeviceInfo::default(),
            source: Source::of_client(caller.client),
        }
    }
}

/// The response to a sign-up.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerCreated {
    status_code: u16,
    data: Customer,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerEmail")]
    email: Option<CustomerEmail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerMobile")]
    mobile: Option<CustomerMobile>,
    created_at: String,
    deleted_at: Option<String>,
    #[serde(rename = "_id")]
    id: String,
    /// Always empty: a sign-up has no addresses.
    addresses: [String; 0],
}

#[derive(JsonSchema, Serialize)]
struct CustomerEmail {
    id: String,
    token: String,
    verified: bool,
}

#[derive(JsonSchema, Serialize)]
struct CustomerMobile {
    code: String,
    number: String,
    verified: bool,
}

/// The response to a request that succeeded and has nothing to tell.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Success {
    status_code: u16,
    message: &'static str,
}

impl Success {
    pub const OK: Self = Self { status_code: 200, message: "Success" };
}

impl SignupRequest {
    /// Reads the request. All fields are checked, also if one is wrong.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all fields; [`Refusal::Body`] or
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = Fields::read(request, &bodies::SIGN_UP)?;
        let mut errors = FieldErrors::default();
        let contacts = Contacts::read(&fields, &mut errors);
        let password = validation::password(given(&fields, "password"), &mut errors);
        let referral_code = given(&fields, "referralCode")
            .and_then(|value| validation::referral_code(value, &mut errors));
        let referred_by = given(&fields, "referredBy")
            .and_then(|value| validation::referred_by(value, &mut errors));
        match password {
            Some(password) if errors.is_empty() => Ok(Self {
                contacts,
                password,
                referral_code,
                referred_by,
                locale: http::locale(request, &super::LOCALES).to_owned(),
            }),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// The command for the shop of the client, and the recipients that the response shows.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> (SignUpCommand, Contacts) {
        let Self { contacts, password, referral_code, referred_by, locale } = self;
        let mut attributes = Attributes::default();
        if let Some(mobile) = &contacts.mobile {
            attributes.insert(MOBILE_CODE, mobile.code.as_str());
        }
        if let Some(code) = referral_code {
            attributes.insert(REFERRAL_CODE, code);
        }
        let email = contacts.email.clone().map(Identifier::Email);
        let phone = contacts.mobile.as_ref().map(|mobile| Identifier::Phone(mobile.phone.clone()));
        let command = SignUpCommand {
            realm: caller.realm,
            identifiers: email.into_iter().chain(phone).collect(),
            password,
            attributes,
            referrer: referred_by.map(|id| Referrer { id, attribute: REFERRED_BY }),
            device: DeviceInfo::default(),
            source: Source::of_client(caller.client),
            locale,
        };
        (command, contacts)
    }
}

impl EmailVerifyRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the errors of all parameters.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let parameters = request.query_string_parameters();
        let user = parameters.first("userId").and_then(validation::mongodb_id);
        let token = parameters.first("token");
        let mut errors = FieldErrors::default();
        if user.is_none() {
            errors.add("userId", vec!["userId must be a mongodb id"]);
        }
        if token.is_none() {
            errors.add("token", vec!["token must be a string"]);
        }
        match (user, token) {
            (Some(user), Some(token)) => Ok(Self { user, token: token.to_owned() }),
            _ => Err(Refusal::Invalid(errors)),
        }
    }
}

impl CustomerCreated {
    /// The response with a new customer. The `token` of the address is a random text without a use:
    /// only the mail contains the secret that verifies the address, so that a client cannot verify
    /// the address of another person (CONTRACT.md, "Differences from the original").
    #[must_use]
    pub fn of(signed_up: &Entered, contacts: &Contacts, random: &[u8; 32]) -> Self {
        let token = hex(random);
        let email = contacts.email.as_ref().map(|email| CustomerEmail {
            id: email.as_str().to_owned(),
            token,
            verified: false,
        });
        let mobile = contacts.mobile.as_ref().map(|mobile| CustomerMobile {
            code: mobile.code.clone(),
            number: mobile.number().to_owned(),
            verified: false,
        });
        let data = Customer {
            email,
            mobile,
            created_at: date_time(signed_up.at),
            deleted_at: None,
            id: signed_up.user.id.as_str().to_owned(),
            addresses: [],
        };
        Self { status_code: 201, data }
    }
}
