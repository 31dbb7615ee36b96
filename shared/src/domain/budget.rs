//! Budgets: limited counts per source or client and hour.

use super::client::ClientId;
use super::source::SourceAddress;
use super::time::{HOUR, Timestamp};

/// One bucket of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The name of the bucket: what is counted, for which source or client, and the start of the
    /// window.
    pub bucket: String,
    /// The number of uses that the window allows.
    pub limit: u32,
    /// The end of the window.
    pub ends_at: Timestamp,
}

impl Budget {
    /// Returns the budget of sent codes and of sign-ups by e-mail that one source has in an hour.
    /// `None` when `limit` is 0, which switches the limit off.
    #[must_use]
    pub fn sends(from: &SourceAddress, limit: u32, now: Timestamp) -> Option<Self> {
        Self::hourly("sends#address", from.as_str(), limit, now)
    }

    /// Returns the budget of sign-ups that one client has in an hour. A client acts for many
    /// people, and all its requests come from one source. `None` when `limit` is 0.
    #[must_use]
    pub fn sends_of_client(client: &ClientId, limit: u32, now: Timestamp) -> Option<Self> {
        Self::hourly("sends#client", client.as_str(), limit, now)
    }

    /// Returns the budget of wrong guesses that one source has in an hour. `None` when `limit` is
    /// 0.
    #[must_use]
    pub fn wrong_guesses(from: &SourceAddress, limit: u32, now: Timestamp) -> Option<Self> {
        Self::hourly("guesses#address", from.as_str(), limit, now)
    }

    fn hourly(what: &str, from: &str, limit: u32, now: Timestamp) -> Option<Self> {
        let window = now.window_start(HOUR);
        let bucket = format!("{what}#{from}#{}", window.as_seconds());
        (limit > 0).then(|| Self { bucket, limit, ends_at: window.plus(HOUR) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_belongs_to_one_source_or_client_and_one_hour() {
        let from = SourceAddress::parse("203.0.113.9");
        let budget = Budget::sends(&from, 20, Timestamp::from_seconds(7300)).unwrap();
        assert_eq!(budget.bucket, "sends#address#203.0.113.9#7200");
        assert_eq!(budget.ends_at, Timestamp::from_seconds(10_800));
        assert_eq!(Budget::sends(&from, 0, Timestamp::from_seconds(0)), None);
        let client = ClientId::new(&[0xab; 16]);
        let budget = Budget::sends_of_client(&client, 20, Timestamp::from_seconds(7300)).unwrap();
        assert_eq!(budget.bucket, format!("sends#client#{}#7200", "ab".repeat(16)));
    }

    #[test]
    fn sends_and_wrong_guesses_of_one_source_are_counted_apart() {
        let (from, now) = (SourceAddress::parse("203.0.113.9"), Timestamp::from_seconds(7300));
        let guesses = Budget::wrong_guesses(&from, 1, now).unwrap();
        assert_eq!(guesses.bucket, "guesses#address#203.0.113.9#7200");
        assert_eq!((guesses.limit, guesses.ends_at), (1, Timestamp::from_seconds(10_800)));
        assert_eq!(Budget::wrong_guesses(&from, 0, now), None);
    }
}
