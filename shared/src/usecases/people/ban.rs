//! Bans users, and ends bans.

use super::{FoundPerson, MAX_TRIES, ManagePeople, PersonQuery, PersonRefused, Refused, refused};
use crate::domain::device::devices_to_silence;
use crate::domain::event::Fact;
use crate::domain::session::SessionEndReason;
use crate::domain::user::User;
use crate::ports::{BanChange, BanOutcome, OperatorFact};
use crate::usecases::Failure;

impl ManagePeople {
    /// Bans a user: all sessions end, and the user can neither enter nor get codes until the ban ends.
    ///
    /// # Errors
    /// There is no such user, the user is banned already, or the store failed.
    pub async fn ban(&self, query: &PersonQuery) -> Result<FoundPerson, Refused> {
        self.change_ban(query, true).await
    }

    /// Ends the ban of a user. The sessions stay over.
    ///
    /// # Errors
    /// There is no such user, the user is not banned, or the store failed.
    pub async fn unban(&self, query: &PersonQuery) -> Result<FoundPerson, Refused> {
        self.change_ban(query, false).await
    }

    async fn change_ban(&self, query: &PersonQuery, banned: bool) -> Result<FoundPerson, Refused> {
        for _ in 0..MAX_TRIES {
            let FoundPerson { user, .. } = self.user(query).await?;
            if user.is_banned() == banned {
                let rule =
                    if banned { PersonRefused::BannedBefore } else { PersonRefused::NotBanned };
                return Err(refused(rule));
            }
            let silenced = if banned {
                devices_to_silence(self.devices.of_user(&user.id).await?, None)
            } else {
                Vec::new()
            };
            // The clock is read after the user, so that sessions which the user has by then end.
            let at = self.clock.now();
            let (facts, fact) = if banned {
                let reason = SessionEndReason::SignedOutEverywhere;
                let ended = Fact::SessionEnded { user: user.id.clone(), device: None, reason, at };
                (vec![ended], OperatorFact::Banned)
            } else {
                (Vec::new(), OperatorFact::Unbanned)
            };
            let entry = self.announce(&user, &facts, fact, at)?;
            let change = BanChange { user, banned, silenced, at, entry };
            if self.people.change_ban(&change).await? == BanOutcome::Changed {
                let banned_at = banned.then_some(at);
                let user = User { banned_at, ..change.user };
                return Ok(FoundPerson { user, sessions: Vec::new() });
            }
        }
        Err(Failure::overtaken())
    }
}
