//! `POST /ecommerce/oauth2/token` (RFC 6749).

use acceptance::faults::of_store;
use acceptance::posbytz::{BOTH, Credentials, INTERNAL, access_token, credentials, token_request};
use acceptance::tokens::lifetime;
use acceptance::{Reply, TestStack, posbytz, route, token_parts};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope,
    TokenResponse as _, TokenUrl,
};
use serde_json::{Value, json};
use std::convert::Infallible;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn form(stack: &TestStack, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = [&[FORM], headers].concat();
    stack.call("posbytz-oauth2-token").headers(&headers).body(body.to_owned()).await
}

/// Requires a refusal in the form of RFC 6749 that must not be cached.
#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)), "{reply:?}");
    assert!(reply.json()["error_description"].is_string());
    uncached(reply);
    let challenge = if status == 401 { r#"Basic realm="PosBytz""# } else { "" };
    assert_eq!(reply.header("www-authenticate"), challenge);
}

#[track_caller]
fn uncached(reply: &Reply) {
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
}

fn basic(client: &Credentials) -> String {
    let pair = format!("{}:{}", client.id, client.secret);
    format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
}

#[tokio::test]
async fn json_with_credentials_in_the_body_gives_the_documented_token() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let mut body = token_request(&client, Some(BOTH));
    // The members that the original gateway required are not read.
    body["provision_key"] = json!("anything");
    body["authenticated_userid"] = json!("STORE2");
    let reply = posbytz(stack).ask_for_token(&body).await;
    uncached(&reply);
    let token = access_token(&reply);
    let expected =
        format!(r#"{{"token_type":"bearer","access_token":"{token}","expires_in":3600}}"#);
    reply.expect_text(200, &expected);
    let (header, claims) = token_parts(&token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
    assert_eq!(header["kid"].as_str().unwrap().len(), 8);
    assert_eq!(lifetime(&claims), 3600);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 32);
    let expected = json!({"use": "client", "client_id": client.id, "store": "STORE1",
        "scope": BOTH, "jti": jti, "iat": claims["iat"], "exp": claims["exp"]});
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn forms_and_basic_credentials_are_accepted_too() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let Credentials { id, secret } = &client;
    let in_body = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}\
         &scope=user%3Aread+user%3Awrite&provision_key=x&authenticated_userid=y"
    );
    assert_eq!(form(stack, &[], &in_body).await.status, 200);
    let authorization = basic(&client);
    let by_basic = [("authorization", authorization.as_str())];
    let reply = form(stack, &by_basic, "grant_type=client_credentials").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    // The request named no scope, so the answer names the granted one (RFC 6749 5.1).
    assert_eq!(reply.json()["scope"], BOTH);
    let body = format!("grant_type=client_credentials&client_id={id}");
    assert_eq!(form(stack, &by_basic, &body).await.status, 200);
    let body = json!({"grant_type": "client_credentials", "scope": "user:read"});
    let reply = posbytz(stack).ask_for_token(&body).headers(&by_basic).await;
    assert_eq!(token_parts(&access_token(&reply)).1["scope"], "user:read");
}

#[tokio::test]
async fn scopes_are_narrowed_and_never_widened() {
    let stack = TestStack::shared().await;
    let both = posbytz(stack).new_client("STORE1").await;
    let payload = json!({"store": "STORE1", "scopes": ["user:read"]});
    let one = credentials(&posbytz(stack).administer(&payload).await);
    let asked = async |client: &Credentials, scope: &str| {
        posbytz(stack).ask_for_token(&token_request(client, Some(scope))).await
    };
    let granted = |reply: &Reply| token_parts(&access_token(reply)).1["scope"].clone();
    assert_eq!(granted(&asked(&both, "user:write").await), "user:write");
    assert_eq!(granted(&asked(&both, "user:write user:read user:write").await), BOTH);
    assert_eq!(granted(&asked(&both, " ").await), BOTH);
    assert_eq!(granted(&asked(&both, "").await), BOTH);
    assert_eq!(granted(&asked(&one, "user:read").await), "user:read");
    for scope in ["user:write", BOTH, "user:read admin", "USER:READ", "user:read,user:write"] {
        refused(&asked(&one, scope).await, 400, "invalid_scope");
    }
}

#[tokio::test]
async fn a_missing_malformed_or_repeated_parameter_is_an_invalid_request() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let Credentials { id, secret } = &client;
    for body in ["", "{", "[]", r#""x""#, "{}", "scope=user:read", "grant_type="] {
        refused(&form(stack, &[], body).await, 400, "invalid_request");
    }
    let twice = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}\
         &scope=user:read&scope=user:write"
    );
    refused(&form(stack, &[], &twice).await, 400, "invalid_request");
    let mut typed = token_request(&client, None);
    typed["scope"] = json!(["user:read"]);
    refused(&posbytz(stack).ask_for_token(&typed).await, 400, "invalid_request");
    // Two kinds of credentials at once (RFC 6749 2.3).
    let authorization = basic(&client);
    let by_basic = [("authorization", authorization.as_str())];
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    refused(&form(stack, &by_basic, &body).await, 400, "invalid_request");
    let body = "grant_type=client_credentials&client_id=another";
    refused(&form(stack, &by_basic, body).await, 400, "invalid_request");
    let large = format!("grant_type=client_credentials&x={}", "x".repeat(400_000));
    refused(&form(stack, &[], &large).await, 413, "invalid_request");
}

#[tokio::test]
async fn other_grants_are_unsupported() {
    let stack = TestStack::shared().await;
    let mut body = token_request(&posbytz(stack).new_client("STORE1").await, None);
    for grant in ["password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS"] {
        body["grant_type"] = json!(grant);
        refused(&posbytz(stack).ask_for_token(&body).await, 400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_look_and_cost_the_same() {
    let stack = &TestStack::with(&[]).await;
    let client = posbytz(stack).new_client("STORE1").await;
    assert_eq!(posbytz(stack).ask_for_token(&token_request(&client, None)).await.status, 200);
    let with = |id: &str, secret: &str| {
        token_request(&Credentials { id: id.to_owned(), secret: secret.to_owned() }, None)
    };
    let upper = client.secret.to_ascii_uppercase();
    let near = format!("{}0", &client.secret[..63]);
    let near = if near == client.secret { format!("{}1", &client.secret[..63]) } else { near };
    let mut costs = Vec::new();
    for body in [
        with(&client.id, &"0".repeat(64)),
        with(&client.id, &near),
        with(&client.id, &upper),
        with(&client.id, "x"),
        with(&"0".repeat(32), &client.secret),
        with("unknown", &client.secret),
        with(&client.id.to_ascii_uppercase(), &"0".repeat(64)),
    ] {
        let before = stack.calls("posbytz-oauth2-token").await.len();
        let reply = posbytz(stack).ask_for_token(&body).await;
        refused(&reply, 401, "invalid_client");
        let calls = stack.calls("posbytz-oauth2-token").await.split_off(before);
        let calls = calls.iter().map(|call| {
            json!([call["operation"], call["resources"], call["status"], call["units"]])
        });
        costs.push((reply.body, calls.collect::<Vec<Value>>()));
    }
    assert_eq!(costs[0].1.len(), 1);
    costs.dedup();
    assert_eq!(costs.len(), 1, "{costs:?}");
}

#[tokio::test]
async fn missing_credentials_are_an_invalid_client() {
    let stack = TestStack::shared().await;
    let Credentials { id, secret } = posbytz(stack).new_client("STORE1").await;
    for rest in [String::new(), format!("&client_id={id}"), format!("&client_secret={secret}")] {
        let body = format!("grant_type=client_credentials{rest}");
        refused(&form(stack, &[], &body).await, 401, "invalid_client");
    }
    for header in ["Basic", "Basic !", "Basic eA==", "Bearer abc", "Basic /w=="] {
        let reply =
            form(stack, &[("authorization", header)], "grant_type=client_credentials").await;
        refused(&reply, 401, "invalid_client");
    }
}

#[tokio::test]
async fn a_token_works_as_long_as_configured() {
    let stack = &TestStack::with(&[("ACCESS_TOKEN_SECONDS_POSBYTZ", "77")]).await;
    let client = posbytz(stack).new_client("STORE1").await;
    let reply = posbytz(stack).ask_for_token(&token_request(&client, None)).await.json();
    assert_eq!(reply["expires_in"], 77);
    let (_, claims) = token_parts(reply["access_token"].as_str().unwrap());
    assert_eq!(lifetime(&claims), 77);
}

#[tokio::test]
async fn a_standard_client_library_gets_its_token() {
    let stack = TestStack::shared().await;
    let Credentials { id, secret } = posbytz(stack).new_client("STORE1").await;
    let url =
        TokenUrl::new(format!("{}{}", stack.url(), route("posbytz-oauth2-token").path)).unwrap();
    let send = async |request: HttpRequest| {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap());
        let names = ["accept", "authorization", "content-type"];
        let headers: Vec<_> =
            names.into_iter().filter_map(|name| Some((name, header(name)?))).collect();
        let (path, body) = (request.uri().path(), request.body().clone());
        let reply = stack.request("POST", path).headers(&headers).body(body).await;
        let mut response = HttpResponse::new(reply.body.into_bytes());
        *response.status_mut() = reply.status.try_into().unwrap();
        *response.headers_mut() = reply.headers;
        Ok::<_, Infallible>(response)
    };
    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = BasicClient::new(ClientId::new(id.clone()))
            .set_client_secret(ClientSecret::new(secret.clone()))
            .set_token_uri(url.clone())
            .set_auth_type(auth_type.clone());
        let scopes = ["user:read", "user:write"].map(|scope| Scope::new(scope.to_owned()));
        let token = client
            .exchange_client_credentials()
            .add_scopes(scopes)
            .request_async(&send)
            .await
            .unwrap();
        assert_eq!(token.expires_in().unwrap().as_secs(), 3600);
        assert_eq!(token_parts(token.access_token().secret()).1["scope"], BOTH);
        let client = client.set_client_secret(ClientSecret::new("wrong".to_owned()));
        let error = client.exchange_client_credentials().request_async(&send).await.unwrap_err();
        let RequestTokenError::ServerResponse(error) = error else { panic!("{error:?}") };
        assert_eq!(error.error().as_ref(), "invalid_client");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_500_in_the_contracts_format() {
    let stack = &TestStack::with(&[]).await;
    let client = posbytz(stack).new_client("STORE1").await;
    stack.fault(&of_store("error").times(1000)).await;
    let reply = posbytz(stack).ask_for_token(&token_request(&client, None)).await;
    reply.expect_text(500, INTERNAL);
    stack.clear_faults().await;
    assert_eq!(posbytz(stack).ask_for_token(&token_request(&client, None)).await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_as_posbytz_does() {
    let stack = TestStack::shared().await;
    for path in ["/ecommerce", "/ecommerce/oauth2", "/ecommerce/v1/other"] {
        let reply = stack.request("GET", path).await;
        reply.expect_text(404, r#"{"statusCode":404,"message":"Not Found"}"#);
    }
    let reply = stack.call("posbytz-oauth2-token").with_method("GET").await;
    reply.expect_text(405, r#"{"statusCode":405,"message":"Method Not Allowed"}"#);
    assert_eq!(reply.header("allow"), "POST");
    // The callers are servers: no page of another origin may read an answer.
    let asked = [("origin", "https://shop.example"), ("access-control-request-method", "POST")];
    let reply = stack.call("posbytz-oauth2-token").with_method("OPTIONS").headers(&asked).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, ""));
}
