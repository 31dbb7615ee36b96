//! The driver of UrbanFits: a sign-up that waits for a mailed code.

use super::{Driver, Facts, FirstProof, Person, Sample, Target, Traces, has_members};
use crate::urbanfits::{
    EXPIRED, INCORRECT, UNKNOWN_ID, UrbanFits, new_person, otp_id, refusal, session, sign_up_body,
    urbanfits, user_id,
};
use crate::{Reply, TestStack, other_than};
use async_trait::async_trait;
use serde_json::json;

static FACTS: Facts = Facts {
    name: "urbanfits",
    asks: "urbanfits-signup",
    enters: "urbanfits-signup-callback",
    probes: "urbanfits-login",
    calls_to_ask: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("TransactWriteItems", &["Budgets", "Challenges", "Outbox"]),
    ],
    calls_to_enter: &[
        ("BatchGetItem", &["Budgets", "Challenges"]),
        ("UpdateItem", &["Challenges"]),
        ("UpdateItem", &["Budgets"]),
        (
            "TransactWriteItems",
            &["Budgets", "Challenges", "Identifiers", "Ledger", "Outbox", "Users"],
        ),
    ],
    account: &[("Users", 1), ("Identifiers", 3), ("Ledger", 1)],
    events: &["user.created", "wallet.opened"],
    internal_error: r#"{"success":false,"msg":"Internal Server Error occurred, please try again in a while."}"#,
};

struct OfUrbanFits<'a> {
    stack: &'a TestStack,
    client: UrbanFits<'a>,
}

pub(super) fn connect(stack: &TestStack) -> Box<dyn Driver + '_> {
    Box::new(OfUrbanFits { stack, client: urbanfits(stack) })
}

#[async_trait]
impl Driver for OfUrbanFits<'_> {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn stack(&self) -> &TestStack {
        self.stack
    }

    fn new_person(&self) -> Person {
        let (username, recipient) = new_person();
        Person { recipient, username: Some(username) }
    }

    async fn ask_for_code(&self, person: &Person) -> Reply {
        let username = person.username.as_deref().expect("a person of UrbanFits has a username");
        self.client.sign_up(username, &person.recipient).await
    }

    async fn enter_code(&self, person: &Person, asked: &Reply, code: &str) -> Reply {
        self.client.enter_code(&otp_id(asked, &person.recipient), code).await
    }

    async fn sign_in(&self, person: &Person) -> Reply {
        self.client.log_in(&person.recipient, "password").await
    }

    async fn probe(&self, recipient: &str) -> Reply {
        self.client.log_in(recipient, "a wrong password").await
    }

    async fn who_am_i(&self, token: &str) -> Option<Reply> {
        Some(self.client.get_me(token).await)
    }

    async fn sign_out(&self, token: &str) -> Option<Reply> {
        Some(self.client.log_out(token).await)
    }

    fn access_token(&self, reply: &Reply) -> String {
        session(reply)
    }

    fn user_id(&self, reply: &Reply) -> String {
        user_id(reply)
    }

    fn refuses_code(&self, reply: &Reply) -> bool {
        let body = reply.json();
        reply.status == 401 && [EXPIRED, INCORRECT].iter().any(|text| body == refusal(text))
    }

    fn is_refusal(&self, _function: &str, reply: &Reply) -> bool {
        let body = reply.json();
        has_members(&body, &["success", "msg"]) && body["success"] == false
    }

    async fn first_proof(&self) -> FirstProof {
        let (username, email) = new_person();
        let (others_name, _) = new_person();
        let mut body = sign_up_body(&others_name, &email);
        body["password"] = json!("a stranger's password");
        let strangers_id = otp_id(&self.client.sign_up_with(&body).await, &email);
        let code = self.client.code(&email, 1).await;
        // A sign-up that waits keeps the owner out until its guesses are used up.
        while self.client.enter_code(&strangers_id, &other_than(&code)).await.json()
            != refusal(EXPIRED)
        {}
        let owners_id = otp_id(&self.client.sign_up(&username, &email).await, &email);
        let code = self.client.code(&email, 2).await;
        let registered = self.client.enter_code(&owners_id, &code).await;
        assert_eq!(registered.status, 200, "{registered:?}");
        FirstProof {
            stranger: vec![
                ("log in", self.client.log_in(&email, "a stranger's password").await),
                ("enter the code", self.client.enter_code(&strangers_id, &code).await),
            ],
            owner: self.client.log_in(&email, "password").await,
        }
    }

    async fn journey(&self) -> Traces {
        let (username, email) = new_person();
        let password = "tr0ub4dor & 3 horses";
        let mut body = sign_up_body(&username, &email);
        body["password"] = json!(password);
        let otp_id = otp_id(&self.client.sign_up_with(&body).await, &email);
        let code = self.client.code(&email, 1).await;
        self.client.enter_code(&otp_id, &other_than(&code)).await;
        let registered = self.client.enter_code(&otp_id, &code).await;
        assert_eq!(registered.status, 200, "{registered:?}");
        self.client.log_in(&email, "a wr0ng passw0rd").await;
        let signed_in = self.client.log_in(&email, password).await;
        let sessions = [session(&registered), session(&signed_in)];
        assert_eq!(self.client.get_me(&sessions[0]).await.status, 200);
        assert_eq!(self.client.log_out(&sessions[1]).await.status, 200);
        let mut secrets = vec![password.to_owned(), "a wr0ng passw0rd".to_owned(), otp_id];
        secrets.extend(sessions);
        Traces { secrets, codes: vec![code], names: vec![email] }
    }

    async fn samples(&self, function: &str) -> Vec<Sample> {
        match function {
            "urbanfits-signup" => {
                let mut body = sign_up_body("a_customer", "customer@domain.com");
                body["accept_policies"] = json!(false);
                vec![Sample::refused(Target::Body, body.to_string())]
            }
            "urbanfits-signup-callback" => {
                let body = json!({"otp_id": UNKNOWN_ID, "otp": "12345"});
                vec![Sample::refused(Target::Body, body.to_string())]
            }
            "urbanfits-signup-resend" => {
                let body = json!({"otp_id": UNKNOWN_ID});
                vec![Sample::refused(Target::Body, body.to_string())]
            }
            "urbanfits-forgot-password" => {
                let body = json!({"email": "customer@domain.com"});
                vec![Sample::accepted(Target::Body, body.to_string())]
            }
            "urbanfits-change-password" => {
                let body =
                    json!({"otp_id": UNKNOWN_ID, "otp": "12345", "new_password": "battery staple"});
                vec![Sample::refused(Target::Body, body.to_string())]
            }
            "urbanfits-login" => {
                let body = json!({"email": "customer@domain.com", "password": "password",
                    "register_provider": "urbanfits", "remember_me": true});
                vec![Sample::refused(Target::Body, body.to_string())]
            }
            // A sign-out always succeeds.
            "urbanfits-logout" => vec![
                Sample::accepted(Target::Body, r#"{"all":true}"#)
                    .with("cookie", "session-token=e30.e30.e30"),
                Sample::accepted(Target::Header("cookie"), "session-token=e30.e30.e30"),
            ],
            "urbanfits-get-me" => {
                let person = self.new_person();
                let session = session(&(self as &dyn Driver).signed_up(&person).await);
                let cookie = format!("session-token={session}");
                vec![Sample::accepted(Target::Header("cookie"), cookie)]
            }
            "urbanfits-delete-me" => vec![
                Sample::refused(Target::Body, r#"{"password":"correct horse"}"#)
                    .with("cookie", "session-token=e30.e30.e30"),
            ],
            // The page is the same for every query.
            "urbanfits-verify-otp-page" => {
                vec![Sample::accepted(Target::Query, format!("otp_id={UNKNOWN_ID}"))]
            }
            _ => Vec::new(),
        }
    }
}
