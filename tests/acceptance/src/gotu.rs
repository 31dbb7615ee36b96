//! Gotu, as its app calls it.

use crate::tokens::is_hex;
use crate::{Call, Reply, TestStack, code_in, token_parts};
use serde_json::{Value, json};

/// The refusal of a code that is wrong, used, expired or was guessed too often.
pub const CODE_REFUSED: &str = "invalid or expired otp code";
/// The refusal of a request beyond a limit.
pub const TOO_MANY: &str = "too many requests";
/// The password of every user that [`Gotu::sign_up_by_email`] makes.
pub const PASSWORD: &str = "correct horse";

/// A client of Gotu.
#[derive(Clone, Copy)]
pub struct Gotu<'a>(&'a TestStack);

/// A client of Gotu for a stack.
#[must_use]
pub const fn gotu(stack: &TestStack) -> Gotu<'_> {
    Gotu(stack)
}

impl<'a> Gotu<'a> {
    /// Asks for a code.
    pub fn ask_for_code(self, identifier: &str, otp_type: &str) -> Call<'a> {
        let body = json!({"identifier": identifier, "otpType": otp_type});
        self.0.call("gotu-post-otp").json(&body)
    }

    /// Asks for a code, waits for it and returns it. It is the message number `count`.
    pub async fn code(self, identifier: &str, otp_type: &str, count: usize) -> String {
        self.ask_for_code(identifier, otp_type).await.expect_text(204, "");
        self.code_of(identifier, count).await
    }

    /// Waits for the message number `count` to an identifier, and returns its code.
    pub async fn code_of(self, identifier: &str, count: usize) -> String {
        code_in(&self.0.text(identifier, count).await)
    }

    /// Proves an identifier with a code.
    pub fn verify_code(self, identifier: &str, code: &str, otp_type: &str) -> Call<'a> {
        let body = json!({"identifier": identifier, "otpCode": code, "otpType": otp_type});
        self.0.call("gotu-post-otp-verification").json(&body)
    }

    /// Signs a user up.
    pub fn sign_up(self, body: &Value) -> Call<'a> {
        self.0.call("gotu-post-users").json(body)
    }

    /// Signs a user up by phone with a code.
    pub fn sign_up_by_phone(self, phone: &str, code: &str) -> Call<'a> {
        let body =
            json!({"type": "phone", "phoneNumber": phone, "otpCode": code, "userType": "DNT"});
        self.sign_up(&body)
    }

    /// Signs a user up by e-mail with [`PASSWORD`].
    pub fn sign_up_by_email(self, email: &str) -> Call<'a> {
        self.sign_up(&json!({"type": "email", "email": email, "password": PASSWORD}))
    }

    /// Makes a user with a new code, and returns the user's id. The code is the first message to the phone.
    pub async fn registered(self, phone: &str) -> String {
        let code = self.code(phone, "sign_up", 1).await;
        user_id(&self.sign_up_by_phone(phone, &code).await)
    }

    /// Signs a user in with a password.
    pub fn sign_in(self, email: &str, password: &str) -> Call<'a> {
        let body = json!({"email": email, "password": password});
        self.0.call("gotu-post-sessions").json(&body)
    }

    /// Signs a user in with a code.
    pub fn sign_in_by_phone(self, phone: &str, code: &str) -> Call<'a> {
        let body = json!({"phoneNumber": phone, "otpCode": code});
        self.0.call("gotu-post-sessions-phone").json(&body)
    }

    /// Exchanges a refresh token.
    pub fn refresh(self, refresh_token: &str) -> Call<'a> {
        let body = json!({"refreshToken": refresh_token});
        self.0.call("gotu-post-sessions-refresh").json(&body)
    }

    /// Ends the session of an access token.
    pub fn sign_out(self, access_token: &str) -> Call<'a> {
        self.0.call("gotu-delete-sessions").bearer(access_token)
    }

    /// Ends every session of the user of an access token.
    pub fn sign_out_everywhere(self, access_token: &str) -> Call<'a> {
        self.sign_out(access_token).query("all=true")
    }

    /// Changes the phone number of the user of an access token.
    pub fn change_phone(self, access_token: &str, body: &Value) -> Call<'a> {
        self.0.call("gotu-patch-users-phone").bearer(access_token).json(body)
    }

    /// Proves a number that no user has, for a change to it. The code is the message number `count` to it.
    pub async fn proved_phone(self, phone: &str, count: usize) -> Value {
        let code = self.code(phone, "change_phone", count).await;
        let proved = self.verify_code(phone, &code, "change_phone").await;
        let token = proved.json()["data"]["requestToken"].as_str().unwrap().to_owned();
        json!({"phoneNumber": phone, "requestToken": token})
    }

    /// Deletes the account of the user of an access token.
    pub fn delete_account(self, access_token: &str, body: &Value) -> Call<'a> {
        self.0.call("gotu-delete-users").bearer(access_token).json(body)
    }

    /// Sets a new password.
    pub fn set_password(self, body: &Value) -> Call<'a> {
        self.0.call("gotu-patch-users-password").json(body)
    }
}

/// Gotu's body of a refusal.
#[must_use]
pub fn error(text: &str) -> Value {
    json!({"error": text})
}

/// The tokens of a session.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// The tokens in the answer that opens a session.
#[track_caller]
#[must_use]
pub fn tokens(reply: &Reply) -> Tokens {
    assert_eq!(reply.status, 200, "{reply:?}");
    let data = &reply.json()["data"];
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    Tokens { access: text("accessToken"), refresh: text("refreshToken") }
}

/// The claims of the access token in the answer that opens a session.
#[track_caller]
#[must_use]
pub fn claims(reply: &Reply) -> Value {
    token_parts(&tokens(reply).access).1
}

/// The user's id in the answer that opens a session.
#[track_caller]
#[must_use]
pub fn user_id(reply: &Reply) -> String {
    let id = claims(reply)["sub"].as_str().unwrap().to_owned();
    assert!(is_hex(&id, 24), "{id}");
    id
}
