//! The people in the tables: each user with what belongs to it.

use super::{AdminApi, Stack, error, failed};
use crate::backend::Key;
use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// What is known of a user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    contract: String,
    store: Option<String>,
    id: String,
    created_at: Option<String>,
    /// `verified` if the user proved an identifier or needs no proof.
    status: &'static str,
    profile: Map<String, Json>,
    identifiers: Vec<Identifier>,
    devices: Vec<Json>,
    sessions: Vec<Json>,
    history: Vec<Past>,
}

#[derive(Debug, Serialize)]
struct Identifier {
    kind: String,
    value: String,
    verified: bool,
}

/// An event about the user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Past {
    at: Json,
    what: Json,
    correlation_id: Json,
}

/// The tables with items that name a user in `user_id`.
const OWNED: [&str; 5] = ["Devices", "Sessions", "Identifiers", "Ledger", "Users"];

pub(super) async fn people(State(stack): Stack) -> Response {
    super::page("people", read(&stack).await)
}

async fn read(stack: &AdminApi) -> anyhow::Result<Vec<Person>> {
    let users = stack.items_of("Users").await?;
    let identifiers = stack.items_of("Identifiers").await?;
    let devices = stack.items_of("Devices").await?;
    let sessions = stack.items_of("Sessions").await?;
    let events = super::plain(&stack.aws.backend.events(None).await?)?;
    let mut people: Vec<_> = users
        .into_iter()
        .map(|user| {
            let id = text(&user, "user_id").unwrap_or_default().to_owned();
            let own = |items: &[Json]| {
                let is_own = |item: &&Json| text(item, "user_id") == Some(&id);
                items.iter().filter(is_own).cloned().collect::<Vec<_>>()
            };
            let names = own(&identifiers);
            let names = names.iter().filter_map(|item| identifier(&user, item)).collect();
            let has_word = format!("\"{id}\"");
            let past = events.iter().filter(|event| {
                event.get("detail").is_some_and(|detail| {
                    detail.to_string().contains(&has_word) || names_number(detail, &id)
                })
            });
            Person {
                contract: text(&user, "contract").unwrap_or_default().to_owned(),
                store: text(&user, "store").map(str::to_owned),
                created_at: seconds(&user, "created_at"),
                status: status(&user),
                profile: profile(&user),
                identifiers: names,
                devices: own(&devices),
                sessions: own(&sessions),
                history: past.map(Past::of).collect(),
                id,
            }
        })
        .collect();
    people.sort_by(|one, other| other.created_at.cmp(&one.created_at));
    Ok(people)
}

impl Past {
    fn of(event: &Json) -> Self {
        let part = |pointer: &str| event.pointer(pointer).cloned().unwrap_or_default();
        Self {
            at: part("/time"),
            what: part("/detailType"),
            correlation_id: part("/detail/correlationId"),
        }
    }
}

/// Returns whether an event has an id that is a number, as GoodCity's are.
fn names_number(detail: &Json, id: &str) -> bool {
    let names = |value: &Json| value.as_u64().is_some_and(|number| id.parse() == Ok(number));
    ["userId", "user_id", "id"].iter().any(|name| detail.get(name).is_some_and(names))
}

fn text<'i>(item: &'i Json, name: &str) -> Option<&'i str> {
    item.get(name)?.as_str()
}

fn flag(item: &Json, name: &str) -> Option<bool> {
    item.get(name)?.as_bool()
}

/// Returns a time of an item, which is in seconds.
fn seconds(item: &Json, name: &str) -> Option<String> {
    let seconds = item.get(name)?.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a time of this age fits")]
    let millis = (seconds * 1000.0).round() as i64;
    Some(crate::clock::iso_millis(millis))
}

fn status(user: &Json) -> &'static str {
    let proofs = ["phone_verified", "email_verified"].map(|name| flag(user, name));
    let is_proved = proofs.contains(&Some(true));
    let must = user.get("expires_at").is_some();
    if user.get("banned_at").is_some() {
        return "banned";
    }
    if is_proved || !must { "verified" } else { "unverified" }
}

/// Returns the attributes of a user that are no identifiers, without the hash of the password.
fn profile(user: &Json) -> Map<String, Json> {
    let hidden = ["user_id", "contract", "store", "password_hash", "attributes", "created_at"];
    let own = user.as_object().into_iter().flatten();
    let own = own.filter(|(name, _)| !hidden.contains(&name.as_str()));
    let attributes = user.get("attributes").and_then(Json::as_object).into_iter().flatten();
    let password =
        user.get("password_hash").is_some().then(|| ("password".to_owned(), true.into()));
    let all = attributes.chain(own).map(|(name, value)| (name.clone(), value.clone()));
    all.chain(password).collect()
}

/// Reads the key of an identifier: realm, kind and value.
fn identifier(user: &Json, item: &Json) -> Option<Identifier> {
    let key = text(item, "identifier")?;
    let realm = match text(user, "store") {
        Some(store) => format!("{}#{store}#", text(user, "contract")?),
        None => format!("{}#", text(user, "contract")?),
    };
    let (kind, value) = key.strip_prefix(&realm)?.split_once('#')?;
    if kind == "handle" {
        return None;
    }
    let verified = flag(user, &format!("{kind}_verified")).unwrap_or(true);
    Some(Identifier { kind: kind.to_owned(), value: value.to_owned(), verified })
}

/// Deletes every item of a user.
pub(super) async fn delete(
    State(stack): Stack,
    Path((contract, id)): Path<(String, String)>,
) -> Response {
    let Some(_) = find(&stack, &contract, &id).await else { return unknown(&contract, &id) };
    let mut deleted = Ok(());
    for table in OWNED {
        deleted = deleted.and(delete_items(&stack, table, &id).await);
    }
    stack.aws.activity.reload();
    match deleted {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => failed(&problem),
    }
}

async fn delete_items(stack: &AdminApi, table: &str, id: &str) -> anyhow::Result<()> {
    for item in owned(stack, table, id).await? {
        let table = stack.table(table).context("no such table")?;
        stack.aws.backend.delete_item(table, &Key::of(table, &item)?)?;
    }
    Ok(())
}

/// Ends the refresh tokens of a user and the codes that were sent to it.
pub(super) async fn expire(
    State(stack): Stack,
    Path((contract, id)): Path<(String, String)>,
) -> Response {
    let Some(user) = find(&stack, &contract, &id).await else { return unknown(&contract, &id) };
    let ended = async {
        for item in owned(&stack, "Sessions", &id).await? {
            stack.end_item("Sessions", &item, "expires_at")?;
        }
        let recipients: Vec<_> = ["phone", "email"]
            .iter()
            .filter_map(|kind| Some(format!("#{kind}#{}", text(&user, kind)?)))
            .collect();
        for item in stack.items_of("Challenges").await? {
            let key = text(&item, "challenge_id").unwrap_or_default();
            let is_to_user = recipients.iter().any(|recipient| key.ends_with(recipient));
            let holder = text(&item, "holder").map(str::trim);
            if (is_to_user || holder == Some(&id)) && item.get("nonce").is_some() {
                stack.end_item("Challenges", &item, "expires_at")?;
            }
        }
        anyhow::Ok(())
    };
    let ended = ended.await;
    stack.aws.activity.reload();
    match ended {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => failed(&problem),
    }
}

async fn owned(stack: &AdminApi, table: &str, id: &str) -> anyhow::Result<Vec<Json>> {
    let mut items = stack.items_of(table).await?;
    items.retain(|item| text(item, "user_id") == Some(id));
    Ok(items)
}

async fn find(stack: &AdminApi, contract: &str, id: &str) -> Option<Json> {
    let users = stack.items_of("Users").await.ok()?;
    let is_it =
        |user: &Json| text(user, "user_id") == Some(id) && text(user, "contract") == Some(contract);
    users.into_iter().find(is_it)
}

fn unknown(contract: &str, id: &str) -> Response {
    error(StatusCode::NOT_FOUND, &format!("{contract} has no user {id}"))
}
