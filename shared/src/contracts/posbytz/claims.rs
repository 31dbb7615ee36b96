//! The access tokens of PosBytz's clients.

use super::{PROFILE, Refusal};
use crate::domain::client::ClientId;
use crate::domain::id::{UserId, hex};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, PortError, SignAccessToken};
use crate::usecases::ClientGrant;
use lambda_http::Request;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How far in the future a token's birth may lie: the clocks of two machines differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What a token is for. The tokens of customers are signed with the same key and have no such claim
/// (contracts.md section 1), so that neither sort ever passes for the other.
const USE: &str = "client";

/// What signing up takes.
const NEEDED: [&str; 2] = ["user:read", "user:write"];

/// The claims; `client_id` and `scope` as RFC 9068 names them.
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    r#use: &'a str,
    client_id: &'a str,
    store: &'a str,
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
}

/// The scopes of a grant, as OAuth 2.0 writes them.
pub(super) fn scope(grant: &ClientGrant) -> String {
    grant.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The token of a grant.
pub(super) fn token_for(
    grant: &ClientGrant,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let iat = grant.issued_at.as_seconds();
    let claims = Claims {
        r#use: USE,
        client_id: grant.client.as_str(),
        store: grant.realm.shop().unwrap_or_default(),
        scope: scope(grant),
        jti: hex(&grant.id),
        iat,
        exp: Timestamp::from_seconds(iat).plus(lifetime).as_seconds(),
    };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    signer.sign(&claims)
}

/// The claims of a customer's token (contracts.md section 1); without `use`, so that it is no
/// client's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerClaims<'a> {
    user_id: &'a str,
    iat: i64,
    exp: i64,
}

/// The token of a customer who signed in at `at`.
///
/// # Errors
/// The token could not be signed.
pub fn customer_token(
    user: &UserId,
    at: Timestamp,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let iat = at.as_seconds();
    let exp = Timestamp::from_seconds(iat).plus(lifetime).as_seconds();
    let claims = CustomerClaims { user_id: user.as_str(), iat, exp };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    signer.sign(&claims)
}

/// A client that calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Which.
    pub client: ClientId,
    /// The store it calls for.
    pub realm: Realm,
}

/// Whose the genuine claims are, if they hold now, and whether they may sign people up.
fn holder(claims: &str, now: Timestamp) -> Result<Caller, Refusal> {
    let claims: Claims<'_> = serde_json::from_str(claims).map_err(|_| Refusal::NoClient)?;
    let client = ClientId::parse(claims.client_id).ok_or(Refusal::NoClient)?;
    let holds = claims.r#use == USE
        && claims.iat <= now.plus(CLOCK_SKEW).as_seconds()
        && claims.exp > now.as_seconds();
    if !holds {
        return Err(Refusal::NoClient);
    }
    if !NEEDED.iter().all(|needed| claims.scope.split(' ').any(|scope| scope == *needed)) {
        return Err(Refusal::InsufficientScope);
    }
    Ok(Caller { client, realm: Realm::of_shop(PROFILE.name, claims.store) })
}

/// Lets clients in.
pub struct ClientAuthenticator {
    /// PosBytz's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ClientAuthenticator {
    /// The client whose token the request bears: in `X-Api-Authorization`, with or without
    /// `Bearer`, else in `Authorization` (contracts.md D.0).
    ///
    /// # Errors
    /// [`Refusal::NoClient`], [`Refusal::InsufficientScope`] or [`Refusal::Internal`].
    pub async fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let own =
            http::header(request, "x-api-authorization").map(|value| match value.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
                _ => value,
            });
        let token = own.or_else(|| http::bearer(request)).ok_or(Refusal::NoClient)?;
        match self.access_tokens.check(token).await? {
            CheckedToken::Genuine(claims) => holder(&claims, self.clock.now()),
            CheckedToken::Forged => Err(Refusal::NoClient),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "000102030405060708090a0b0c0d0e0f";

    fn claims(change: impl Fn(&mut serde_json::Value)) -> String {
        let mut claims = serde_json::json!({"use": "client", "client_id": ID, "store": "S",
            "scope": "user:read user:write", "jti": "a", "iat": 1000, "exp": 4600});
        change(&mut claims);
        claims.to_string()
    }

    #[test]
    fn claims_hold_from_their_birth_to_their_end() {
        let at = |seconds| holder(&claims(|_| ()), Timestamp::from_seconds(seconds));
        let realm = Realm::of_shop(PROFILE.name, "S");
        let caller = Caller { client: ClientId::parse(ID).unwrap(), realm };
        for seconds in [940, 1000, 4599] {
            assert_eq!(at(seconds), Ok(caller.clone()), "{seconds}");
        }
        for seconds in [939, 4600] {
            assert_eq!(at(seconds), Err(Refusal::NoClient), "{seconds}");
        }
    }

    #[test]
    fn a_customers_token_is_no_clients_and_a_scope_is_a_whole_word() {
        let now = Timestamp::from_seconds(1000);
        let customer = r#"{"userId":"632c34752269f12c57952275","iat":1000,"exp":4600}"#;
        assert_eq!(holder(customer, now), Err(Refusal::NoClient));
        let other = claims(|claims| claims["use"] = "customer".into());
        assert_eq!(holder(&other, now), Err(Refusal::NoClient));
        for scope in ["", "user:read", "user:write", "user:readuser:write", "user:read user:writes"]
        {
            let less = claims(|claims| claims["scope"] = scope.into());
            assert_eq!(holder(&less, now), Err(Refusal::InsufficientScope), "{scope}");
        }
    }
}
