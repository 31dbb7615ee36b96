//! The transaction that makes and uses accounts, over the tables Users, Identifiers, Challenges,
//! Budgets, Devices, Sessions, Ledger and Outbox (README.md, the sections of these names).

use super::budgets::spent;
use super::items::challenge::challenge_state;
use super::items::identifier::{identifier_item, known_sources_value};
use super::items::keys;
use super::items::session::{session_device_item, token_item};
use super::items::user::{reserved_time, user_item, verified_flag, verified_time};
use super::items::value::{Item, bytes, flag, number, purge_time, text, time};
use super::items::wallet::credit_item;
use super::transaction::{Commit, Failure, Subject, Transaction, malformed, put_new};
use super::user_update::UserUpdate;
use super::versions::{EVENT_VERSION, IS_OLDER, UserVersions, Versioned};
use super::{DynamoStore, IS_ALIVE};
use crate::domain::account::{
    Account, Credential, DeletedAccount, DeletionProof, KnownAccount, Visit,
};
use crate::domain::id::DeviceId;
use crate::domain::identifier::{Identifier, IdentifierKind};
use crate::domain::known_sources::{KnownSources, SourcePart};
use crate::domain::password_attempts::AttemptSubject;
use crate::domain::proof::ProvenCode;
use crate::domain::session::NewSession;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::{Accounts, Entry, EntryOutcome, KeptLonger, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, Update};
use std::collections::HashMap;

/// The condition that an identifier belongs to no user, or to one that has expired.
const IS_FREE: &str = "attribute_not_exists(identifier) OR expires_at <= :now";

impl DynamoStore {
    /// Adds the actions that use up a code and its handle. They remove the code, keep the send
    /// record and reset the count of the day. Of a link stays what it was derived from, so that
    /// whoever follows it again reads that it was used.
    fn use_code(
        &self,
        code: &ProvenCode,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let challenges = &self.tables.challenges;
        let nonce = bytes(code.nonce().as_bytes());
        let used =
            if code.key().is_of_link() { ", used_nonce = nonce, used_key_id = key_id" } else { "" };
        let challenge = Update::builder()
            .table_name(challenges)
            .key("challenge_id", text(keys::challenge(code.key())))
            .update_expression(format!(
                "REMOVE nonce, key_id, sent, password_stated, attempts, stranger_attempts, \
                guess_ids SET day_sends = :zero{used}"
            ))
            .condition_expression("nonce = :nonce AND expires_at > :now")
            .expression_attribute_values(":nonce", nonce.clone())
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":zero", number(0_u32));
        transaction.update(Subject::Code, challenge.build().map_err(malformed)?);
        if let Some(handle) = code.handle() {
            let handle = Update::builder()
                .table_name(challenges)
                .key("challenge_id", text(keys::handle(handle)))
                .update_expression(
                    "REMOVE nonce, key_id, sent, password_stated, attempts, guess_ids, pending",
                )
                .condition_expression("nonce = :nonce")
                .expression_attribute_values(":nonce", nonce);
            transaction.update(Subject::Code, handle.build().map_err(malformed)?);
        }
        Ok(())
    }

    /// Adds the actions that write a new user and assign its identifiers, if they are free.
    fn make_account(
        &self,
        user: &User,
        known_sources: Option<&KnownSources>,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        for (index, known) in user.identifiers.iter().enumerate() {
            let item = identifier_item(user, &known.identifier, known_sources);
            let put = self.assign_identifier(user.created_at, item)?;
            transaction.put(Subject::Identifier(index), put);
        }
        let mut item = user_item(user);
        if let Some(UserVersions { last, .. }) = versions {
            item.insert(EVENT_VERSION.to_owned(), number(last.number()));
        }
        transaction.put(Subject::Other, put_new(&self.tables.users, "user_id", item)?);
        Ok(())
    }

    /// Returns the action that gives an identifier to a user, if it is free.
    pub(super) fn assign_identifier(&self, now: Timestamp, item: Item) -> Result<Put, PortError> {
        let now = HashMap::from([(":now".to_owned(), time(now))]);
        Put::builder()
            .table_name(&self.tables.identifiers)
            .set_item(Some(item))
            .condition_expression(IS_FREE)
            .set_expression_attribute_values(Some(now))
            .build()
            .map_err(malformed)
    }

    /// Adds the actions that use an account with a credential, and open a session on a device.
    fn use_account(
        &self,
        account: &KnownAccount,
        entry: &Entry,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let (user, now) = (&account.user, entry.at);
        let device = entry.session.as_ref().map(|new| &new.session.device);
        let mut proved = None;
        let mut update = UserUpdate::of(user, now);
        update.store_version(versions);
        if let Some(kept) = &entry.kept {
            keep_longer(kept, &mut update);
        }
        if account.visit == Visit::SignsIn {
            update.set("last_active_at = :now");
        }
        match &account.credential {
            Credential::Code(code) => {
                prove(code, &mut update);
                if entry.known_sources.is_some() {
                    update.require_same_password_time(user.password_changed_at);
                }
                if account.takes_over() {
                    take_over(account, now, device, &mut update);
                }
                self.release_dropped(account, transaction)?;
                proved = Some(&code.key().recipient);
            }
            Credential::CodeForPassword { code, hash } => {
                prove(code, &mut update);
                update
                    .set("password_hash = :hash, password_changed_at = :now")
                    .value(":hash", text(hash.expose()));
                update.end_sessions(user, now, None);
                self.forget_all_attempts(user, transaction)?;
                if account.takes_over() {
                    drop_others(account, &mut update);
                }
                self.release_dropped(account, transaction)?;
                proved = Some(&code.key().recipient);
            }
            Credential::Password { seen, renewed, attempts } => {
                update.require("password_hash = :seen").value(":seen", text(seen.expose()));
                if let Some(renewed) = renewed {
                    update
                        .set("password_hash = :renewed")
                        .value(":renewed", text(renewed.expose()));
                }
                transaction.delete(Subject::Other, self.forget_attempts(attempts)?);
            }
            Credential::EarlierCode { hash, proved_at, proved: kind } => {
                update
                    .require("(attribute_not_exists(password_changed_at) OR password_changed_at < :proved_at)")
                    .value(":proved_at", time(*proved_at))
                    .set("password_hash = :hash, password_changed_at = :now")
                    .value(":hash", text(hash.expose()));
                update.end_sessions(user, now, None);
                self.forget_all_attempts(user, transaction)?;
                if let Some(known) = kind.and_then(|kind| user.identifiers.of_kind(kind)) {
                    let others = user.identifiers.iter();
                    for other in others.filter(|other| account.drops(&other.identifier)) {
                        // Another proof in the meantime may have made it one of many.
                        update.require_unverified(known.identifier.kind());
                        let kind = other.identifier.kind();
                        update.remove(kind.as_str()).remove(&verified_flag(kind));
                        update.remove(&verified_time(kind)).remove(&reserved_time(kind));
                    }
                    self.release_dropped(account, transaction)?;
                    verify(known.identifier.kind(), &mut update);
                    proved = Some(&known.identifier);
                }
            }
            Credential::EarlierCodeOfPhone { phone, proved_at, device } => {
                let kind = phone.kind();
                update
                    .require("(attribute_not_exists(#changed_at) OR #changed_at < :proved_at)")
                    .value(":proved_at", time(*proved_at))
                    .set("#phone = :phone, #verified = :true, #changed_at = :now")
                    .name("#phone", kind.as_str())
                    .name("#verified", &verified_flag(kind))
                    .name("#changed_at", &verified_time(kind))
                    .value(":phone", text(phone.as_written()))
                    .value(":true", flag(true))
                    .remove(&reserved_time(kind))
                    .remove("expires_at");
                update.end_sessions(user, now, Some(device));
                self.release_dropped(account, transaction)?;
                let item = identifier_item(user, phone, entry.known_sources.as_ref());
                let put = self.assign_identifier(now, item)?;
                transaction.put(Subject::NewIdentifier, put);
            }
        }
        update.add_to(transaction, Subject::Account, &self.tables.users)?;
        for known in user.identifiers.iter().filter(|known| !account.drops(&known.identifier)) {
            let end = if proved.is_some_and(|proved| becomes_permanent(user, known, proved)) {
                ReservationEnd::Removed
            } else {
                ReservationEnd::of(entry.kept.as_ref(), &known.identifier)
            };
            self.update_identifier(user, &known.identifier, entry, end, transaction)?;
        }
        Ok(())
    }

    /// Adds the actions that delete a user, its identifiers, the counts of wrong passwords, and
    /// devices. Credits in the ledger stay.
    fn delete_account(
        &self,
        account: &DeletedAccount,
        now: Timestamp,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let user = &account.user;
        // A sign-in after the read added a device that is not among the deleted ones.
        let (unchanged, last) = match user.last_active_at {
            None => ("attribute_not_exists(last_active_at)", None),
            Some(last) => ("last_active_at = :last", Some(last)),
        };
        let proof = match &account.proof {
            DeletionProof::Code(_) => "#kind = :proof",
            DeletionProof::Password(_) => "password_hash = :proof",
            DeletionProof::Operator => "attribute_exists(user_id)",
        };
        let older = if versions.is_some() { format!(" AND {IS_OLDER}") } else { String::new() };
        let mut delete = Delete::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(user.id.as_str()))
            .condition_expression(format!("{IS_ALIVE} AND {unchanged} AND {proof}{older}"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_values(":user", text(user.id.as_str()))
            .expression_attribute_values(":now", time(now));
        if let Some(last) = last {
            delete = delete.expression_attribute_values(":last", time(last));
        }
        if let Some(UserVersions { first, .. }) = versions {
            let first = number(first.number());
            delete = delete.expression_attribute_values(":first_version", first);
        }
        delete = match &account.proof {
            DeletionProof::Code(code) => {
                let recipient = &code.key().recipient;
                delete
                    .expression_attribute_names("#kind", recipient.kind().as_str())
                    .expression_attribute_values(":proof", text(recipient.as_str()))
            }
            DeletionProof::Password(seen) => {
                delete.expression_attribute_values(":proof", text(seen.expose()))
            }
            DeletionProof::Operator => delete,
        };
        transaction.delete(Subject::Account, delete.build().map_err(malformed)?);
        for known in user.identifiers.iter() {
            let release = self.release_identifier(user, &known.identifier)?;
            transaction.delete(Subject::Account, release);
        }
        self.forget_all_attempts(user, transaction)?;
        self.forget_devices((&user.realm, &user.id), &account.devices, now, transaction)
    }

    /// Adds the actions that keep unverified identifiers for longer, in an entry that does not use
    /// their account.
    fn keep_unverified(
        &self,
        kept: &KeptLonger,
        entry: &Entry,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let mut update = UserUpdate::of(&kept.user, entry.at);
        update.store_version(versions);
        keep_longer(kept, &mut update);
        update.add_to(transaction, Subject::Account, &self.tables.users)?;
        for identifier in &kept.identifiers {
            let end = ReservationEnd::MovedTo(kept.until);
            self.update_identifier(&kept.user, identifier, entry, end, transaction)?;
        }
        Ok(())
    }

    /// Adds the actions that take those identifiers away from a user that a proof drops.
    fn release_dropped(
        &self,
        account: &KnownAccount,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let user = &account.user;
        for known in user.identifiers.iter().filter(|known| account.drops(&known.identifier)) {
            let delete = self.release_identifier(user, &known.identifier)?;
            transaction.delete(Subject::Account, delete);
        }
        Ok(())
    }

    /// Adds the actions that delete the records of attempts at the user's password.
    fn forget_all_attempts(
        &self,
        user: &User,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let id = || user.id.clone();
        let records = [
            AttemptSubject::Account(id()),
            AttemptSubject::AccountFromKnown(id(), SourcePart::Network),
            AttemptSubject::AccountFromKnown(id(), SourcePart::Device),
        ];
        for record in &records {
            transaction.delete(Subject::Other, self.forget_attempts(record)?);
        }
        Ok(())
    }

    /// Returns the action that takes an identifier away from a user.
    fn release_identifier(
        &self,
        user: &User,
        identifier: &Identifier,
    ) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.identifiers)
            .key("identifier", text(keys::identifier(&user.realm, identifier)))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user.id.as_str()))
            .build()
            .map_err(malformed)
    }

    /// Adds the action that changes an identifier of a user: the end of its reservation, and the
    /// sources that the account knows. Adds nothing if there is no change.
    fn update_identifier(
        &self,
        user: &User,
        identifier: &Identifier,
        entry: &Entry,
        end: ReservationEnd,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let (mut sets, mut values) = (Vec::new(), Vec::new());
        let mut condition = IS_ALIVE.to_owned();
        if let Some(known_sources) = &entry.known_sources {
            sets.push("known_sources = :known_sources");
            values.push((":known_sources", known_sources_value(known_sources)));
        }
        if let ReservationEnd::MovedTo(until) = end {
            sets.push("expires_at = :until");
            values.push((":until", purge_time(until)));
            // A concurrent request may have moved the end further, or removed it.
            condition.push_str(" AND expires_at < :until");
        }
        let removes = matches!(end, ReservationEnd::Removed).then_some("REMOVE expires_at");
        let sets = (!sets.is_empty()).then(|| format!("SET {}", sets.join(", ")));
        let changes: Vec<_> = sets.into_iter().chain(removes.map(str::to_owned)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let mut update = Update::builder()
            .table_name(&self.tables.identifiers)
            .key("identifier", text(keys::identifier(&user.realm, identifier)))
            .update_expression(changes.join(" "))
            .condition_expression(condition)
            .expression_attribute_values(":user", text(user.id.as_str()))
            .expression_attribute_values(":now", time(entry.at));
        for (name, value) in values {
            update = update.expression_attribute_values(name, value);
        }
        transaction.update(Subject::Account, update.build().map_err(malformed)?);
        Ok(())
    }

    /// Returns the action that deletes a record of password attempts.
    fn forget_attempts(&self, at: &AttemptSubject) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.budgets)
            .key("bucket", text(keys::attempts(at)))
            .build()
            .map_err(malformed)
    }

    /// Adds the actions that store a session and its device.
    fn store_session(
        &self,
        new: &NewSession,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let NewSession { session, token, device } = new;
        let device = session_device_item(session, device);
        transaction.put(Subject::Other, put_new(&self.tables.devices, "user_id", device)?);
        let token = token_item(session, token, session.opened_at);
        transaction.put(Subject::Other, put_new(&self.tables.sessions, "token_hash", token)?);
        Ok(())
    }
}

/// What becomes of the time at which an unverified identifier is free again.
#[derive(Clone, Copy)]
enum ReservationEnd {
    Stays,
    Removed,
    MovedTo(Timestamp),
}

impl ReservationEnd {
    fn of(kept: Option<&KeptLonger>, identifier: &Identifier) -> Self {
        let kept = kept.filter(|kept| kept.identifiers.contains(identifier));
        kept.map_or(Self::Stays, |kept| Self::MovedTo(kept.until))
    }
}

/// Returns whether an identifier stops to be reserved for a time only when `proved` is proved: it is
/// that one, or it cannot be proved.
fn becomes_permanent(user: &User, known: &KnownBy, proved: &Identifier) -> bool {
    // A version before this one stored the end with the user only.
    let ends = known.reserved_until().is_some() || user.expires_at.is_some();
    ends && (known.identifier == *proved || !known.identifier.receives_codes())
}

/// Adds to the update of a user that unverified identifiers are kept for longer, and the user with
/// them if it is unverified.
fn keep_longer(kept: &KeptLonger, update: &mut UserUpdate) {
    let KeptLonger { user, identifiers, until } = kept;
    update.value(":until", purge_time(*until));
    if user.expires_at.is_some() {
        update.require("attribute_exists(expires_at)");
        if user.expires_at < Some(*until) {
            update.set("expires_at = :until");
        }
    }
    for identifier in identifiers {
        update.require_unverified(identifier.kind());
        update.set(&format!("{} = :until", reserved_time(identifier.kind())));
    }
}

/// Adds to the update of a user that a code proved an identifier.
fn prove(code: &ProvenCode, update: &mut UserUpdate) {
    let recipient = &code.key().recipient;
    update
        .require("#kind = :recipient")
        .name("#kind", recipient.kind().as_str())
        .value(":recipient", text(recipient.as_str()));
    verify(recipient.kind(), update);
}

/// Adds to the update of a user that the first proof takes the account over.
fn take_over(
    account: &KnownAccount,
    now: Timestamp,
    device: Option<&DeviceId>,
    update: &mut UserUpdate,
) {
    update.remove("password_hash");
    if account.user.may_have_sessions() {
        update.end_sessions(&account.user, now, device);
    } else {
        update.require("attribute_not_exists(last_active_at)");
    }
    drop_others(account, update);
}

/// Adds to the update of a user that a takeover drops the other identifiers.
fn drop_others(account: &KnownAccount, update: &mut UserUpdate) {
    let known = account.user.identifiers.iter();
    for known in known.filter(|known| known.identifier.receives_codes()) {
        let kind = known.identifier.kind();
        // Another proof in the meantime may have given the account an owner.
        update.require_unverified(kind);
        if account.drops(&known.identifier) {
            update.remove(kind.as_str()).remove(&verified_flag(kind)).remove(&reserved_time(kind));
        }
    }
}

/// Adds to the update of a user that its identifier of this kind is verified. The first time stays,
/// and the user does not expire any more.
fn verify(kind: IdentifierKind, update: &mut UserUpdate) {
    update
        .set("#verified = :true, #verified_at = if_not_exists(#verified_at, :now)")
        .name("#verified", &verified_flag(kind))
        .name("#verified_at", &verified_time(kind))
        .value(":true", flag(true))
        .remove("expires_at")
        .remove(&reserved_time(kind));
}

/// Returns the user that a session or a credit of the entry belongs to.
fn owner(entry: &Entry) -> Result<&User, PortError> {
    let user = entry.account.user();
    user.ok_or_else(|| PortError::new(action(entry), "sessions and credits need an account"))
}

/// Returns what completes "failed to …".
const fn action(entry: &Entry) -> &'static str {
    match &entry.account {
        Account::None(None) => "open a challenge",
        Account::None(Some(_)) => "use up a code",
        Account::Make(_) => "make an account",
        Account::Use(_) => "use an account",
        Account::Delete(_) => "delete an account",
    }
}

/// Returns the first failure in the order of [`EntryOutcome`].
fn outcome(entry: &Entry, failures: &[Failure]) -> Result<EntryOutcome, PortError> {
    let failed = |subject: Subject| failures.iter().any(|failure| failure.subject == subject);
    let identifiers = entry.account.user().into_iter().flat_map(|user| user.identifiers.iter());
    let mut taken: Vec<_> = identifiers
        .enumerate()
        .filter(|(index, _)| failed(Subject::Identifier(*index)))
        .map(|(_, known)| known.identifier.clone())
        .collect();
    if let Account::Use(KnownAccount {
        credential: Credential::EarlierCodeOfPhone { phone, .. },
        ..
    }) = &entry.account
        && failed(Subject::NewIdentifier)
    {
        taken.push(phone.clone());
    }
    let changed = failures.iter().filter_map(|failure| {
        let Subject::NewChallenge(index) = failure.subject else { return None };
        let recipient = &entry.challenges.get(index)?.seed.key.recipient;
        Some((recipient.clone(), challenge_state(failure.item.as_ref(), entry.at)))
    });
    let changed: Vec<_> = changed.collect();
    let spent_budget = failures.iter().find_map(|failure| match failure.subject {
        Subject::Budget(first) => Some(spent(&entry.budgets, first, failure.item.as_ref())),
        _ => None,
    });
    Ok(if failed(Subject::Code) {
        EntryOutcome::CodeLost
    } else if let Some(spent) = spent_budget {
        EntryOutcome::BudgetSpent(spent)
    } else if !taken.is_empty() {
        EntryOutcome::Taken(taken)
    } else if failed(Subject::Account) {
        EntryOutcome::AccountChanged
    } else if !changed.is_empty() {
        EntryOutcome::ChallengesChanged(changed)
    } else {
        return Err(PortError::new(action(entry), "a new random id is already in use"));
    })
}

impl DynamoStore {
    /// Returns the transaction of an entry.
    fn entry_transaction(
        &self,
        entry: &Entry,
        effects: Option<&Versioned>,
    ) -> Result<Transaction, PortError> {
        let Entry { account, budgets, challenges, session, credit, at, .. } = entry;
        let versions = effects.and_then(|effects| effects.user.as_ref());
        let mut transaction = Transaction::default();
        if let Some(code) = account.code() {
            self.use_code(code, *at, &mut transaction)?;
        }
        self.use_budgets(budgets, &mut transaction)?;
        match account {
            Account::None(_) => match (&entry.kept, versions) {
                (Some(kept), _) => self.keep_unverified(kept, entry, versions, &mut transaction)?,
                (None, Some(versions)) => {
                    self.store_version(Subject::Account, versions, &mut transaction)?;
                }
                (None, None) => {}
            },
            Account::Make(account) => {
                let known_sources = entry.known_sources.as_ref();
                self.make_account(account.user(), known_sources, versions, &mut transaction)?;
            }
            Account::Use(account) => {
                self.use_account(account, entry, versions, &mut transaction)?;
            }
            Account::Delete(account) => {
                self.delete_account(account, *at, versions, &mut transaction)?;
            }
        }
        for (index, challenge) in challenges.iter().enumerate() {
            self.open_challenge(index, challenge, *at, &mut transaction)?;
        }
        if let Some(session) = session {
            if session.session.user != owner(entry)?.id {
                return Err(PortError::new(action(entry), "the session is another user's"));
            }
            self.store_session(session, &mut transaction)?;
        }
        if !entry.silenced.is_empty() {
            self.silence_devices(&owner(entry)?.id, &entry.silenced, &mut transaction)?;
        }
        if let Some(credit) = credit {
            let credit = credit_item(&owner(entry)?.id, credit);
            let credit = put_new(&self.tables.ledger, "user_id", credit)?;
            transaction.put(Subject::Other, credit);
        }
        if let Some(effects) = effects {
            self.add_entry(&effects.entry, &mut transaction)?;
        }
        self.keep_answer(entry.answer.as_ref(), *at, &mut transaction)?;
        Ok(transaction)
    }
}

#[async_trait]
impl Accounts for DynamoStore {
    async fn commit(&self, entry: &Entry) -> Result<EntryOutcome, PortError> {
        let build = |effects: Option<&Versioned>| self.entry_transaction(entry, effects);
        match self.transact_with_events(action(entry), entry.effects.as_ref(), build).await? {
            Commit::Done => Ok(EntryOutcome::Committed),
            Commit::Failed(failures) => outcome(entry, &failures),
        }
    }
}
