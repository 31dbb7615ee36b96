//! Items of the table Ledger.

use super::value::{Item, number, text, time};
use crate::domain::id::UserId;
use crate::domain::wallet::Credit;

/// Returns the item of a ledger entry.
pub(crate) fn credit_item(user: &UserId, credit: &Credit) -> Item {
    Item::from([
        ("user_id".to_owned(), text(user.as_str())),
        ("entry_id".to_owned(), text(&credit.entry)),
        ("points".to_owned(), number(credit.points)),
        ("source".to_owned(), text(credit.source)),
        ("created_at".to_owned(), time(credit.at)),
    ])
}
