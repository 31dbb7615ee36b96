//! The answer to a request.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// An answer whose body was read in full.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as it was received.
    pub body: String,
}

impl Reply {
    /// The body as JSON, or `null` if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// A header's value, or an empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What a client can see of the answer, without what is random in it: the status, the names of the headers, and the body;
    /// of the members of a success, the lengths.
    #[must_use]
    pub fn visible(&self) -> Value {
        let mut headers: Vec<_> = self.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        let body = match self.json() {
            Value::Object(members) if self.status < 300 => {
                let lengths =
                    members.iter().map(|(name, value)| json!([name, value.to_string().len()]));
                lengths.collect()
            }
            _ => json!(self.body),
        };
        json!([self.status, headers, body])
    }

    /// Requires this status and this JSON body, in any order of members.
    #[track_caller]
    pub fn expect(&self, status: u16, body: &Value) {
        assert_eq!((self.status, &self.json()), (status, body), "{self:?}");
    }

    /// Requires this status and exactly this body.
    #[track_caller]
    pub fn expect_text(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body), "{self:?}");
    }

    /// Requires that the client is asked to wait, for `seconds` at most.
    #[track_caller]
    pub fn expect_wait(&self, seconds: u32) {
        let wait: u32 = self.header("retry-after").parse().expect("a number of seconds to wait");
        assert!((1..=seconds).contains(&wait), "{wait}");
    }

    /// Requires that an invocation succeeded.
    #[track_caller]
    pub fn expect_invoked(&self) {
        assert_eq!((self.status, self.header("x-amz-function-error")), (200, ""), "{self:?}");
    }

    /// The `Set-Cookie` headers, in their order.
    #[must_use]
    pub fn cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all("set-cookie").iter();
        cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }
}

/// The number of replies that have this status.
#[must_use]
pub fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}
