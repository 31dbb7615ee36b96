//! A Lambda function with the SDK as its documentation shows it: each request puts one item.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let table = std::env::var("ANSWERS_TABLE")?;
    let answer = move |_: LambdaEvent<Value>| {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = AttributeValue::S(format!("stock-{}-{count}", std::process::id()));
        let put = client.put_item().table_name(&table).item("answer_id", id);
        async move {
            put.send().await?;
            Ok::<_, Error>(json!({"statusCode": 204}))
        }
    };
    lambda_runtime::run(service_fn(answer)).await
}
