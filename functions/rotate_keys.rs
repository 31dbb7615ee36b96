//! No route (Latchkey): replaces the keys of tokens and codes.
//!
//! A schedule invokes it, and each key takes the step that is due. An operator invokes it with
//! `{"at_once":["…"]}` to replace keys without waiting, named by the variables of their secrets.

use latchkey::adapters::secret_rotation::SecretRotation;
use latchkey::domain::challenge::KeyId;
use latchkey::domain::key_rotation::RotationPolicy;
use latchkey::runtime::settings::{self, RotationSettings};
use latchkey::runtime::{Error, serve_events};
use latchkey::usecases::{KeyRotationReport, RotateKeys};
use latchkey::wiring::Bootstrap;
use serde_json::{Value, json};
use std::sync::Arc;

/// Takes the steps, and returns the state of each key: ids, never a key.
async fn rotate_keys(rotate: &RotateKeys, event: Value) -> Result<Value, Error> {
    let turns = match event.get("at_once") {
        None => rotate.run().await?,
        Some(names) => {
            let names: Vec<String> = serde_json::from_value(names.clone())?;
            rotate.at_once(&names).await?
        }
    };
    Ok(json!({"keys": turns.iter().map(state).collect::<Vec<_>>()}))
}

fn state(turn: &KeyRotationReport) -> Value {
    json!({
        "key": turn.key,
        "turn": turn.outcome.as_str(),
        "current": turn.current.as_str(),
        "next": turn.next.as_ref().map(KeyId::as_str),
    })
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let base = Bootstrap::from_env()?;
    let RotationSettings { keys, interval } = RotationSettings::from_env()?;
    let rotate = RotateKeys {
        rotation: Arc::new(SecretRotation::new(&base.aws)),
        keys,
        policy: RotationPolicy { interval, copy_lifetime: settings::key_ring_lifetime()? },
        clock: base.clock,
        entropy: base.entropy,
    };
    serve_events(module_path!(), rotate, rotate_keys).await
}
