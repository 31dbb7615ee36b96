//! Composition root: the only function that may change a key, and it may read none.

use lambda_runtime::Error;
use latchkey::adapters::secret_rotation::SecretRotation;
use latchkey::domain::key_rotation::RotationPace;
use latchkey::runtime::{RotationSettings, World, serve_events};
use latchkey::usecases::RotateKeys;
use rotate_keys::handle;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let RotationSettings { keys, interval } = RotationSettings::from_env()?;
    let rotate = RotateKeys {
        rotation: Arc::new(SecretRotation::new(&world.aws)),
        keys,
        pace: RotationPace { interval, copy_life: world.settings.key_ring_life },
        clock: world.clock,
        entropy: world.entropy,
    };
    serve_events(env!("CARGO_PKG_NAME"), |event| handle(&rotate, event)).await
}
