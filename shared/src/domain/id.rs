//! Ids of users and devices.

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

    /// The id `number`, for contracts whose users have integer ids.
    #[must_use]
    pub fn number(number: u32) -> Self {
        Self(number.to_string())
    }

    /// Reads an id that was stored or signed.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A device's id: a string everywhere in the core, unique among its user's devices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// The id `number`, for contracts whose devices have integer ids.
    #[must_use]
    pub fn number(number: u32) -> Self {
        Self(number.to_string())
    }

    /// Reads an id that was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an integer id is for. The ids of one contract and kind are positive, below 2^31, unique,
/// with gaps and in no particular order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sequence {
    /// Users.
    User,
    /// Devices.
    Device,
    /// Postal addresses.
    Address,
}

impl Sequence {
    /// The sequence's name in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Device => "device",
            Self::Address => "address",
        }
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
