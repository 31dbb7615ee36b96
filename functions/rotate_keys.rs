//! No route (Latchkey): replaces the keys of tokens and codes.
//!
//! A schedule invokes it, and each key takes the step that is due. To replace keys at once, an
//! operator invokes it with `{"at_once":["…"]}`: the variables that name the secrets of the keys.

use latchkey::adapters::secret_rotation::SecretRotation;
use latchkey::domain::challenge::KeyId;
use latchkey::domain::key_rotation::RotationPolicy;
use latchkey::runtime::settings::{self, RotationSettings};
use latchkey::runtime::{Error, serve_events};
use latchkey::usecases::{KeyRotationReport, RotateKeys};
use latchkey::wiring::Bootstrap;
use serde_json::{Value, json};
use std::sync::Arc;

/// Takes the steps, and returns the state of each key. The state contains ids, but no keys.
async fn rotate_keys(rotate: &RotateKeys, event: Value) -> Result<Value, Error> {
    let reports = match event.get("at_once") {
        None => rotate.run().await?,
        Some(names) => {
            let names: Vec<String> = serde_json::from_value(names.clone())?;
            rotate.at_once(&names).await?
        }
    };
    Ok(json!({"keys": reports.iter().map(state).collect::<Vec<_>>()}))
}

fn state(report: &KeyRotationReport) -> Value {
    json!({
        "key": report.key,
        "turn": report.outcome.as_str(),
        "current": report.current.as_str(),
        "next": report.next.as_ref().map(KeyId::as_str),
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
