//! Checks a password: judges the source, counts the attempt, then compares the password.

use super::Failure;
use super::gate::{Gate, Judgement, target};
use super::password_gate::PasswordGate;
use crate::domain::budget::BudgetUse;
use crate::domain::history::{Counted, HistoryOf};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::password_attempts::AttemptSubject;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    Holder, MetricEvent, PasswordVerdict, Passwords, StandingQuery, Users, record_metric,
};
use futures_util::future::join;
use std::sync::Arc;

/// Checks passwords.
pub struct CheckPassword {
    pub gate: Gate,
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    pub attempts: PasswordGate,
}

/// The reason why a password was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    #[error("the identifier is unknown")]
    NoSuchUser,
    #[error("the password is wrong")]
    WrongPassword,
    /// The password is right, but an operator banned the user.
    #[error("the user is banned")]
    Banned,
}

/// A right password, and what is known with it.
pub(super) struct RightPassword {
    pub(super) user: User,
    pub(super) holder: Holder,
    /// The hash that the password was compared with.
    pub(super) seen: PasswordHash,
    /// Whether the hash has an older cost.
    pub(super) outdated: bool,
    /// The record that the attempt was counted in.
    pub(super) attempts: AttemptSubject,
    /// What the transaction gives back: the guess that was taken from the source.
    pub(super) uses: Vec<BudgetUse>,
}

impl CheckPassword {
    /// Judges the source, counts the attempt and compares the password of the user that the
    /// identifier belongs to. An unknown identifier causes the same reads, hashes and writes as a
    /// wrong password.
    pub(super) async fn run(
        &self,
        password: Password,
        (realm, identifier): (&Realm, &Identifier),
        source: &Source,
        now: Timestamp,
    ) -> Result<RightPassword, Failure<PasswordRefused>> {
        let own = self.gate.guesses(source, now);
        let name = target(source, realm, identifier);
        let identifiers = vec![(realm, identifier)];
        let query = StandingQuery { identifiers, ..StandingQuery::default() };
        let Judgement { standing, spent_until, .. } =
            self.gate.judge(&own, query, &name, now).await?;
        let holder = standing.holders.into_iter().next().flatten();
        let tie = Holder::tie_of(holder.as_ref(), source, now);
        // A client is linked to all customers of its shop.
        let is_linked = tie.is_some() || (source.is_client() && holder.is_some());
        if let Some(end) = spent_until
            && !is_linked
        {
            return Err(self.gate.refuse(&own, &name, end, now));
        }
        let at = match (&holder, tie) {
            (Some(Holder { user, .. }), Some(tie)) => {
                AttemptSubject::AccountFromKnown(user.clone(), tie.by)
            }
            (Some(Holder { user, .. }), None) => AttemptSubject::Account(user.clone()),
            (None, _) => AttemptSubject::UnknownIdentifier(realm.clone(), identifier.clone()),
        };
        let id = holder.as_ref().map_or_else(UserId::placeholder, |holder| holder.user.clone());
        // The customers of a shop share their client, so they have the pauses of their accounts only.
        let spent = spent_until.filter(|_| !source.is_client());
        let admitted = self.attempts.admit(&at, spent, now);
        let (admitted, user) = join(admitted, self.users.find(&id, now)).await;
        admitted?;
        let user = user?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        // The guess is taken while the password is compared.
        let verdict = self.passwords.verify(password, hash.clone());
        let (taken, verdict) = join(self.gate.take_guess(&own, is_linked), verdict).await;
        let verdict = verdict?;
        if verdict == PasswordVerdict::UnknownHash {
            record_metric(Some(realm.contract()), MetricEvent::UnknownHash);
        }
        if let Some(end) = taken? {
            return Err(self.gate.refuse(&own, &name, end, now));
        }
        let (PasswordVerdict::Right { outdated }, Some(user), Some(seen), Some(holder)) =
            (verdict, user, hash, holder.clone())
        else {
            let refused = match holder {
                Some(_) => PasswordRefused::WrongPassword,
                None => PasswordRefused::NoSuchUser,
            };
            record_metric(Some(realm.contract()), MetricEvent::WrongGuess);
            let of = HistoryOf::Recipient(realm.clone(), identifier.clone());
            let guessed = self.gate.guessed(&of, Counted::WrongPassword, now);
            let (counted, ()) = join(self.gate.count_of_client(&own), guessed).await;
            counted?;
            // A source whose budget is spent learns nothing about the password.
            return Err(match spent_until {
                Some(end) => Failure::too_many(end, now),
                None => Failure::Refused(refused),
            });
        };
        // Only the owner learns it.
        if user.is_banned() {
            return Err(Failure::Refused(PasswordRefused::Banned));
        }
        let attempts = at;
        Ok(RightPassword { user, holder, seen, outdated, attempts, uses: Gate::right_guess(&own) })
    }
}
