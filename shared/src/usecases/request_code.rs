//! Send a code to a recipient.

use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::event::EventIds;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, OutboxEntry};
use crate::domain::phone::DialCodes;
use crate::domain::sends::SendLimits;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, CodeKeys, Entropy, Opened, Opening, PortError, Standing, random,
};
use std::sync::Arc;
use std::time::Duration;

/// How many sends to the same recipient may come between the reading and the writing of its
/// record before the caller is told to come back.
const RACES: usize = 4;

/// The numbers that bound sending.
#[derive(Clone, Debug)]
pub struct SendPolicy {
    /// How long a code works.
    pub code_life: Duration,
    /// The limits of one recipient.
    pub limits: SendLimits,
    /// Sends that one source address may ask for in an hour; 0 switches the limit off.
    pub per_address_hour: u32,
    /// Where texts may go.
    pub countries: DialCodes,
}

/// Sends a code; a recipient that must not get one costs the same and looks the same.
pub struct RequestCode {
    /// Where challenges live.
    pub challenges: Arc<dyn Challenges>,
    /// The keys that codes are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub policy: SendPolicy,
}

/// Who asks for which code.
#[derive(Debug)]
pub struct RequestCodeCommand {
    /// Who gets it and what for.
    pub key: ChallengeKey,
    /// Where the request came from.
    pub source: SourceAddress,
    /// The language of the message.
    pub locale: String,
}

/// Why no code was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestCodeError {
    /// The recipient or the source has had its share.
    #[error("too many codes")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl RequestCode {
    /// Opens a challenge and puts its code on the way, if the recipient is one that this purpose
    /// serves.
    ///
    /// # Errors
    /// [`RequestCodeError`].
    pub async fn run(&self, command: RequestCodeCommand) -> Result<(), RequestCodeError> {
        let now = self.clock.now();
        let key_id = self.code_keys.current().await?;
        let Standing { registered, mut sends } =
            self.challenges.standing(&command.key, now).await?;
        let deliver = self.delivers(&command.key, registered);
        for _ in 0..RACES {
            let expected_revision = self.policy.limits.apply().then_some(sends.revision);
            let admitted = self.policy.limits.admit(&sends, now).map_err(|refusal| {
                RequestCodeError::TooMany { retry_after: refusal.retry_at.since(now) }
            })?;
            let budget = Budget::sends(&command.source, self.policy.per_address_hour, now);
            let budget_end = budget.as_ref().map_or(now, |budget| budget.ends_at);
            let seed = CodeSeed {
                key: command.key.clone(),
                nonce: Nonce::new(random(&*self.entropy)?),
                key_id: key_id.clone(),
            };
            let expires_at = now.plus(self.policy.code_life);
            let opening = Opening {
                key: command.key.clone(),
                nonce: seed.nonce.clone(),
                key_id: seed.key_id.clone(),
                expires_at,
                sends: admitted,
                expected_revision,
                budget,
                entry: self.entry(seed, &command.locale, now, expires_at, deliver)?,
            };
            match self.challenges.open(&opening).await? {
                Opened::Opened => return Ok(()),
                Opened::BudgetSpent => {
                    return Err(RequestCodeError::TooMany { retry_after: budget_end.since(now) });
                }
                Opened::SendsChanged(newer) => sends = newer,
            }
        }
        Err(RequestCodeError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// Whether the recipient gets a message at all.
    fn delivers(&self, key: &ChallengeKey, registered: bool) -> bool {
        let reachable = match &key.recipient {
            Identifier::Phone(phone) => self.policy.countries.allow(phone),
            Identifier::Email(_) => true,
        };
        if !reachable {
            tracing::warn!(recipient = ?key.recipient, "no text is sent: the country is not allowed");
        }
        reachable && key.purpose.serves(registered)
    }

    fn entry(
        &self,
        seed: CodeSeed,
        locale: &str,
        now: Timestamp,
        expires_at: Timestamp,
        deliver: bool,
    ) -> Result<OutboxEntry, PortError> {
        let locale = locale.to_owned();
        let message = CodeMessage { seed, locale, sent_at: now, expires_at, deliver };
        let ids = EventIds::new(random(&*self.entropy)?);
        Ok(OutboxEntry::new(&ids, now, vec![Effect::Code(message)]))
    }
}
