//! The invocation of a function, of a local stack or of an account.

use anyhow::{Context as _, Result, bail};
use operator_account::{Account, Request, endpoint, send};
use serde_json::Value;
use std::time::Duration;

/// Longer than the timeout of the function.
const PATIENCE: Duration = Duration::from_secs(70);
/// The header of an answer that says that the function failed.
const FAILED: &str = "x-amz-function-error";

/// Where a function is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// On a local stack with this address.
    Local(String),
    /// In an account, with this name or ARN.
    Account(String),
}

/// Invokes a function, whose name on a local stack is `local_name`, and returns its answer.
///
/// # Errors
/// The function cannot be reached, or failed.
pub(crate) async fn invoke(target: &Target, local_name: &str, payload: &Value) -> Result<Value> {
    let body = serde_json::to_vec(payload)?;
    let headers = [("content-type", "application/json")];
    let (url, signature) = match target {
        Target::Local(url) => (path(url, local_name), Vec::new()),
        Target::Account(name) => {
            let account = Account::from_env()?;
            let region = &account.region;
            let endpoint = endpoint("LAMBDA")
                .unwrap_or_else(|| format!("https://lambda.{region}.amazonaws.com"));
            let url = path(&endpoint, name);
            let request = Request { method: "POST", url: &url, headers: &headers, body: &body };
            let signature = account.signature("lambda", request)?;
            (url, signature)
        }
    };
    let request = Request { method: "POST", url: &url, headers: &headers, body: &body };
    let answered = tokio::time::timeout(PATIENCE, send(request, &signature)).await;
    let response = answered.with_context(|| format!("{url} took too long"))??;
    if !(200..300).contains(&response.status) {
        let body = String::from_utf8_lossy(&response.body);
        bail!("{url} answered {}: {body}", response.status);
    }
    let answer: Value = serde_json::from_slice(&response.body).context("the answer is not JSON")?;
    if response.header(FAILED).is_some() {
        let message = answer.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
        bail!("the function failed: {message}");
    }
    Ok(answer)
}

/// The address of the operation `Invoke`. A name can be an ARN, whose colons are escaped.
fn path(endpoint: &str, name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{}/2015-03-31/functions/{name}/invocations", endpoint.trim_end_matches('/'))
}
