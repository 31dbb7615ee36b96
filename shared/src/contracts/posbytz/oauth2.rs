//! The token endpoint: OAuth 2.0 client credentials (RFC 6749 4.4), in the RFC's own words.

use super::refusal::ErrorBody;
use super::{Refusal, claims};
use crate::domain::client::{ClientId, ClientSecret, Scopes};
use crate::http::{self, BodyError, CorsPolicy, Response};
use crate::ports::{PortError, SignAccessToken, chain};
use crate::usecases::{ClientGrant, GrantError};
use data_encoding::BASE64;
use lambda_http::Request;
use lambda_http::http::header::{PRAGMA, WWW_AUTHENTICATE};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// The one grant there is.
const GRANT: &str = "client_credentials";

/// `POST /ecommerce/oauth2/token`.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client: ClientId,
    /// How they prove it.
    pub secret: ClientSecret,
    /// What they ask for; `None` for everything they may do.
    pub scopes: Option<Scopes>,
}

/// Why no token is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The request lacks something, repeats something, or shows two sorts of credentials.
    InvalidRequest,
    /// The body is too large.
    TooLarge,
    /// The client is unknown, or its secret wrong or missing.
    InvalidClient,
    /// The client gets no tokens for the time being.
    UnauthorizedClient,
    /// There is no such grant.
    UnsupportedGrantType,
    /// The client may not do that much.
    InvalidScope,
    /// The world broke; logged where it was met.
    ServerError,
}

/// A token, for its client.
#[derive(Serialize)]
pub struct TokenAnswer {
    token_type: &'static str,
    access_token: String,
    expires_in: u64,
    /// Only where it is not what was asked for (RFC 6749 5.1): when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// The body of a refusal.
#[derive(Serialize)]
#[serde(untagged)]
enum TokenErrorBody {
    /// In the RFC's words (RFC 6749 5.2).
    OAuth2 { error: &'static str, error_description: &'static str },
    /// In the contract's, where the RFC has none.
    Contract(ErrorBody),
}

impl TokenRefusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let samples = vec![
            Self::InvalidRequest,
            Self::TooLarge,
            Self::InvalidClient,
            Self::UnauthorizedClient,
            Self::UnsupportedGrantType,
            Self::InvalidScope,
            Self::ServerError,
        ];
        // `parts` names every variant: a new one stops it from compiling, and needs a sample.
        for sample in &samples {
            drop(sample.parts());
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
        tracing::error!(error = chain(&error), "failed to serve a request");
        Self::ServerError
    }
}

impl From<GrantError> for TokenRefusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Refused => Self::InvalidClient,
            GrantError::Suspended => Self::UnauthorizedClient,
            GrantError::Scope => Self::InvalidScope,
            GrantError::Internal(error) => error.into(),
        }
    }
}

/// A parameter; one without a value is absent (RFC 6749 3.2).
fn parameter<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, TokenRefusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        // A repeated parameter is read as a list.
        Some(_) => Err(TokenRefusal::InvalidRequest),
    }
}

/// The credentials of HTTP Basic (RFC 6749 2.3.1), if there are any. Ids and secrets are hex
/// digits, which form encoding leaves as they are.
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
    /// Reads the request: JSON or a form, credentials in the body or by HTTP Basic, not both.
    /// `provision_key` and `authenticated_userid`, which the original's gateway wants, are not
    /// read: the store is the one that the client was made for.
    ///
    /// # Errors
    /// [`TokenRefusal`].
    pub fn read(request: &Request) -> Result<Self, TokenRefusal> {
        let fields = http::form_or_json_object(request)?;
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
}

impl TokenAnswer {
    /// The answer to a request that named its scopes, or did not.
    ///
    /// # Errors
    /// The token could not be signed.
    pub fn of(
        grant: &ClientGrant,
        asked: bool,
        lifetime: Duration,
        signer: &dyn SignAccessToken,
    ) -> Result<Self, PortError> {
        Ok(Self {
            token_type: "bearer",
            access_token: claims::token_for(grant, lifetime, signer)?,
            expires_in: lifetime.as_secs(),
            scope: (!asked).then(|| claims::scope(grant)),
        })
    }
}

/// Forbids caches that only know HTTP/1.0 to keep the response (RFC 6749 5.1).
fn uncacheable(mut response: Response) -> Response {
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

impl TokenAnswer {
    /// The response that carries the token.
    #[must_use]
    pub fn into_response(self) -> Response {
        uncacheable(http::json(StatusCode::OK, &self))
    }
}

impl http::Refusal for TokenRefusal {
    const INTERNAL: Self = Self::ServerError;
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
