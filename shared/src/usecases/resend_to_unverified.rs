//! Sends a code or a link again to a recipient of an account of which nothing is verified.

use super::gate::target;
use super::verification::{Asking, VerificationMessages};
use super::{Failure, NoRefusal, ResendVerification};
use crate::domain::account::Account;
use crate::domain::event::Fact;
use crate::domain::history::{Counted, HistoryOf};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    ChallengeState, Entry, EntryOutcome, Holder, KeptLonger, PortError, Recorder, StandingQuery,
    Users,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request sends to the recipient, or changes its
/// account, after the read.
const MAX_TRIES: usize = 4;

/// Sends again to recipients whose owners do not state the password.
///
/// The one who set the account up may be a stranger, so the proof that follows takes the account
/// over ([`IdentifierProof`](crate::domain::account::IdentifierProof)). An account with a verified
/// identifier has an owner: its other recipients get nothing.
pub struct ResendToUnverified {
    pub resend: ResendVerification,
    pub users: Arc<dyn Users>,
}

/// A request to send again.
#[derive(Debug)]
pub struct ResendCommand {
    pub realm: Realm,
    pub recipient: Identifier,
    pub source: Source,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

impl ResendToUnverified {
    /// Sends a new code to a number, or a new link to an address, if it belongs to an account of
    /// which nothing is verified. It makes the one before it invalid that was sent in the same way, and
    /// not that of the sign-up. Every other recipient gets nothing, with the same answer, and counts for
    /// the source.
    pub async fn run(
        &self,
        command: ResendCommand,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NoRefusal>> {
        let ResendVerification { gate, accounts, verification, basics } = &self.resend;
        let ResendCommand { realm, recipient, source, locale } = &command;
        let name = target(source, realm, recipient);
        for _ in 0..MAX_TRIES {
            let now = basics.now();
            let asking = Asking { realm, source, locale, at: now, opener: Opener::Other };
            let stated = Asking { opener: Opener::StatedPassword, ..asking }.key(recipient);
            let keys = [asking.key(recipient), stated];
            let query = || StandingQuery {
                identifiers: vec![(realm, recipient)],
                challenges: keys.iter().collect(),
                ..StandingQuery::default()
            };
            let (bill, to) = (&verification.bill, [recipient]);
            let judged = gate.judge_send(bill, source, (realm, &to), (&name, query), now);
            let (judgement, budgets) = judged.await?;
            if let Some(end) = judgement.spent_until {
                return Err(gate.refuse(&budgets.source, &name, end, now));
            }
            let standing = judgement.standing;
            let mut challenges = standing.challenges.into_iter();
            let state = challenges.next().unwrap_or_default();
            // The pause counts from the message of the sign-up, too.
            let before = challenges.next().and_then(|state| state.sends.sent_at);
            let holder = standing.holders.into_iter().next().flatten();
            let user = self.unverified(holder, now).await?;
            let user = user.filter(|_| verification.policy.reaches(recipient));
            let (messages, kept) = match &user {
                Some(user) => self.messages(asking, user, (recipient, &state, before)).await?,
                None => (VerificationMessages::default(), None),
            };
            let VerificationMessages { challenges, messages, asked } = messages;
            let effects = match user {
                Some(user) => {
                    let ids = basics.event_ids()?;
                    let fact = Fact::VerificationAsked { user, asked, at: now };
                    let events = basics.events(&[fact], &ids)?;
                    let effects = messages.into_iter().chain(events).collect();
                    Some(OutboxEntry::new(&ids, now, effects))
                }
                None => None,
            };
            let budgets = budgets.uses(effects.is_some(), false);
            let answer = recorder.record(&())?;
            let parts = Entry { budgets, challenges, kept, ..Entry::of(Account::None(None), now) };
            let entry = Entry { effects, answer, ..parts };
            match accounts.commit(&entry).await? {
                EntryOutcome::Committed => return Ok(()),
                EntryOutcome::BudgetSpent(index) => {
                    gate.note_spent(entry.budgets.get(index), now);
                }
                EntryOutcome::ChallengesChanged(_)
                | EntryOutcome::AccountChanged
                | EntryOutcome::CodeLost
                | EntryOutcome::Taken(_) => {}
            }
        }
        Err(Failure::overtaken())
    }

    /// Returns the user of a recipient, if nothing of the user is verified.
    async fn unverified(
        &self,
        holder: Option<Holder>,
        now: Timestamp,
    ) -> Result<Option<User>, PortError> {
        // An identifier that is verified has no end.
        let holder = holder.filter(|holder| !holder.is_banned && holder.reserved_until.is_some());
        let Some(holder) = holder else {
            return Ok(None);
        };
        let user = self.users.find(&holder.user, now).await?;
        Ok(user.filter(|user| !user.identifiers.any_verified()))
    }

    /// Returns the message to a recipient, and what is kept for longer because of it.
    async fn messages(
        &self,
        asking: Asking<'_>,
        user: &User,
        (recipient, state, before): (&Identifier, &ChallengeState, Option<Timestamp>),
    ) -> Result<(VerificationMessages, Option<KeptLonger>), Failure<NoRefusal>> {
        let ResendVerification { gate, verification, basics, .. } = &self.resend;
        let sends = verification.policy.limits.admit_after(before, &state.sends, asking.at);
        let sends = match sends {
            Ok(sends) => sends,
            Err(refusal) => {
                let of = HistoryOf::Recipient(asking.realm.clone(), recipient.clone());
                gate.refused(&of, Counted::OverRecipientLimit, asking.at).await;
                return Err(Failure::too_many(refusal.retry_at, asking.at));
            }
        };
        let sent = verification.messages(basics, asking, user, &[(recipient, sends)]).await?;
        let ends = sent.challenges.iter().map(|new| (&new.seed.key.recipient, new.expires_at));
        let kept = KeptLonger::for_messages(user, ends);
        Ok((sent, kept))
    }
}
