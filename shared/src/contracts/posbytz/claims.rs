//! The access tokens of PosBytz's clients and customers.

use super::{PROFILE, Refusal};
use crate::contracts::tokens;
use crate::domain::client::ClientId;
use crate::domain::id::{UserId, hex};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::http;
use crate::ports::{
    AccessTokens, CheckedToken, Clock, PortError, SignAccessToken, Users, trace_user,
};
use crate::usecases::ClientGrant;
use futures_util::future::BoxFuture;
use lambda_http::Request;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The use of a client's token. The tokens of customers are signed with the same key and do not have
/// this claim, so that neither kind is accepted instead of the other (CONTRACT.md, "Tokens").
const TOKEN_USE: &str = "client";

/// The scopes that a client needs to sign customers up and in.
const REQUIRED_SCOPES: [&str; 2] = ["user:read", "user:write"];

/// The claims of a client's token. `client_id` and `scope` have the names of RFC 9068.
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

/// The scopes of a grant in the format of OAuth 2.0 (RFC 6749 3.3).
pub(super) fn scope(grant: &ClientGrant) -> String {
    grant.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The token of a client.
pub(super) fn token_for(
    grant: &ClientGrant,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let (iat, exp) = tokens::times(grant.issued_at, lifetime);
    let claims = Claims {
        r#use: TOKEN_USE,
        client_id: grant.client.as_str(),
        store: grant.realm.shop().unwrap_or_default(),
        scope: scope(grant),
        jti: hex(&grant.id),
        iat,
        exp,
    };
    tokens::sign(&claims, signer)
}

/// The claims of a customer's token (CONTRACT.md, "Tokens"). They do not have `use`, so that the
/// token is not accepted as a client's.
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
    let (iat, exp) = tokens::times(at, lifetime);
    tokens::sign(&CustomerClaims { user_id: user.as_str(), iat, exp }, signer)
}

/// The claims of a customer's token, as they are read.
#[derive(Deserialize)]
struct StoredCustomer {
    /// A client's token has it.
    r#use: Option<serde::de::IgnoredAny>,
    #[serde(rename = "userId")]
    user_id: String,
    iat: i64,
    exp: i64,
}

/// The customer and the time of issue of genuine claims.
///
/// # Errors
/// [`Refusal::NoClient`] unless the token is a customer's and valid now.
fn customer(claims: &str, now: Timestamp) -> Result<(UserId, Timestamp), Refusal> {
    let claims: StoredCustomer = serde_json::from_str(claims).map_err(|_| Refusal::NoClient)?;
    let StoredCustomer { r#use, user_id, iat, exp } = claims;
    let valid = r#use.is_none() && tokens::has_begun(iat, now) && exp > now.as_seconds();
    let holder = (UserId::from_stored(&user_id), Timestamp::from_seconds(iat));
    if valid { Ok(holder) } else { Err(Refusal::NoClient) }
}

/// The client that sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub client: ClientId,
    /// The shop of the client.
    pub realm: Realm,
}

/// The client of genuine claims.
///
/// # Errors
/// [`Refusal::NoClient`] unless the token is a client's and valid now;
/// [`Refusal::InsufficientScope`].
fn holder(claims: &str, now: Timestamp) -> Result<Caller, Refusal> {
    let claims: Claims<'_> = serde_json::from_str(claims).map_err(|_| Refusal::NoClient)?;
    let client = ClientId::parse(claims.client_id).ok_or(Refusal::NoClient)?;
    let valid = claims.r#use == TOKEN_USE
        && tokens::has_begun(claims.iat, now)
        && claims.exp > now.as_seconds();
    if !valid {
        return Err(Refusal::NoClient);
    }
    let has = |required: &&str| claims.scope.split(' ').any(|scope| scope == *required);
    if !REQUIRED_SCOPES.iter().all(has) {
        return Err(Refusal::InsufficientScope);
    }
    Ok(Caller { client, realm: Realm::of_shop(PROFILE.name, claims.store) })
}

/// Finds the client of a request.
pub struct ClientAuthenticator {
    pub access_tokens: Arc<dyn AccessTokens>,
    pub clock: Arc<dyn Clock>,
}

impl ClientAuthenticator {
    /// The client whose token the request contains: in `X-Api-Authorization`, with or without
    /// `Bearer`, else in `Authorization` (CONTRACT.md, "Clients").
    ///
    /// # Errors
    /// [`Refusal::NoClient`], [`Refusal::InsufficientScope`] or [`Refusal::Internal`].
    pub async fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let own_header =
            http::header(request, "x-api-authorization").map(|value| match value.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
                _ => value,
            });
        let token = own_header.or_else(|| http::bearer(request)).ok_or(Refusal::NoClient)?;
        match self.access_tokens.check(token).await? {
            CheckedToken::Genuine(claims) => holder(&claims, self.clock.now()),
            CheckedToken::Forged => Err(Refusal::NoClient),
        }
    }

    /// The customer whose token is in `Authorization`, beside that of the client, if the customer is
    /// one of the client's shop.
    ///
    /// # Errors
    /// [`Refusal::NoClient`] or [`Refusal::Internal`].
    pub async fn customer(
        &self,
        caller: &Caller,
        users: &dyn Users,
        request: &Request,
    ) -> Result<UserId, Refusal> {
        let token = http::bearer(request).ok_or(Refusal::NoClient)?;
        let CheckedToken::Genuine(claims) = self.access_tokens.check(token).await? else {
            return Err(Refusal::NoClient);
        };
        let now = self.clock.now();
        let (id, issued_at) = customer(&claims, now)?;
        trace_user(&id);
        let user = users.find(&id, now).await?;
        let user = user.filter(|user| user.realm == caller.realm && user.keeps_token(issued_at));
        user.map(|user| user.id).ok_or(Refusal::NoClient)
    }

    /// The client and the customer that the idempotency key of a request belongs to.
    ///
    /// # Errors
    /// Those of [`Self::caller`].
    pub fn customer_of_key<'a>(
        &'a self,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<String, Refusal>> {
        Box::pin(async {
            let client = self.owner_of_key(request).await?;
            Ok(format!("{client}|{}", http::bearer(request).unwrap_or_default()))
        })
    }

    /// The client that the idempotency key of a request belongs to.
    ///
    /// # Errors
    /// Those of [`Self::caller`].
    pub fn owner_of_key<'a>(
        &'a self,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<String, Refusal>> {
        Box::pin(async { Ok(Source::of_client(self.caller(request).await?.client).caller()) })
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
    fn tokens_are_valid_from_their_time_of_issue_to_their_end() {
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
    fn a_clients_token_is_not_a_customers() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(customer(&claims(|_| ()), now), Err(Refusal::NoClient));
        let read = |text: &str, at| customer(text, Timestamp::from_seconds(at)).is_ok();
        let token = r#"{"userId":"632c34752269f12c57952275","iat":1000,"exp":4600}"#;
        let valid = [939, 940, 4599, 4600].map(|at| read(token, at));
        assert_eq!(valid, [false, true, true, false]);
        assert!(!read(r#"{"userId":1,"iat":1000,"exp":4600}"#, 1000));
        assert!(!read(r#"{"userId":"632c34752269f12c57952275","iat":1000}"#, 1000));
    }

    #[test]
    fn a_customers_token_is_not_a_clients_and_scopes_are_whole_words() {
        let now = Timestamp::from_seconds(1000);
        let customer = r#"{"userId":"632c34752269f12c57952275","iat":1000,"exp":4600}"#;
        assert_eq!(holder(customer, now), Err(Refusal::NoClient));
        let other = claims(|claims| claims["use"] = "customer".into());
        assert_eq!(holder(&other, now), Err(Refusal::NoClient));
        for scope in ["", "user:read", "user:write", "user:readuser:write", "user:read user:writes"]
        {
            let claims = claims(|claims| claims["scope"] = scope.into());
            assert_eq!(holder(&claims, now), Err(Refusal::InsufficientScope), "{scope}");
        }
    }
}
