//! The admin API of the local stack as a test double: what a test suite of any team relies on.

use acceptance::{Reply, TestStack, gotu, new_email, new_phone};
use serde_json::{Value, json};

/// A stack of its own with the usual limits; `None` in an account, which has no admin API of this kind.
async fn double() -> Option<TestStack> {
    if TestStack::is_in_account() { None } else { Some(TestStack::with(&[]).await) }
}

async fn post(stack: &TestStack, page: &str, body: &Value) -> Reply {
    stack.request("POST", &format!("/_local/{page}")).json(body).await
}

async fn delete(stack: &TestStack, page: &str) {
    let reply = stack.request("DELETE", &format!("/_local/{page}")).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

async fn refused(stack: &TestStack, page: &str, status: u16, words: &str) {
    let reply = stack.request("GET", &format!("/_local/{page}")).await;
    assert_eq!(reply.status, status, "{reply:?}");
    let error = reply.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains(words), "{error}");
}

async fn seeded(stack: &TestStack, person: &Value) -> Value {
    let reply = post(stack, "seed", &json!({"people": [person]})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["people"][0].clone()
}

async fn advance(stack: &TestStack, by: &str) {
    let reply = post(stack, "clock", &json!({"advance": by})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn a_message_is_waited_for_and_shows_its_code() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    // As a person types it: the plus is a blank in a query.
    let page = format!("messages?to={phone}&wait=1m");
    let ask = async {
        gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    };
    let (found, ()) = tokio::join!(stack.local(&page), ask);
    let message = &found["messages"][0];
    let code = message["code"].as_str().unwrap();
    assert!(message["body"].as_str().unwrap().contains(code));
    assert_eq!((&message["segments"], &message["link"]), (&json!(1), &Value::Null));
    let id = message["id"].as_str().unwrap();
    let later = stack.local(&format!("messages?to={phone}&after={id}")).await;
    assert_eq!(later, json!({"messages": []}));
    let signed_up = gotu(stack).sign_up_by_phone(&phone, code).await;
    assert_eq!(signed_up.status, 200, "{signed_up:?}");
    let events = stack.local("events?detailType=AUTH_USER_CREATED&wait=1m").await;
    let first = events["events"][0]["id"].as_str().unwrap().to_owned();
    let after = format!("events?detailType=AUTH_USER_CREATED&after={first}");
    assert_eq!(stack.local(&after).await, json!({"events": []}));
}

#[tokio::test]
async fn what_the_api_does_not_know_is_refused_with_what_it_knows() {
    let Some(stack) = &double().await else { return };
    refused(stack, "messages?phone=1", 400, "`to`").await;
    refused(stack, "events?type=T", 400, "`detailType`").await;
    refused(stack, "messages?wait=5", 400, "such as 5s").await;
    refused(stack, "tables/Persons", 404, "Users, Identifiers").await;
    assert!(stack.local("tables/users").await["items"].is_array());
    let span = post(stack, "clock", &json!({"advance": "soon"})).await;
    let field = post(stack, "clock", &json!({"forward": "1m"})).await;
    let contract = post(stack, "seed", &json!({"people": [{"contract": "gutu"}]})).await;
    let both = json!({"contract": "gotu", "phone": "+621", "email": "a@b.example"});
    let both = post(stack, "seed", &json!({"people": [both]})).await;
    assert_eq!([span.status, field.status, contract.status, both.status], [400; 4]);
    assert!(both.json()["error"].as_str().unwrap().ends_with("has no phone"), "{both:?}");
    assert!(contract.json()["error"].as_str().unwrap().contains("gotu"));
    // A function has the name of its binary and that of the template.
    let known = stack.invoke("PosbytzCreateClientFunction", &json!({"shop": "S"})).await;
    assert_eq!(known.status, 200, "{known:?}");
}

#[tokio::test]
async fn pages_of_other_sites_cannot_read_or_change_anything() {
    let Some(stack) = &double().await else { return };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "evil.example"),
        ("host", "localhost.evil.example:9000"),
    ] {
        for (method, page) in [("GET", "messages"), ("DELETE", "state"), ("POST", "faults")] {
            let path = format!("/_local/{page}");
            let reply = stack.request(method, &path).header(name, value).await;
            assert_eq!(reply.status, 403, "{reply:?}");
        }
    }
    let own = "http://localhost:5173";
    for method in ["GET", "OPTIONS"] {
        let reply = stack.request(method, "/_local/messages").header("origin", own).await;
        assert_eq!(reply.header("access-control-allow-origin"), own, "{reply:?}");
    }
}

#[tokio::test]
async fn people_of_every_contract_are_seeded_found_and_deleted() {
    let Some(stack) = &double().await else { return };
    let contracts = stack.local("health").await["contracts"].clone();
    let contracts: Vec<String> = serde_json::from_value(contracts).unwrap();
    assert_eq!(contracts, ["gotu", "goodcity", "urbanfits", "posbytz"]);
    for contract in &contracts {
        let person = seeded(stack, &json!({"contract": contract})).await;
        let id = person["id"].as_str().unwrap();
        let is_it = |known: &Value| known["id"] == id && known["contract"] == **contract;
        let people = stack.local("people").await;
        let found = people["people"].as_array().unwrap().iter().find(|known| is_it(known));
        let found = found.unwrap_or_else(|| panic!("no {person} in {people}"));
        assert_eq!(found["status"], "verified");
        assert!(!found["identifiers"].as_array().unwrap().is_empty(), "{found}");
        delete(stack, &format!("people/{contract}/{id}")).await;
        let people = stack.local("people").await;
        assert!(!people["people"].as_array().unwrap().iter().any(is_it), "{people}");
    }
    // The deleted one can sign up again, with what was given.
    let given = json!({"contract": "gotu", "email": new_email(), "password": "a given p4ssword"});
    for _ in 0..2 {
        let person = seeded(stack, &given).await;
        assert_eq!(person["email"], given["email"]);
        let email = given["email"].as_str().unwrap();
        let entered = gotu(stack).sign_in(email, "a given p4ssword").await;
        assert_eq!(entered.status, 200, "{entered:?}");
        delete(stack, &format!("people/gotu/{}", person["id"].as_str().unwrap())).await;
    }
}

#[tokio::test]
async fn an_expired_person_must_enter_again() {
    let Some(stack) = &double().await else { return };
    let person = seeded(stack, &json!({"contract": "gotu", "by": "email"})).await;
    let refresh = person["refreshToken"].as_str().unwrap();
    let path = format!("people/gotu/{}/expire", person["id"].as_str().unwrap());
    assert_eq!(post(stack, &path, &json!({})).await.status, 204);
    let refreshed = gotu(stack).refresh(refresh).await;
    assert_eq!(refreshed.status, 401, "{refreshed:?}");
}

#[tokio::test]
async fn time_passes_for_codes_tokens_and_items_alike() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    advance(stack, "6m").await;
    let late = gotu(stack).sign_up_by_phone(&phone, &code).await;
    assert_eq!(late.status, 401, "{late:?}");
    // The pause between two codes is over, too.
    let code = gotu(stack).code(&phone, "sign_up", 2).await;
    let signed_up = gotu(stack).sign_up_by_phone(&phone, &code).await;
    assert_eq!(signed_up.status, 200, "{signed_up:?}");
    let tokens = signed_up.json()["data"].clone();
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    advance(stack, "16m").await;
    let ended = gotu(stack).sign_out(&token("accessToken")).await;
    assert_eq!(ended.status, 401, "{ended:?}");
    let refreshed = gotu(stack).refresh(&token("refreshToken")).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    advance(stack, "100d").await;
    assert_eq!(stack.items("Challenges").await, [] as [Value; 0]);
    assert_eq!(stack.items("Sessions").await, [] as [Value; 0]);
    assert_eq!(stack.items("Users").await.len(), 1);
    let ended = gotu(stack).refresh(&token("refreshToken")).await;
    assert_eq!(ended.status, 401, "{ended:?}");
    assert!(stack.local("clock").await["offsetMs"].as_i64().unwrap() > 100 * 86_400_000);
    delete(stack, "clock").await;
    assert_eq!(stack.local("clock").await["offsetMs"], 0);
}

#[tokio::test]
async fn after_a_reset_a_test_begins_as_the_first_one_did() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    for _ in 0..3 {
        // A second code within the pause is refused, also if the process remembers the first one.
        let code = gotu(stack).code(&phone, "sign_up", 1).await;
        gotu(stack)
            .ask_for_code(&phone, "sign_up")
            .await
            .expect_text(429, r#"{"error":"too many requests"}"#);
        let signed_up = gotu(stack).sign_up_by_phone(&phone, &code).await;
        assert_eq!(signed_up.status, 200, "{signed_up:?}");
        advance(stack, "1h").await;
        let fault = json!({"service": "sns", "mode": "error", "count": 9});
        assert_eq!(post(stack, "faults", &fault).await.status, 204);
        delete(stack, "state").await;
        for table in acceptance::TABLES {
            assert_eq!(stack.items(table).await, [] as [Value; 0], "{table}");
        }
        for page in ["messages", "events", "requests", "withheld", "faults", "people", "limits"] {
            assert_eq!(stack.local(page).await[page], json!([]), "{page}");
        }
        assert_eq!(stack.local("clock").await["offsetMs"], 0);
    }
}

#[tokio::test]
async fn a_request_shows_what_it_caused_also_after_its_answer() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    gotu(stack).sign_up_by_phone(&phone, &code).await;
    stack.local("events?wait=1m").await;
    let delivered = async || stack.items("Outbox").await.is_empty().then_some(());
    stack.wait_for("the outbox to be delivered", delivered).await;
    let newest = stack.local("requests").await["requests"].clone();
    let [sign_up, ask] = newest.as_array().unwrap().as_slice() else { panic!("{newest}") };
    assert_eq!((&sign_up["path"], &ask["path"]), (&json!("/users"), &json!("/otp")));
    let whole = stack.local(&format!("requests/{}", ask["id"].as_str().unwrap())).await;
    let work = whole["work"].as_array().unwrap();
    let has = |kind: &str, function: &Value, label: &str| {
        let is_it = |it: &&Value| {
            it["type"] == kind
                && it["function"] == *function
                && it["label"].as_str().unwrap().starts_with(label)
        };
        let found = work.iter().find(is_it);
        found.unwrap_or_else(|| panic!("no {kind} {label} in {whole}")).clone()
    };
    has("invocation", &json!("gotu-post-otp"), "gotu-post-otp");
    let written = has("call", &json!("gotu-post-otp"), "TransactWriteItems");
    assert!(written["units"].as_f64().unwrap() > 0.0);
    let published = has("call", &json!("relay"), "Publish");
    let message = has("message", &Value::Null, "SMS to");
    assert!(published["startMs"].as_f64().unwrap() > written["startMs"].as_f64().unwrap());
    let sent = &stack.local("messages").await["messages"][0];
    assert_eq!((&message["ref"], &sent["requestId"]), (&sent["id"], &ask["id"]));
    assert_eq!(sign_up["events"], 2, "{sign_up}");
    let events = stack.local("events").await;
    for event in events["events"].as_array().unwrap() {
        assert_eq!(event["requestId"], sign_up["id"], "{event}");
        assert_eq!(event["problems"], json!([]), "{event}");
    }
    let page = format!("requests?limit=1&before={}", sign_up["id"].as_str().unwrap());
    assert_eq!(stack.local(&page).await["requests"][0]["id"], ask["id"]);
}

#[tokio::test]
async fn a_code_that_is_not_sent_has_a_reason() {
    if TestStack::is_in_account() {
        return;
    }
    let env = [
        ("SMS_COUNTRIES", "+62,+852"),
        ("OTP_RESEND_SECONDS", "0"),
        ("ACCOUNT_NOTICE_GOTU", "false"),
    ];
    let stack = &TestStack::with(&env).await;
    let person = seeded(stack, &json!({"contract": "gotu"})).await;
    let known = person["phone"].as_str().unwrap();
    delete(stack, "messages").await;
    for (phone, otp_type, reason) in [
        (known, "sign_up", "has an account"),
        ("+6282243350992", "login", "has no account"),
        ("+14155550123", "sign_up", "SMS_COUNTRIES"),
    ] {
        gotu(stack).ask_for_code(phone, otp_type).await;
        let withheld = stack.local(&format!("withheld?to={phone}&wait=1m")).await;
        let withheld = &withheld["withheld"][0];
        assert!(withheld["reason"].as_str().unwrap().contains(reason), "{withheld}");
        let request =
            stack.local(&format!("requests/{}", withheld["requestId"].as_str().unwrap())).await;
        assert_eq!((&request["path"], &request["withheld"]), (&json!("/otp"), &json!(1)));
    }
    let refused = json!({"service": "sns", "mode": "refuse"});
    assert_eq!(post(stack, "faults", &refused).await.status, 204);
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await;
    let withheld = stack.local(&format!("withheld?to={phone}&wait=1m")).await;
    assert_eq!(withheld["withheld"][0]["reason"], "the carrier refused the message");
    assert_eq!(stack.local("messages").await, json!({"messages": []}));
}

#[tokio::test]
async fn a_spent_limit_is_shown_first() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    gotu(stack).code(&phone, "sign_up", 1).await;
    let limits = stack.local("limits").await["limits"].clone();
    let first = &limits[0];
    assert_eq!((&first["what"], &first["spent"]), (&json!("pause between codes"), &json!(true)));
    assert!(first["subject"].as_str().unwrap().ends_with(&phone), "{limits}");
    let hour = limits.as_array().unwrap().iter().find(|limit| limit["counter"] == "hour").unwrap();
    assert_eq!((&hour["used"], &hour["spent"]), (&json!(1.0), &json!(false)));
}

#[tokio::test]
async fn a_watcher_gets_news_and_after_a_break_what_it_missed() {
    let Some(stack) = &double().await else { return };
    let phone = new_phone();
    let mut first = stack.watch(None).await;
    gotu(stack).code(&phone, "sign_up", 1).await;
    let (number, message) = first.next("message").await;
    assert_eq!(message["message"]["to"], phone);
    let mut second = stack.watch(Some(&number)).await;
    gotu(stack).ask_for_code(&phone, "login").await;
    let (_, withheld) = second.next("withheld").await;
    assert_eq!(withheld["withheld"]["to"], phone);
    let mut again = stack.watch(Some(&number)).await;
    assert_eq!(again.next("withheld").await.1, withheld);
    delete(stack, "state").await;
    first.next("reload").await;
    // A number of an earlier run.
    stack.watch(Some("999999")).await.next("reload").await;
}

#[tokio::test]
async fn namespaces_share_nothing() {
    let Some(stack) = &double().await else { return };
    let (phone, body) = (
        new_phone(),
        |otp_type: &str, phone: &str| json!({"identifier": phone, "otpType": otp_type}),
    );
    let port = stack.url().rsplit(':').next().unwrap();
    let host = format!("w2.localhost:{port}");
    let spaces = [("x-latchkey-namespace", "w1"), ("host", host.as_str())];
    for (name, value) in spaces {
        // The pause between two codes to one number is that of one namespace.
        let ask = stack.call("gotu-post-otp").json(&body("sign_up", &phone));
        ask.header(name, value).await.expect_text(204, "");
        let page = format!("/_local/messages?to={phone}&wait=1m");
        let messages = stack.request("GET", &page).header(name, value).await.json();
        assert_eq!(messages["messages"].as_array().unwrap().len(), 1, "{messages}");
        let forward = stack.request("POST", "/_local/clock").json(&json!({"advance": "1h"}));
        assert_eq!(forward.header(name, value).await.status, 200);
    }
    let (name, value) = spaces[0];
    let cleared = stack.request("DELETE", "/_local/state").header(name, value).await;
    assert_eq!(cleared.status, 204);
    for ((name, value), left, offset) in [(spaces[0], 0, 0), (spaces[1], 1, 3_600_000)] {
        let read = async |page: &str| {
            stack.request("GET", &format!("/_local/{page}")).header(name, value).await.json()
        };
        assert_eq!(read("messages").await["messages"].as_array().unwrap().len(), left);
        assert_eq!(read("clock").await["offsetMs"], offset);
    }
    assert_eq!(stack.local("messages").await, json!({"messages": []}));
    assert_eq!(stack.local("namespaces").await, json!({"namespaces": ["w1", "w2"]}));
    for (name, value, status) in [("accept", "*/*", 400), ("sec-fetch-site", "cross-site", 503)] {
        let space = if status == 400 { "a b" } else { "w3" };
        let health = stack.request("GET", "/_local/health").header(name, value);
        let refused = health.header("x-latchkey-namespace", space).await;
        assert_eq!(refused.status, status, "{refused:?}");
    }
    assert_eq!(stack.local("namespaces").await, json!({"namespaces": ["w1", "w2"]}));
}
