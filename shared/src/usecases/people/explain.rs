//! Explains why a recipient gets no message.

use super::{ManagePeople, PersonQuery, Refused};
use crate::domain::bill::Bill;
use crate::domain::budget::{Budget, Ceiling};
use crate::domain::challenge::{ChallengeKey, Lane, Purpose};
use crate::domain::delivery::{Blame, DeliveryStatus, Receipt};
use crate::domain::history::{Happening, HistoryOf, MessageHistory, MessageOutcome};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::domain::sends::SendPolicy;
use crate::domain::time::Timestamp;
use crate::ports::{
    CarrierAccounts, Deliveries, Person, PortError, StandingQuery, Standings, Suppression, chain,
};
use crate::usecases::{HistoryEntry, ReadHistory};
use std::sync::Arc;

/// What an explanation is made of.
pub struct DeliveryFacts {
    pub history: ReadHistory,
    pub standings: Arc<dyn Standings>,
    pub deliveries: Arc<dyn Deliveries>,
    pub carriers: Arc<dyn CarrierAccounts>,
    pub policy: SendPolicy,
    pub bill: Bill,
    /// Whether carriers report what became of messages.
    pub reports: bool,
}

/// The explanation for one recipient.
#[derive(Debug)]
pub struct Explanation {
    pub realm: Realm,
    pub recipient: Identifier,
    /// What was found, what stops messages first.
    pub findings: Vec<Finding>,
}

/// A part of the bill that is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpentPart {
    /// The messages or the money for a dial code, or for mails.
    Group(String),
    /// The money of the contract for a day.
    Total,
    /// The unused codes of the prefix of the number.
    Prefix,
}

/// One thing that an explanation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The country of the number is not served.
    Country,
    /// An operator banned the user.
    Banned,
    /// Carriers reported that the recipient cannot be reached.
    LeftAlone(Suppression),
    /// The number asked the carrier for no more texts.
    OptedOut,
    /// The account may send texts to verified numbers alone.
    TextSandbox,
    /// The account may send mails to verified addresses alone.
    MailSandbox,
    /// The account may send no mails.
    MailPaused,
    /// The carrier of mails sends nothing to the address.
    MailSuppressed(String),
    /// A part of the bill is spent for people whom no account knows, until then.
    BudgetSpent(SpentPart, Timestamp),
    /// The pause or a limit of the recipient forbids codes of the purpose until then.
    RecipientLimit(Purpose, Timestamp),
    /// The carrier did not deliver the last message, because the account may not spend more.
    SpendLimit { words: String, limit_usd: Option<String>, at: Timestamp },
    /// The carrier refused the recipient of the last message.
    Refused { carrier: String, words: String, at: Timestamp },
    /// The carrier did not deliver the last message.
    Undelivered { status: DeliveryStatus, words: Option<String>, at: Timestamp },
    /// The last message waits for another try. `account`: an operator must change the account first.
    Waits { account: bool, since: Timestamp },
    /// No code was sent for the last request.
    Withheld(MessageHistory),
    /// The last message was not sent for another reason.
    NotSent(MessageHistory),
    /// A carrier accepted the last message, and reported nothing since.
    NoReceipt { carrier: String, at: Timestamp, reports: bool },
    /// The last message was delivered.
    Delivered { carrier: String, at: Timestamp },
    /// The recipient has an account: it gets no codes to sign up.
    Registered(UserId),
    /// The recipient has no account: it gets no codes but those to sign up.
    Unregistered,
    /// Nothing was asked for in 30 days.
    NeverAsked,
    /// The carrier of such messages ("texts" or "mails") could not be asked.
    NotAsked(&'static str),
}

impl Finding {
    /// Returns whether this alone stops a message.
    #[must_use]
    pub const fn stops(&self) -> bool {
        !matches!(
            self,
            Self::NoReceipt { .. }
                | Self::Delivered { .. }
                | Self::Registered(_)
                | Self::Unregistered
                | Self::NeverAsked
                | Self::NotAsked(_)
                // A recipient may be verified by itself.
                | Self::MailSandbox
        )
    }
}

impl ManagePeople {
    /// Returns what happened to a person, the newest first.
    ///
    /// # Errors
    /// The person cannot be found, or the store failed.
    pub async fn history(&self, query: &PersonQuery) -> Result<Vec<HistoryEntry>, Refused> {
        let person = self.person(query).await?;
        Ok(self.delivery.history.run(&histories(&person)).await?)
    }

    /// Explains why a person gets no messages, for each recipient that messages can be sent to.
    ///
    /// # Errors
    /// The person cannot be found, or the store failed.
    pub async fn explain(&self, query: &PersonQuery) -> Result<Vec<Explanation>, Refused> {
        let person = self.person(query).await?;
        let banned = match &person.user {
            Some(user) => self.users.find(user, self.clock.now()).await?,
            None => None,
        };
        let is_banned = banned.is_some_and(|user| user.is_banned());
        let mut explained = Vec::new();
        for recipient in person.identifiers.iter().filter(|known| known.receives_codes()) {
            let mut findings =
                self.delivery.explain(&person.realm, recipient, self.clock.now()).await?;
            if is_banned {
                findings.insert(0, Finding::Banned);
            }
            let (realm, recipient) = (person.realm.clone(), recipient.clone());
            explained.push(Explanation { realm, recipient, findings });
        }
        Ok(explained)
    }
}

/// The histories of a person.
#[must_use]
pub fn histories(person: &Person) -> Vec<HistoryOf> {
    let recipients = person.identifiers.iter();
    let recipients =
        recipients.map(|known| HistoryOf::Recipient(person.realm.clone(), known.clone()));
    recipients.chain(person.user.clone().map(HistoryOf::User)).collect()
}

impl DeliveryFacts {
    async fn explain(
        &self,
        realm: &Realm,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<Vec<Finding>, PortError> {
        let mut findings = Vec::new();
        if !self.policy.reaches(recipient) {
            findings.push(Finding::Country);
        }
        let left_alone = self.deliveries.suppression(recipient, now).await?;
        findings.extend(left_alone.map(Finding::LeftAlone));
        findings.extend(self.of_budgets(realm.contract(), recipient, now).await?);
        findings.extend(self.of_recipient(realm, recipient, now).await?);
        let (of_carrier, limit_usd) = self.of_carrier(recipient).await;
        findings.extend(of_carrier);
        let of = HistoryOf::Recipient(realm.clone(), recipient.clone());
        let history = self.history.run(&[of]).await?;
        findings.push(self.of_last(&history, limit_usd));
        findings.sort_by_key(|finding| !finding.stops());
        Ok(findings)
    }

    /// Returns the parts of the bill that are spent for people whom no account knows.
    async fn of_budgets(
        &self,
        contract: &str,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<Vec<Finding>, PortError> {
        let (group, _) = self.bill.prices.of(recipient);
        let bill = &self.bill;
        let parts = [
            (SpentPart::Group(group.to_owned()), bill.ceiling_of_group(contract, recipient, now)),
            (SpentPart::Total, bill.ceiling_of_all(contract, recipient, now)),
            (SpentPart::Prefix, bill.guard(contract, recipient, now)),
        ];
        let mut findings = Vec::new();
        for (part, ceiling) in parts {
            let Some(ceiling) = ceiling else { continue };
            let has_reserve = part != SpentPart::Prefix;
            let end = self.spent_until(&ceiling, has_reserve, now).await?;
            findings.extend(end.map(|end| Finding::BudgetSpent(part, end)));
        }
        Ok(findings)
    }

    /// Returns the end of a ceiling of which every shard is spent for strangers.
    async fn spent_until(
        &self,
        ceiling: &Ceiling,
        has_reserve: bool,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, PortError> {
        let shards: Vec<Vec<Budget>> =
            (0..ceiling.shards).map(|index| ceiling.shard(index)).collect();
        let query = StandingQuery {
            budgets: shards.iter().flatten().collect(),
            ..StandingQuery::default()
        };
        let mut used = self.standings.standing(&query, now).await?.used.into_iter();
        let mut ends = Vec::new();
        for shard in &shards {
            let spent = shard.iter().filter_map(|budget| {
                let used = used.next().unwrap_or_default();
                let room = if has_reserve { budget.for_strangers() } else { budget.clone() };
                room.is_spent(used).then_some(budget.ends_at)
            });
            ends.push(spent.max());
        }
        Ok(ends.into_iter().collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().min()))
    }

    /// Returns whether the recipient is known, and the limits that it has reached.
    async fn of_recipient(
        &self,
        realm: &Realm,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<Vec<Finding>, PortError> {
        let challenges = Purpose::ALL.map(|purpose| {
            ChallengeKey::new(realm.clone(), purpose, recipient.clone()).in_lane(Lane::Strangers)
        });
        let query = StandingQuery {
            identifiers: vec![(realm, recipient)],
            challenges: challenges.iter().collect(),
            ..StandingQuery::default()
        };
        let standing = self.standings.standing(&query, now).await?;
        let limited = Purpose::ALL.into_iter().zip(&standing.challenges);
        let limited = limited.filter_map(|(purpose, state)| {
            let refused = self.policy.limits.admit_after(None, &state.sends, now).err()?;
            Some(Finding::RecipientLimit(purpose, refused.retry_at))
        });
        let known = match standing.holders.into_iter().next().flatten() {
            Some(holder) => Finding::Registered(holder.user),
            None => Finding::Unregistered,
        };
        Ok(limited.chain([known]).collect())
    }

    /// Asks the carrier. Returns what stops messages, and the limit of the account in a month.
    async fn of_carrier(&self, recipient: &Identifier) -> (Vec<Finding>, Option<String>) {
        let not_asked = |messages: &'static str, error: &PortError| {
            tracing::warn!(messages, error = chain(error), "a carrier could not be asked");
            (vec![Finding::NotAsked(messages)], None)
        };
        match recipient {
            Identifier::Phone(phone) => match self.carriers.of_texts(phone).await {
                Ok(account) => {
                    let found = [
                        account.opted_out.then_some(Finding::OptedOut),
                        account.is_outside_sandbox.then_some(Finding::TextSandbox),
                    ];
                    (found.into_iter().flatten().collect(), account.monthly_limit_usd)
                }
                Err(error) => not_asked("texts", &error),
            },
            Identifier::Email(email) => match self.carriers.of_mails(email).await {
                Ok(account) => {
                    let found = [
                        account.suppressed.map(Finding::MailSuppressed),
                        account.is_paused.then_some(Finding::MailPaused),
                        account.in_sandbox.then_some(Finding::MailSandbox),
                    ];
                    (found.into_iter().flatten().collect(), None)
                }
                Err(error) => not_asked("mails", &error),
            },
            Identifier::Username(_) | Identifier::Card(_) => (Vec::new(), None),
        }
    }

    /// Returns what became of the last message.
    fn of_last(&self, history: &[HistoryEntry], limit_usd: Option<String>) -> Finding {
        let last = history.iter().find_map(|entry| match &entry.item.what {
            Happening::Message(message) => Some((message.clone(), entry.receipt.as_ref())),
            Happening::Events(_) | Happening::Times(..) => None,
        });
        let Some((message, receipt)) = last else { return Finding::NeverAsked };
        let at = message.settled_at;
        match message.outcome.clone() {
            MessageOutcome::Sent { carrier, .. } | MessageOutcome::Notified { carrier, .. } => {
                match receipt.and_then(|receipt| news(receipt, limit_usd)) {
                    Some(news) => news,
                    None => Finding::NoReceipt { carrier, at, reports: self.reports },
                }
            }
            MessageOutcome::Refused { carrier, words } => Finding::Refused { carrier, words, at },
            MessageOutcome::Withheld(_) => Finding::Withheld(message),
            MessageOutcome::Waits { account } => {
                Finding::Waits { account, since: message.asked_at }
            }
            MessageOutcome::LeftAlone
            | MessageOutcome::Replaced
            | MessageOutcome::Ended
            | MessageOutcome::Dropped => Finding::NotSent(message),
        }
    }
}

/// Returns what the newest report says.
fn news(receipt: &Receipt, limit_usd: Option<String>) -> Option<Finding> {
    let (status, at) = receipt.news.iter().max_by_key(|(_, at)| *at).copied()?;
    let carrier = receipt.id.carrier.clone();
    Some(match (status, receipt.blame, receipt.cause.clone()) {
        (DeliveryStatus::Delivered | DeliveryStatus::Sent, ..) => {
            Finding::Delivered { carrier, at }
        }
        (_, Blame::Account, Some(words)) => Finding::SpendLimit { words, limit_usd, at },
        (status, _, words) => Finding::Undelivered { status, words, at },
    })
}
