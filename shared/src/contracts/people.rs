//! What operators ask the function `people` (`shared/docs/people.md`): the payloads and the answers.

use super::envelope::date_time;
use super::imports::{self, ImportRequest};
use super::people_delivery;
use crate::domain::attributes::Attributes;
use crate::domain::client::{Client, ClientStatus};
use crate::domain::id::UserId;
use crate::domain::session::{ListedSession, SignInMethod};
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::{Erased, LedgerPolicy, StoredParts};
use crate::usecases::{
    Call, ErasedPerson, Failure, FoundPerson, ManagePeople, PersonName, PersonQuery, PersonRefused,
    Resent,
};
use serde_json::{Map, Value, json};

/// The longest `who` and `why`, in characters.
const LONGEST_REASON: usize = 200;
/// The days for which the archive of the event bus keeps events.
const ARCHIVE_DAYS: u32 = 30;
/// The days for which the tables can be restored.
const BACKUP_DAYS: u32 = 35;
/// The hours for which sealed answers to requests with idempotency keys are kept.
const ANSWER_HOURS: u32 = 24;

/// What an operator asks for.
#[derive(Debug)]
pub struct PeopleRequest {
    call: Call,
    task: PeopleTask,
}

/// A task about one person, or about the clients.
#[derive(Debug)]
enum PeopleTask {
    Find(PersonQuery),
    History(PersonQuery),
    Explain(PersonQuery),
    Ban(PersonQuery),
    Unban(PersonQuery),
    SignOut(PersonQuery),
    Unlock(PersonQuery),
    Resend(PersonQuery),
    Erase(PersonQuery, LedgerPolicy),
    Export(PersonQuery),
    Import(ImportRequest),
    ExportUsers(Option<String>, Option<UserId>),
    Clients,
}

/// The reason why a payload is refused. The text states the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleRequestError {
    #[error(
        "verb must be find, history, explain, ban, unban, sign-out, unlock, resend, erase, export, \
        import, export-users or clients"
    )]
    Verb,
    #[error("who and why must be texts of 1 to 200 characters: both are kept")]
    Reason,
    #[error(
        "person must be a phone number with a plus sign, an e-mail address, a username or an id"
    )]
    Person,
    #[error("contract and store must be texts, and store needs a contract")]
    Realm,
    #[error("users must be a list of 1 to 500 users, and dryRun true or false")]
    Users,
    #[error("ledger must be \"anonymize\" or \"delete\"")]
    Ledger,
    #[error(
        "the fields must be verb, who, why and those of the verb: person, contract, store and ledger, or \
        users and dryRun, or contract and cursor"
    )]
    Fields,
}

impl PeopleRequest {
    /// Reads a payload. An unexpected field is refused, because a typing mistake must not change the
    /// meaning of a task.
    ///
    /// # Errors
    /// The rule that the payload breaks.
    pub fn read(payload: &Value) -> Result<Self, PeopleRequestError> {
        let fields = payload.as_object().ok_or(PeopleRequestError::Fields)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let verb = text("verb").ok_or(PeopleRequestError::Verb)?;
        let reason = |name: &str| {
            let reason = text(name).map(str::trim).unwrap_or_default();
            let fits = (1..=LONGEST_REASON).contains(&reason.chars().count());
            if fits { Ok(reason.to_owned()) } else { Err(PeopleRequestError::Reason) }
        };
        let (verb, allowed): (_, &[&str]) = match verb {
            "find" => ("find", &["person", "contract", "store"]),
            "history" => ("history", &["person", "contract", "store"]),
            "explain" => ("explain", &["person", "contract", "store"]),
            "ban" => ("ban", &["person", "contract", "store"]),
            "unban" => ("unban", &["person", "contract", "store"]),
            "sign-out" => ("sign-out", &["person", "contract", "store"]),
            "unlock" => ("unlock", &["person", "contract", "store"]),
            "resend" => ("resend", &["person", "contract", "store"]),
            "export" => ("export", &["person", "contract", "store"]),
            "erase" => ("erase", &["person", "contract", "store", "ledger"]),
            "import" => ("import", &["users", "dryRun"]),
            "export-users" => ("export-users", &["contract", "cursor"]),
            "clients" => ("clients", &[]),
            _ => return Err(PeopleRequestError::Verb),
        };
        let known = |name: &String| {
            ["verb", "who", "why"].contains(&name.as_str()) || allowed.contains(&name.as_str())
        };
        if !fields.keys().all(known) {
            return Err(PeopleRequestError::Fields);
        }
        let call = Call { verb, who: reason("who")?, why: reason("why")? };
        let query = || query(fields);
        let task = match verb {
            "find" => PeopleTask::Find(query()?),
            "history" => PeopleTask::History(query()?),
            "explain" => PeopleTask::Explain(query()?),
            "ban" => PeopleTask::Ban(query()?),
            "unban" => PeopleTask::Unban(query()?),
            "sign-out" => PeopleTask::SignOut(query()?),
            "unlock" => PeopleTask::Unlock(query()?),
            "resend" => PeopleTask::Resend(query()?),
            "export" => PeopleTask::Export(query()?),
            "erase" => PeopleTask::Erase(query()?, ledger(fields)?),
            "import" => {
                PeopleTask::Import(ImportRequest::read(fields).ok_or(PeopleRequestError::Users)?)
            }
            "export-users" => {
                let cursor = optional(fields, "cursor")?;
                let cursor = cursor.as_deref().map(UserId::from_stored);
                PeopleTask::ExportUsers(optional(fields, "contract")?, cursor)
            }
            _ => PeopleTask::Clients,
        };
        Ok(Self { call, task })
    }

    /// Does the task, and returns the answer. A refusal is an answer, too.
    ///
    /// # Errors
    /// The task failed.
    pub async fn run(self, manage: &ManagePeople) -> Result<Value, Failure<PersonRefused>> {
        let Self { call, task } = self;
        let person = task.query().map(|query| query.name.clone());
        let work = task.run(manage);
        match manage.audited(call, person.as_ref(), work).await {
            Err(Failure::Refused(refused)) => Ok(json!({"refused": refused.to_string()})),
            answered => answered,
        }
    }
}

/// Reads which person is meant.
fn query(fields: &Map<String, Value>) -> Result<PersonQuery, PeopleRequestError> {
    let person = fields.get("person").and_then(Value::as_str).map(str::trim);
    let name = person.and_then(PersonName::parse).ok_or(PeopleRequestError::Person)?;
    let (contract, shop) = (optional(fields, "contract")?, optional(fields, "store")?);
    if shop.is_some() && contract.is_none() {
        return Err(PeopleRequestError::Realm);
    }
    Ok(PersonQuery { contract, shop, name })
}

/// Reads a text that may be absent.
fn optional(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, PeopleRequestError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(PeopleRequestError::Realm),
    }
}

fn ledger(fields: &Map<String, Value>) -> Result<LedgerPolicy, PeopleRequestError> {
    match fields.get("ledger").map(|ledger| ledger.as_str().unwrap_or_default()) {
        None | Some("anonymize") => Ok(LedgerPolicy::Anonymize),
        Some("delete") => Ok(LedgerPolicy::Delete),
        Some(_) => Err(PeopleRequestError::Ledger),
    }
}

impl PeopleTask {
    const fn query(&self) -> Option<&PersonQuery> {
        match self {
            Self::Find(query)
            | Self::History(query)
            | Self::Explain(query)
            | Self::Ban(query)
            | Self::Unban(query)
            | Self::SignOut(query)
            | Self::Unlock(query)
            | Self::Resend(query)
            | Self::Erase(query, _)
            | Self::Export(query) => Some(query),
            Self::Import(_) | Self::ExportUsers(..) | Self::Clients => None,
        }
    }

    async fn run(self, manage: &ManagePeople) -> Result<Value, Failure<PersonRefused>> {
        Ok(match self {
            Self::Find(query) => {
                let found = manage.find(&query).await?;
                json!({"people": found.iter().map(shown).collect::<Vec<_>>()})
            }
            Self::History(query) => people_delivery::history(&manage.history(&query).await?),
            Self::Explain(query) => people_delivery::explanations(&manage.explain(&query).await?),
            Self::Ban(query) => json!({"banned": shown(&manage.ban(&query).await?)}),
            Self::Unban(query) => json!({"unbanned": shown(&manage.unban(&query).await?)}),
            Self::SignOut(query) => {
                let found = manage.sign_out(&query).await?;
                json!({"signedOut": shown(&found), "sessionsEnded": found.sessions.len()})
            }
            Self::Unlock(query) => json!({"unlocked": manage.unlock(&query).await?}),
            Self::Resend(query) => {
                let resent = manage.resend(&query).await?;
                json!({"resent": resent.iter().map(resent_message).collect::<Vec<_>>()})
            }
            Self::Erase(query, ledger) => erased(&manage.erase(&query, ledger).await?),
            Self::Export(query) => exported(manage.export(&query).await?),
            Self::Import(ImportRequest { lines, mode }) => {
                imports::report(&manage.import.run(lines, mode).await?)
            }
            Self::ExportUsers(contract, cursor) => {
                imports::page(&manage.all_users(contract.as_deref(), cursor.as_ref()).await?)
            }
            Self::Clients => {
                let clients = manage.clients().await?;
                json!({"clients": clients.iter().map(client).collect::<Vec<_>>()})
            }
        })
    }
}

fn optional_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| date_time(at).into())
}

fn shown(found: &FoundPerson) -> Value {
    let FoundPerson { user, sessions } = found;
    let User { id, realm, identifiers, attributes, created_at, expires_at, .. } = user;
    let attributes = attributes.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    json!({
        "contract": realm.contract(),
        "store": realm.shop(),
        "userId": id.as_str(),
        "createdAt": date_time(*created_at),
        "expiresAt": optional_time(*expires_at),
        "lastActiveAt": optional_time(user.last_active_at),
        "passwordChangedAt": optional_time(user.password_changed_at),
        "bannedAt": optional_time(user.banned_at),
        "hasPassword": user.password.is_some(),
        "identifiers": identifiers.iter().map(identifier).collect::<Vec<_>>(),
        "attributes": attributes.collect::<Map<_, _>>(),
        "sessions": sessions.iter().map(session).collect::<Vec<_>>(),
    })
}

fn identifier(known: &KnownBy) -> Value {
    json!({
        "kind": known.identifier.kind().as_str(),
        "value": known.identifier.as_written(),
        "verifiedAt": optional_time(known.verified_at()),
        "reservedUntil": optional_time(known.reserved_until()),
    })
}

fn session(session: &ListedSession) -> Value {
    let ListedSession { device, info, method, opened_at, refreshed_at } = session;
    json!({
        "deviceId": device.as_str(),
        "method": method.map(SignInMethod::as_str),
        "openedAt": date_time(*opened_at),
        "refreshedAt": optional_time(*refreshed_at),
        "platform": info.platform,
        "model": info.model,
        "appVersion": info.app_version,
        "userAgent": info.user_agent,
    })
}

fn resent_message(resent: &Resent) -> Value {
    let Resent { recipient, purpose, expires_at } = resent;
    json!({"recipient": recipient.as_str(), "purpose": purpose.as_str(), "expiresAt": date_time(*expires_at)})
}

fn erased(person: &ErasedPerson) -> Value {
    let ErasedPerson { had_user, erased } = person;
    let Erased { sessions, challenges, budgets, credits, messages, history, waiting, in_delivery } =
        erased;
    json!({
        "erased": {"users": usize::from(*had_user), "sessions": sessions, "challenges": challenges,
            "budgets": budgets, "credits": credits, "messages": messages, "history": history, "outbox": waiting},
        "inDelivery": in_delivery,
        "isComplete": *in_delivery == 0,
        "keptElsewhere": {"archiveOfEventsDays": ARCHIVE_DAYS, "sealedAnswersHours": ANSWER_HOURS,
            "backupsDays": BACKUP_DAYS},
    })
}

fn exported(parts: StoredParts) -> Value {
    let tables = parts.into_iter().map(|(table, items)| {
        let item = |item: &Attributes| {
            let fields = item.iter().map(|(name, value)| (name.to_owned(), value.clone()));
            Value::Object(fields.collect())
        };
        (table.to_owned(), items.iter().map(item).collect())
    });
    json!({"stored": tables.collect::<Map<String, Value>>()})
}

fn client(client: &Client) -> Value {
    json!({
        "clientId": client.id.as_str(),
        "contract": client.realm.contract(),
        "store": client.realm.shop(),
        "scopes": client.scopes,
        "suspended": client.status == ClientStatus::Suspended,
        "secrets": if client.next_secret.is_some() { 2 } else { 1 },
        "createdAt": date_time(client.created_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(more: &Value) -> Value {
        let mut payload =
            json!({"verb": "find", "who": "support", "why": "ticket 7", "person": "+85291234567"});
        let fields = payload.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        fields.retain(|_, value| *value != json!("-"));
        payload
    }

    #[test]
    fn each_verb_is_read() {
        for verb in [
            "find", "history", "explain", "ban", "unban", "sign-out", "unlock", "resend", "erase",
            "export",
        ] {
            let read = PeopleRequest::read(&payload(&json!({"verb": verb}))).unwrap();
            assert_eq!(read.call.verb, verb);
            assert!(read.task.query().is_some());
        }
        let clients = payload(&json!({"verb": "clients", "person": "-"}));
        assert!(PeopleRequest::read(&clients).unwrap().task.query().is_none());
    }

    #[test]
    fn any_other_payload_is_refused_with_the_rule_that_it_breaks() {
        let cases = [
            (json!({"verb": "delete"}), PeopleRequestError::Verb),
            (json!({"verb": 1}), PeopleRequestError::Verb),
            (json!({"who": "-"}), PeopleRequestError::Reason),
            (json!({"why": " "}), PeopleRequestError::Reason),
            (json!({"why": "x".repeat(201)}), PeopleRequestError::Reason),
            (json!({"person": "-"}), PeopleRequestError::Person),
            (json!({"person": "a b"}), PeopleRequestError::Person),
            (json!({"store": "STORE1"}), PeopleRequestError::Realm),
            (json!({"contract": 1}), PeopleRequestError::Realm),
            (json!({"persons": 1}), PeopleRequestError::Fields),
            (json!({"ledger": "delete"}), PeopleRequestError::Fields),
            (json!({"verb": "erase", "ledger": "keep"}), PeopleRequestError::Ledger),
            (json!({"verb": "clients"}), PeopleRequestError::Fields),
        ];
        for (change, rule) in cases {
            assert_eq!(PeopleRequest::read(&payload(&change)).unwrap_err(), rule, "{change}");
        }
        assert_eq!(PeopleRequest::read(&json!([])).unwrap_err(), PeopleRequestError::Fields);
    }
}
