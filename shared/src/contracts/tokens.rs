//! The parts that the access tokens of every contract share.

use crate::ports::{PortError, SignAccessToken};
use serde::Serialize;
use std::time::Duration;

/// How far in the future a token's time of issue may be, because the clocks of two machines differ.
pub(super) const CLOCK_SKEW: Duration = Duration::from_mins(1);

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
