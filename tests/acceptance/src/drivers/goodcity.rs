//! The driver of GoodCity: a sign-up by mobile.

use super::{
    Driver, Facts, FirstProof, Person, Sample, Target, Traces, authorization, has_members,
};
use crate::goodcity::{
    GoodCity, UNKNOWN_KEY, goodcity, new_mobile, otp_auth_key, pin_refused, token, user_id,
};
use crate::{Reply, TestStack, other_than};
use async_trait::async_trait;

static FACTS: Facts = Facts {
    name: "goodcity",
    asks: "goodcity-signup",
    enters: "goodcity-verify",
    probes: "goodcity-send-pin",
    calls_to_ask: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("TransactWriteItems", &["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]),
    ],
    calls_to_enter: &[
        ("BatchGetItem", &["Budgets", "Challenges"]),
        ("UpdateItem", &["Challenges"]),
        ("UpdateItem", &["Budgets"]),
        ("GetItem", &["Identifiers"]),
        ("GetItem", &["Users"]),
        ("TransactWriteItems", &["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]),
    ],
    account: &[("Users", 1), ("Identifiers", 1)],
    events: &["user.created", "user.verified"],
    internal_error: r#"{"errors":"Internal Server Error"}"#,
};

struct OfGoodCity<'a> {
    stack: &'a TestStack,
    client: GoodCity<'a>,
}

pub(super) fn connect(stack: &TestStack) -> Box<dyn Driver + '_> {
    Box::new(OfGoodCity { stack, client: goodcity(stack) })
}

#[async_trait]
impl Driver for OfGoodCity<'_> {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn stack(&self) -> &TestStack {
        self.stack
    }

    fn new_person(&self) -> Person {
        Person { recipient: new_mobile(), username: None }
    }

    async fn ask_for_code(&self, person: &Person) -> Reply {
        self.client.sign_up(&person.recipient).await
    }

    async fn enter_code(&self, _person: &Person, asked: &Reply, code: &str) -> Reply {
        self.client.verify(&otp_auth_key(asked), code).await
    }

    async fn sign_in(&self, person: &Person) -> Reply {
        let count = self.stack.messages(&person.recipient).await.len().saturating_add(1);
        let key = otp_auth_key(&self.client.send_pin(&person.recipient).await);
        let pin = self.client.pin(&person.recipient, count).await;
        self.client.verify(&key, &pin).await
    }

    async fn probe(&self, recipient: &str) -> Reply {
        self.client.send_pin(recipient).await
    }

    async fn who_am_i(&self, token: &str) -> Option<Reply> {
        Some(self.client.current_user_profile(token).await)
    }

    fn access_token(&self, reply: &Reply) -> String {
        token(reply)
    }

    fn user_id(&self, reply: &Reply) -> String {
        user_id(reply)
    }

    fn refuses_code(&self, reply: &Reply) -> bool {
        reply.status == 422 && reply.json() == pin_refused()
    }

    fn is_refusal(&self, function: &str, reply: &Reply) -> bool {
        let unknown_platform = function == "goodcity-register-device"
            && reply.status == 400
            && reply.body.starts_with("Unrecognised platform");
        let body = reply.json();
        unknown_platform || has_members(&body, &["error"]) || has_members(&body, &["errors"])
    }

    async fn first_proof(&self) -> FirstProof {
        let mobile = new_mobile();
        let strangers_key = otp_auth_key(&self.client.sign_up(&mobile).await);
        self.client.pin(&mobile, 1).await;
        let owners_key = otp_auth_key(&self.client.send_pin(&mobile).await);
        let pin = self.client.pin(&mobile, 2).await;
        let stranger = self.client.verify(&strangers_key, &pin).await;
        let owner = self.client.verify(&owners_key, &pin).await;
        let again = self.client.verify(&strangers_key, &pin).await;
        let stranger = vec![("verify", stranger), ("verify after the proof", again)];
        FirstProof { stranger, owner }
    }

    async fn journey(&self) -> Traces {
        let mobile = new_mobile();
        let key = otp_auth_key(&self.client.sign_up(&mobile).await);
        let pin = self.client.pin(&mobile, 1).await;
        self.client.verify(&key, &other_than(&pin)).await;
        let token = token(&self.client.verify(&key, &pin).await);
        assert_eq!(self.client.current_user_profile(&token).await.status, 200);
        let handle = "push-handle-78";
        self.client.register_device(&token, handle, "fcm").await.expect_text(204, "");
        let key_to_sign_in = otp_auth_key(&self.client.send_pin(&mobile).await);
        let pin_to_sign_in = self.client.pin(&mobile, 2).await;
        let number = mobile.trim_start_matches("+852").to_owned();
        Traces {
            secrets: vec![key, key_to_sign_in, token],
            codes: vec![pin, pin_to_sign_in],
            names: vec![number, handle.to_owned()],
        }
    }

    async fn samples(&self, function: &str) -> Vec<Sample> {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let token = async || {
            let person = self.new_person();
            token(&(self as &dyn Driver).signed_up(&person).await)
        };
        match function {
            "goodcity-send-pin" => vec![
                Sample::accepted(Target::Body, r#"{"mobile":"+85251224538"}"#),
                Sample::accepted(Target::Body, "mobile=%2B85251224538").with(form.0, form.1),
            ],
            // No number of Hong Kong begins with 1.
            "goodcity-signup" => vec![
                Sample::refused(
                    Target::Body,
                    "user_auth[mobile]=%2B85211111111&user_auth[address_attributes][district_id]=1",
                )
                .with(form.0, form.1),
                Sample::refused(
                    Target::Body,
                    r#"{"user_auth":{"mobile":"+85211111111","address_attributes":{"district_id":"1"}}}"#,
                ),
            ],
            "goodcity-verify" => {
                let body = format!(r#"{{"otp_auth_key":"{UNKNOWN_KEY}","pin":"1234"}}"#);
                vec![Sample::refused(Target::Body, body)]
            }
            "goodcity-current-user-profile" => vec![Sample::accepted(
                Target::Header("authorization"),
                authorization(&token().await),
            )],
            "goodcity-delete-user" => {
                let body = format!(r#"{{"otp_auth_key":"{UNKNOWN_KEY}","pin":"1234"}}"#);
                let token = authorization(&token().await);
                vec![Sample::refused(Target::Body, body).with("authorization", token)]
            }
            "goodcity-register-device" => {
                let token = authorization(&token().await);
                vec![
                    Sample::refused(Target::Body, "handle=h&platform=wns")
                        .with(form.0, form.1)
                        .with("authorization", token.as_str()),
                    Sample::refused(Target::Body, r#"{"handle":"h","platform":"wns"}"#)
                        .with("authorization", token),
                ]
            }
            _ => Vec::new(),
        }
    }
}
