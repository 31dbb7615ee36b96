//! From every state that a person can reach, a documented next step leads to "signed in", with the
//! account or with a new one (`shared/docs/account-states.md`).
//!
//! A walk is a sequence of [`Step`]s. After each walk the person, who remembers nothing but the
//! password, the phone number and the address, follows the document. All walks of two steps run for
//! each contract; `LATCHKEY_WALK_STEPS` sets another length.

use acceptance::goodcity::otp_auth_key;
use acceptance::posbytz::{PASSWORD, by_mobile, session, typed};
use acceptance::urbanfits::{new_person, otp_id};
use acceptance::{
    Call, Reply, TestStack, code_in, goodcity, gotu, new_email, new_phone, other_than, posbytz,
    urbanfits,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::time::Duration;

/// What may happen to a person.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The person signs up, or asks for a code to.
    SignUp,
    /// Another person signs up with the same phone number or address.
    Stranger,
    /// The person enters the newest code, or follows the newest link.
    Prove,
    /// The person asks for a new password, and does not set one.
    Forget,
    /// Five wrong codes are entered.
    Guess,
    /// The person deletes the account.
    Delete,
    /// A minute passes.
    Minute,
    /// So much time passes that every code has ended, and then a day.
    Day,
}

const STEPS: [Step; 8] = [
    Step::SignUp,
    Step::Stranger,
    Step::Prove,
    Step::Forget,
    Step::Guess,
    Step::Delete,
    Step::Minute,
    Step::Day,
];

/// The limits of recipients and accounts apply. Those of sources would end for all walks together.
const LIMITS: [(&str, &str); 3] = [
    ("OTP_SENDS_PER_HOUR_PER_IP", "0"),
    ("OTP_GUESSES_PER_HOUR_PER_IP", "0"),
    ("SENDS_PER_HOUR_PER_CLIENT", "0"),
];

/// A person, as the app of one contract acts for it.
#[async_trait]
trait Walker: Send {
    fn stack(&self) -> &TestStack;

    /// Makes a step, whatever the answer is. The passing of time is not one of the contract.
    async fn step(&mut self, step: Step);

    /// Follows the document until the person is signed in.
    async fn go_on(&mut self) -> bool;

    /// Sends a request. If it is refused because of a limit, waits as long as the answer says.
    async fn send<'c>(&self, call: &(dyn Fn() -> Call<'c> + Sync)) -> Reply {
        for _ in 0..4 {
            let reply = call().await;
            if reply.status != 429 {
                return reply;
            }
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            self.stack().age(Duration::from_secs(wait.saturating_add(1))).await;
        }
        panic!("a request is refused after every wait")
    }

    /// Sends a request, and returns the message that came because of it.
    async fn message<'c>(
        &self,
        to: &str,
        call: &(dyn Fn() -> Call<'c> + Sync),
    ) -> (Reply, Option<String>) {
        let before = self.messages(to).await.len();
        let reply = self.send(call).await;
        let mut messages = self.messages(to).await;
        let newest = (messages.len() > before).then(|| messages.pop()).flatten();
        (reply, newest)
    }

    async fn messages(&self, to: &str) -> Vec<String> {
        self.stack().wait_until_delivered(to).await;
        let text = |message: &Value| message["body"].as_str().unwrap().to_owned();
        self.stack().messages(to).await.iter().map(text).collect()
    }
}

/// Makes every walk, each with a new person.
async fn walk<W: Walker>(stack: &TestStack, person: impl AsyncFn() -> W) {
    let steps = std::env::var_os("LATCHKEY_WALK_STEPS");
    let steps = steps.map(|steps| steps.to_str().unwrap().parse().unwrap());
    // Each request of an emulated account is much slower.
    let steps: u32 = if TestStack::is_in_account() { 1 } else { steps.unwrap_or(2) };
    let mut walks = vec![Vec::new()];
    for _ in 0..steps {
        let longer = |walk: Vec<Step>| {
            STEPS.into_iter().map(move |step| walk.iter().copied().chain([step]).collect())
        };
        walks = walks.into_iter().flat_map(longer).collect();
    }
    for steps in walks {
        let mut person = person().await;
        for step in &steps {
            match step {
                Step::Minute => stack.age(Duration::from_secs(61)).await,
                Step::Day => stack.age(Duration::from_hours(25)).await,
                step => person.step(*step).await,
            }
        }
        assert!(person.go_on().await, "after {steps:?}");
        stack.forget_people().await;
    }
}

struct GotuByPhone<'a> {
    stack: &'a TestStack,
    phone: String,
}

impl GotuByPhone<'_> {
    /// The code with this aim, if one is sent.
    async fn code(&self, otp_type: &str, aim: &str) -> Option<String> {
        let ask = || gotu(self.stack).ask_for_code(&self.phone, otp_type);
        let (reply, text) = self.message(&self.phone, &ask).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        text.filter(|text| text.contains(aim)).map(|text| code_in(&text))
    }

    async fn signed_in(&self) -> Option<String> {
        let code = self.code("login", "code to sign in").await?;
        let reply = gotu(self.stack).sign_in_by_phone(&self.phone, &code).await;
        (reply.status == 200).then(|| gotu::tokens(&reply).access)
    }
}

#[async_trait]
impl Walker for GotuByPhone<'_> {
    fn stack(&self) -> &TestStack {
        self.stack
    }

    async fn step(&mut self, step: Step) {
        let gotu = gotu(self.stack);
        match step {
            Step::SignUp | Step::Stranger => {
                gotu.ask_for_code(&self.phone, "sign_up").await;
            }
            Step::Prove => {
                let text = self.messages(&self.phone).await.pop();
                if let Some(text) = text.filter(|text| text.contains(" code to ")) {
                    gotu.sign_up_by_phone(&self.phone, &code_in(&text)).await;
                    gotu.sign_in_by_phone(&self.phone, &code_in(&text)).await;
                }
            }
            Step::Forget => {
                gotu.ask_for_code(&self.phone, "login").await;
            }
            Step::Guess => {
                for _ in 0..5 {
                    gotu.sign_up_by_phone(&self.phone, "0000").await;
                    gotu.sign_in_by_phone(&self.phone, "0000").await;
                }
            }
            Step::Delete => {
                let Some(access) = self.signed_in().await else { return };
                let code = self.code("delete_account", "delete your account").await.unwrap();
                let body = json!({"identifier": self.phone, "otpCode": code});
                gotu.delete_account(&access, &body).await.expect_text(204, "");
            }
            Step::Minute | Step::Day => {}
        }
    }

    async fn go_on(&mut self) -> bool {
        if self.signed_in().await.is_some() {
            return true;
        }
        let Some(code) = self.code("sign_up", "code to sign up").await else { return false };
        gotu(self.stack).sign_up_by_phone(&self.phone, &code).await.status == 200
    }
}

#[tokio::test]
async fn a_user_of_gotu_by_phone_always_has_a_way_on() {
    let stack = &TestStack::with(&LIMITS).await;
    walk(stack, async || GotuByPhone { stack, phone: new_phone() }).await;
}

struct GotuByMail<'a> {
    stack: &'a TestStack,
    email: String,
}

impl GotuByMail<'_> {
    async fn sign_in(&self, password: &str) -> Reply {
        self.send(&|| gotu(self.stack).sign_in(&self.email, password)).await
    }
}

#[async_trait]
impl Walker for GotuByMail<'_> {
    fn stack(&self) -> &TestStack {
        self.stack
    }

    async fn step(&mut self, step: Step) {
        let gotu = gotu(self.stack);
        match step {
            Step::SignUp => {
                gotu.sign_up_by_email(&self.email).await;
            }
            Step::Stranger => {
                let body =
                    json!({"type": "email", "email": self.email, "password": "of a stranger"});
                gotu.sign_up(&body).await;
            }
            Step::Prove | Step::Guess => {
                let code = self.messages(&self.email).await.pop().map(|text| code_in(&text));
                let right = code.unwrap_or_else(|| "00000".to_owned());
                let codes = if matches!(step, Step::Prove) {
                    vec![right]
                } else {
                    vec![other_than(&right); 5]
                };
                for code in codes {
                    gotu.verify_code(&self.email, &code, "reset_password").await;
                }
            }
            Step::Forget => {
                gotu.ask_for_code(&self.email, "reset_password").await;
            }
            Step::Delete => {
                let reply = self.sign_in(gotu::PASSWORD).await;
                if reply.status == 200 {
                    let body = json!({"password": gotu::PASSWORD});
                    let access = gotu::tokens(&reply).access;
                    gotu.delete_account(&access, &body).await.expect_text(204, "");
                }
            }
            Step::Minute | Step::Day => {}
        }
    }

    async fn go_on(&mut self) -> bool {
        let gotu = gotu(self.stack);
        if self.sign_in(gotu::PASSWORD).await.status == 200 {
            return true;
        }
        let ask = || gotu.ask_for_code(&self.email, "reset_password");
        let (_, Some(text)) = self.message(&self.email, &ask).await else {
            return gotu.sign_up_by_email(&self.email).await.status == 200;
        };
        let proved = gotu.verify_code(&self.email, &code_in(&text), "reset_password").await;
        let body = json!({"newPassword": "battery staple",
            "requestToken": proved.json()["data"]["requestToken"]});
        gotu.set_password(&body).await.expect_text(204, "");
        self.sign_in("battery staple").await.status == 200
    }
}

#[tokio::test]
async fn a_user_of_gotu_by_mail_always_has_a_way_on() {
    let stack = &TestStack::with(&LIMITS).await;
    walk(stack, async || GotuByMail { stack, email: new_email() }).await;
}

struct OfGoodCity<'a> {
    stack: &'a TestStack,
    mobile: String,
    /// The key of the last pin that the person asked for.
    key: Option<String>,
}

impl OfGoodCity<'_> {
    /// Asks for a pin, and returns its key and the pin, if one is sent.
    async fn pin<'c>(&self, ask: &(dyn Fn() -> Call<'c> + Sync)) -> Option<(String, String)> {
        let (reply, text) = self.message(&self.mobile, ask).await;
        let pin = code_in(&text?);
        Some((otp_auth_key(&reply), pin))
    }

    async fn signed_in(&self) -> Option<String> {
        let (key, pin) = self.pin(&|| goodcity(self.stack).send_pin(&self.mobile)).await?;
        let reply = goodcity(self.stack).verify(&key, &pin).await;
        (reply.status == 200).then(|| goodcity::token(&reply))
    }
}

#[async_trait]
impl Walker for OfGoodCity<'_> {
    fn stack(&self) -> &TestStack {
        self.stack
    }

    async fn step(&mut self, step: Step) {
        let goodcity = goodcity(self.stack);
        match step {
            Step::SignUp | Step::Stranger | Step::Forget => {
                let reply = if matches!(step, Step::Forget) {
                    goodcity.send_pin(&self.mobile).await
                } else {
                    goodcity.sign_up(&self.mobile).await
                };
                let is_mine = reply.status == 200 && !matches!(step, Step::Stranger);
                self.key = is_mine.then(|| otp_auth_key(&reply)).or(self.key.take());
            }
            Step::Prove | Step::Guess => {
                let pin = self.messages(&self.mobile).await.pop().map(|text| code_in(&text));
                let Some((key, pin)) = self.key.as_ref().zip(pin) else { return };
                let is_right = matches!(step, Step::Prove);
                let pins = if is_right { vec![pin] } else { vec![other_than(&pin); 5] };
                for pin in pins {
                    goodcity.verify(key, &pin).await;
                }
            }
            Step::Delete => {
                let Some(token) = self.signed_in().await else { return };
                let ask = || goodcity.send_pin(&self.mobile);
                let (key, pin) = self.pin(&ask).await.unwrap();
                goodcity.delete_account(&token, &key, &pin).await.expect_text(204, "");
            }
            Step::Minute | Step::Day => {}
        }
    }

    async fn go_on(&mut self) -> bool {
        if self.signed_in().await.is_some() {
            return true;
        }
        let sign_up = || goodcity(self.stack).sign_up(&self.mobile);
        let Some((key, pin)) = self.pin(&sign_up).await else { return false };
        goodcity(self.stack).verify(&key, &pin).await.status == 200
    }
}

#[tokio::test]
async fn a_user_of_goodcity_always_has_a_way_on() {
    let stack = &TestStack::with(&LIMITS).await;
    let person = async || OfGoodCity { stack, mobile: goodcity::new_mobile(), key: None };
    walk(stack, person).await;
}

struct OfUrbanFits<'a> {
    stack: &'a TestStack,
    username: String,
    email: String,
    /// The `otp_id` of the sign-up of the person.
    pending: Option<String>,
}

impl OfUrbanFits<'_> {
    async fn log_in(&self, password: &str) -> Reply {
        self.send(&|| urbanfits(self.stack).log_in(&self.email, password)).await
    }
}

#[async_trait]
impl Walker for OfUrbanFits<'_> {
    fn stack(&self) -> &TestStack {
        self.stack
    }

    async fn step(&mut self, step: Step) {
        let urbanfits = urbanfits(self.stack);
        match step {
            Step::SignUp => {
                let reply = urbanfits.sign_up(&self.username, &self.email).await;
                if reply.status == 200 {
                    self.pending = Some(otp_id(&reply, &self.email));
                }
            }
            Step::Stranger => {
                urbanfits.sign_up(&new_person().0, &self.email).await;
            }
            Step::Prove | Step::Guess => {
                let code = self.messages(&self.email).await.pop().map(|text| code_in(&text));
                let Some((otp_id, code)) = self.pending.as_ref().zip(code) else { return };
                let is_right = matches!(step, Step::Prove);
                let codes = if is_right { vec![code] } else { vec![other_than(&code); 5] };
                for code in codes {
                    urbanfits.enter_code(otp_id, &code).await;
                }
            }
            Step::Forget => {
                urbanfits.forgot_password(&self.email).await;
            }
            Step::Delete => {
                let reply = self.log_in("password").await;
                if reply.status == 200 {
                    let session = urbanfits::session(&reply);
                    let deleted = urbanfits.delete_account(&session, "password").await;
                    assert_eq!(deleted.status, 200, "{deleted:?}");
                }
            }
            Step::Minute | Step::Day => {}
        }
    }

    async fn go_on(&mut self) -> bool {
        let urbanfits = urbanfits(self.stack);
        if self.log_in("password").await.status == 200 {
            return true;
        }
        let forgot = || urbanfits.forgot_password(&self.email);
        let (reply, text) = self.message(&self.email, &forgot).await;
        if let Some(text) = text {
            let id = reply.json()["otp_id"].as_str().unwrap().to_owned();
            let changed = urbanfits.change_password(&id, &code_in(&text), "battery staple").await;
            assert_eq!(changed.status, 200, "{changed:?}");
            return self.log_in("battery staple").await.status == 200;
        }
        // An earlier sign-up may wait for its code, for five minutes.
        let sign_up = || urbanfits.sign_up(&self.username, &self.email);
        let (mut reply, mut text) = self.message(&self.email, &sign_up).await;
        if reply.status == 401 {
            self.stack.age(Duration::from_mins(5)).await;
            (reply, text) = self.message(&self.email, &sign_up).await;
        }
        let Some(text) = text else { panic!("{reply:?}") };
        let id = otp_id(&reply, &self.email);
        urbanfits.enter_code(&id, &code_in(&text)).await.status == 200
    }
}

#[tokio::test]
async fn a_customer_of_urbanfits_always_has_a_way_on() {
    let stack = &TestStack::with(&LIMITS).await;
    let person = async || {
        let (username, email) = new_person();
        OfUrbanFits { stack, username, email, pending: None }
    };
    walk(stack, person).await;
}

struct OfPosBytz<'a> {
    stack: &'a TestStack,
    client: &'a str,
    number: String,
}

impl OfPosBytz<'_> {
    fn phone(&self) -> String {
        format!("+91{}", self.number)
    }

    fn recipient(&self) -> Value {
        json!({"mobile": {"code": "+91", "number": self.number}})
    }

    async fn sign_in(&self, password: &str) -> Reply {
        let mut body = self.recipient();
        body["password"] = json!(password);
        self.send(&|| posbytz(self.stack).sign_in(self.client, &body)).await
    }

    async fn enter(&self, code: &str) -> Reply {
        posbytz(self.stack).enter_code(self.client, &typed(&self.number, code)).await
    }
}

#[async_trait]
impl Walker for OfPosBytz<'_> {
    fn stack(&self) -> &TestStack {
        self.stack
    }

    async fn step(&mut self, step: Step) {
        let posbytz = posbytz(self.stack);
        match step {
            Step::SignUp => {
                posbytz.sign_up(self.client, &by_mobile("+91", &self.number)).await;
            }
            Step::Stranger => {
                let mut body = by_mobile("+91", &self.number);
                body["email"] = json!(new_email());
                body["password"] = json!("of a stranger");
                posbytz.sign_up(self.client, &body).await;
            }
            Step::Prove | Step::Guess => {
                let code = self.messages(&self.phone()).await.pop().map(|text| code_in(&text));
                let Some(code) = code else { return };
                let is_right = matches!(step, Step::Prove);
                let codes = if is_right { vec![code] } else { vec![other_than(&code); 5] };
                for code in codes {
                    self.enter(&code).await;
                }
            }
            Step::Forget => {
                posbytz.forgot_password(self.client, &self.recipient()).await;
            }
            Step::Delete => {
                let reply = self.sign_in(PASSWORD).await;
                if reply.status == 200 {
                    let token = session(&reply);
                    let deleted = posbytz.delete_customer(self.client, &token, PASSWORD).await;
                    assert_eq!(deleted.status, 200, "{deleted:?}");
                }
            }
            Step::Minute | Step::Day => {}
        }
    }

    async fn go_on(&mut self) -> bool {
        let posbytz = posbytz(self.stack);
        if self.sign_in(PASSWORD).await.status == 200 {
            return true;
        }
        let to = self.recipient();
        let forgot = || posbytz.forgot_password(self.client, &to);
        if let (_, Some(text)) = self.message(&self.phone(), &forgot).await {
            let code = code_in(&text);
            let reset = posbytz.reset_password(self.client, &to, (&code, "battery staple")).await;
            assert_eq!(reset.status, 200, "{reset:?}");
            return self.sign_in("battery staple").await.status == 200;
        }
        let sign_up = || posbytz.sign_up(self.client, &by_mobile("+91", &self.number));
        let (reply, text) = self.message(&self.phone(), &sign_up).await;
        let Some(text) = text else { panic!("{reply:?}") };
        self.enter(&code_in(&text)).await.status == 200
    }
}

#[tokio::test]
async fn a_customer_of_posbytz_always_has_a_way_on() {
    let stack = &TestStack::with(&LIMITS).await;
    let client = &posbytz(stack).store_token("WALKS").await;
    let person = async || OfPosBytz { stack, client, number: posbytz::new_number() };
    walk(stack, person).await;
}
