//! Items of the table Challenges.

use super::attributes::{attributes_value, read_attributes};
use super::realm::{put_realm, read_realm};
use super::value::{
    Item, as_bytes, as_flag, as_number, as_text, as_time, bytes, flag, number, purge_time, read,
    text, time,
};
use super::{is_over, keys};
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, KeyId, Lane, Nonce, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::SourceMarks;
use crate::domain::password::PasswordHash;
use crate::domain::proof::{LiveCode, Opener};
use crate::domain::sends::{SendRecord, WindowCount};
use crate::domain::time::Timestamp;
use crate::domain::user::PendingSignUp;
use crate::ports::{ChallengeState, NewChallenge, NewHandle, PortError};
use aws_sdk_dynamodb::types::AttributeValue;

/// The most handles of a challenge that are remembered. A recipient gets fewer codes in the time for which a
/// handle is kept, and the item stays below a KiB.
const MOST_HANDLES: usize = 12;

/// Returns the attributes that name a challenge.
pub(crate) fn challenge_key_item(key: &ChallengeKey) -> Item {
    let mut item = Item::from([
        ("purpose".to_owned(), text(key.purpose.as_str())),
        ("channel".to_owned(), text(key.recipient.kind().as_str())),
        ("recipient".to_owned(), text(key.recipient.as_str())),
    ]);
    // The width is that of the longest name, so that the items of all lanes have the same size.
    item.insert("lane".to_owned(), text(format!("{:<9}", key.lane.as_str())));
    put_realm(&mut item, &key.realm);
    item
}

/// Reads the attributes that [`challenge_key_item`] returned.
pub(crate) fn read_challenge_key(item: &Item) -> Result<ChallengeKey, PortError> {
    let realm = read_realm(item)?;
    let channel = read(item, "channel", as_text)?;
    let recipient = Identifier::from_parts(channel, read(item, "recipient", as_text)?);
    let recipient =
        recipient.ok_or_else(|| PortError::new("read a stored item", "bad recipient"))?;
    let purpose = read(item, "purpose", |value| as_text(value).and_then(Purpose::from_name))?;
    // An item of the version before has no lane.
    let lane = item.get("lane").and_then(as_text).map(str::trim_end).and_then(Lane::from_name);
    let key = ChallengeKey::new(realm, purpose, recipient);
    Ok(key.in_lane(lane.unwrap_or(Lane::Strangers)))
}

fn window_count(item: &Item, window: &str, used: &str) -> WindowCount {
    let window = item.get(window).and_then(as_time);
    let used = item.get(used).and_then(as_number).and_then(|used| u32::try_from(used).ok());
    match (window, used) {
        (Some(window), Some(used)) => WindowCount { window, used },
        _ => WindowCount::EMPTY,
    }
}

fn send_record(item: &Item) -> SendRecord {
    SendRecord {
        revision: item.get("revision").and_then(as_number).unwrap_or(0),
        sent_at: item.get("sent_at").and_then(as_time),
        hour: window_count(item, "hour_window", "hour_sends"),
        day: window_count(item, "day_window", "day_sends"),
    }
}

/// Returns the state of the challenge with this item.
pub(crate) fn challenge_state(item: Option<&Item>, now: Timestamp) -> ChallengeState {
    let opened_by = item.and_then(|item| item.get("opened_by")).and_then(as_text);
    ChallengeState {
        sends: item.map_or(SendRecord::EMPTY, send_record),
        is_live: item.is_some_and(|item| item.contains_key("nonce") && !is_over(item, now)),
        nonce: item
            .and_then(|item| item.get("nonce"))
            .and_then(as_bytes)
            .and_then(Nonce::from_stored),
        opened_by: opened_by.map(SourceMarks::from_stored).unwrap_or_default(),
        handles: item.map(handles_of).unwrap_or_default(),
    }
}

/// Returns the SHA-256 of the last handles of a challenge.
pub(crate) fn handles_of(item: &Item) -> Vec<Vec<u8>> {
    let handles = item.get("handles").and_then(|value| value.as_l().ok());
    handles.into_iter().flatten().filter_map(as_bytes).map(<[u8]>::to_vec).collect()
}

/// Returns the value of the attribute with the last handles of a challenge, of which `new` is the newest.
pub(crate) fn handles_value(before: &[Vec<u8>], new: &[u8]) -> AttributeValue {
    let others = before.iter().map(Vec::as_slice).filter(|handle| *handle != new);
    let all: Vec<_> = others.chain([new]).collect();
    let skipped = all.len().saturating_sub(MOST_HANDLES);
    AttributeValue::L(all.into_iter().skip(skipped).map(bytes).collect())
}

/// Returns the attribute value of a sign-up that waits.
fn pending_value(pending: &PendingSignUp) -> AttributeValue {
    let identifiers = pending.identifiers.iter();
    let identifiers = identifiers
        .map(|known| (known.kind().as_str().to_owned(), text(known.as_written())))
        .collect();
    AttributeValue::M(Item::from([
        ("began_at".to_owned(), time(pending.began_at)),
        ("identifiers".to_owned(), AttributeValue::M(identifiers)),
        ("password_hash".to_owned(), text(pending.password.expose())),
        ("attributes".to_owned(), attributes_value(&pending.attributes)),
    ]))
}

/// Reads the value that [`pending_value`] returned.
fn read_pending(item: &Item) -> Result<Option<PendingSignUp>, PortError> {
    let Some(pending) = item.get("pending") else { return Ok(None) };
    let bad = |_: &AttributeValue| PortError::new("read a stored item", "bad attribute pending");
    let pending = pending.as_m().map_err(bad)?;
    let identifiers = read(pending, "identifiers", |value| value.as_m().ok())?;
    let identifiers = identifiers
        .iter()
        .filter_map(|(kind, value)| Identifier::from_parts(kind, as_text(value)?));
    // A sign-up of a version that did not store its beginning had one code.
    let began_at = pending.get("began_at").or_else(|| item.get("sent_at")).and_then(as_time);
    Ok(Some(PendingSignUp {
        began_at: began_at.unwrap_or_default(),
        identifiers: identifiers.collect(),
        password: PasswordHash::new(read(pending, "password_hash", as_text)?.to_owned()),
        attributes: read_attributes(pending)?,
    }))
}

/// Returns the value of the attribute `password_stated`.
pub(crate) const fn opener_value(opener: Opener) -> AttributeValue {
    flag(matches!(opener, Opener::StatedPassword))
}

/// Reads the opener of a challenge. A version that did not store it opened challenges of the purpose
/// [`Purpose::Verify`] only in the sign-up that stated the password, and all others elsewhere.
fn read_opener(item: &Item, purpose: Purpose) -> Opener {
    match (item.get("password_stated").and_then(as_flag), purpose) {
        (Some(true), _) | (None, Purpose::Verify) => Opener::StatedPassword,
        (Some(false) | None, _) => Opener::Other,
    }
}

/// Reads the code of the challenge `key`, or of its handle; `None` if the code was used.
fn read_code(item: &Item, key: ChallengeKey) -> Result<Option<LiveCode>, PortError> {
    if !item.contains_key("nonce") {
        return Ok(None);
    }
    let nonce = read(item, "nonce", |value| as_bytes(value).and_then(Nonce::from_stored))?;
    let key_id = read(item, "key_id", |value| as_text(value).map(KeyId::new))?;
    Ok(Some(LiveCode {
        opener: read_opener(item, key.purpose),
        seed: CodeSeed { key, nonce, key_id },
        sent: read(item, "sent", as_flag)?,
        counted_at: match item.get("counted").and_then(as_flag) {
            Some(true) => item.get("sent_at").and_then(as_time),
            _ => None,
        },
        handle: None,
        expires_at: read(item, "expires_at", as_time)?,
        holder: None,
        pending: None,
        last_guess: false,
    }))
}

/// Reads the code of a challenge; `None` if it was used.
pub(crate) fn read_live_code(
    item: &Item,
    key: &ChallengeKey,
) -> Result<Option<LiveCode>, PortError> {
    read_code(item, key.clone())
}

/// Reads what the link of the challenge `key` was derived from that was used.
pub(crate) fn read_used_link(
    item: &Item,
    key: &ChallengeKey,
) -> Result<Option<CodeSeed>, PortError> {
    if !item.contains_key("used_nonce") {
        return Ok(None);
    }
    let nonce = read(item, "used_nonce", |value| as_bytes(value).and_then(Nonce::from_stored))?;
    let key_id = read(item, "used_key_id", |value| as_text(value).map(KeyId::new))?;
    Ok(Some(CodeSeed { key: key.clone(), nonce, key_id }))
}

/// Reads the code of a handle; `None` if it was used. A handle allows `most` guesses.
pub(crate) fn read_held_code(
    item: &Item,
    handle: ChallengeHandle,
    most: u32,
) -> Result<Option<LiveCode>, PortError> {
    let Some(code) = read_code(item, read_challenge_key(item)?)? else { return Ok(None) };
    let holder = read(item, "holder", as_text)?.trim_end();
    let guesses = item.get("attempts").and_then(as_number);
    Ok(Some(LiveCode {
        handle: Some(handle),
        holder: (!holder.is_empty()).then(|| UserId::from_stored(holder)),
        pending: read_pending(item)?,
        last_guess: guesses.is_none_or(|guesses| guesses >= u64::from(most)),
        ..code
    }))
}

/// Returns the item of a handle. The item of the challenge has the same nonce and so decides which
/// handle is valid.
pub(crate) fn handle_item(new: &NewHandle, challenge: &NewChallenge) -> Item {
    let CodeSeed { key, nonce, key_id } = &challenge.seed;
    let holder = new.holder.as_ref().map(UserId::as_str).unwrap_or_default();
    // A sign-up whose code has expired can get another one.
    let resends_until = new.pending.as_ref().map(PendingSignUp::resends_until);
    let purge_at = resends_until.map_or(challenge.expires_at, |end| end.max(challenge.expires_at));
    let mut item = challenge_key_item(key);
    item.extend([
        ("challenge_id".to_owned(), text(keys::handle(&new.handle))),
        ("nonce".to_owned(), bytes(nonce.as_bytes())),
        ("key_id".to_owned(), text(key_id.as_str())),
        ("sent".to_owned(), flag(challenge.sent)),
        ("password_stated".to_owned(), opener_value(challenge.opener)),
        ("opened_by".to_owned(), text(challenge.opened_by.to_stored())),
        ("counted".to_owned(), flag(challenge.is_counted)),
        ("sent_at".to_owned(), time(challenge.sends.sent_at.unwrap_or_default())),
        ("attempts".to_owned(), number(0_u32)),
        ("expires_at".to_owned(), time(challenge.expires_at)),
        ("purge_at".to_owned(), purge_time(purge_at)),
        // The width is that of the longest id, a UUID, so that the items of decoys and users have the
        // same size.
        ("holder".to_owned(), text(format!("{holder:<36}"))),
    ]);
    if let Some(pending) = &new.pending {
        item.insert("pending".to_owned(), pending_value(pending));
    }
    item
}
