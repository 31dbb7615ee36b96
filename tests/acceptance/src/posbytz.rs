//! PosBytz, as a shop's server calls it, and as its administrator invokes it.

use crate::tokens::is_hex;
use crate::{Call, Reply, TestStack, compact, route, token_parts};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// The function that manages clients. It has no route.
pub const CREATE_CLIENT: &str = "posbytz-create-client";
/// Both scopes.
pub const BOTH: &str = "user:read user:write";
/// The password of [`by_email`] and [`by_mobile`].
pub const PASSWORD: &str = "correct horse";
/// The answer to a fault.
pub const INTERNAL: &str = r#"{"statusCode":500,"message":"Internal server error"}"#;
/// The answer to a request beyond a limit.
pub const TOO_MANY: &str = r#"{"statusCode":429,"message":"Too Many Requests"}"#;
/// The answer to a verified address.
pub const SUCCESS: &str = r#"{"statusCode":200,"message":"Success"}"#;

/// A client of PosBytz.
#[derive(Clone, Copy)]
pub struct PosBytz<'a>(&'a TestStack);

/// A client of PosBytz for a stack.
#[must_use]
pub const fn posbytz(stack: &TestStack) -> PosBytz<'_> {
    PosBytz(stack)
}

/// An OAuth 2 client's id and secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
}

impl<'a> PosBytz<'a> {
    /// Invokes the function that manages clients, as an administrator does.
    pub async fn administer(self, payload: &Value) -> Reply {
        self.0.invoke(CREATE_CLIENT, payload).await
    }

    /// Makes a client of a store with both scopes.
    pub async fn new_client(self, store: &str) -> Credentials {
        let payload = json!({"store": store, "scopes": ["user:read", "user:write"]});
        credentials(&self.administer(&payload).await)
    }

    /// Asks for a client's token.
    pub fn ask_for_token(self, body: &Value) -> Call<'a> {
        self.0.call("posbytz-oauth2-token").json(body)
    }

    /// A token of a client, with these scopes.
    pub async fn token(self, client: &Credentials, scope: &str) -> String {
        access_token(&self.ask_for_token(&token_request(client, Some(scope))).await)
    }

    /// A token of a new client of a store, with both scopes.
    pub async fn store_token(self, store: &str) -> String {
        self.token(&self.new_client(store).await, BOTH).await
    }

    /// Signs a customer up, with a client's token.
    pub fn sign_up(self, token: &str, body: &Value) -> Call<'a> {
        self.0.call("posbytz-signup").bearer(token).json(body)
    }

    /// Signs a customer in, with a client's token.
    pub fn sign_in(self, token: &str, body: &Value) -> Call<'a> {
        self.0.call("posbytz-signin").bearer(token).json(body)
    }

    /// Enters a code, with a client's token.
    pub fn enter_code(self, token: &str, body: &Value) -> Call<'a> {
        self.0.call("posbytz-otp-verify").bearer(token).json(body)
    }

    /// Asks for a code that allows a new password. The body has an address or a mobile.
    pub fn forgot_password(self, token: &str, body: &Value) -> Call<'a> {
        self.0.call("posbytz-password-forgot").bearer(token).json(body)
    }

    /// Sets a new password with a code.
    pub fn reset_password(
        self,
        token: &str,
        recipient: &Value,
        (otp, password): (&str, &str),
    ) -> Call<'a> {
        let mut body = recipient.clone();
        body["otp"] = json!(otp.parse::<u32>().expect("a code is a number"));
        body["password"] = json!(password);
        self.0.call("posbytz-password-reset").bearer(token).json(&body)
    }

    /// Asks for the code to a mobile, or for the link to an address, again.
    pub fn resend(self, token: &str, body: &Value) -> Call<'a> {
        let path = if body.get("email").is_some() { "email/resend" } else { "otp/resend" };
        let path = format!("/ecommerce/v1/auth/{path}");
        self.0.request("POST", &path).bearer(token).json(body)
    }

    /// Deletes the customer of a customer's token.
    pub fn delete_customer(self, token: &str, customer: &str, password: &str) -> Call<'a> {
        self.0
            .call("posbytz-delete-user")
            .header("x-api-authorization", token)
            .bearer(customer)
            .json(&json!({"password": password}))
    }

    /// Follows a mailed link.
    pub fn verify_email(self, user_id: &str, secret: &str) -> Call<'a> {
        self.0.call("posbytz-email-verify").query(&format!("userId={user_id}&token={secret}"))
    }

    /// The start of a user's link, up to its secret.
    #[must_use]
    pub fn link_of(self, user_id: &str) -> String {
        let path = route("posbytz-email-verify").path;
        format!("{}{path}?userId={user_id}&token=", self.0.url())
    }

    /// The secret of the link in the message number `count` to an address. The link names the user.
    pub async fn mailed_secret(self, email: &str, user_id: &str, count: usize) -> String {
        let text = self.0.text(email, count).await;
        let start = self.link_of(user_id);
        let secret = text.lines().find_map(|line| line.strip_prefix(&start)).expect("a link");
        assert!(is_hex(secret, 64), "{secret}");
        secret.to_owned()
    }

    /// Signs a customer up by e-mail, and returns the customer's id and the secret of the mailed link.
    pub async fn mailed(self, token: &str, email: &str) -> (String, String) {
        let id = customer_id(&self.sign_up(token, &by_email(email)).await);
        let secret = self.mailed_secret(email, &id, 1).await;
        (id, secret)
    }

    /// Signs a customer up by e-mail and follows the link. Returns the customer's id.
    pub async fn registered(self, token: &str, email: &str) -> String {
        let (id, secret) = self.mailed(token, email).await;
        self.verify_email(&id, &secret).await.expect_text(200, SUCCESS);
        id
    }
}

/// Requires that an invocation failed with this message.
#[track_caller]
pub fn failed(reply: &Reply, message: &str) {
    assert_eq!(reply.header("x-amz-function-error"), "Unhandled", "{reply:?}");
    assert_eq!(reply.json()["errorMessage"], message);
}

/// Requires the answer that shows a secret.
#[track_caller]
#[must_use]
pub fn credentials(reply: &Reply) -> Credentials {
    reply.expect_invoked();
    let json = reply.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    let new = Credentials { id: text("clientId"), secret: text("clientSecret") };
    assert_eq!(json, json!({"clientId": new.id, "clientSecret": new.secret}));
    assert!(is_hex(&new.id, 32) && is_hex(&new.secret, 64), "{new:?}");
    new
}

/// The token request of a client.
#[must_use]
pub fn token_request(client: &Credentials, scope: Option<&str>) -> Value {
    let mut body = json!({"grant_type": "client_credentials", "client_id": client.id,
        "client_secret": client.secret});
    if let Some(scope) = scope {
        body["scope"] = json!(scope);
    }
    body
}

/// The token in the answer to a token request.
#[track_caller]
#[must_use]
pub fn access_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// Requires a customer's session, and returns the customer's id.
#[track_caller]
#[must_use]
pub fn signed_in(reply: &Reply) -> String {
    let token = session(reply);
    let expected = compact(
        r#"{
            "statusCode": 200,
            "data": {"accessToken": "<token>", "tokenType": "Bearer", "expiresIn": 3600}
        }"#,
        &[("token", &token)],
    );
    assert_eq!(reply.body, expected);
    let (_, claims) = token_parts(&token);
    let (issued, id) = (claims["iat"].as_i64().unwrap(), &claims["userId"]);
    assert_eq!(claims, json!({"userId": id, "iat": issued, "exp": issued.saturating_add(3600)}));
    id.as_str().unwrap().to_owned()
}

/// The token in the answer that opens a customer's session.
#[track_caller]
#[must_use]
pub fn session(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["data"]["accessToken"].as_str().unwrap().to_owned()
}

/// A number behind +91 that no other test of the process uses.
#[must_use]
pub fn new_number() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("99{:08}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The identifiers and the password of a customer with an e-mail address alone.
#[must_use]
pub fn by_email(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

/// The identifiers and the password of a customer with a mobile alone.
#[must_use]
pub fn by_mobile(code: &str, number: &str) -> Value {
    json!({"mobile": {"code": code, "number": number}, "password": PASSWORD})
}

/// The code of a customer whose mobile has the country code +91.
#[must_use]
pub fn typed(number: &str, otp: &str) -> Value {
    let otp: u32 = otp.parse().expect("a code is a number");
    json!({"otp": otp, "source": "mobile", "mobile": {"code": "+91", "number": number}})
}

/// PosBytz' body of a refusal.
#[must_use]
pub fn refusal(status: u16, message: &str, error: &str) -> Value {
    json!({"statusCode": status, "message": message, "error": error})
}

/// PosBytz' body of a refusal of fields.
#[must_use]
pub fn bad_request(errors: &Value) -> Value {
    json!({"statusCode": 400, "errors": errors, "message": "Bad Request"})
}

/// The body of the refusal of a code.
#[must_use]
pub fn code_refused() -> Value {
    refusal(401, "OTP invalid or expired", "Unauthorized")
}

/// Requires a new customer, and returns the customer's id.
#[track_caller]
pub fn customer_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{reply:?}");
    let id = reply.json()["data"]["_id"].as_str().unwrap().to_owned();
    assert!(is_hex(&id, 24), "{id}");
    id
}
