//! Records an example of each event: `cargo run -p acceptance --example events`.
//!
//! It sends one request of each endpoint to a stack whose carriers report what becomes of messages, takes the first event of
//! each type, and writes their details to `shared/docs/events/examples.json`. Run it after a change of an event. Each event
//! matches its schema, or the run fails.

#![expect(clippy::print_stdout, reason = "the path of the file is printed")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a recording that fails, fails")]

use acceptance::events::of_type;
use acceptance::faults::Fault;
use acceptance::posbytz::{by_email, customer_id};
use acceptance::requests::{ENDPOINTS, prepare};
use acceptance::{TestStack, date_in, gotu, new_email, new_phone, posbytz, without_limits};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use template::project_root;

/// A number that nothing is sent to.
const TEST_NUMBER: &str = "+447700900123";

#[tokio::main]
async fn main() {
    let test_number = format!("{TEST_NUMBER}=48213@gotu:{}", date_in(2));
    let env = [
        ("DELIVERY_REPORTS", "on"),
        ("SES_CONFIGURATION_SET", "latchkey-mails"),
        ("TEST_NUMBERS", &test_number),
    ];
    let stack = &TestStack::with(&without_limits(&env)).await;
    for endpoint in ENDPOINTS {
        let reply = prepare(stack, endpoint).await.call().await;
        assert!(reply.status < 300, "{endpoint:?}: {reply:?}");
    }
    refer(stack).await;
    operate(stack).await;
    gotu(stack).ask_for_code(TEST_NUMBER, "sign_up").await.expect_text(204, "");
    for (service, mode) in [("sns", "undelivered"), ("ses", "bounced"), ("ses", "complained")] {
        stack.fault(&Fault::of(service, mode).times(1)).await;
        let recipient = if service == "sns" { new_phone() } else { new_email() };
        gotu(stack).ask_for_code(&recipient, "sign_up").await.expect_text(204, "");
        let used_up = || async { stack.local("faults").await["faults"] == json!([]) };
        stack.wait_for("the fault", || async { used_up().await.then_some(()) }).await;
    }
    let folder = project_root().join("shared/docs/events");
    let names = schemas(&folder);
    let all = || async {
        let events = stack.all_events().await;
        let details =
            names.iter().map(|name| Some((name.join("/"), richest(&names, &events, name)?)));
        details.collect::<Option<Map<String, Value>>>()
    };
    let examples = stack.wait_for("an event of each type", all).await;
    let file = folder.join("examples.json");
    let text = serde_json::to_string_pretty(&examples).unwrap();
    std::fs::write(&file, format!("{text}\n")).unwrap();
    println!("{} examples in {}", examples.len(), file.display());
}

/// Signs a customer up who names another one.
async fn refer(stack: &TestStack) {
    let token = posbytz(stack).store_token("STORE1").await;
    let referrer = posbytz(stack).sign_up(&token, &by_email(&new_email())).await;
    let mut body = by_email(&new_email());
    body["referredBy"] = json!(customer_id(&referrer));
    customer_id(&posbytz(stack).sign_up(&token, &body).await);
}

/// Bans a customer of a shop as an operator does, ends the ban, and erases the customer.
async fn operate(stack: &TestStack) {
    let (token, email) = (posbytz(stack).store_token("STORE1").await, new_email());
    posbytz(stack).sign_up(&token, &by_email(&email)).await;
    for verb in ["ban", "unban", "erase"] {
        let payload = json!({"verb": verb, "who": "support", "why": "ticket 4711", "person": email,
            "contract": "posbytz", "store": "STORE1"});
        let reply = stack.invoke("people", &payload).await;
        assert!(reply.status == 200 && !reply.body.contains("refused"), "{reply:?}");
    }
}

/// The contract and the detail type of each schema of a folder, sorted.
fn schemas(folder: &Path) -> BTreeSet<[String; 2]> {
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let folders = entries(folder).filter(|path| path.is_dir());
    let names = folders.flat_map(|folder| {
        entries(&folder)
            .filter_map(|path| {
                let kind = path.file_name()?.to_str()?.strip_suffix(".schema.json")?.to_owned();
                Some([path.parent()?.file_name()?.to_str()?.to_owned(), kind])
            })
            .collect::<Vec<_>>()
    });
    names.collect()
}

/// Returns the detail with the most fields of the events of a contract and a type. Of several it is the first one.
fn richest(names: &BTreeSet<[String; 2]>, events: &[Value], name: &[String; 2]) -> Option<Value> {
    let [contract, kind] = name;
    // A source begins with the name of its contract; Gotu's is an exception.
    let is_of_contract = |event: &&&Value| {
        let first = event["source"].as_str().unwrap().split('.').next().unwrap();
        let first = if names.iter().any(|[known, _]| known == first) { first } else { "gotu" };
        first == contract
    };
    let fields = |event: &&Value| event["detail"].as_object().map_or(0, Map::len);
    let events = of_type(events, kind);
    let event = events.iter().filter(is_of_contract).rev().max_by_key(|event| fields(event))?;
    Some(event["detail"].clone())
}
