//! Calls of AWS services. All of them read.

use operator_account::{Account, Request, endpoint};
use serde_json::Value;
use std::time::Duration;

/// The time limit of a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service: its name in a signature, the first part of its host, and the variable with its endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    signing: &'static str,
    host: &'static str,
    /// The end of `AWS_ENDPOINT_URL_…`.
    variable: &'static str,
}

pub(crate) const ACM: Service = Service { signing: "acm", host: "acm", variable: "ACM" };
pub(crate) const CLOUDFORMATION: Service =
    Service { signing: "cloudformation", host: "cloudformation", variable: "CLOUDFORMATION" };
pub(crate) const LAMBDA: Service =
    Service { signing: "lambda", host: "lambda", variable: "LAMBDA" };
pub(crate) const QUOTAS: Service =
    Service { signing: "servicequotas", host: "servicequotas", variable: "SERVICE_QUOTAS" };
pub(crate) const SES: Service = Service { signing: "ses", host: "email", variable: "SESV2" };
pub(crate) const SNS: Service = Service { signing: "sns", host: "sns", variable: "SNS" };

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The service refused the call with this error code.
    Refused { code: String, message: String },
    /// The service was not reached.
    Unreached(String),
}

/// Sends a form, as the older protocol of AWS has it, and returns the XML of the answer.
pub(crate) async fn query(
    account: &Account,
    to: (Service, &str),
    form: String,
) -> Result<String, Unanswered> {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    call(account, to, ("POST", "/"), &headers, form).await
}

/// Sends a request with the JSON protocol.
pub(crate) async fn json(
    account: &Account,
    to: (Service, &str),
    target: &str,
    input: &Value,
) -> Result<Value, Unanswered> {
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    read(&call(account, to, ("POST", "/"), &headers, input.to_string()).await?)
}

/// Reads a path of a service that has one for each thing.
pub(crate) async fn get(
    account: &Account,
    to: (Service, &str),
    path: &str,
) -> Result<Value, Unanswered> {
    read(&call(account, to, ("GET", path), &[], String::new()).await?)
}

async fn call(
    account: &Account,
    (service, region): (Service, &str),
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: String,
) -> Result<String, Unanswered> {
    let host = || format!("https://{}.{region}.{}", service.host, suffix(region));
    let url = format!("{}{path}", endpoint(service.variable).unwrap_or_else(host));
    let account = account.in_region(region);
    let request = Request { method, url: &url, headers, body: body.as_bytes() };
    match tokio::time::timeout(PATIENCE, account.call(service.signing, request)).await {
        Ok(Ok(response)) => {
            let text = String::from_utf8_lossy(&response.body).into_owned();
            match response.status {
                200..=299 => Ok(text),
                status => Err(refused(status, &text)),
            }
        }
        Ok(Err(error)) => Err(Unanswered::Unreached(format!("{url}: {error:#}"))),
        Err(_) => Err(Unanswered::Unreached(format!("{url} took too long"))),
    }
}

/// The domain of the services of a region.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn read(text: &str) -> Result<Value, Unanswered> {
    let unread = |_| Unanswered::Unreached(format!("the answer is not JSON: {text}"));
    serde_json::from_str(text).map_err(unread)
}

/// Reads the error of an answer, in XML or in JSON.
fn refused(status: u16, text: &str) -> Unanswered {
    let json = serde_json::from_str::<Value>(text).unwrap_or_default();
    let member = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| json.get(name)?.as_str());
        found.map(|text| text.rsplit('#').next().unwrap_or_default().to_owned())
    };
    let code = element(text, "Code").map(str::to_owned).or_else(|| member(["__type", "code"]));
    let message =
        element(text, "Message").map(str::to_owned).or_else(|| member(["message", "Message"]));
    Unanswered::Refused {
        code: code.unwrap_or_else(|| status.to_string()),
        message: message.unwrap_or_default(),
    }
}

/// Returns the text of the first XML element with this name.
pub(crate) fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}
