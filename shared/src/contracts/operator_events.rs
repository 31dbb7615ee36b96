//! The events about what operators did with users. They are the same for all contracts; their schemas are
//! in `shared/docs/events/latchkey/`.

use super::LatchkeyEvents;
use super::envelope::{date_time, message};
use crate::domain::event::{EventIds, EventMessage};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{OperatorEvents, OperatorFact, PortError};
use serde::Serialize;

/// The source of the events.
const SOURCE: &str = "latchkey";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserNews<'a> {
    contract: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'a str>,
    user_id: &'a str,
    occurred_at: String,
}

impl OperatorEvents for LatchkeyEvents {
    fn detail_type(&self, fact: OperatorFact) -> &'static str {
        match fact {
            OperatorFact::Banned => "USER_BANNED",
            OperatorFact::Unbanned => "USER_UNBANNED",
            OperatorFact::Erased => "USER_ERASED",
        }
    }

    fn event(
        &self,
        user: &User,
        fact: OperatorFact,
        ids: &EventIds,
        at: Timestamp,
    ) -> Result<EventMessage, PortError> {
        let news = UserNews {
            contract: user.realm.contract(),
            store: user.realm.shop(),
            user_id: user.id.as_str(),
            occurred_at: date_time(at),
        };
        message((SOURCE, self.detail_type(fact)), 1, news, ids, at)
    }
}
