//! The driver of Gotu: a sign-up by phone.

use super::{
    Driver, Facts, FirstProof, Person, Sample, Target, Traces, authorization, has_members,
};
use crate::gotu::{Gotu, PASSWORD, gotu, tokens, user_id};
use crate::{Reply, TestStack, new_email, new_phone, other_than};
use async_trait::async_trait;
use serde_json::json;

static FACTS: Facts = Facts {
    name: "gotu",
    asks: "gotu-post-otp",
    enters: "gotu-post-users",
    probes: "gotu-post-otp",
    calls_to_ask: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("TransactWriteItems", &["Budgets", "Challenges", "Outbox"]),
    ],
    calls_to_enter: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("UpdateItem", &["Challenges"]),
        ("UpdateItem", &["Budgets"]),
        (
            "TransactWriteItems",
            &["Budgets", "Challenges", "Devices", "Identifiers", "Outbox", "Sessions", "Users"],
        ),
    ],
    account: &[("Users", 1), ("Identifiers", 1), ("Devices", 1), ("Sessions", 1)],
    events: &["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"],
    internal_error: r#"{"error":"internal server error"}"#,
};

struct OfGotu<'a> {
    stack: &'a TestStack,
    client: Gotu<'a>,
}

pub(super) fn connect(stack: &TestStack) -> Box<dyn Driver + '_> {
    Box::new(OfGotu { stack, client: gotu(stack) })
}

#[async_trait]
impl Driver for OfGotu<'_> {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn stack(&self) -> &TestStack {
        self.stack
    }

    fn new_person(&self) -> Person {
        Person { recipient: new_phone(), username: None }
    }

    async fn ask_for_code(&self, person: &Person) -> Reply {
        self.client.ask_for_code(&person.recipient, "sign_up").await
    }

    async fn enter_code(&self, person: &Person, _asked: &Reply, code: &str) -> Reply {
        self.client.sign_up_by_phone(&person.recipient, code).await
    }

    async fn sign_in(&self, person: &Person) -> Reply {
        let count = self.stack.messages(&person.recipient).await.len().saturating_add(1);
        let code = self.client.code(&person.recipient, "login", count).await;
        self.client.sign_in_by_phone(&person.recipient, &code).await
    }

    async fn probe(&self, recipient: &str) -> Reply {
        self.client.ask_for_code(recipient, "login").await
    }

    async fn refresh(&self, token: &str) -> Option<Reply> {
        Some(self.client.refresh(token).await)
    }

    async fn sign_out(&self, token: &str) -> Option<Reply> {
        Some(self.client.sign_out(token).await)
    }

    fn access_token(&self, reply: &Reply) -> String {
        tokens(reply).access
    }

    fn user_id(&self, reply: &Reply) -> String {
        user_id(reply)
    }

    fn refuses_code(&self, reply: &Reply) -> bool {
        reply.status == 401 && reply.body == r#"{"error":"invalid or expired otp code"}"#
    }

    fn is_refusal(&self, _function: &str, reply: &Reply) -> bool {
        has_members(&reply.json(), &["error"]) && reply.json()["error"].is_string()
    }

    async fn first_proof(&self) -> FirstProof {
        let email = new_email();
        let stranger = tokens(&self.client.sign_up_by_email(&email).await);
        assert_eq!(self.client.sign_in(&email, PASSWORD).await.status, 200);
        let code = self.client.code(&email, "reset_password", 1).await;
        let proved = self.client.verify_code(&email, &code, "reset_password").await;
        let token = proved.json()["data"]["requestToken"].as_str().unwrap().to_owned();
        let body = json!({"requestToken": token, "newPassword": "the owner's password"});
        self.client.set_password(&body).await.expect_text(204, "");
        FirstProof {
            stranger: vec![
                ("sign in", self.client.sign_in(&email, PASSWORD).await),
                ("refresh", self.client.refresh(&stranger.refresh).await),
                ("sign out", self.client.sign_out(&stranger.access).await),
            ],
            owner: self.client.sign_in(&email, "the owner's password").await,
        }
    }

    async fn journey(&self) -> Traces {
        let (phone, email, other) = (new_phone(), new_email(), new_email());
        let unused = self.client.code(&other, "sign_up", 1).await;
        let code = self.client.code(&phone, "sign_up", 1).await;
        self.client.sign_up_by_phone(&phone, &other_than(&code)).await;
        let by_email =
            self.client.sign_up_by_email(&email).header("x-device-token", "push-handle-77");
        let by_email = by_email.await;
        // The second one is refused. A path without a route may hold anything.
        self.client.sign_up_by_email(&email).await;
        self.stack.request("GET", &format!("/users/{email}")).await;
        let by_phone = self.client.sign_up_by_phone(&phone, &code).await;
        let refreshed = self.client.refresh(&tokens(&by_phone).refresh).await;
        let reset = self.client.code(&email, "reset_password", 1).await;
        let proved = self.client.verify_code(&email, &reset, "reset_password").await;
        let request_token = proved.json()["data"]["requestToken"].as_str().unwrap().to_owned();
        let password = "a new p4ssword";
        let body = json!({"requestToken": request_token, "newPassword": password});
        self.client.set_password(&body).await.expect_text(204, "");
        let signed_in = self.client.sign_in(&email, password).await;
        let mut traces = Traces {
            secrets: vec![PASSWORD.to_owned(), password.to_owned(), request_token],
            codes: vec![unused, code, reset],
            names: vec![phone.trim_start_matches('+').to_owned(), email, other],
        };
        traces.names.push("push-handle-77".to_owned());
        for reply in [&by_email, &by_phone, &refreshed, &signed_in] {
            let tokens = tokens(reply);
            traces.secrets.extend([tokens.access, tokens.refresh]);
        }
        self.client.sign_out(&tokens(&signed_in).access).await.expect_text(204, "");
        traces
    }

    async fn samples(&self, function: &str) -> Vec<Sample> {
        let refused = |body| Sample::refused(Target::Body, body);
        match function {
            "gotu-post-otp" => vec![Sample::accepted(
                Target::Body,
                r#"{"identifier":"+6282243350992","otpType":"sign_up"}"#,
            )],
            "gotu-post-otp-verification" => vec![refused(
                r#"{"identifier":"a@example.com","otpCode":"12345","otpType":"reset_password"}"#,
            )],
            "gotu-post-users" => vec![
                refused(
                    r#"{"type":"phone","phoneNumber":"+6282243350992","otpCode":"22222","userType":"DNT"}"#,
                ),
                refused(r#"{"type":"email","email":"a@example.com","password":"p"}"#),
            ],
            "gotu-post-sessions" => {
                vec![refused(r#"{"email":"a@example.com","password":"correct horse"}"#)]
            }
            "gotu-post-sessions-phone" => {
                vec![refused(r#"{"phoneNumber":"+6282243350992","otpCode":"22222"}"#)]
            }
            "gotu-post-sessions-refresh" => {
                vec![refused(
                    r#"{"refreshToken":"vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"}"#,
                )]
            }
            "gotu-delete-sessions" => {
                vec![Sample::refused(Target::Header("authorization"), authorization("e30.e30.e30"))]
            }
            "gotu-delete-users" => {
                let token = authorization("e30.e30.e30");
                let bodies = [
                    r#"{"password":"correct horse"}"#,
                    r#"{"identifier":"+6282243350992","otpCode":"22222"}"#,
                ];
                let samples = bodies.map(|body| refused(body).with("authorization", &token));
                samples.into()
            }
            "gotu-patch-users-phone" => {
                vec![refused(r#"{"requestToken":"e30.e30.e30","phoneNumber":"+6282243350992"}"#)]
            }
            "gotu-patch-users-password" => {
                vec![refused(r#"{"requestToken":"e30.e30.e30","newPassword":"battery staple"}"#)]
            }
            _ => Vec::new(),
        }
    }
}
