//! The record of every call that a function made.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::Serialize;

use super::caller::Service;
use crate::clock;
use crate::sync::lock;

/// How many calls are remembered.
const KEPT_CALLS: usize = 200_000;

/// Calls in the order in which they arrived.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    calls: VecDeque<Call>,
    /// How many have been forgotten.
    forgotten: usize,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    function: String,
    service: Service,
    operation: String,
    resources: Vec<String>,
    /// The HTTP status of the answer; null while there is none, or if there never was one.
    status: Option<u16>,
    units: Option<f64>,
    at: String,
}

/// Stands for a call whose answer is still to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(usize);

impl Calls {
    pub(super) fn begin(
        &self,
        function: &str,
        service: Service,
        operation: &str,
        resources: &[String],
    ) -> Ticket {
        let call = Call {
            function: function.to_owned(),
            service,
            operation: operation.to_owned(),
            resources: resources.to_vec(),
            status: None,
            units: None,
            at: clock::iso_millis(clock::unix_millis()),
        };
        let mut book = lock(&self.0);
        if book.calls.len() >= KEPT_CALLS {
            book.calls.pop_front();
            book.forgotten = book.forgotten.saturating_add(1);
        }
        book.calls.push_back(call);
        Ticket(book.forgotten.saturating_add(book.calls.len()).saturating_sub(1))
    }

    pub(super) fn finish(&self, ticket: Ticket, status: u16, units: Option<f64>) {
        let mut book = lock(&self.0);
        let index = ticket.0.checked_sub(book.forgotten);
        if let Some(call) = index.and_then(|index| book.calls.get_mut(index)) {
            call.status = Some(status);
            call.units = units;
        }
    }

    /// The calls of one function, or of all.
    pub(crate) fn list(&self, function: Option<&str>) -> Vec<Call> {
        let book = lock(&self.0);
        let wanted = |call: &&Call| function.is_none_or(|function| call.function == function);
        book.calls.iter().filter(wanted).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_finds_its_call_and_a_filter_the_function() {
        let calls = Calls::default();
        let first = calls.begin("f", Service::DynamoDb, "GetItem", &["Users".to_owned()]);
        calls.begin("g", Service::Sns, "Publish", &[]);
        calls.finish(first, 200, Some(1.5));
        let all = serde_json::to_value(calls.list(None)).unwrap();
        assert_eq!(all.pointer("/0/service").unwrap(), "dynamodb");
        assert_eq!(all.pointer("/0/status").unwrap(), 200);
        assert_eq!(all.pointer("/0/units").unwrap(), 1.5);
        assert_eq!(all.pointer("/0/resources").unwrap(), &json!(["Users"]));
        assert!(all.pointer("/1/status").unwrap().is_null());
        assert_eq!(calls.list(Some("g")).len(), 1);
    }
}
