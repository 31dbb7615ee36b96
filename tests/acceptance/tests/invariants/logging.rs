//! The lines of the functions: one for each request, and metrics in CloudWatch's embedded metric format.

use acceptance::drivers::names;
use acceptance::faults::{Fault, of_store};
use acceptance::logs::{list, values};
use acceptance::{NO_LIMITS, TestStack, gotu, new_email, new_phone, other_than};
use serde_json::{Value, json};

/// The schema of the embedded metric format.
fn emf_schema() -> Value {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let metric = json!({"type": "object", "required": ["Name"], "additionalProperties": false,
        "properties": {"Name": name, "Unit": {"enum": ["Count", "Milliseconds", "Percent"]}}});
    let set = json!({"type": "array", "maxItems": 9, "items": name});
    let directive = json!({"type": "object", "required": ["Namespace", "Dimensions", "Metrics"],
        "additionalProperties": false,
        "properties": {
            // In an account, the functions have a stack of their own.
            "Namespace": {"enum": ["Latchkey/latchkey", "Latchkey/latchkey-functions"]},
            "Dimensions": {"type": "array", "minItems": 1, "items": set},
            "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": metric}}});
    json!({"type": "object", "required": ["_aws"],
        "properties": {"_aws": {"type": "object", "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": false,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_500_000_000_000_u64},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": directive}}}}})
}

/// Whether a dimension may have this value. The values are few, and none of them names a user.
fn is_bounded(dimension: &str, value: &str, functions: &[String]) -> bool {
    match dimension {
        "Contract" => value == "every" || names().contains(&value),
        "Function" => functions.iter().any(|name| name == value),
        "Cause" => ["no_code", "wrong_code", "too_many_guesses"].contains(&value),
        "Part" => ["0", "1", "2", "3"].contains(&value),
        "Class" => ["invalid", "denied", "absent", "taken", "too_many"].contains(&value),
        _ => false,
    }
}

#[tokio::test]
async fn metrics_are_valid_and_name_no_user() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (phone, email) = (new_phone(), new_email());
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    gotu(stack).sign_up_by_phone(&phone, &other_than(&code)).await;
    gotu(stack).sign_up_by_phone(&phone, &code).await;
    gotu(stack).sign_up_by_email(&email).await;
    stack.request("GET", &format!("/users/{email}")).await;
    stack.fault(&of_store("error")).await;
    gotu(stack).sign_up_by_email(&new_email()).await;
    stack.clear_faults().await;
    stack.wait_until_delivered(&phone).await;
    let wanted =
        ["SignUps", "CodesSent", "CodesRefused", "Refusals", "RelayLag", "WriteUnits", "Faults"];
    let look = || async {
        let lines = stack.metric_lines();
        let all = wanted.iter().all(|name| lines.iter().any(|line| line.get(name).is_some()));
        all.then_some(lines)
    };
    let lines = stack.wait_for("every metric", look).await;
    let schema = jsonschema::validator_for(&emf_schema()).unwrap();
    for line in &lines {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        let directives = list(&line["_aws"]["CloudWatchMetrics"]);
        let mut targets = vec!["_aws"];
        for directive in directives {
            let names = list(&directive["Dimensions"]).iter().flat_map(list);
            for name in names.map(|name| name.as_str().unwrap()) {
                let value = line[name].as_str().unwrap_or_else(|| panic!("{name}: {line}"));
                assert!(is_bounded(name, value, stack.functions()), "{name}: {line}");
                targets.push(name);
            }
            for metric in list(&directive["Metrics"]) {
                let name = metric["Name"].as_str().unwrap();
                let values = values(&line[name]);
                assert!((1..=100).contains(&values.len()), "{line}");
                assert!(values.iter().all(Value::is_number), "{line}");
                targets.push(name);
            }
        }
        // The line has no other member, so it has no place for a secret or a name.
        for member in line.as_object().unwrap().keys() {
            assert!(targets.contains(&member.as_str()), "{member}: {line}");
        }
    }
}

#[tokio::test]
async fn every_request_has_its_line() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    gotu(stack).sign_up_by_phone(&phone, &other_than(&code)).await;
    gotu(stack).sign_up_by_phone(&phone, &code).await;
    stack.call("gotu-post-users").with_method("GET").await;
    let look = || async {
        let (requests, batches) = (stack.lines("request"), stack.lines("batch"));
        let delivered = batches.iter().any(|batch| batch["codes_sent"] == 1);
        (requests.len() == 4 && delivered).then_some((requests, batches))
    };
    let (requests, batches) = stack.wait_for("the lines", look).await;
    let values = |name: &str| requests.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(values("outcome"), ["ok", "refused:wrong_code", "ok", "refused:absent"]);
    assert_eq!(values("http.status"), [204, 401, 200, 405]);
    assert_eq!(values("store_calls"), [2, 3, 4, 0], "the first sign-up takes a block of ids");
    assert_eq!(values("cold_start"), [true, true, false, true]);
    for line in requests.iter().chain(&batches) {
        for number in ["duration_ms", "store_calls", "store_ms", "write_units"] {
            assert!(line[number].is_number(), "{number}: {line}");
        }
        assert!(line["request_id"].as_str().unwrap().len() >= 36, "{line}");
        assert!(line["trace_id"].as_str().unwrap().starts_with("1-"), "{line}");
    }
    assert!(requests[0]["write_units"].as_f64().unwrap() > 0.0);
    let batch = batches.iter().find(|batch| batch["codes_sent"] == 1).unwrap();
    assert_eq!((&batch["delivered"], &batch["again"]), (&json!(1), &json!(0)), "{batch}");
    assert!(batch["lag_ms"].is_number() && batch["records"].is_number(), "{batch}");
}

#[tokio::test]
async fn the_line_of_a_repeated_request_says_so() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let body = json!({"identifier": new_phone(), "otpType": "sign_up"});
    let ask = || stack.call("gotu-post-otp").header("idempotency-key", "\"repeated\"").json(&body);
    assert_eq!([ask().await.status, ask().await.status], [204, 204]);
    let look = || async { Some(stack.lines("request")).filter(|lines| lines.len() == 2) };
    let lines = stack.wait_for("the lines", look).await;
    assert_eq!(
        lines.iter().map(|line| &line["repeated"]).collect::<Vec<_>>(),
        [&Value::Null, &json!(true)]
    );
    assert!(lines.iter().all(|line| line["outcome"] == "ok"), "{lines:?}");
}

#[tokio::test]
async fn a_direct_invocation_has_its_line_and_its_fault_counts() {
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    let keys = stack.secrets().await.len();
    let good = stack.invoke("rotate-keys", &json!({})).await;
    stack.fault(&Fault::of("secrets", "error").at("DescribeSecret")).await;
    let bad = stack.invoke("rotate-keys", &json!({})).await;
    stack.clear_faults().await;
    assert_eq!(
        [good, bad].map(|reply| reply.header("x-amz-function-error").is_empty()),
        [true, false]
    );
    let look = || async {
        let mut lines = stack.json_lines();
        lines.retain(|(name, line)| name == "rotate-keys" && line["outcome"].is_string());
        let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
        let faults = stack.sum("Faults", &[("Function", "rotate-keys")]);
        (lines.len() == 2 && faults > 0.0).then_some((lines, faults))
    };
    let (lines, faults) = stack.wait_for("two lines and a fault", look).await;
    assert_eq!(lines.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(), ["ok", "fault"]);
    assert_eq!((&lines[0]["calls"], faults), (&json!(keys), 1.0));
    for line in &lines {
        assert!(line["duration_ms"].is_number() && line["request_id"].is_string(), "{line}");
        // These members belong to the outbox.
        for count in ["records", "delivered", "waiting", "again", "codes_sent", "lag_ms"] {
            assert!(line[count].is_null(), "{line}");
        }
    }
}
