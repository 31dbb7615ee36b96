//! The test numbers as the relay knows them.

use crate::domain::test_numbers::TestNumbers;
use crate::domain::time::Timestamp;
use crate::ports::{MetricEvent, TestNumberEvents, record_metric};
use std::sync::Arc;

/// The numbers that get no message, and the event that says so.
pub struct TestCodes {
    pub numbers: TestNumbers,
    pub events: Arc<dyn TestNumberEvents>,
}

impl TestCodes {
    /// Counts the numbers that have not ended, if there are any.
    pub(super) fn count_open(&self, now: Timestamp) {
        let count = self.numbers.open(now);
        if count > 0 {
            record_metric(None, MetricEvent::TestNumbersOpen { count });
        }
    }
}
