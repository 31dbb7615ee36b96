//! No route (every contract): replace the keys that tokens are signed and codes derived with.
//!
//! A schedule invokes it, and each key takes the step that is due. By hand, `{"at_once":["…"]}`
//! replaces keys without waiting, named by the variables that name their secrets.

use lambda_runtime::{Error, LambdaEvent};
use latchkey::domain::challenge::KeyId;
use latchkey::usecases::{KeyTurn, RotateKeys};
use serde_json::{Value, json};

/// Takes the steps, and answers with how the keys stand: ids, never a key.
///
/// # Errors
/// A key could not be looked at or replaced, whatever became of the others; or `at_once` names
/// something else than keys, and nothing was done.
pub async fn handle(rotate: &RotateKeys, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let turns = match event.payload.get("at_once") {
        None => rotate.run().await?,
        Some(names) => {
            let names: Vec<String> = serde_json::from_value(names.clone())?;
            rotate.at_once(&names).await?
        }
    };
    Ok(json!({"keys": turns.iter().map(spelled).collect::<Vec<_>>()}))
}

fn spelled(turn: &KeyTurn) -> Value {
    json!({
        "key": turn.key,
        "turn": turn.turn.as_str(),
        "current": turn.current.as_str(),
        "next": turn.next.as_ref().map(KeyId::as_str),
    })
}
