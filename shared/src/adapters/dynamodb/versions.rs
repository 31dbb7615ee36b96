//! The versions of users, which order the events about a user (README.md, "Users").
//!
//! A transaction with events about a user stores the version of the last one with the user, under the condition that the stored
//! version is smaller than that of the first one. So versions grow in the order of the commits. The first guess is the time of the
//! request, so that nothing needs to be read. Only if the condition fails, which returns the item, the transaction is made again
//! with versions that follow the stored one.

use super::DynamoStore;
use super::items::value::text;
use super::items::value::{Item, as_number, number};
use super::transaction::{COMMIT_TIME, Commit, Failure, Subject, Transaction, malformed};
use crate::domain::event::UserVersion;
use crate::domain::id::UserId;
use crate::domain::outbox::OutboxEntry;
use crate::ports::PortError;
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, Update};

/// The attribute of a user with the version of the last event.
pub(super) const EVENT_VERSION: &str = "event_version";
/// The condition that the version that is stored with the user is smaller than that of the first event.
pub(super) const IS_OLDER: &str =
    "(attribute_not_exists(event_version) OR event_version < :first_version)";
/// The most tries at a transaction that other transactions with events of the same user overtake. Only every other one waits
/// before: a try after a pause finds out the stored version, and the one after it follows at once.
const TRIES: u32 = 32;
/// The number of failures after which a pause grows no more: 160 milliseconds at most, so that all of them together take some
/// 1.3 seconds. A transaction that overtakes takes some 10.
const LONGEST_PAUSE: u32 = 3;

/// The outbox entry of a transaction, with versions in its events.
pub(super) struct Versioned {
    pub(super) entry: OutboxEntry,
    /// The user that the events are about, and the versions of the first and the last of them; `None` if there are none.
    pub(super) user: Option<UserVersions>,
}

/// The versions that a transaction gives to the events of a user.
#[derive(Clone)]
pub(super) struct UserVersions {
    pub(super) user: UserId,
    pub(super) first: UserVersion,
    pub(super) last: UserVersion,
}

impl Versioned {
    fn of(entry: &OutboxEntry, first: UserVersion) -> Self {
        let user = entry.lacks_versions().map(|(user, events)| UserVersions {
            user: user.clone(),
            first,
            last: first.after(events.saturating_sub(1)),
        });
        Self { entry: entry.with_versions(first), user }
    }
}

impl DynamoStore {
    /// Commits the transaction that `build` makes of the outbox entry with versions, and makes it again if other
    /// transactions stored a version with the user that is not smaller. A conflict about the version alone is no outcome.
    pub(super) async fn transact_with_events(
        &self,
        action: &'static str,
        entry: Option<&OutboxEntry>,
        build: impl Fn(Option<&Versioned>) -> Result<Transaction, PortError> + Send + Sync,
    ) -> Result<Commit, PortError> {
        let Some(entry) = entry else { return self.transact(action, build(None)?).await };
        let mut first = UserVersion::at(entry.written_at);
        let tries = async {
            for overtaken in 0..TRIES {
                let versioned = Versioned::of(entry, first);
                let commit = self.transact_in_time(action, build(Some(&versioned))?).await?;
                let Commit::Failed(failures) = commit else { return Ok(commit) };
                match judge(failures, first)? {
                    Judgement::Failed(failures) => return Ok(Commit::Failed(failures)),
                    Judgement::Overtaken(stored) => first = stored.after(1),
                }
                if overtaken.checked_rem(2) == Some(1) {
                    self.pause(overtaken.wrapping_shr(1).min(LONGEST_PAUSE)).await;
                }
            }
            Err(PortError::contention(action))
        };
        let late = |_| PortError::new(action, "conflicts with other transactions took too long");
        tokio::time::timeout(COMMIT_TIME, tries).await.map_err(late)?
    }

    /// Adds the action that stores the version of the last event with the user, who must exist.
    pub(super) fn store_version(
        &self,
        subject: Subject,
        versions: &UserVersions,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(versions.user.as_str()))
            .update_expression("SET event_version = :last_version")
            .condition_expression(format!("attribute_exists(user_id) AND {IS_OLDER}"))
            .expression_attribute_values(":first_version", number(versions.first.number()))
            .expression_attribute_values(":last_version", number(versions.last.number()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        transaction.update(subject, update.build().map_err(malformed)?);
        Ok(())
    }
}

/// What the conditions that failed mean.
enum Judgement {
    /// Other conditions than that on the version failed.
    Failed(Vec<Failure>),
    /// The versions of the transaction must follow this one, which is stored with the user. Other conditions on the user are judged
    /// again by the next try.
    Overtaken(UserVersion),
}

/// Judges the conditions that failed. If the version was overtaken and something else failed too, only that counts.
fn judge(failures: Vec<Failure>, first: UserVersion) -> Result<Judgement, PortError> {
    let (mut others, mut newest) = (Vec::new(), None);
    for failure in failures {
        match newer_version(&failure, first)? {
            Some(stored) => newest = Some(stored),
            None => others.push(failure),
        }
    }
    Ok(match newest {
        Some(stored) if others.is_empty() => Judgement::Overtaken(stored),
        _ => Judgement::Failed(others),
    })
}

/// Returns the version of the user that a failure shows, if it is not smaller than `first`.
fn newer_version(failure: &Failure, first: UserVersion) -> Result<Option<UserVersion>, PortError> {
    let Failure { subject: Subject::Account | Subject::Owner, item: Some(user) } = failure else {
        return Ok(None);
    };
    Ok(stored_version(user)?.filter(|stored| *stored >= first))
}

fn stored_version(user: &Item) -> Result<Option<UserVersion>, PortError> {
    let Some(stored) = user.get(EVENT_VERSION) else { return Ok(None) };
    let stored = as_number(stored).map(UserVersion::from_stored);
    stored.map(Some).ok_or_else(|| PortError::new("read a stored item", "bad event_version"))
}
