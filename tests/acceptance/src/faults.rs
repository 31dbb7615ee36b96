//! Faults of the AWS services, which the local stack causes on request.

use crate::TestStack;
use serde_json::{Value, json};

/// A number of faults that no test exhausts.
const ALWAYS: u32 = 1_000_000;

/// A fault of DynamoDB that lasts until it is cleared.
#[must_use]
pub fn of_store(mode: &str) -> Fault {
    Fault::of("dynamodb", mode)
}

/// A way in which calls of one service fail.
#[derive(Clone, Debug)]
pub struct Fault(Value);

impl Fault {
    /// A fault of a service that lasts until it is cleared.
    #[must_use]
    pub fn of(service: &str, mode: &str) -> Self {
        Self(json!({"service": service, "mode": mode, "count": ALWAYS}))
    }

    /// The same fault for so many calls.
    #[must_use]
    pub fn times(self, count: impl Into<Value>) -> Self {
        self.with("count", count)
    }

    /// The same fault, which spares so many calls first.
    #[must_use]
    pub fn after(self, calls: u32) -> Self {
        if calls == 0 { self } else { self.with("after", calls) }
    }

    /// The same fault for one operation alone.
    #[must_use]
    pub fn at(self, operation: &str) -> Self {
        self.with("operation", operation)
    }

    /// The same fault for the calls of one function alone.
    #[must_use]
    pub fn in_function(self, function: &str) -> Self {
        self.with("function", function)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }
}

impl TestStack {
    /// Makes calls fail from now on.
    pub async fn fault(&self, fault: &Fault) {
        let reply = self.request("POST", "/_local/faults").json(&fault.0).await;
        assert_eq!(reply.status, 204, "{fault:?}: {reply:?}");
    }

    /// Ends every fault.
    pub async fn clear_faults(&self) {
        let reply = self.request("DELETE", "/_local/faults").await;
        assert_eq!(reply.status, 204, "{reply:?}");
    }
}
