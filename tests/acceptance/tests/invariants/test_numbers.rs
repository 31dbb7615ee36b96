//! Test numbers: a reviewer signs up with a fixed code, nothing is sent, and every other rule holds.

use acceptance::events::of_type;
use acceptance::goodcity::{otp_auth_key, pin_refused};
use acceptance::posbytz::{by_mobile, code_refused, customer_id, signed_in};
use acceptance::{NO_LIMITS, TestStack, code_in, date_in, goodcity, gotu, posbytz, without_limits};
use serde_json::{Value, json};

/// The numbers and codes of the three contracts that text codes. PosBytz takes a number in two parts.
const GOTU: (&str, &str) = ("+447700900101", "48213");
const GOODCITY: (&str, &str) = ("+85299912301", "4821");
const POSBYTZ: (&str, &str, &str) = ("+44", "7700900102", "482137");

/// The list with the numbers of all contracts, until a date.
fn list(until: &str) -> String {
    let ((gotu, pin), (goodcity, short)) = (GOTU, GOODCITY);
    let (dial, number, long) = POSBYTZ;
    format!(
        "{gotu}={pin}@gotu:{until},{goodcity}={short}@goodcity:{until},\
         {dial}{number}={long}@posbytz:{until}"
    )
}

/// A stack whose numbers work for two days or more.
async fn stack(env: &[(&str, &str)]) -> TestStack {
    let list = list(&date_in(3));
    TestStack::with(&[env, &[("TEST_NUMBERS", list.as_str())]].concat()).await
}

/// The code of a customer of PosBytz, as a shop sends it.
fn typed(otp: &str) -> Value {
    let (code, number, _) = POSBYTZ;
    let otp: u32 = otp.parse().unwrap();
    json!({"otp": otp, "source": "mobile", "mobile": {"code": code, "number": number}})
}

/// Requires that a code was asked for a number once, that nothing was sent to it, and that these events of
/// its user say that the user is no person.
async fn expect_told(
    stack: &TestStack,
    contract: &str,
    phone: &str,
    person: &str,
    marked: &[&str],
) {
    stack.wait_until_delivered(phone).await;
    assert_eq!(stack.messages(phone).await, [] as [Value; 0]);
    for name in marked {
        let look = || async {
            let events = stack.events_of(person).await;
            of_type(&events, name).first().map(|event| event["detail"]["testNumber"].clone())
        };
        assert_eq!(stack.wait_for(name, look).await, true, "{name}");
    }
    let events = stack.all_events().await;
    let told: Vec<_> = of_type(&events, "TEST_NUMBER_USED")
        .into_iter()
        .filter(|event| event["detail"]["phoneNumber"] == phone)
        .collect();
    assert_eq!(told.len(), 1, "{events:?}");
    assert_eq!(
        (&told[0]["source"], &told[0]["detail"]["contract"]),
        (&json!("latchkey"), &json!(contract))
    );
}

#[tokio::test]
async fn a_reviewer_signs_up_with_a_fixed_code_and_nothing_is_sent() {
    let stack = &stack(&NO_LIMITS).await;
    let (phone, code) = GOTU;
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    let user = gotu::user_id(&gotu(stack).sign_up_by_phone(phone, code).await);
    let marked = ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"];
    expect_told(stack, "gotu", phone, &user, &marked).await;
    let (phone, code) = GOODCITY;
    let key = otp_auth_key(&goodcity(stack).sign_up(phone).await);
    let user = goodcity::user_id(&goodcity(stack).verify(&key, code).await);
    expect_told(stack, "goodcity", phone, &user, &["user.created", "user.verified"]).await;
    let (dial, number, code) = POSBYTZ;
    let client = posbytz(stack).store_token("TEST1").await;
    let user = customer_id(&posbytz(stack).sign_up(&client, &by_mobile(dial, number)).await);
    assert_eq!(signed_in(&posbytz(stack).enter_code(&client, &typed(code)).await), user);
    let marked = [
        "customer.created",
        "customer.verification_requested",
        "customer.mobile_verified",
        "customer.signed_in",
    ];
    expect_told(stack, "posbytz", &format!("{dial}{number}"), &user, &marked).await;
    let sent = stack.calls("relay").await.into_iter().filter(|call| call["service"] == "sns");
    assert_eq!(sent.count(), 0);
    assert!(stack.wait_for_sum("TestCodesAccepted", 3.0).await >= 3.0);
    let open = || async {
        let mut samples = stack.samples().into_iter();
        let shown = samples.find(|sample| sample.metric == "TestNumbersOpen")?;
        Some(shown.value)
    };
    let open = stack.wait_for("the numbers that work", open).await;
    assert!((open - 3.0).abs() < f64::EPSILON, "{open}");
}

#[tokio::test]
async fn a_user_with_a_test_number_signs_in_and_gets_no_notice() {
    let stack = &stack(&NO_LIMITS).await;
    let (phone, code) = GOTU;
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 200);
    // A person would be told that there is an account.
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 401);
    gotu(stack).ask_for_code(phone, "login").await.expect_text(204, "");
    assert_eq!(gotu(stack).sign_in_by_phone(phone, code).await.status, 200);
    assert_eq!(gotu(stack).sign_in_by_phone(phone, code).await.status, 401, "it is used up");
    stack.wait_until_delivered(phone).await;
    assert_eq!(stack.messages(phone).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_fixed_code_has_the_limits_of_every_code() {
    let stack = &stack(&[]).await;
    let (phone, code) = GOTU;
    assert_eq!(
        gotu(stack).sign_up_by_phone(phone, code).await.status,
        401,
        "no code was asked for"
    );
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).ask_for_code(phone, "sign_up").await.status, 429);
    for _ in 0..5 {
        assert_eq!(gotu(stack).sign_up_by_phone(phone, "48214").await.status, 401);
    }
    assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 401, "no guess is left");
    let (phone, code) = GOODCITY;
    let key = otp_auth_key(&goodcity(stack).sign_up(phone).await);
    for _ in 0..5 {
        goodcity(stack).verify(&key, "4822").await.expect(422, &pin_refused());
    }
    goodcity(stack).verify(&key, code).await.expect(422, &pin_refused());
}

#[tokio::test]
async fn no_other_number_and_no_other_contract_accepts_the_fixed_code() {
    let stack = &stack(&NO_LIMITS).await;
    let ((_, code), (dial, number, _)) = (GOTU, POSBYTZ);
    let of_posbytz = format!("{dial}{number}");
    for phone in ["+447700900100", "+447700900111", "+4477009001010", &of_posbytz] {
        let own = gotu(stack).code(phone, "sign_up", 1).await;
        assert_ne!(own, code, "a chance of one in 100,000");
        assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 401, "{phone}");
        assert_eq!(gotu(stack).sign_up_by_phone(phone, &own).await.status, 200, "{phone}");
    }
}

#[tokio::test]
async fn after_its_end_a_test_number_is_like_any_other() {
    let stack = &stack(&NO_LIMITS).await;
    let (phone, code) = GOTU;
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    stack.wait_until_delivered(phone).await;
    let forward = stack.request("POST", "/_local/clock").json(&json!({"advance": "3d"}));
    assert_eq!(forward.await.status, 200);
    assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 401);
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    let own = code_in(&stack.text(phone, 1).await);
    assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 401);
    assert_eq!(gotu(stack).sign_up_by_phone(phone, &own).await.status, 200);
    let (dial, number, code) = POSBYTZ;
    let client = posbytz(stack).store_token("TEST2").await;
    customer_id(&posbytz(stack).sign_up(&client, &by_mobile(dial, number)).await);
    posbytz(stack).enter_code(&client, &typed(code)).await.expect(401, &code_refused());
    let own = code_in(&stack.text(&format!("{dial}{number}"), 1).await);
    assert_eq!(posbytz(stack).enter_code(&client, &typed(&own)).await.status, 200);
}

#[tokio::test]
async fn a_list_that_breaks_a_rule_stops_the_functions_that_send_or_check_codes() {
    let (soon, late) = (date_in(3), date_in(92));
    let entry = |phone: &str, code: &str, contract: &str, until: &str| {
        format!("{phone}={code}@{contract}:{until}")
    };
    let many: Vec<_> =
        (0..11).map(|at| entry(&format!("+4477009001{at:02}"), "48213", "gotu", &soon)).collect();
    let (phone, code) = GOTU;
    for (list, rule) in [
        (entry("+6282243350992", code, "gotu", &soon), "in a range that no person can have"),
        (entry(phone, "12345", "gotu", &soon), "must not be one that is guessed first"),
        (entry(phone, "4821", "gotu", &soon), "the digits and the range of its contract's codes"),
        (entry(phone, code, "gotu", &late), "must end within 90 days"),
        (entry(phone, code, "gotu", "soon"), "is not number=code@contract:YYYY-MM-DD"),
        (many.join(","), "has at most 10 test numbers"),
        (entry("+14155550123", code, "gotu", &soon), "in a country that texts may go to"),
    ] {
        let env = without_limits(&[("TEST_NUMBERS", &list), ("SMS_COUNTRIES", "+44,+62")]);
        let stack = &TestStack::with(&env).await;
        assert!(gotu(stack).ask_for_code(phone, "sign_up").await.status >= 500, "{list}");
        let lines = stack.logs();
        assert!(lines.iter().any(|line| line.contains(rule)), "{rule}: {lines:?}");
        assert!(!lines.iter().any(|line| line.contains(code)), "a code is never shown");
        let reply = stack.call("goodcity-current-user-profile").await;
        assert_eq!(reply.status, 401, "it reads no test numbers: {reply:?}");
    }
    // Only the relay knows all contracts.
    let list = entry(phone, code, "gatu", &soon);
    let stack = &TestStack::with(&without_limits(&[("TEST_NUMBERS", &list)])).await;
    let relay = || async {
        let lines = stack.logs();
        lines.iter().any(|line| line.contains("of a test number must exist")).then_some(())
    };
    stack.wait_for("the refusal of the relay", relay).await;
}
