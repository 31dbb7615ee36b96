//! Ids of users, devices and outbox entries.

use super::time::Timestamp;
use std::fmt::Write as _;

/// A user's id: a string everywhere in the core.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserId(String);

impl UserId {
    /// Makes an `ObjectId`-shaped id: 24 hex digits, 4 bytes of time and 8 random bytes
    /// (contracts.md section 6).
    #[must_use]
    pub fn object_id(now: Timestamp, random: [u8; 8]) -> Self {
        let seconds = u32::try_from(now.as_seconds()).unwrap_or(u32::MAX);
        let mut id = hex(&seconds.to_be_bytes());
        id.push_str(&hex(&random));
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A device's id: a positive integer below 2^31, unique in its contract, with gaps and in no
/// particular order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId(u32);

impl DeviceId {
    /// The device id `number`.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The id as a number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

/// The lower-case hex digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing into a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_id_is_24_hex_digits_that_start_with_the_time() {
        let id = UserId::object_id(Timestamp::from_seconds(0x65b9_fc05), [0xab; 8]);
        assert_eq!(id.as_str(), "65b9fc05abababababababab");
    }
}
