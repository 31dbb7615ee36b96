//! One request for each endpoint that changes something, prepared so that it succeeds once.

use crate::posbytz::{PASSWORD, by_email, by_mobile, customer_id, new_number, session, typed};
use crate::{Call, TestStack, code_in, goodcity, gotu, new_email, new_phone, posbytz, urbanfits};
use serde_json::json;
use urbanfits::new_person;

/// A request that succeeds once. It can be sent again.
pub struct Prepared<'a> {
    call: Box<dyn Fn() -> Call<'a> + Send + Sync + 'a>,
    /// The same request for something else.
    other: Box<dyn Fn() -> Call<'a> + Send + Sync + 'a>,
}

impl<'a> Prepared<'a> {
    fn new(
        call: impl Fn() -> Call<'a> + Send + Sync + 'a,
        other: impl Fn() -> Call<'a> + Send + Sync + 'a,
    ) -> Self {
        Self { call: Box::new(call), other: Box::new(other) }
    }

    /// The request.
    pub fn call(&self) -> Call<'a> {
        (self.call)()
    }

    /// A request of the same caller with another content.
    pub fn other(&self) -> Call<'a> {
        (self.other)()
    }
}

/// The endpoints that keep answers, each with the variant of its request.
pub const ENDPOINTS: [(&str, &str); 33] = [
    ("gotu-post-otp", ""),
    ("gotu-post-users", "by phone"),
    ("gotu-post-users", "by e-mail"),
    ("gotu-post-sessions", ""),
    ("gotu-post-sessions-phone", ""),
    ("gotu-post-sessions-refresh", ""),
    ("gotu-delete-users", ""),
    ("gotu-delete-sessions", ""),
    ("gotu-post-otp-verification", ""),
    ("gotu-patch-users-phone", ""),
    ("gotu-patch-users-password", ""),
    ("goodcity-send-pin", ""),
    ("goodcity-signup", ""),
    ("goodcity-verify", ""),
    ("goodcity-register-device", ""),
    ("goodcity-delete-user", ""),
    ("urbanfits-signup", ""),
    ("urbanfits-signup-callback", ""),
    ("urbanfits-signup-resend", ""),
    ("urbanfits-forgot-password", ""),
    ("urbanfits-change-password", ""),
    ("urbanfits-login", ""),
    ("urbanfits-delete-me", ""),
    ("urbanfits-logout", "of one session"),
    ("urbanfits-logout", "of all sessions"),
    ("posbytz-signup", ""),
    ("posbytz-signin", ""),
    ("posbytz-otp-verify", ""),
    ("posbytz-password-forgot", ""),
    ("posbytz-password-reset", ""),
    ("posbytz-resend", "by e-mail"),
    ("posbytz-resend", "by SMS"),
    ("posbytz-delete-user", ""),
];

/// Prepares the request of an endpoint of [`ENDPOINTS`]. The stack must have no limits.
pub async fn prepare<'a>(stack: &'a TestStack, endpoint: (&str, &str)) -> Prepared<'a> {
    match endpoint.0.split('-').next() {
        Some("gotu") => of_gotu(stack, endpoint).await,
        Some("goodcity") => of_goodcity(stack, endpoint.0).await,
        Some("urbanfits") => of_urbanfits(stack, endpoint).await,
        _ => of_posbytz(stack, endpoint).await,
    }
}

async fn of_gotu<'a>(stack: &'a TestStack, endpoint: (&str, &str)) -> Prepared<'a> {
    let (gotu, phone, email) = (gotu(stack), new_phone(), new_email());
    let other = new_phone();
    match endpoint {
        ("gotu-post-otp", _) => Prepared::new(
            move || gotu.ask_for_code(&phone, "sign_up"),
            move || gotu.ask_for_code(&other, "sign_up"),
        ),
        ("gotu-post-users", "by phone") => {
            let code = gotu.code(&phone, "sign_up", 1).await;
            let same = code.clone();
            Prepared::new(
                move || gotu.sign_up_by_phone(&phone, &code),
                move || gotu.sign_up_by_phone(&other, &same),
            )
        }
        ("gotu-post-users", _) => Prepared::new(
            move || gotu.sign_up_by_email(&email),
            move || gotu.sign_up_by_email(&format!("other-{other}@example.com")),
        ),
        ("gotu-post-sessions", _) => {
            assert_eq!(gotu.sign_up_by_email(&email).await.status, 200);
            let same = email.clone();
            Prepared::new(
                move || gotu.sign_in(&email, gotu::PASSWORD),
                move || gotu.sign_in(&same, "another horse"),
            )
        }
        ("gotu-post-sessions-phone", _) => {
            gotu.registered(&phone).await;
            let code = gotu.code(&phone, "login", 2).await;
            let same = code.clone();
            Prepared::new(
                move || gotu.sign_in_by_phone(&phone, &code),
                move || gotu.sign_in_by_phone(&other, &same),
            )
        }
        ("gotu-post-otp-verification", _) => {
            gotu.registered(&phone).await;
            let code = gotu.code(&phone, "reset_password", 2).await;
            let same = code.clone();
            Prepared::new(
                move || gotu.verify_code(&phone, &code, "reset_password"),
                move || gotu.verify_code(&other, &same, "reset_password"),
            )
        }
        ("gotu-patch-users-phone", _) => {
            let code = gotu.code(&phone, "sign_up", 1).await;
            let access = gotu::tokens(&gotu.sign_up_by_phone(&phone, &code).await).access;
            let (same, body) = (access.clone(), gotu.proved_phone(&other, 1).await);
            let elsewhere = json!({"phoneNumber": phone, "requestToken": body["requestToken"]});
            Prepared::new(
                move || gotu.change_phone(&access, &body),
                move || gotu.change_phone(&same, &elsewhere),
            )
        }
        ("gotu-patch-users-password", _) => {
            gotu.registered(&phone).await;
            let code = gotu.code(&phone, "reset_password", 2).await;
            let proved = gotu.verify_code(&phone, &code, "reset_password").await;
            let token = proved.json()["data"]["requestToken"].as_str().unwrap().to_owned();
            let body =
                move |password: &str| json!({"newPassword": password, "requestToken": token});
            let (one, two) = (body("battery staple"), body("other staple"));
            Prepared::new(move || gotu.set_password(&one), move || gotu.set_password(&two))
        }
        ("gotu-delete-users", _) => {
            let access = gotu::tokens(&gotu.sign_up_by_email(&email).await).access;
            let (same, body) = (access.clone(), json!({"password": gotu::PASSWORD}));
            Prepared::new(
                move || gotu.delete_account(&access, &body),
                move || gotu.delete_account(&same, &json!({"password": "another horse"})),
            )
        }
        (endpoint, _) => {
            let session = gotu::tokens(&gotu.sign_up_by_email(&email).await);
            let gotu::Tokens { access, refresh } = session;
            if endpoint == "gotu-post-sessions-refresh" {
                Prepared::new(move || gotu.refresh(&refresh), move || gotu.refresh(&"0".repeat(52)))
            } else {
                let same = access.clone();
                Prepared::new(
                    move || gotu.sign_out(&access),
                    move || gotu.sign_out_everywhere(&same),
                )
            }
        }
    }
}

async fn of_goodcity<'a>(stack: &'a TestStack, endpoint: &str) -> Prepared<'a> {
    let (goodcity, mobile) = (goodcity(stack), goodcity::new_mobile());
    let other = goodcity::new_mobile();
    match endpoint {
        "goodcity-send-pin" => {
            goodcity.registered(&mobile).await;
            Prepared::new(move || goodcity.send_pin(&mobile), move || goodcity.send_pin(&other))
        }
        "goodcity-signup" => {
            Prepared::new(move || goodcity.sign_up(&mobile), move || goodcity.sign_up(&other))
        }
        "goodcity-verify" => {
            let key = goodcity::otp_auth_key(&goodcity.sign_up(&mobile).await);
            let pin = goodcity.pin(&mobile, 1).await;
            let same = pin.clone();
            Prepared::new(
                move || goodcity.verify(&key, &pin),
                move || goodcity.verify("AAAAAAAAAAAAAAAAAAAAAA==", &same),
            )
        }
        "goodcity-delete-user" => {
            let token = goodcity::token(&goodcity.registered(&mobile).await);
            let key = goodcity::otp_auth_key(&goodcity.send_pin(&mobile).await);
            let pin = goodcity.pin(&mobile, 2).await;
            let (same, same_key) = (token.clone(), key.clone());
            Prepared::new(
                move || goodcity.delete_account(&token, &key, &pin),
                move || goodcity.delete_account(&same, &same_key, "no pin"),
            )
        }
        _ => {
            let token = goodcity::token(&goodcity.registered(&mobile).await);
            let (same, handle) = (token.clone(), format!("handle of {mobile}"));
            Prepared::new(
                move || goodcity.register_device(&token, &handle, "fcm"),
                move || goodcity.register_device(&same, &other, "fcm"),
            )
        }
    }
}

async fn of_urbanfits<'a>(stack: &'a TestStack, endpoint: (&str, &str)) -> Prepared<'a> {
    let (urbanfits, (username, email)) = (urbanfits(stack), new_person());
    let (other_name, other) = new_person();
    match endpoint.0 {
        "urbanfits-signup" => Prepared::new(
            move || urbanfits.sign_up(&username, &email),
            move || urbanfits.sign_up(&other_name, &other),
        ),
        "urbanfits-signup-callback" => {
            let (otp_id, code) = urbanfits.pending(&username, &email).await;
            let same = otp_id.clone();
            Prepared::new(
                move || urbanfits.enter_code(&otp_id, &code),
                move || urbanfits.enter_code(&same, urbanfits::WRONG),
            )
        }
        "urbanfits-signup-resend" => {
            let (otp_id, _) = urbanfits.pending(&username, &email).await;
            Prepared::new(
                move || urbanfits.resend(&otp_id),
                move || urbanfits.resend(urbanfits::UNKNOWN_ID),
            )
        }
        "urbanfits-forgot-password" => {
            urbanfits.registered(&username, &email).await;
            Prepared::new(
                move || urbanfits.forgot_password(&email),
                move || urbanfits.forgot_password(&other),
            )
        }
        "urbanfits-change-password" => {
            urbanfits.registered(&username, &email).await;
            let (otp_id, code) = urbanfits.reset_code(&email, 2).await;
            let (same, same_code) = (otp_id.clone(), code.clone());
            Prepared::new(
                move || urbanfits.change_password(&otp_id, &code, "battery staple"),
                move || urbanfits.change_password(&same, &same_code, "other staple"),
            )
        }
        "urbanfits-login" => {
            urbanfits.registered(&username, &email).await;
            let same = email.clone();
            Prepared::new(
                move || urbanfits.log_in(&email, "password"),
                move || urbanfits.log_in(&same, "another horse"),
            )
        }
        "urbanfits-delete-me" => {
            let session = urbanfits::session(&urbanfits.registered(&username, &email).await);
            let same = session.clone();
            Prepared::new(
                move || urbanfits.delete_account(&session, "password"),
                move || urbanfits.delete_account(&same, "another horse"),
            )
        }
        _ => {
            let session = urbanfits::session(&urbanfits.registered(&username, &email).await);
            let all = endpoint.1 == "of all sessions";
            let log_out = move |all: bool| urbanfits.log_out(&session).json(&json!({"all": all}));
            let same = log_out.clone();
            Prepared::new(move || log_out(all), move || same(!all))
        }
    }
}

async fn of_posbytz<'a>(stack: &'a TestStack, endpoint: (&str, &str)) -> Prepared<'a> {
    let (posbytz, email, number) = (posbytz(stack), new_email(), new_number());
    let client = posbytz.store_token("REPEATS").await;
    let same = client.clone();
    match endpoint.0 {
        "posbytz-signup" => {
            let mut body = by_email(&email);
            body["mobile"] = json!({"code": "+91", "number": number});
            Prepared::new(
                move || posbytz.sign_up(&client, &body),
                move || posbytz.sign_up(&same, &by_email(&new_email())),
            )
        }
        "posbytz-signin" => {
            posbytz.registered(&client, &email).await;
            let other = json!({"email": email, "password": "another horse"});
            Prepared::new(
                move || posbytz.sign_in(&client, &by_email(&email)),
                move || posbytz.sign_in(&same, &other),
            )
        }
        "posbytz-password-forgot" => {
            posbytz.registered(&client, &email).await;
            let (body, other) = (json!({"email": email}), json!({"email": new_email()}));
            Prepared::new(
                move || posbytz.forgot_password(&client, &body),
                move || posbytz.forgot_password(&same, &other),
            )
        }
        "posbytz-password-reset" => {
            posbytz.registered(&client, &email).await;
            let to = json!({"email": email});
            posbytz.forgot_password(&client, &to).await;
            let code = code_in(&stack.text(&email, 2).await);
            let (other, same_code) = (to.clone(), code.clone());
            Prepared::new(
                move || posbytz.reset_password(&client, &to, (&code, "battery staple")),
                move || posbytz.reset_password(&same, &other, (&same_code, "other staple")),
            )
        }
        "posbytz-delete-user" => {
            posbytz.registered(&client, &email).await;
            let customer = session(&posbytz.sign_in(&client, &by_email(&email)).await);
            let again = customer.clone();
            Prepared::new(
                move || posbytz.delete_customer(&client, &customer, PASSWORD),
                move || posbytz.delete_customer(&same, &again, "another horse"),
            )
        }
        "posbytz-resend" if endpoint.1 == "by SMS" => {
            customer_id(&posbytz.sign_up(&client, &by_mobile("91", &number)).await);
            let body = |number: &str| json!({"mobile": {"code": "91", "number": number}});
            let (body, other) = (body(&number), body(&new_number()));
            Prepared::new(
                move || posbytz.resend(&client, &body),
                move || posbytz.resend(&same, &other),
            )
        }
        "posbytz-resend" => {
            posbytz.mailed(&client, &email).await;
            let (body, other) = (json!({"email": email}), json!({"email": new_email()}));
            Prepared::new(
                move || posbytz.resend(&client, &body),
                move || posbytz.resend(&same, &other),
            )
        }
        _ => {
            customer_id(&posbytz.sign_up(&client, &by_mobile("91", &number)).await);
            let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
            let other = typed(&number, "0");
            Prepared::new(
                move || posbytz.enter_code(&client, &typed(&number, &code)),
                move || posbytz.enter_code(&same, &other),
            )
        }
    }
}
