//! Ids of users and devices.

use super::time::Timestamp;
use std::fmt::Write as _;

/// The format of the ids that a contract gives its users or devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFormat {
    /// 24 hex digits that begin with the time.
    ObjectId,
    /// An integer from a sequence of the contract ([`Sequence`]).
    Number,
    /// A random UUID (RFC 9562, version 4).
    Uuid,
}

/// Defines an id that is a text: how new ones are made, and how stored ones are read.
macro_rules! text_id {
    ($(#[$description:meta])* $name:ident) => {
        $(#[$description])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns a new id in the format of an `ObjectId`: 24 hex digits, of which 4 bytes are
            /// the time in seconds and 8 bytes are random.
            #[must_use]
            pub fn object_id(now: Timestamp, random: [u8; 8]) -> Self {
                let seconds = u32::try_from(now.as_seconds()).unwrap_or(u32::MAX);
                let mut id = hex(&seconds.to_be_bytes());
                id.push_str(&hex(&random));
                Self(id)
            }

            /// Returns a new id in the format of a UUID.
            #[must_use]
            pub fn uuid(random: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(random).into_uuid().to_string())
            }

            /// Returns the id for contracts with integer ids.
            #[must_use]
            pub fn number(number: u32) -> Self {
                Self(number.to_string())
            }

            /// Returns the id with this text from a table or a signed token.
            #[must_use]
            pub fn from_stored(text: &str) -> Self {
                Self(text.to_owned())
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// The id of a user.
    UserId
}

text_id! {
    /// The id of a device, unique among the devices of its user.
    DeviceId
}

impl UserId {
    /// Returns an id that no user has. A sign-in with an unknown identifier looks it up, so that it
    /// takes as many reads as a sign-in with a known one.
    #[must_use]
    pub fn placeholder() -> Self {
        Self("unknown".to_owned())
    }
}

/// A sequence of integer ids. The ids of one contract and sequence are positive, below 2^31 and
/// unique. They have gaps and no particular order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sequence {
    User,
    Device,
    /// Postal addresses.
    Address,
}

impl Sequence {
    /// The name of the sequence in table keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Device => "device",
            Self::Address => "address",
        }
    }
}

/// Returns the lower-case hex digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
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
        let device = DeviceId::object_id(Timestamp::from_seconds(0x65b9_fc05), [0xab; 8]);
        assert_eq!(device.as_str(), id.as_str());
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let text = "abababab-abab-4bab-abab-abababababab";
        assert_eq!(UserId::uuid([0xab; 16]).as_str(), text);
        assert_eq!(DeviceId::uuid([0xab; 16]).as_str(), text);
    }

    #[test]
    fn each_sequence_has_a_name_of_its_own() {
        let all = [Sequence::User, Sequence::Device, Sequence::Address];
        assert_eq!(all.map(Sequence::as_str), ["user", "device", "address"]);
    }

    #[test]
    fn an_integer_id_is_its_decimal_digits() {
        assert_eq!(UserId::number(12).as_str(), "12");
        assert_eq!(DeviceId::number(12).as_str(), "12");
    }
}
