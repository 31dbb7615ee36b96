//! The parts that the access tokens of every contract share.

use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use serde::Serialize;
use std::time::Duration;

/// How far in the future a token's time of issue may be, because the clocks of two machines differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The time of issue and the end of a token that is issued at `at`, in seconds since 1970. The
/// lifetime is counted from the whole second.
pub(super) fn times(at: Timestamp, lifetime: Duration) -> (i64, i64) {
    let issued = at.as_seconds();
    (issued, Timestamp::from_seconds(issued).plus(lifetime).as_seconds())
}

/// Whether a token that is valid from `from`, in seconds since 1970, may be used at `now`. The clock
/// of the machine that issued it may be a minute ahead.
pub(super) fn has_begun(from: i64, now: Timestamp) -> bool {
    from <= now.plus(CLOCK_SKEW).as_seconds()
}

/// Signs claims.
///
/// # Errors
/// The claims cannot be written as JSON or signed.
pub(super) fn sign(
    claims: &impl Serialize,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let claims = serde_json::to_string(claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    signer.sign(&claims)
}
