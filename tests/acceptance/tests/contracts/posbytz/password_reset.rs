//! `POST /ecommerce/v1/auth/password/reset`: sets a new password with a code.

use acceptance::events::of_type;
use acceptance::posbytz::{
    PASSWORD, SUCCESS, bad_request, by_email, by_mobile, code_refused, customer_id, new_number,
    refusal, signed_in, typed,
};
use acceptance::{NO_LIMITS, TestStack, all, code_in, count, new_email, other_than, posbytz};
use serde_json::{Value, json};

const NEW: &str = "battery staple";

/// Asks for a code, and returns the code, which is in the second message: the first is that of the sign-up.
async fn code(stack: &TestStack, client: &str, recipient: &Value) -> String {
    let to = recipient["email"].as_str().map(str::to_owned);
    let number = || recipient["mobile"]["number"].as_str().unwrap();
    let to = to.unwrap_or_else(|| format!("+91{}", number()));
    // A message that is replaced before it is sent is never sent.
    stack.text(&to, 1).await;
    let asked = posbytz(stack).forgot_password(client, recipient).await;
    asked.expect_text(200, SUCCESS);
    code_in(&stack.text(&to, 2).await)
}

#[tokio::test]
async fn a_code_to_the_address_sets_a_new_password_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESET1").await;
    let email = new_email();
    let id = posbytz(stack).registered(&client, &email).await;
    let to = json!({"email": email});
    let otp = code(stack, &client, &to).await;
    let refused = code_refused();
    let wrong = other_than(&otp);
    posbytz(stack).reset_password(&client, &to, (&wrong, NEW)).await.expect(401, &refused);
    let reply = posbytz(stack).reset_password(&client, &to, (&otp, NEW)).await;
    reply.expect_text(200, SUCCESS);
    let again = posbytz(stack).reset_password(&client, &to, (&otp, "other staple")).await;
    again.expect(401, &refused);
    let old = posbytz(stack).sign_in(&client, &by_email(&email)).await;
    old.expect(401, &refusal(401, "Invalid credentials", "Unauthorized"));
    let new = json!({"email": email, "password": NEW});
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &new).await), id);
    let events = stack.events(&id, 5).await;
    let changed = &of_type(&events, "customer.password_changed")[0]["detail"];
    assert_eq!((&changed["userId"], &changed["store"]), (&json!(id), &json!("RESET1")));
}

#[tokio::test]
async fn the_owner_of_a_number_takes_the_account_of_a_stranger_over() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESET2").await;
    let (number, theirs) = (new_number(), new_email());
    let mut body = by_mobile("+91", &number);
    body["email"] = json!(theirs);
    let id = customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let link = posbytz(stack).mailed_secret(&theirs, &id, 1).await;
    let to = json!({"mobile": {"code": "+91", "number": number}});
    let otp = code(stack, &client, &to).await;
    let reply = posbytz(stack).reset_password(&client, &to, (&otp, NEW)).await;
    reply.expect_text(200, SUCCESS);
    let stranger = posbytz(stack).sign_in(&client, &by_mobile("+91", &number)).await;
    stranger.expect(401, &refusal(401, "Invalid credentials", "Unauthorized"));
    let invalid = refusal(401, "Invalid token", "Unauthorized");
    posbytz(stack).verify_email(&id, &link).await.expect(401, &invalid);
    let mut owner = to.clone();
    owner["password"] = json!(NEW);
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &owner).await), id);
    // The address of the stranger is free.
    customer_id(&posbytz(stack).sign_up(&client, &by_email(&theirs)).await);
}

#[tokio::test]
async fn an_address_beside_a_verified_number_sets_no_password() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESET6").await;
    let (number, email) = (new_number(), new_email());
    let mut both = by_mobile("+91", &number);
    both["email"] = json!(email);
    let id = customer_id(&posbytz(stack).sign_up(&client, &both).await);
    let (mobile, to) = (format!("+91{number}"), json!({"email": email}));
    // Nothing is verified yet, so the owner of the address gets a code.
    let early = code(stack, &client, &to).await;
    let otp = code_in(&stack.text(&mobile, 1).await);
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &otp)).await;
    assert_eq!(signed_in(&reply), id);
    // The owner of the number has the account now.
    let reply = posbytz(stack).reset_password(&client, &to, (&early, NEW)).await;
    reply.expect(401, &code_refused());
    posbytz(stack).forgot_password(&client, &to).await.expect_text(200, SUCCESS);
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), 2);
    let reply = posbytz(stack).sign_in(&client, &by_mobile("+91", &number)).await;
    assert_eq!(signed_in(&reply), id);
}

#[tokio::test]
async fn limits_and_ceilings_allow_a_reset_of_a_customer_who_is_kept_for_it() {
    // The codes live longer than an unverified customer.
    let stack = &TestStack::with(&[
        ("OTP_RESEND_SECONDS", "0"),
        ("OTP_TTL_SECONDS", "100000"),
        ("SENDS_PER_HOUR_PER_CLIENT", "1000"),
        ("MESSAGES_USD_PER_HOUR", "10"),
        ("MESSAGES_USD_PER_DAY", "10"),
    ])
    .await;
    let client = posbytz(stack).store_token("RESET5").await;
    let unknown = json!({"email": new_email()});
    posbytz(stack).forgot_password(&client, &unknown).await.expect_text(200, SUCCESS);
    posbytz(stack).resend(&client, &unknown).await.expect_text(200, SUCCESS);
    let signed_up = async || {
        let number = new_number();
        let id = customer_id(&posbytz(stack).sign_up(&client, &by_mobile("+91", &number)).await);
        (id, json!({"mobile": {"code": "+91", "number": number}}))
    };
    let end = async |id: &str| {
        stack.items_with("Identifiers", id).await[0]["expires_at"].as_i64().unwrap()
    };
    let (id, to) = signed_up().await;
    let before = end(&id).await;
    posbytz(stack).resend(&client, &to).await.expect_text(200, SUCCESS);
    assert!(before < end(&id).await);
    let (id, to) = signed_up().await;
    let before = end(&id).await;
    let otp = code(stack, &client, &to).await;
    assert!(before < end(&id).await);
    let wrong = other_than(&otp);
    let reply = posbytz(stack).reset_password(&client, &to, (&wrong, NEW)).await;
    reply.expect(401, &code_refused());
    let reply = posbytz(stack).reset_password(&client, &to, (&otp, NEW)).await;
    reply.expect_text(200, SUCCESS);
    assert!(stack.items_with("Identifiers", &id).await[0].get("expires_at").is_none());
}

#[tokio::test]
async fn many_at_once_with_one_code_set_one_password() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESET3").await;
    let email = new_email();
    posbytz(stack).registered(&client, &email).await;
    let to = json!({"email": email});
    let otp = code(stack, &client, &to).await;
    let passwords: Vec<_> = (0..4).map(|number| format!("new password {number}")).collect();
    let changes =
        passwords.iter().map(|new| posbytz(stack).reset_password(&client, &to, (&otp, new)));
    let replies = all(changes).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 3), "{replies:?}");
    let winner = replies.iter().position(|reply| reply.status == 200).unwrap();
    let new = json!({"email": email, "password": passwords[winner]});
    assert_eq!(posbytz(stack).sign_in(&client, &new).await.status, 200);
}

#[tokio::test]
async fn every_field_is_named_and_codes_of_another_purpose_are_refused() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    stack.call("posbytz-password-reset").json(&json!({})).await.expect(401, &missing);
    let client = posbytz(stack).store_token("RESET4").await;
    let number = new_number();
    let to = json!({"mobile": {"code": "+91", "number": number}});
    customer_id(&posbytz(stack).sign_up(&client, &by_mobile("+91", &number)).await);
    let sign_up = code_in(&stack.text(&format!("+91{number}"), 1).await);
    let refused = code_refused();
    posbytz(stack).reset_password(&client, &to, (&sign_up, NEW)).await.expect(401, &refused);
    let short = "password must be longer than or equal to 8 characters";
    let otp = "otp must be a number conforming to the specified constraints";
    for (body, errors) in [
        (
            json!({"otp": "1", "password": "short"}),
            json!({"email": ["email should not be empty"],
                "mobile": ["mobile should not be empty"], "otp": [otp], "password": [short]}),
        ),
        (
            json!({"email": "a@domain.com", "otp": 123_456, "password": "password"}),
            json!({"password": ["password is too common"]}),
        ),
    ] {
        let call = stack.call("posbytz-password-reset").bearer(&client).json(&body);
        call.await.expect(400, &bad_request(&errors));
    }
    // A code for a new password opens no session.
    let otp = code(stack, &client, &to).await;
    posbytz(stack).enter_code(&client, &typed(&number, &otp)).await.expect(401, &refused);
    let mut same = to.clone();
    same["password"] = json!(PASSWORD);
    let not_yet = refusal(403, "Account not verified", "Forbidden");
    posbytz(stack).sign_in(&client, &same).await.expect(403, &not_yet);
}
