//! The list of test numbers for all contracts, and the event about them (`shared/docs/test-numbers.md`).

use super::CONTRACTS;
use super::delivery_events::{LatchkeyEvents, SOURCE};
use super::envelope::{date_time, message_without_user};
use crate::domain::event::EventMessage;
use crate::domain::outbox::{CodeMessage, transaction_of};
use crate::domain::test_numbers::{TestNumber, TestNumberError, TestNumbers, event_ids};
use crate::ports::{PortError, TestNumberEvents};
use serde::Serialize;

/// Returns the list if each entry has a contract that exists, and a code in its format.
///
/// # Errors
/// The rule that an entry breaks.
pub fn checked_test_numbers(numbers: TestNumbers) -> Result<TestNumbers, TestNumberError> {
    let contracts = CONTRACTS.map(|contract| contract.profile);
    let is_known =
        |number: &TestNumber| contracts.iter().any(|contract| contract.name == number.contract);
    if !numbers.iter().all(is_known) {
        return Err(TestNumberError::UnknownContract);
    }
    contracts
        .iter()
        .try_fold(numbers, |numbers, contract| numbers.fitting(contract.name, contract.code_format))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestNumberUsed<'a> {
    contract: &'a str,
    phone_number: &'a str,
    purpose: &'static str,
    request_correlation_id: &'a str,
    code_expires_at: String,
    number_expires_at: String,
    occurred_at: String,
}

impl TestNumberEvents for LatchkeyEvents {
    fn used(
        &self,
        entry_id: &str,
        code: &CodeMessage,
        number: &TestNumber,
    ) -> Result<EventMessage, PortError> {
        let used = TestNumberUsed {
            contract: &number.contract,
            phone_number: number.phone.as_str(),
            purpose: code.seed.key.purpose.as_str(),
            request_correlation_id: transaction_of(entry_id),
            code_expires_at: date_time(code.expires_at),
            number_expires_at: date_time(number.until),
            occurred_at: date_time(code.sent_at),
        };
        let name = (SOURCE, "TEST_NUMBER_USED");
        message_without_user(name, used, &event_ids(entry_id), code.sent_at)
    }
}
