//! Sends the codes and links again that wait for a person.

use super::{ManagePeople, PersonQuery, PersonRefused, Refused, refused};
use crate::domain::account::Account;
use crate::domain::challenge::{ChallengeKey, Lane, Purpose};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeDelivery, CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{Entry, PortError};
use crate::usecases::Failure;

/// A message that is on its way again.
#[derive(Clone, Debug)]
pub struct Resent {
    pub recipient: Identifier,
    pub purpose: Purpose,
    pub expires_at: Timestamp,
}

impl ManagePeople {
    /// Sends each code and link again that waits for a person: the same ones, which end when they would
    /// have. No limit counts it.
    ///
    /// # Errors
    /// The person cannot be found, nothing waits, or the store failed.
    pub async fn resend(&self, query: &PersonQuery) -> Result<Vec<Resent>, Refused> {
        let person = self.person(query).await?;
        let now = self.clock.now();
        let (mut effects, mut resent) = (Vec::new(), Vec::new());
        for recipient in person.identifiers.iter().filter(|known| known.receives_codes()) {
            for purpose in Purpose::ALL {
                let key = ChallengeKey::new(person.realm.clone(), purpose, recipient.clone());
                for lane in Lane::ALL {
                    let key = key.in_lane(lane);
                    let Some((effect, end)) = self.waiting(&key, person.user.as_ref(), now).await?
                    else {
                        continue;
                    };
                    effects.push(effect);
                    resent.push(Resent { recipient: recipient.clone(), purpose, expires_at: end });
                }
            }
        }
        if effects.is_empty() {
            return Err(refused(PersonRefused::NothingWaits));
        }
        let ids = self.basics(&person.realm)?.event_ids()?;
        let effects = Some(OutboxEntry::new(&ids, now, effects));
        let entry = Entry { effects, ..Entry::of(Account::None(None), now) };
        self.accounts.commit(&entry).await.map_err(Failure::from)?;
        Ok(resent)
    }

    /// Returns the message of a challenge whose code or link was sent and is valid, and its end.
    async fn waiting(
        &self,
        key: &ChallengeKey,
        user: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Option<(Effect, Timestamp)>, PortError> {
        let Some(live) = self.challenges.current(key).await? else { return Ok(None) };
        let (seed, expires_at) = (live.seed, live.expires_at);
        if !live.sent || expires_at <= now {
            return Ok(None);
        }
        let (locale, sent_at) = (String::new(), now);
        let effect = if key.is_of_link() {
            let Some(user) = user.cloned() else { return Ok(None) };
            Effect::Link(LinkMessage { seed, user, locale, sent_at, expires_at })
        } else {
            let delivery = CodeDelivery::Code;
            Effect::Code(CodeMessage {
                seed,
                locale,
                sent_at,
                expires_at,
                delivery,
                withheld: None,
            })
        };
        Ok(Some((effect, expires_at)))
    }
}
