//! Text messages through an HTTPS endpoint of the operator.

use super::key_ring::KeyRing;
use super::signed_calls::SignedCalls;
use crate::domain::identifier::Identifier;
use crate::ports::{Clock, Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ACTION: &str = "send a text";
/// The time limit of a call, as for the other carriers, with the read of the key.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Sends text messages.
pub struct WebhookTexts {
    calls: SignedCalls,
}

impl WebhookTexts {
    /// Creates the adapter for an endpoint, with the ring whose current key signs. It trusts the certificate
    /// store of the system and opens no connection.
    ///
    /// # Errors
    /// The certificate store could not be used.
    pub fn new(url: String, key: Arc<KeyRing>, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        Ok(Self { calls: SignedCalls::new(ACTION, url, key, clock)? })
    }
}

#[async_trait]
impl Messages for WebhookTexts {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let Identifier::Phone(phone) = &message.recipient else {
            return Ok(SendOutcome::Refused("not a phone".to_owned()));
        };
        let body = json!({
            "to": phone.as_str(),
            "text": message.text,
            "name": message.name,
            "senderId": message.sender.sender_id,
        })
        .to_string();
        let call = self.calls.post(&message.id, body);
        let late = |_| PortError::new(ACTION, "the webhook or its key took too long");
        let answer = tokio::time::timeout(TIME_LIMIT, call).await.map_err(late)??;
        judge(answer.status().as_u16())
    }
}

/// Judges an answer by its status: 2xx accepts the text, 422 says that the number can never be reached, and
/// 429 and 5xx ask for another try. Everything else is a matter of the operator.
fn judge(status: u16) -> Result<SendOutcome, PortError> {
    let reason = format!("the webhook answered {status}");
    match status {
        200..=299 => Ok(SendOutcome::Accepted(None)),
        422 => Ok(SendOutcome::Refused(reason)),
        429 | 500..=599 => Err(PortError::new(ACTION, reason)),
        _ => Err(PortError::misconfiguration(ACTION, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        assert_eq!(judge(204).unwrap(), SendOutcome::Accepted(None));
        assert!(matches!(judge(422).unwrap(), SendOutcome::Refused(_)));
        for (status, is_misconfigured) in [(429, false), (503, false), (401, true), (302, true)] {
            assert_eq!(judge(status).unwrap_err().is_misconfiguration(), is_misconfigured);
        }
    }
}
