//! The cost of a request while the number of users grows.

use crate::counts::{DISTURBED, count};
use crate::flows::Flow;
use crate::process::Function;
use crate::{Built, stack};
use acceptance::{TestStack, gotu, new_email};
use anyhow::{bail, ensure};
use serde_json::{Value, json};

/// How much the cost of a request may differ from that with the fewest users, in percent.
const TOLERANCE: u64 = 5;
/// The requests whose mean is taken.
const REQUESTS: u32 = 20;
/// The items that one call writes (`BatchWriteItem`).
const BATCH: usize = 25;
/// The tables that have an item for each user.
const TABLES: [(&str, &str); 2] = [("Users", "user_id"), ("Identifiers", "identifier")];

/// What a request costs.
struct Cost {
    /// The capacity units of its calls, in hundredths.
    units: u64,
    instructions: u64,
}

/// Measures every flow with each number of users, and fails if one costs more with more users.
pub(crate) async fn run(built: &Built, sizes: &[usize]) -> anyhow::Result<()> {
    let mut first: Vec<Option<Cost>> = Flow::ALL.iter().map(|_| None).collect();
    let mut grown = Vec::new();
    println!("| users | request | units | instructions |");
    println!("| --- | --- | --- | --- |");
    for size in sizes {
        let stack = stack(true).await;
        fill(&stack, *size).await?;
        for (flow, first) in Flow::ALL.into_iter().zip(&mut first) {
            let cost = cost(&stack, built, flow).await?;
            let Cost { units, instructions } = cost;
            let (whole, part) = (units / 100, units % 100);
            println!("| {size} | {} | {whole}.{part:02} | {instructions} |", flow.name());
            let first = first.get_or_insert(cost);
            let differs = |now: u64, then: u64| now.abs_diff(then) * 100 > then * TOLERANCE;
            if differs(units, first.units) || differs(instructions, first.instructions) {
                grown.push(format!("{} with {size} users", flow.name()));
            }
        }
    }
    if !grown.is_empty() {
        bail!("the cost differs by more than {TOLERANCE} %: {}", grown.join(", "));
    }
    Ok(())
}

async fn cost(stack: &TestStack, built: &Built, flow: Flow) -> anyhow::Result<Cost> {
    let Some(counted) = count(stack, built, flow).await? else { bail!("{DISTURBED}") };
    let Function { mut runtime, process } = built.program(stack, flow)?.start_function().await?;
    runtime.polled(1).await?;
    let before = stack.calls(flow.function()).await.len();
    for _ in 0..REQUESTS {
        runtime.invoke(&flow.event(stack).await, flow.status()).await?;
    }
    let calls = stack.calls(flow.function()).await.split_off(before);
    process.end().await?;
    let hundredths = calls.iter().filter_map(|call| call["units"].as_f64()).sum::<f64>() * 100.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number that is not negative"
    )]
    let units = (hundredths / f64::from(REQUESTS)).round() as u64;
    Ok(Cost { units, instructions: counted.request })
}

/// Adds copies of one user until there are `size`.
async fn fill(stack: &TestStack, size: usize) -> anyhow::Result<()> {
    let signed_up = gotu(stack).sign_up_by_email(&new_email()).await;
    ensure!(signed_up.status == 200, "{signed_up:?}");
    for (table, key) in TABLES {
        let scanned = stack.dynamodb("Scan", &json!({"TableName": table, "Limit": 1})).await;
        let model = &scanned["Items"][0];
        let name = stack.environment("gotu-post-users")[variable(table)].clone();
        let mut batch = Vec::with_capacity(BATCH);
        for number in 1..size {
            let mut item = model.clone();
            let id = format!("{}-{number}", model[key]["S"].as_str().unwrap_or_default());
            item[key] = json!({"S": id});
            batch.push(json!({"PutRequest": {"Item": item}}));
            if batch.len() == BATCH || number + 1 == size {
                let items = Value::Array(std::mem::take(&mut batch));
                let request = json!({"RequestItems": {&name: items}});
                stack.dynamodb("BatchWriteItem", &request).await;
            }
        }
    }
    Ok(())
}

/// The variable with the name of a table.
fn variable(table: &str) -> &'static str {
    if table == "Users" { "USERS_TABLE" } else { "IDENTIFIERS_TABLE" }
}
