//! Recorded requests and answers: what `LATCHKEY_TRAFFIC` makes the acceptance tests write.

use anyhow::{Context as _, bail};
use data_encoding::BASE64;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The key of the route, such as `POST /otp`.
    pub route: String,
    pub query: String,
    /// The headers of the request; names are in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body of the request, if it is text.
    pub sent: String,
    pub status: u16,
    pub answer_headers: BTreeMap<String, String>,
    pub received: String,
}

impl Exchange {
    /// The media type of the answer, without parameters.
    #[must_use]
    pub fn media(&self) -> &str {
        let value = self.answer_headers.get("content-type").map_or("", String::as_str);
        value.split(';').next().unwrap_or_default().trim()
    }

    /// The body of the answer: JSON, or a text.
    #[must_use]
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.received).unwrap_or_else(|_| self.received.as_str().into())
    }

    fn parse(line: &str) -> anyhow::Result<Option<Self>> {
        let line: Value = serde_json::from_str(line)?;
        let (request, answer) = (&line["request"], &line["answer"]);
        // A function that failed has no status.
        let Some(status) = answer["statusCode"].as_u64() else { return Ok(None) };
        let mut answer_headers = headers(&answer["headers"]);
        if let Some(cookie) = answer["cookies"].as_array().and_then(|cookies| cookies.first()) {
            answer_headers
                .insert("set-cookie".to_owned(), cookie.as_str().unwrap_or_default().to_owned());
        }
        Ok(Some(Self {
            route: request["routeKey"].as_str().unwrap_or_default().to_owned(),
            query: request["rawQueryString"].as_str().unwrap_or_default().to_owned(),
            headers: headers(&request["headers"]),
            sent: text(request),
            status: u16::try_from(status)?,
            answer_headers,
            received: text(answer),
        }))
    }
}

fn headers(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    let pair = |(name, value): (&String, &Value)| {
        (name.to_ascii_lowercase(), value.as_str().unwrap_or_default().to_owned())
    };
    pairs.map(pair).collect()
}

/// The body of an event or of an answer.
fn text(part: &Value) -> String {
    let body = part["body"].as_str().unwrap_or_default();
    if part["isBase64Encoded"] == true {
        let bytes = BASE64.decode(body.as_bytes()).unwrap_or_default();
        return String::from_utf8(bytes).unwrap_or_default();
    }
    body.to_owned()
}

/// Reads the files of a folder, in the order of their names.
///
/// # Errors
/// The folder has no traffic, or a line is malformed.
pub fn read_traffic(folder: &Path) -> anyhow::Result<Vec<Exchange>> {
    let failed = || format!("failed to read {}", folder.display());
    let mut exchanges = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path).with_context(failed)?;
        for line in text.lines() {
            let exchange = Exchange::parse(line)
                .with_context(|| format!("{} is malformed", path.display()))?;
            exchanges.extend(exchange);
        }
    }
    if exchanges.is_empty() {
        bail!("{} has no traffic", folder.display());
    }
    Ok(exchanges)
}
