//! The items of the tables: how values of the domain are written and read. Nothing here makes a
//! call. The data model (`README.md` of the adapter) describes every attribute.
//!
//! Times are numbers. Attributes that the code compares, such as `created_at`, hold seconds since
//! the epoch with milliseconds as a fraction ([`value::time`]). Attributes that DynamoDB deletes by
//! (TTL) hold the next whole second ([`value::purge_time`]).

pub(super) mod attributes;
pub(super) mod challenge;
pub(super) mod client;
pub(super) mod delivery;
pub(super) mod history;
pub(super) mod identifier;
pub(super) mod keys;
pub(super) mod outbox;
pub(super) mod realm;
pub(super) mod session;
pub(super) mod user;
pub(super) mod value;
pub(super) mod wallet;

use crate::domain::time::Timestamp;
use value::{Item, as_time};

/// Returns whether the item has expired. DynamoDB deletes an item some time after its expiry.
pub(super) fn is_over(item: &Item, now: Timestamp) -> bool {
    item.get("expires_at").and_then(as_time).is_some_and(|end| end <= now)
}
