//! What PosBytz's clients send and get.

use super::validation::{self, Mobile, given};
use super::{Caller, FieldErrors, Refusal};
use crate::contracts::envelope::date_time;
use crate::domain::email::EmailAddress;
use crate::domain::id::{UserId, hex};
use crate::domain::password::Password;
use crate::domain::user::Attributes;
use crate::http;
use crate::ports::{Entropy, PortError, random};
use crate::usecases::{Referrer, SignUpToVerifyCommand, SignedUpToVerify};
use lambda_http::{Request, RequestExt as _};
use serde::Serialize;

/// The attributes of a user.
pub(super) const MOBILE_CODE: &str = "mobile_code";
pub(super) const REFERRAL_CODE: &str = "referral_code";
pub(super) const REFERRED_BY: &str = "referred_by";

/// `POST /ecommerce/v1/auth/signup`.
#[derive(Debug)]
pub struct SignupRequest {
    contacts: Contacts,
    password: Password,
    referral_code: Option<String>,
    referred_by: Option<UserId>,
    locale: String,
}

/// Where a customer can be reached; one of them at least.
#[derive(Clone, Debug)]
pub struct Contacts {
    email: Option<EmailAddress>,
    mobile: Option<Mobile>,
}

/// `GET /ecommerce/v1/auth/email/verify`.
#[derive(Debug)]
pub struct EmailVerifyRequest {
    /// Whose address.
    pub user: UserId,
    /// What was mailed to it.
    pub token: String,
}

/// The answer to a sign-up.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomerCreated {
    status_code: u16,
    data: Customer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<CustomerEmail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<CustomerMobile>,
    created_at: String,
    deleted_at: Option<String>,
    #[serde(rename = "_id")]
    id: String,
    /// Nobody who signs up has any.
    addresses: [String; 0],
}

#[derive(Serialize)]
struct CustomerEmail {
    id: String,
    token: String,
    verified: bool,
}

#[derive(Serialize)]
struct CustomerMobile {
    code: String,
    number: String,
    verified: bool,
}

/// The answer to a link that was followed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Success {
    status_code: u16,
    message: &'static str,
}

impl Success {
    /// The one there is.
    pub const OK: Self = Self { status_code: 200, message: "Success" };
}

impl SignupRequest {
    /// Reads the request. Every field is looked at, whatever is wrong with the others.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with all that is wrong, [`Refusal::Body`] or
    /// [`Refusal::BodyTooLarge`].
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let fields = http::json_object(request)?;
        let mut errors = FieldErrors::default();
        let (email, mobile) = (given(&fields, "email"), given(&fields, "mobile"));
        if email.is_none() && mobile.is_none() {
            errors.add("email", vec!["email should not be empty"]);
            errors.add("mobile", vec!["mobile should not be empty"]);
        }
        let email = email.and_then(|value| validation::email(value, &mut errors));
        let mobile = mobile.and_then(|value| validation::mobile(value, &mut errors));
        let password = validation::password(given(&fields, "password"), &mut errors);
        let referral_code = given(&fields, "referralCode")
            .and_then(|value| validation::referral_code(value, &mut errors));
        let referred_by = given(&fields, "referredBy")
            .and_then(|value| validation::referred_by(value, &mut errors));
        match password {
            Some(password) if errors.is_empty() => Ok(Self {
                contacts: Contacts { email, mobile },
                password,
                referral_code,
                referred_by,
                locale: http::locale(request, &super::LOCALES).to_owned(),
            }),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// What is to be done for the client that calls, and what its answer shows.
    #[must_use]
    pub fn for_client(self, caller: Caller) -> (SignUpToVerifyCommand, Contacts) {
        let Self { contacts, password, referral_code, referred_by, locale } = self;
        let mut attributes = Attributes::new();
        if let Some(mobile) = &contacts.mobile {
            attributes.insert(MOBILE_CODE.to_owned(), mobile.code.clone());
        }
        if let Some(code) = referral_code {
            attributes.insert(REFERRAL_CODE.to_owned(), code);
        }
        let command = SignUpToVerifyCommand {
            client: caller.client,
            realm: caller.realm,
            email: contacts.email.clone(),
            phone: contacts.mobile.as_ref().map(|mobile| mobile.phone.clone()),
            password,
            attributes,
            referrer: referred_by.map(|id| Referrer { id, attribute: REFERRED_BY }),
            locale,
        };
        (command, contacts)
    }
}

impl EmailVerifyRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
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
    /// Shows a customer. The address's `token` is a random handle that opens nothing: the secret
    /// that verifies the address is in the mail alone, so that nobody can verify an address that
    /// is not theirs (contracts.md D.2).
    ///
    /// # Errors
    /// The operating system gave no random bytes.
    pub fn of(
        signed_up: &SignedUpToVerify,
        contacts: &Contacts,
        entropy: &dyn Entropy,
    ) -> Result<Self, PortError> {
        let token = hex(&random::<32>(entropy)?);
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
            id: signed_up.user.as_str().to_owned(),
            addresses: [],
        };
        Ok(Self { status_code: 201, data })
    }
}
