//! The replay of events: recorded events go to the consumers again, as from an archive of EventBridge.

use super::{Stack, error};
use crate::records::Replayed;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

/// Which events are replayed: all of them, without conditions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// The time of the first event.
    from: Option<Time>,
    /// The time of the last event.
    to: Option<Time>,
    /// The detail type.
    #[serde(rename = "type")]
    kind: Option<String>,
    source: Option<String>,
}

/// A time in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "String")]
struct Time(Timestamp);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = text.parse().map(Self);
        time.map_err(|_| format!("{text:?} must be a time such as 2026-11-28T09:00:00Z"))
    }
}

impl Replay {
    /// Whether an event of this source and type, which happened at this time, is replayed.
    pub(crate) fn takes(&self, source: &str, kind: &str, time: &str) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|it| it == is);
        let Ok(time) = time.parse().map(Time) else { return false };
        same(&self.source, source)
            && same(&self.kind, kind)
            && self.from.is_none_or(|from| from <= time)
            && self.to.is_none_or(|to| time <= to)
    }
}

pub(super) async fn replay(State(stack): Stack, body: Bytes) -> Response {
    // The content type is ignored, because curl does not send that of JSON.
    let body = if body.is_empty() { b"{}".as_slice() } else { &body };
    let replay: Replay = match serde_json::from_slice(body) {
        Ok(replay) => replay,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    match stack.aws.backend.replay(&replay) {
        Ok(replayed) => axum::Json::<Replayed>(replayed).into_response(),
        Err(problem) => error(StatusCode::BAD_REQUEST, &format!("{problem:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_chosen_by_its_time_its_source_and_its_type() {
        let takes = |replay: &str| {
            let replay: Replay = serde_json::from_str(replay).unwrap();
            replay.takes("auth-service", "AUTH_USER_CREATED", "2026-11-28T09:30:00Z")
        };
        assert!(takes("{}"));
        assert!(takes(r#"{"from": "2026-11-28T09:30:00Z", "to": "2026-11-28T09:30:00.5Z"}"#));
        assert!(!takes(r#"{"from": "2026-11-28T09:30:01Z"}"#));
        assert!(!takes(r#"{"to": "2026-11-28T10:29:59+01:00"}"#));
        assert!(takes(r#"{"type": "AUTH_USER_CREATED", "source": "auth-service"}"#));
        assert!(!takes(r#"{"type": "NEW_DEVICE_TOKEN"}"#));
        assert!(!takes(r#"{"source": "goodcity.auth"}"#));
    }

    #[test]
    fn an_unknown_field_and_a_malformed_time_are_refused() {
        assert!(serde_json::from_str::<Replay>(r#"{"until": "2026-11-28T09:30:00Z"}"#).is_err());
        assert!(serde_json::from_str::<Replay>(r#"{"from": "yesterday"}"#).is_err());
    }
}
