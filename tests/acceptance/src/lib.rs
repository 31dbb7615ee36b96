//! What the acceptance tests share: a stack of the real functions, one client for each contract, and one driver for each
//! contract.
//!
//! A client ([`gotu()`], [`goodcity()`], [`urbanfits()`], [`posbytz()`]) has a verb for each endpoint. A driver ([`drivers`])
//! answers the same questions about every contract, for the tests of what always holds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(clippy::future_not_send, reason = "a test runs on one thread")]
#![expect(clippy::missing_panics_doc, reason = "each function panics when the test fails")]
#![expect(clippy::must_use_candidate, reason = "some tests only need what a function requires")]

pub mod call;
pub mod codes;
pub mod dates;
pub mod drivers;
pub mod events;
pub mod faults;
pub mod goodcity;
pub mod gotu;
pub mod json;
pub mod logs;
pub mod posbytz;
pub mod recipients;
pub mod reply;
pub mod requests;
pub mod siege;
pub mod stack;
pub mod store;
pub mod tokens;
pub mod traces;
pub mod urbanfits;
pub mod waiting;
pub mod watching;

pub use call::{Call, route};
pub use codes::{KNOWN_RING, code_in, derived_code, derived_link, other_than};
pub use dates::date_in;
pub use goodcity::goodcity;
pub use gotu::gotu;
pub use json::compact;
pub use posbytz::posbytz;
pub use recipients::{new_email, new_phone};
pub use reply::{Reply, count};
pub use stack::{NO_LIMITS, NO_PAUSE, TABLES, TestStack, WIDE_LIMITS, without_limits};
pub use tokens::token_parts;
pub use urbanfits::urbanfits;
pub use waiting::all;

/// Prints a line past the test harness, which withholds what passing tests print.
pub fn say(line: &str) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{line}").unwrap();
}
