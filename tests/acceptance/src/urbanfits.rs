//! UrbanFits, as its shop's pages call it.

use crate::tokens::is_hex;
use crate::{Call, Reply, TestStack, code_in, compact};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A wrong code: no code begins with 0.
pub const WRONG: &str = "01234";
/// The refusal of a wrong code.
pub const INCORRECT: &str = "The OTP is incorrect.";
/// The refusal of a code that is over: expired, used or guessed too often.
pub const EXPIRED: &str = "The OTP has expired, please try again.";
/// The refusal of a username or an address that has an account.
pub const TAKEN: &str = "This Email or Username already in use.";
/// The refusal of a request beyond a limit.
pub const TOO_MANY: &str = "Too many requests, please try again later.";
/// The answer to a fault.
pub const INTERNAL: &str = "Internal Server Error occurred, please try again in a while.";
/// An id that no sign-up has.
pub const UNKNOWN_ID: &str = "0123456789abcdef01234567";

/// A client of UrbanFits.
#[derive(Clone, Copy)]
pub struct UrbanFits<'a>(&'a TestStack);

/// A client of UrbanFits for a stack.
#[must_use]
pub const fn urbanfits(stack: &TestStack) -> UrbanFits<'_> {
    UrbanFits(stack)
}

impl<'a> UrbanFits<'a> {
    /// Signs a customer up, as [`sign_up_body`] describes the customer.
    pub fn sign_up(self, username: &str, email: &str) -> Call<'a> {
        self.sign_up_with(&sign_up_body(username, email))
    }

    /// Signs a customer up.
    pub fn sign_up_with(self, body: &Value) -> Call<'a> {
        self.0.call("urbanfits-signup").json(body)
    }

    /// Waits for the code in the mail number `count` to an address, and returns it.
    pub async fn code(self, email: &str, count: usize) -> String {
        let message = self.0.message(email, count).await;
        assert_eq!(message["channel"], "email");
        code_in(message["body"].as_str().unwrap())
    }

    /// Enters a code.
    pub fn enter_code(self, otp_id: &str, otp: &str) -> Call<'a> {
        self.enter_code_with(&json!({"otp_id": otp_id, "otp": otp}))
    }

    /// Enters a code.
    pub fn enter_code_with(self, body: &Value) -> Call<'a> {
        self.0.call("urbanfits-signup-callback").json(body)
    }

    /// Asks for the code of a sign-up that waits again.
    pub fn resend(self, otp_id: &str) -> Call<'a> {
        self.0.call("urbanfits-signup-resend").json(&json!({"otp_id": otp_id}))
    }

    /// Asks for the page on which a code is entered.
    pub fn verify_otp_page(self) -> Call<'a> {
        self.0.call("urbanfits-verify-otp-page")
    }

    /// Signs a customer up, and returns the `otp_id` and the code that the sign-up waits for.
    pub async fn pending(self, username: &str, email: &str) -> (String, String) {
        let reply = self.sign_up(username, email).await;
        (otp_id(&reply, email), self.code(email, 1).await)
    }

    /// Signs a customer up and enters the code. Returns the last answer.
    pub async fn registered(self, username: &str, email: &str) -> Reply {
        let (otp_id, code) = self.pending(username, email).await;
        let reply = self.enter_code(&otp_id, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// Signs in with an address or a username.
    pub fn log_in(self, name: &str, password: &str) -> Call<'a> {
        self.log_in_with(&json!({"email": name, "password": password}))
    }

    /// Signs in.
    pub fn log_in_with(self, body: &Value) -> Call<'a> {
        self.0.call("urbanfits-login").json(body)
    }

    /// Asks for a code that allows a new password.
    pub fn forgot_password(self, email: &str) -> Call<'a> {
        self.0.call("urbanfits-forgot-password").json(&json!({"email": email}))
    }

    /// Asks for such a code, and returns the `otp_id` and the code, which is in the mail number `count`.
    pub async fn reset_code(self, email: &str, count: usize) -> (String, String) {
        let reply = self.forgot_password(email).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let otp_id = reply.json()["otp_id"].as_str().unwrap().to_owned();
        (otp_id, self.code(email, count).await)
    }

    /// Sets a new password with a code.
    pub fn change_password(self, otp_id: &str, otp: &str, password: &str) -> Call<'a> {
        let body = json!({"otp_id": otp_id, "otp": otp, "new_password": password});
        self.0.call("urbanfits-change-password").json(&body)
    }

    /// Ends a session.
    pub fn log_out(self, session: &str) -> Call<'a> {
        let cookie = format!("a=b; session-token={session}; is_logged_in=true");
        self.0.call("urbanfits-logout").header("cookie", cookie)
    }

    /// Deletes the account of a session's user.
    pub fn delete_account(self, session: &str, password: &str) -> Call<'a> {
        let cookie = format!("session-token={session}");
        self.0
            .call("urbanfits-delete-me")
            .header("cookie", cookie)
            .json(&json!({"password": password}))
    }

    /// Asks for the user of a session.
    pub fn get_me(self, session: &str) -> Call<'a> {
        self.0.call("urbanfits-get-me").header("cookie", format!("session-token={session}"))
    }
}

/// A username and an address that no other test of the process uses.
#[must_use]
pub fn new_person() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("user_{number}"), format!("fit{number}@domain.com"))
}

/// The documented sign-up, for another customer. The password is `password`.
#[must_use]
pub fn sign_up_body(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "phone_prefix": "+92",
        "phone_number": "30142353150", "password": "password", "timezone": "Asia/Dubai",
        "accept_policies": true})
}

/// UrbanFits' body of a refusal.
#[must_use]
pub fn refusal(text: &str) -> Value {
    json!({"success": false, "msg": text})
}

/// Requires the answer of a sign-up that waits for its code, and returns the `otp_id`.
#[track_caller]
pub fn otp_id(reply: &Reply, email: &str) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    let json = reply.json();
    let otp_id = json["otp_id"].as_str().unwrap();
    assert!(is_hex(otp_id, 24), "{otp_id}");
    let expected = compact(
        r#"{
            "success": true,
            "otp_id": "<id>",
            "msg": "Verification Email sent to <email>",
            "redirect_url": "/auth/signup/verify-otp?otp_id=<id>"
        }"#,
        &[("id", otp_id), ("email", email)],
    );
    assert_eq!(reply.body, expected);
    otp_id.to_owned()
}

/// The session token in the cookies of an answer.
#[track_caller]
#[must_use]
pub fn session(reply: &Reply) -> String {
    let cookies = reply.cookies();
    let cookie = cookies.first().unwrap_or_else(|| panic!("no cookie: {reply:?}"));
    let token = cookie.strip_prefix("session-token=").expect("the session's cookie");
    token.split(';').next().unwrap().to_owned()
}

/// The user's id in the answer that opens a session.
#[track_caller]
#[must_use]
pub fn user_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["user"]["_id"].as_str().unwrap().to_owned()
}
