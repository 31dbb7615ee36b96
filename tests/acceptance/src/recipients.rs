//! Recipients that no other test of the process uses.

use std::sync::atomic::{AtomicU32, Ordering};

/// A phone number of a mobile.
#[must_use]
pub fn new_phone() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+6282{:09}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An e-mail address.
#[must_use]
pub fn new_email() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("person{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed))
}
