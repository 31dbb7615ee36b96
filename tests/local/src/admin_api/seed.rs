//! Signs people up through the API, for tests and for a first look.

use super::live::Waiting;
use super::{AdminApi, Stack, error, failed};
use crate::activity;
use crate::gateway;
use crate::lambda::Outcome;
use crate::random;
use anyhow::{Context, bail, ensure};
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The most people of one request.
const MOST_PEOPLE: usize = 1000;
/// The people that are signed up at the same time.
const AT_ONCE: usize = 4;
/// How long a code can take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The password of people that are given none.
const PASSWORD: &str = "correct horse battery";
/// The shop of PosBytz' people that are given none.
const STORE: &str = "STORE1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seed {
    people: Vec<Wanted>,
}

/// A person to sign up. What is left out gets test data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    contract: String,
    phone: Option<String>,
    email: Option<String>,
    password: Option<String>,
    /// Gotu: the way to sign up, if neither `phone` nor `email` says it.
    by: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    store: Option<String>,
}

impl Wanted {
    /// Returns a field that the contract has no use for.
    fn unused(&self) -> Option<&'static str> {
        let has_mail = self.email.is_some();
        let by_mail = has_mail || self.by.as_deref() == Some("email");
        let uses: &[&str] = match self.contract.as_str() {
            "gotu" if by_mail => &["email", "password", "by"],
            "gotu" => &["phone", "by"],
            "goodcity" => &["phone", "firstName", "lastName"],
            "urbanfits" => &["email", "password", "username"],
            _ => &["phone", "email", "password", "store"],
        };
        let given = [
            ("phone", self.phone.is_some()),
            ("email", has_mail),
            ("password", self.password.is_some()),
            ("by", self.by.is_some()),
            ("username", self.username.is_some()),
            ("firstName", self.first_name.is_some()),
            ("lastName", self.last_name.is_some()),
            ("store", self.store.is_some()),
        ];
        let unused = given.iter().find(|(name, is_given)| *is_given && !uses.contains(name));
        unused.map(|(name, _)| *name)
    }
}

/// A person that was signed up.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedUp {
    contract: String,
    id: String,
    phone: Option<String>,
    email: Option<String>,
    username: Option<String>,
    password: Option<String>,
    store: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    /// The value of the header `cookie` of a signed-in browser.
    cookie: Option<String>,
    /// The token of the shop's server, which calls the API for its customers.
    client_token: Option<String>,
}

pub(super) async fn seed(State(stack): Stack, body: Bytes) -> Response {
    let seed: Seed = match serde_json::from_slice(&body) {
        Ok(seed) => seed,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    if seed.people.len() > MOST_PEOPLE {
        let problem = format!("a request can have {MOST_PEOPLE} people at most");
        return error(StatusCode::BAD_REQUEST, &problem);
    }
    let contracts = stack.contracts();
    if let Some(wanted) = seed.people.iter().find(|it| !contracts.contains(&it.contract)) {
        let problem =
            format!("there is no contract {}; there are {}", wanted.contract, contracts.join(", "));
        return error(StatusCode::BAD_REQUEST, &problem);
    }
    let unused = seed.people.iter().find_map(|it| Some((it.contract.as_str(), it.unused()?)));
    if let Some((contract, field)) = unused {
        let problem = format!("such a person of {contract} has no {field}");
        return error(StatusCode::BAD_REQUEST, &problem);
    }
    let mut people = Vec::new();
    for some in seed.people.chunks(AT_ONCE) {
        let tasks = some.iter().cloned().map(|wanted| {
            let stack = Arc::clone(&stack);
            tokio::spawn(async move { stack.sign_up(&wanted).await })
        });
        for (one, wanted) in join_all(tasks).await.into_iter().zip(some) {
            let failure = || format!("failed to sign up at {}", wanted.contract);
            match one.map_err(anyhow::Error::from).flatten().with_context(failure) {
                Ok(one) => people.push(one),
                Err(problem) => return failed(&problem),
            }
        }
    }
    super::page("people", Ok(people))
}

/// A client of the API with an address of its own, so that its requests use up no limit of others.
struct Client<'a> {
    stack: &'a AdminApi,
    address: SocketAddr,
}

/// An answer of the API.
struct Answer {
    cookies: Vec<String>,
    body: Json,
}

impl Answer {
    fn text(&self, pointer: &str) -> anyhow::Result<String> {
        let found = match self.body.pointer(pointer) {
            Some(Json::String(text)) => Some(text.clone()),
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        found.with_context(|| format!("the answer has no {pointer}"))
    }
}

impl Client<'_> {
    async fn post(&self, path: &str, token: Option<&str>, body: &Json) -> anyhow::Result<Answer> {
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.to_string()))?;
        let gateway = self.stack.gateway.clone().context("an account cannot be seeded")?;
        let response = gateway::handle(State(gateway), ConnectInfo(self.address), request).await;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await?;
        let status = head.status;
        let text = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "POST {path} answered {status}: {text}");
        let cookies = head.headers.get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()).map(str::to_owned);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { cookies: cookies.collect(), body })
    }

    /// Returns the code in the first message to a recipient after `seen` messages.
    async fn code(&self, to: &str, seen: usize) -> anyhow::Result<String> {
        let mut waiting = Waiting::new(self.stack, PATIENCE);
        loop {
            let messages = self.stack.aws.backend.messages(Some(to)).await?;
            let mut codes = messages.iter().skip(seen).filter_map(|it| activity::code(&it.body));
            if let Some(code) = codes.next() {
                return Ok(code.to_owned());
            }
            ensure!(waiting.goes_on().await, "no code arrived at {to}: see the withheld codes");
        }
    }

    async fn seen(&self, to: &str) -> anyhow::Result<usize> {
        Ok(self.stack.aws.backend.messages(Some(to)).await?.len())
    }
}

impl AdminApi {
    async fn sign_up(&self, wanted: &Wanted) -> anyhow::Result<SignedUp> {
        // Addresses for measurements, which no person has (RFC 2544).
        let [one, two] = random::two_bytes();
        let address = SocketAddr::from((Ipv4Addr::new(198, 18, one, two), 1));
        let client = Client { stack: self, address };
        match wanted.contract.as_str() {
            "gotu" => gotu(&client, wanted).await,
            "goodcity" => goodcity(&client, wanted).await,
            "urbanfits" => urbanfits(&client, wanted).await,
            "posbytz" => posbytz(&client, wanted).await,
            other => bail!("people of {other} cannot be made"),
        }
    }
}

fn word(length: usize) -> anyhow::Result<String> {
    Ok(random::alphanumeric(length)?.to_lowercase())
}

fn digits(length: usize) -> anyhow::Result<String> {
    let bytes = random::alphanumeric(length)?;
    let digit = |byte: u8| char::from_digit(u32::from(byte) % 10, 10);
    Ok(bytes.bytes().filter_map(digit).collect())
}

fn email(wanted: &Wanted) -> anyhow::Result<String> {
    match &wanted.email {
        Some(email) => Ok(email.clone()),
        None => Ok(format!("person-{}@example.com", word(8)?)),
    }
}

fn phone(wanted: &Wanted, start: &str, length: usize) -> anyhow::Result<String> {
    match &wanted.phone {
        Some(phone) => Ok(phone.clone()),
        None => Ok(format!("{start}{}", digits(length)?)),
    }
}

fn password(wanted: &Wanted) -> String {
    wanted.password.clone().unwrap_or_else(|| PASSWORD.to_owned())
}

async fn gotu(client: &Client<'_>, wanted: &Wanted) -> anyhow::Result<SignedUp> {
    let by_mail = wanted.email.is_some() || wanted.by.as_deref() == Some("email");
    let mut signed_up = SignedUp { contract: "gotu".to_owned(), ..SignedUp::default() };
    let body = if by_mail {
        let (email, password) = (email(wanted)?, password(wanted));
        let body = json!({"type": "email", "email": email, "password": password});
        (signed_up.email, signed_up.password) = (Some(email), Some(password));
        body
    } else {
        let phone = phone(wanted, "+62822", 8)?;
        let seen = client.seen(&phone).await?;
        client.post("/otp", None, &json!({"identifier": phone, "otpType": "sign_up"})).await?;
        let code = client.code(&phone, seen).await?;
        let body =
            json!({"type": "phone", "phoneNumber": phone, "otpCode": code, "userType": "DNT"});
        signed_up.phone = Some(phone);
        body
    };
    let answer = client.post("/users", None, &body).await?;
    let token = answer.text("/data/accessToken")?;
    signed_up.id = subject(&token).context("the access token has no subject")?;
    signed_up.access_token = Some(token);
    signed_up.refresh_token = Some(answer.text("/data/refreshToken")?);
    Ok(signed_up)
}

/// Returns the subject of a JSON Web Token.
fn subject(token: &str) -> Option<String> {
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1)?.as_bytes()).ok()?;
    let claims: Json = serde_json::from_slice(&claims).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

async fn goodcity(client: &Client<'_>, wanted: &Wanted) -> anyhow::Result<SignedUp> {
    let phone = phone(wanted, "+8525", 7)?;
    let seen = client.seen(&phone).await?;
    let first = wanted.first_name.as_deref().unwrap_or("Mei");
    let last = wanted.last_name.as_deref().unwrap_or("Chan");
    let person = json!({"user_auth": {"mobile": phone, "first_name": first, "last_name": last,
        "address_attributes": {"district_id": "1", "address_type": "Profile"}}});
    let answer = client.post("/api/v1/auth/signup", None, &person).await?;
    let key = answer.text("/otp_auth_key")?;
    let pin = client.code(&phone, seen).await?;
    let body = json!({"otp_auth_key": key, "pin": pin});
    let answer = client.post("/api/v1/auth/verify", None, &body).await?;
    Ok(SignedUp {
        contract: "goodcity".to_owned(),
        id: answer.text("/user/user_profile/id")?,
        phone: Some(phone),
        access_token: Some(answer.text("/jwt_token")?),
        ..SignedUp::default()
    })
}

async fn urbanfits(client: &Client<'_>, wanted: &Wanted) -> anyhow::Result<SignedUp> {
    let (email, password) = (email(wanted)?, password(wanted));
    let username = match &wanted.username {
        Some(username) => username.clone(),
        None => format!("person_{}", word(8)?),
    };
    let seen = client.seen(&email.to_lowercase()).await?;
    let person = json!({"username": username, "email": email, "phone_prefix": "+971",
        "phone_number": "501234567", "password": password, "timezone": "Asia/Dubai",
        "accept_policies": true});
    let otp_id = client.post("/auth/signup", None, &person).await?.text("/otp_id")?;
    let otp = client.code(&email.to_lowercase(), seen).await?;
    let body = json!({"otp_id": otp_id, "otp": otp});
    let answer = client.post("/auth/signup/callback", None, &body).await?;
    let cookies = answer.cookies.iter().filter_map(|cookie| cookie.split(';').next());
    Ok(SignedUp {
        contract: "urbanfits".to_owned(),
        id: ["/data/_id", "/user/_id", "/user_id"]
            .iter()
            .find_map(|pointer| answer.text(pointer).ok())
            .unwrap_or_default(),
        email: Some(email),
        username: Some(username),
        password: Some(password),
        cookie: Some(cookies.collect::<Vec<_>>().join("; ")),
        ..SignedUp::default()
    })
}

async fn posbytz(client: &Client<'_>, wanted: &Wanted) -> anyhow::Result<SignedUp> {
    let store = wanted.store.clone().unwrap_or_else(|| STORE.to_owned());
    let token = client_token(client, &store).await?;
    let phone = phone(wanted, "+919", 9)?;
    let number = phone.strip_prefix("+91").context("the phone number must begin with +91")?;
    let mobile = json!({"code": "+91", "number": number});
    let (email, password) = (email(wanted)?, password(wanted));
    let seen = client.seen(&phone).await?;
    let person = json!({"email": email, "mobile": mobile, "password": password});
    let answer = client.post("/ecommerce/v1/auth/signup", Some(&token), &person).await?;
    let id = answer.text("/data/_id")?;
    let otp: u32 = client.code(&phone, seen).await?.parse()?;
    let body = json!({"otp": otp, "source": "mobile", "mobile": mobile});
    let answer = client.post("/ecommerce/v1/auth/otp/verify", Some(&token), &body).await?;
    Ok(SignedUp {
        contract: "posbytz".to_owned(),
        id,
        phone: Some(phone),
        email: Some(email),
        password: Some(password),
        store: Some(store),
        access_token: Some(answer.text("/data/accessToken")?),
        client_token: Some(token),
        ..SignedUp::default()
    })
}

/// Makes a client of a shop and returns a token of it.
async fn client_token(client: &Client<'_>, store: &str) -> anyhow::Result<String> {
    let payload = json!({"store": store, "scopes": ["user:read", "user:write"]});
    let outcome = client.stack.invoke("posbytz-create-client", &payload).await?;
    let Outcome::Answered(answer) = outcome else {
        bail!("failed to make a client: {}", outcome.error().unwrap_or_default());
    };
    let made: Json = serde_json::from_slice(&answer)?;
    let part = |name: &str| made.get(name).cloned().unwrap_or_default();
    let body = json!({"grant_type": "client_credentials", "scope": "user:read user:write",
        "client_id": part("clientId"), "client_secret": part("clientSecret")});
    client.post("/ecommerce/oauth2/token", None, &body).await?.text("/access_token")
}

/// The gateway of a stack that can be seeded.
pub(super) type Front = Option<Arc<gateway::Gateway>>;
