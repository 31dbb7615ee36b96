//! Composition root: the clients' table is all that this function may touch.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use posbytz_create_client::handle;
use serde_json::Value;
use shared::contracts::posbytz;
use shared::runtime::World;
use shared::usecases::ManageClients;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let manage = ManageClients {
        clients: Arc::new(world.store),
        clock: world.clock,
        entropy: world.entropy,
        contract: posbytz::NAME,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| handle(&manage, event))).await
}
