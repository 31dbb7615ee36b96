//! Users as they move in and out, as the function `people` takes and returns them (`shared/docs/moving.md`).

use super::envelope::date_time;
use crate::domain::attributes::Attributes;
use crate::domain::id::UserId;
use crate::domain::identifier::{Identifier, IdentifierKind};
use crate::domain::password::PasswordHash;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::UserPage;
use crate::usecases::{ImportMode, ImportReport, LineProblem, UserLine};
use jiff::Timestamp as Instant;
use serde_json::{Map, Value, json};

/// The most users of one call.
pub(super) const MOST_USERS: usize = 500;
/// The most bytes of the names and values of a user's attributes.
const MOST_ATTRIBUTE_BYTES: usize = 8192;
/// The fields of a line.
const FIELDS: [&str; 8] = [
    "contract",
    "store",
    "id",
    "identifiers",
    "attributes",
    "passwordHash",
    "createdAt",
    "bannedAt",
];

/// The users of a call, and whether they are written.
#[derive(Debug)]
pub(super) struct ImportRequest {
    pub(super) lines: Vec<Result<UserLine, LineProblem>>,
    pub(super) mode: ImportMode,
}

impl ImportRequest {
    /// Reads the fields `users` and `dryRun`; `None` if they have another form.
    pub(super) fn read(fields: &Map<String, Value>) -> Option<Self> {
        let users = fields.get("users").and_then(Value::as_array)?;
        let mode = match fields.get("dryRun") {
            None | Some(Value::Bool(false)) => ImportMode::Write,
            Some(Value::Bool(true)) => ImportMode::DryRun,
            Some(_) => return None,
        };
        let fits = (1..=MOST_USERS).contains(&users.len());
        fits.then(|| Self { lines: users.iter().map(line).collect(), mode })
    }
}

/// Reads an answer of the old system that users move in from: a line that can leave out `contract` and `store`, or has
/// those of the request.
///
/// # Errors
/// The rule that the answer breaks.
pub(super) fn moved_in_user(realm: &Realm, answer: &[u8]) -> Result<UserLine, LineProblem> {
    let mut answer: Value = serde_json::from_slice(answer).map_err(|_| LineProblem::Form)?;
    let fields = answer.as_object_mut().ok_or(LineProblem::Form)?;
    let stated = [("contract", Some(realm.contract())), ("store", realm.shop())];
    for (name, value) in stated.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        if fields.entry(name).or_insert_with(|| value.into()).as_str() != Some(value) {
            return Err(LineProblem::Form);
        }
    }
    line(&answer)
}

/// Writes what became of the lines, which are counted from 1.
pub(super) fn report(report: &ImportReport) -> Value {
    let problem = |(line, problem): &(usize, LineProblem)| json!({"line": line.saturating_add(1), "problem": problem.to_string()});
    json!({
        "created": report.created,
        "present": report.present,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

/// Writes a page of users, each as a line that can be imported.
pub(super) fn page(page: &UserPage) -> Value {
    let users: Vec<_> = page.users.iter().map(exported).collect();
    json!({"users": users, "cursor": page.next.as_ref().map(UserId::as_str)})
}

fn exported(user: &User) -> Value {
    let attributes = user.attributes.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let fields = [
        ("contract", Some(json!(user.realm.contract()))),
        ("store", user.realm.shop().map(Value::from)),
        ("id", Some(json!(user.id.as_str()))),
        ("identifiers", Some(user.identifiers.iter().map(exported_identifier).collect())),
        ("attributes", Some(Value::Object(attributes.collect()))),
        ("passwordHash", user.password.as_ref().map(|hash| hash.expose().into())),
        ("createdAt", Some(date_time(user.created_at).into())),
        ("bannedAt", user.banned_at.map(|at| date_time(at).into())),
    ];
    let stated = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(stated.collect())
}

fn exported_identifier(known: &KnownBy) -> Value {
    let identifier = &known.identifier;
    let mut value = json!({"kind": identifier.kind().as_str(), "value": identifier.as_written()});
    if let (Some(at), Some(fields)) = (known.verified_at(), value.as_object_mut()) {
        fields.insert("verifiedAt".to_owned(), date_time(at).into());
    }
    value
}

fn line(value: &Value) -> Result<UserLine, LineProblem> {
    let fields = value.as_object().ok_or(LineProblem::Form)?;
    if !fields.keys().all(|name| FIELDS.contains(&name.as_str())) {
        return Err(LineProblem::Form);
    }
    let contract = text(fields, "contract", LineProblem::Form)?.ok_or(LineProblem::Form)?;
    let identifiers = fields.get("identifiers").and_then(Value::as_array);
    let identifiers = identifiers.ok_or(LineProblem::Form)?;
    let password = text(fields, "passwordHash", LineProblem::Hash)?;
    Ok(UserLine {
        contract,
        shop: text(fields, "store", LineProblem::Store)?,
        id: text(fields, "id", LineProblem::Id)?,
        identifiers: identifiers.iter().map(identifier).collect::<Result<_, _>>()?,
        attributes: attributes(fields.get("attributes"))?,
        password: password.map(PasswordHash::new),
        created_at: time(fields, "createdAt")?,
        banned_at: time(fields, "bannedAt")?,
    })
}

/// Reads a text that is not empty; absent and null are the same.
fn text(
    fields: &Map<String, Value>,
    name: &str,
    problem: LineProblem,
) -> Result<Option<String>, LineProblem> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(problem),
    }
}

fn time(fields: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, LineProblem> {
    let text = text(fields, name, LineProblem::Time)?;
    let read = |text: String| text.parse::<Instant>().map_err(|_| LineProblem::Time);
    let instant = text.map(read).transpose()?;
    Ok(instant.map(|instant| Timestamp::from_millis(instant.as_millisecond())))
}

fn identifier(value: &Value) -> Result<KnownBy, LineProblem> {
    let fields = value.as_object().ok_or(LineProblem::IdentifierForm)?;
    if !fields.keys().all(|name| ["kind", "value", "verifiedAt"].contains(&name.as_str())) {
        return Err(LineProblem::IdentifierForm);
    }
    let field = |name: &str| fields.get(name).and_then(Value::as_str);
    let kind = field("kind").and_then(IdentifierKind::from_name);
    let kind = kind.ok_or(LineProblem::IdentifierForm)?;
    let value = field("value").ok_or(LineProblem::IdentifierForm)?;
    let identifier = Identifier::from_parts(kind.as_str(), value);
    let identifier = identifier.ok_or(LineProblem::Invalid(kind))?;
    let verified_at = time(fields, "verifiedAt")?;
    // Nothing can be sent to the others, so they are never verified.
    if verified_at.is_some() && !identifier.receives_codes() {
        return Err(LineProblem::IdentifierForm);
    }
    Ok(KnownBy::from_stored(identifier, verified_at, None))
}

fn attributes(value: Option<&Value>) -> Result<Attributes, LineProblem> {
    let fields = match value {
        None | Some(Value::Null) => return Ok(Attributes::default()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(LineProblem::Attributes),
    };
    let mut bytes = 0_usize;
    for (name, value) in fields {
        let value = value.as_str().ok_or(LineProblem::Attributes)?;
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
    }
    if bytes > MOST_ATTRIBUTE_BYTES {
        return Err(LineProblem::Attributes);
    }
    Ok(fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}
