//! The driver of PosBytz: a sign-up by mobile, through the client of a shop.

use super::{
    Driver, Facts, FirstProof, Person, Sample, Target, Traces, authorization, has_members,
};
use crate::posbytz::{
    BOTH, Credentials, INTERNAL, PASSWORD, PosBytz, by_email, by_mobile, code_refused, credentials,
    customer_id, new_number, posbytz, session, signed_in, token_request, typed,
};
use crate::{Reply, TestStack, code_in, new_email, other_than};
use async_trait::async_trait;
use serde_json::{Value, json};

static FACTS: Facts = Facts {
    name: "posbytz",
    asks: "posbytz-signup",
    enters: "posbytz-otp-verify",
    probes: "posbytz-signin",
    calls_to_ask: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("TransactWriteItems", &["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]),
    ],
    calls_to_enter: &[
        ("BatchGetItem", &["Budgets", "Challenges", "Identifiers"]),
        ("UpdateItem", &["Challenges"]),
        ("GetItem", &["Users"]),
        ("TransactWriteItems", &["Challenges", "Identifiers", "Outbox", "Users"]),
    ],
    account: &[("Users", 1), ("Identifiers", 1)],
    events: &[
        "customer.created",
        "customer.mobile_verified",
        "customer.signed_in",
        "customer.verification_requested",
    ],
    internal_error: INTERNAL,
};

struct OfPosBytz<'a> {
    stack: &'a TestStack,
    client: PosBytz<'a>,
    shop: Credentials,
    token: String,
}

pub(super) async fn connect(stack: &TestStack) -> Box<dyn Driver + '_> {
    let client = posbytz(stack);
    let shop = client.new_client("DRIVER").await;
    let token = client.token(&shop, BOTH).await;
    Box::new(OfPosBytz { stack, client, shop, token })
}

/// The number of a person's mobile, without its country code.
fn number(recipient: &str) -> &str {
    recipient.strip_prefix("+91").unwrap_or(recipient)
}

#[async_trait]
impl Driver for OfPosBytz<'_> {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn stack(&self) -> &TestStack {
        self.stack
    }

    fn new_person(&self) -> Person {
        Person { recipient: format!("+91{}", new_number()), username: None }
    }

    async fn ask_for_code(&self, person: &Person) -> Reply {
        self.client.sign_up(&self.token, &by_mobile("+91", number(&person.recipient))).await
    }

    async fn enter_code(&self, person: &Person, _asked: &Reply, code: &str) -> Reply {
        self.client.enter_code(&self.token, &typed(number(&person.recipient), code)).await
    }

    async fn sign_in(&self, person: &Person) -> Reply {
        self.client.sign_in(&self.token, &by_mobile("+91", number(&person.recipient))).await
    }

    async fn probe(&self, recipient: &str) -> Reply {
        let mut body = by_mobile("+91", number(recipient));
        body["password"] = json!("wrong horse");
        self.client.sign_in(&self.token, &body).await
    }

    fn access_token(&self, reply: &Reply) -> String {
        session(reply)
    }

    fn user_id(&self, reply: &Reply) -> String {
        signed_in(reply)
    }

    fn refuses_code(&self, reply: &Reply) -> bool {
        reply.status == 401 && reply.json() == code_refused()
    }

    fn is_refusal(&self, function: &str, reply: &Reply) -> bool {
        // A person reads this answer.
        if function == "posbytz-email-confirm"
            && reply.header("content-type").starts_with("text/html")
        {
            return reply.body.contains("This link no longer works");
        }
        let body = reply.json();
        if function == "posbytz-oauth2-token" {
            return has_members(&body, &["error", "error_description"]);
        }
        let has_text = body["message"].is_string() || body["errors"].is_object();
        body["statusCode"] == reply.status && has_text
    }

    /// Codes are sent to who states the password: by the sign-up, and by a sign-in before the proof. So the proof completes
    /// the sign-up and keeps its password; another password stays wrong and sends nothing, and before the proof there is no
    /// session.
    async fn first_proof(&self) -> FirstProof {
        let number = new_number();
        let person = by_mobile("+91", &number);
        assert_eq!(self.client.sign_up(&self.token, &person).await.status, 201);
        let phone = format!("+91{number}");
        self.stack.text(&phone, 1).await;
        let early = self.client.sign_in(&self.token, &person).await;
        let mut other = person.clone();
        other["password"] = json!("another p4ssword");
        let again = self.client.sign_up(&self.token, &other).await;
        let code = code_in(&self.stack.text(&phone, 2).await);
        let entered = self.client.enter_code(&self.token, &typed(&number, &code)).await;
        assert_eq!(entered.status, 200, "{entered:?}");
        FirstProof {
            stranger: vec![
                ("sign in before the proof", early),
                ("sign up again", again),
                ("sign in with another password", self.client.sign_in(&self.token, &other).await),
            ],
            owner: self.client.sign_in(&self.token, &person).await,
        }
    }

    async fn journey(&self) -> Traces {
        let second = json!({"clientId": self.shop.id});
        let second = credentials(&self.client.administer(&second).await);
        let token = self.client.token(&second, BOTH).await;
        let wrong = "a-wrong-client-secret-6789".to_owned();
        let wrongly = Credentials { id: self.shop.id.clone(), secret: wrong.clone() };
        let refused = self.client.ask_for_token(&token_request(&wrongly, None)).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        let (email, number) = (new_email(), new_number());
        let mut body = by_email(&email);
        body["mobile"] = json!({"code": "+91", "number": number});
        body["referralCode"] = json!("A-CODE");
        let reply = self.client.sign_up(&token, &body).await;
        let id = customer_id(&reply);
        let shown = reply.json()["data"]["email"]["token"].as_str().unwrap().to_owned();
        let code = code_in(&self.stack.text(&format!("+91{number}"), 1).await);
        let link = self.client.mailed_secret(&email, &id, 1).await;
        for status in [200, 401] {
            assert_eq!(self.client.verify_email(&id, &link).await.status, status);
        }
        self.client.enter_code(&token, &typed(&number, &other_than(&code))).await;
        let by_code = session(&self.client.enter_code(&token, &typed(&number, &code)).await);
        let by_password = session(&self.client.sign_in(&token, &by_email(&email)).await);
        let to = json!({"email": email});
        self.client.forgot_password(&token, &to).await;
        let otp = code_in(&self.stack.text(&email, 2).await);
        let reset = self.client.reset_password(&token, &to, (&otp, "battery staple")).await;
        assert_eq!(reset.status, 200, "{reset:?}");
        let secrets = [self.shop.secret.clone(), second.secret, self.token.clone(), token, shown];
        let mut secrets = secrets.to_vec();
        let passwords = [PASSWORD.to_owned(), "battery staple".to_owned()];
        secrets.extend([wrong, link, by_code, by_password].into_iter().chain(passwords));
        Traces { secrets, codes: vec![code, otp], names: vec![email, number] }
    }

    async fn samples(&self, function: &str) -> Vec<Sample> {
        let token = authorization(&self.token);
        let refused = |body: &Value| {
            Sample::refused(Target::Body, body.to_string()).with("authorization", token.as_str())
        };
        match function {
            "posbytz-signup" => vec![
                refused(&json!({"email": "a@example.com", "password": "p",
                    "mobile": {"code": "+91", "number": "9962794005"}})),
                refused(&json!({"password": "p", "referredBy": "632c34752269f12c57952275"})),
                Sample::refused(Target::Header("authorization"), authorization("e30.e30.e30")),
            ],
            "posbytz-signin" => vec![refused(&by_email("a@example.com"))],
            "posbytz-otp-verify" => vec![refused(&typed("9962794005", "123456"))],
            "posbytz-password-forgot" | "posbytz-resend" => vec![
                Sample::accepted(
                    Target::Body,
                    json!({"email": new_email(), "mobile": {"code": "+91",
                    "number": new_number()}})
                    .to_string(),
                )
                .with("authorization", token.as_str()),
            ],
            "posbytz-delete-user" => {
                let body = json!({"password": PASSWORD});
                vec![refused(&body).with("x-api-authorization", &self.token)]
            }
            "posbytz-password-reset" => {
                let mut body = by_email("a@example.com");
                body["otp"] = json!(123_456);
                vec![refused(&body)]
            }
            "posbytz-email-verify" | "posbytz-email-confirm" => {
                let query = format!("userId=632c34752269f12c57952275&token={}", "0".repeat(64));
                vec![Sample::refused(Target::Query, query)]
            }
            // The mangled part may be the scope alone, or a space.
            "posbytz-oauth2-token" => {
                let right = token_request(&self.shop, Some(BOTH)).to_string();
                let form =
                    "grant_type=client_credentials&client_id=a&client_secret=b&scope=user%3Aread";
                vec![
                    Sample::accepted(Target::Body, right).with("content-type", "application/json"),
                    Sample::refused(Target::Body, form)
                        .with("content-type", "application/x-www-form-urlencoded"),
                ]
            }
            _ => Vec::new(),
        }
    }
}
