//! The token endpoint: OAuth 2.0 client credentials (RFC 6749 4.4), in the format of the RFC.

use super::refusal::ErrorBody;
use super::{Refusal, bodies, claims};
use crate::contracts::api::Fields;
use crate::contracts::{ContractRefusal, internal_error};
use crate::domain::client::{ClientId, ClientSecret, Scopes};
use crate::http::{self, BodyError, CorsPolicy, Response};
use crate::ports::{PortError, SignAccessToken};
use crate::usecases::{ClientGrant, GrantRefused};
use data_encoding::BASE64;
use lambda_http::Request;
use lambda_http::http::header::{PRAGMA, WWW_AUTHENTICATE};
use lambda_http::http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// The only grant type that is supported.
const GRANT: &str = "client_credentials";

/// The request of `POST /ecommerce/oauth2/token`.
#[derive(Debug)]
pub struct TokenRequest {
    pub client: ClientId,
    pub secret: ClientSecret,
    /// The requested scopes; `None` for all scopes of the client.
    pub scopes: Option<Scopes>,
}

/// Which scopes a token request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedScopes {
    /// All scopes of the client, because the request names none.
    All,
    /// The scopes that the request names.
    Named,
}

/// A refusal of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// A parameter is missing, repeated or malformed, or there are two kinds of credentials.
    InvalidRequest,
    TooLarge,
    /// A foreign page sent the request.
    ForeignPage,
    /// The client is unknown, or its secret is wrong or missing.
    InvalidClient,
    /// The client is suspended.
    UnauthorizedClient,
    UnsupportedGrantType,
    /// The client does not have a requested scope.
    InvalidScope,
    /// An internal failure; already logged.
    ServerError,
}

/// The response with a token.
#[derive(JsonSchema, Serialize)]
pub struct TokenResponse {
    #[schemars(extend("const" = "bearer"))]
    token_type: &'static str,
    access_token: String,
    expires_in: u64,
    /// Only if the request named no scopes: then the granted ones are not those of the request
    /// (RFC 6749 5.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    scope: Option<String>,
}

/// The body of a refusal.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
#[schemars(rename = "TokenError")]
pub(super) enum TokenErrorBody {
    /// In the format of the RFC (RFC 6749 5.2).
    OAuth2 { error: &'static str, error_description: &'static str },
    /// In the format of the contract, for a failure that the RFC does not cover.
    Contract(ErrorBody),
}

impl TokenRefusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let samples = vec![
            Self::InvalidRequest,
            Self::TooLarge,
            Self::ForeignPage,
            Self::InvalidClient,
            Self::UnauthorizedClient,
            Self::UnsupportedGrantType,
            Self::InvalidScope,
            Self::ServerError,
        ];
        // A new variant stops this from compiling until it has a sample.
        for sample in &samples {
            match sample {
                Self::InvalidRequest
                | Self::TooLarge
                | Self::ForeignPage
                | Self::InvalidClient
                | Self::UnauthorizedClient
                | Self::UnsupportedGrantType
                | Self::InvalidScope
                | Self::ServerError => {}
            }
        }
        samples
    }

    fn parts(self) -> (StatusCode, TokenErrorBody) {
        let (status, error, error_description) = match self {
            Self::InvalidRequest => {
                let text = "A parameter is missing, repeated or malformed";
                (StatusCode::BAD_REQUEST, "invalid_request", text)
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The body is too large")
            }
            Self::ForeignPage => {
                let text = "This page may not send this request";
                (StatusCode::FORBIDDEN, "invalid_request", text)
            }
            Self::InvalidClient => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "Invalid client authentication")
            }
            Self::UnauthorizedClient => {
                (StatusCode::BAD_REQUEST, "unauthorized_client", "The client is suspended")
            }
            Self::UnsupportedGrantType => {
                let text = "The grant type must be client_credentials";
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", text)
            }
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "The client has no such scope")
            }
            Self::ServerError => {
                let (status, body) = Refusal::Internal.parts();
                return (status, TokenErrorBody::Contract(body));
            }
        };
        (status, TokenErrorBody::OAuth2 { error, error_description })
    }

    /// The status and the body.
    #[must_use]
    pub fn status_and_body(self) -> (u16, String) {
        let (status, body) = self.parts();
        (status.as_u16(), serde_json::to_string(&body).unwrap_or_default())
    }
}

impl From<BodyError> for TokenRefusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Malformed => Self::InvalidRequest,
        }
    }
}

impl From<PortError> for TokenRefusal {
    fn from(error: PortError) -> Self {
        internal_error(&error)
    }
}

impl ContractRefusal for TokenRefusal {
    /// Does not occur: the endpoint has no limit.
    fn too_many(_: Duration) -> Self {
        Self::ServerError
    }
}

impl From<GrantRefused> for TokenRefusal {
    fn from(refused: GrantRefused) -> Self {
        match refused {
            GrantRefused::Unknown => Self::InvalidClient,
            GrantRefused::Suspended => Self::UnauthorizedClient,
            GrantRefused::Scope => Self::InvalidScope,
        }
    }
}

/// The value of a parameter. A parameter without a value is absent (RFC 6749 3.2).
fn parameter<'a>(fields: &'a Fields<'_>, name: &str) -> Result<Option<&'a str>, TokenRefusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        // The form reader reads a repeated parameter as a list.
        Some(_) => Err(TokenRefusal::InvalidRequest),
    }
}

/// The credentials of HTTP Basic (RFC 6749 2.3.1), if there are any. Ids and secrets are hex digits,
/// which form encoding does not change.
fn basic(request: &Request) -> Result<Option<(String, String)>, TokenRefusal> {
    let Some((scheme, encoded)) =
        http::header(request, "authorization").and_then(|value| value.split_once(' '))
    else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.as_deref().and_then(|text| text.split_once(':'));
    let (id, secret) = pair.ok_or(TokenRefusal::InvalidClient)?;
    Ok(Some((id.to_owned(), secret.to_owned())))
}

impl TokenRequest {
    /// Reads the request: JSON or a form, with credentials in the body or in HTTP Basic, not in both.
    /// `provision_key` and `authenticated_userid`, which the gateway of the original requires, are
    /// ignored: the shop is that of the client.
    ///
    /// # Errors
    /// The refusal for the first rule that the request breaks.
    pub fn read(request: &Request) -> Result<Self, TokenRefusal> {
        let fields = Fields::read(request, &bodies::GRANT)?;
        let grant = parameter(&fields, "grant_type")?;
        let (id, secret) = (parameter(&fields, "client_id")?, parameter(&fields, "client_secret")?);
        let scope = parameter(&fields, "scope")?;
        match grant {
            Some(GRANT) => {}
            Some(_) => return Err(TokenRefusal::UnsupportedGrantType),
            None => return Err(TokenRefusal::InvalidRequest),
        }
        let basic = basic(request)?;
        let (id, secret) = match (&basic, id, secret) {
            (Some((basic_id, basic_secret)), id, None) if id.is_none_or(|id| id == basic_id) => {
                (basic_id.as_str(), basic_secret.as_str())
            }
            (Some(_), ..) => return Err(TokenRefusal::InvalidRequest),
            (None, Some(id), Some(secret)) => (id, secret),
            (None, ..) => return Err(TokenRefusal::InvalidClient),
        };
        let scopes: Option<Scopes> =
            scope.map(|list| list.split_ascii_whitespace().map(str::to_owned).collect());
        Ok(Self {
            client: ClientId::presented(id),
            secret: ClientSecret::presented(secret),
            scopes: scopes.filter(|scopes| !scopes.is_empty()),
        })
    }

    /// Which scopes the request asks for.
    #[must_use]
    pub const fn requested_scopes(&self) -> RequestedScopes {
        if self.scopes.is_some() { RequestedScopes::Named } else { RequestedScopes::All }
    }
}

impl TokenResponse {
    /// The response to a request for a token.
    ///
    /// # Errors
    /// The token could not be signed.
    pub fn of(
        grant: &ClientGrant,
        requested: RequestedScopes,
        lifetime: Duration,
        signer: &dyn SignAccessToken,
    ) -> Result<Self, PortError> {
        Ok(Self {
            token_type: "bearer",
            access_token: claims::token_for(grant, lifetime, signer)?,
            expires_in: lifetime.as_secs(),
            scope: match requested {
                RequestedScopes::All => Some(claims::scope(grant)),
                RequestedScopes::Named => None,
            },
        })
    }
}

/// Forbids caches that only know HTTP/1.0 to store the response (RFC 6749 5.1).
fn uncacheable(mut response: Response) -> Response {
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

impl TokenResponse {
    #[must_use]
    pub fn into_response(self) -> Response {
        uncacheable(http::json(StatusCode::OK, &self))
    }
}

impl http::Refusal for TokenRefusal {
    const INTERNAL: Self = Self::ServerError;
    const FOREIGN_PAGE: Option<Self> = Some(Self::ForeignPage);
    const CORS: CorsPolicy = CorsPolicy::NoOrigin;

    fn into_response(self, _: &Request) -> Response {
        let (status, body) = self.parts();
        let mut response = http::json(status, &body);
        if self == Self::InvalidClient {
            let challenge = HeaderValue::from_static("Basic realm=\"PosBytz\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        uncacheable(response)
    }
}
