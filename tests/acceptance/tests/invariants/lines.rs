//! What the functions write: a line for each request, and metrics in CloudWatch's own format.

use super::cloudwatch::{json_lines, metric_lines, samples, sum};
use acceptance::{NO_LIMITS, World, new_email, new_phone};
use serde_json::{Value, json};

/// The structure of the Embedded Metric Format, as its specification words it.
fn emf_schema() -> Value {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let metric = json!({"type": "object", "required": ["Name"], "additionalProperties": false,
        "properties": {"Name": name, "Unit": {"enum": ["Count", "Milliseconds"]}}});
    let set = json!({"type": "array", "maxItems": 9, "items": name});
    let directive = json!({"type": "object", "required": ["Namespace", "Dimensions", "Metrics"],
        "additionalProperties": false,
        "properties": {
            "Namespace": {"const": "Latchkey/latchkey"},
            "Dimensions": {"type": "array", "minItems": 1, "items": set},
            "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": metric}}});
    json!({"type": "object", "required": ["_aws"],
        "properties": {"_aws": {"type": "object", "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": false,
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 1_500_000_000_000_u64},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": directive}}}}})
}

/// The values that a dimension may have: few, and none of them a person's.
fn is_bounded(dimension: &str, value: &str, functions: &[String]) -> bool {
    let contracts = ["gotu", "goodcity", "urbanfits", "posbytz", "every"];
    match dimension {
        "Contract" => contracts.contains(&value),
        "Function" => functions.iter().any(|name| name == value),
        "Cause" => ["no_code", "wrong_code", "too_many_guesses"].contains(&value),
        "Class" => ["invalid", "denied", "absent", "taken", "too_many"].contains(&value),
        _ => false,
    }
}

#[tokio::test]
async fn metrics_are_valid_and_name_nobody() {
    let world = World::with(&NO_LIMITS).await;
    let (phone, email) = (new_phone(), new_email());
    let code = world.code(&phone, "sign_up", 1).await;
    world.sign_up_by_phone(&phone, "9999").await;
    world.sign_up_by_phone(&phone, &code).await;
    world.sign_up_by_email(&email).await;
    world.send("GET", &format!("/users/{email}"), &[], "", None).await;
    world.fault(&json!({"service": "dynamodb", "mode": "error", "count": 1_000_000})).await;
    world.sign_up_by_email(&new_email()).await;
    world.heal().await;
    world.settled(&phone).await;
    let wanted =
        ["SignUps", "CodesSent", "CodesRefused", "Refusals", "RelayLag", "WriteUnits", "Faults"];
    let look = || async {
        let lines = metric_lines(&world.stack().logs());
        let all = wanted.iter().all(|name| lines.iter().any(|line| line.get(name).is_some()));
        all.then_some(lines)
    };
    let lines = world.until("every metric", look).await;
    let schema = jsonschema::validator_for(&emf_schema()).unwrap();
    for line in &lines {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let mut targets = vec!["_aws"];
        for directive in directives {
            for name in directive["Dimensions"].as_array().unwrap().iter().flat_map(list) {
                let value = line[name].as_str().unwrap_or_else(|| panic!("{name}: {line}"));
                assert!(is_bounded(name, value, world.stack().functions()), "{name}: {line}");
                targets.push(name);
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let values = match &line[name] {
                    Value::Array(values) => values.clone(),
                    value => vec![value.clone()],
                };
                assert!((1..=100).contains(&values.len()), "{line}");
                assert!(values.iter().all(Value::is_number), "{line}");
                targets.push(name);
            }
        }
        // Nothing else is on the line, so there is no place for a secret or a name.
        for member in line.as_object().unwrap().keys() {
            assert!(targets.contains(&member.as_str()), "{member}: {line}");
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().unwrap().iter().map(|value| value.as_str().unwrap())
}

#[tokio::test]
async fn every_request_has_its_line() {
    let world = World::with(&NO_LIMITS).await;
    let phone = new_phone();
    let code = world.code(&phone, "sign_up", 1).await;
    world.sign_up_by_phone(&phone, "9999").await;
    world.sign_up_by_phone(&phone, &code).await;
    world.send("GET", "/users", &[], "", None).await;
    let look = || async {
        let lines = json_lines(&world.stack().logs());
        let of = |message: &str| -> Vec<Value> {
            let lines = lines.iter().map(|(_, line)| line.clone());
            lines.filter(|line| line["message"] == message).collect()
        };
        let (requests, batches) = (of("request"), of("batch"));
        let delivered = batches.iter().any(|batch| batch["codes_sent"] == 1);
        (requests.len() == 4 && delivered).then_some((requests, batches))
    };
    let (requests, batches) = world.until("the lines", look).await;
    let told = |name: &str| requests.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("outcome"), ["ok", "refused:wrong_code", "ok", "refused:absent"]);
    assert_eq!(told("http.status"), [204, 401, 200, 405]);
    assert_eq!(told("store_calls"), [2, 1, 3, 0], "the first sign-up takes a block of ids");
    assert_eq!(told("cold_start"), [true, true, false, true]);
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
async fn a_call_by_hand_has_its_line_and_its_fault_counts() {
    let world = World::unscheduled(&NO_LIMITS).await;
    let keys = world.secrets().await.len();
    let deaf = json!({"service": "secrets", "mode": "error", "operation": "DescribeSecret",
        "count": 1_000_000});
    let good = world.invoke("rotate-keys", &json!({})).await;
    world.fault(&deaf).await;
    let bad = world.invoke("rotate-keys", &json!({})).await;
    world.heal().await;
    assert_eq!(
        [good, bad].map(|reply| reply.header("x-amz-function-error").is_empty()),
        [true, false]
    );
    let look = || async {
        let logs = world.stack().logs();
        let lines = json_lines(&logs)
            .into_iter()
            .filter(|(function, line)| function == "rotate-keys" && line["outcome"].is_string());
        let lines: Vec<_> = lines.map(|(_, line)| line).collect();
        let faults = sum(&samples(&logs), "Faults", &[("Function", "rotate-keys")]);
        (lines.len() == 2 && faults > 0.0).then_some((lines, faults))
    };
    let (lines, faults) = world.until("two lines and a fault", look).await;
    assert_eq!(lines.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(), ["ok", "fault"]);
    assert_eq!((&lines[0]["calls"], faults), (&json!(keys), 1.0));
    for line in &lines {
        assert!(line["duration_ms"].is_number() && line["request_id"].is_string(), "{line}");
        // It has nothing to do with the outbox.
        for count in ["records", "delivered", "waiting", "again", "codes_sent", "lag_ms"] {
            assert!(line[count].is_null(), "{line}");
        }
    }
}
