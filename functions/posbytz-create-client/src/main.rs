//! Composition root: the clients' table is all that this function may touch.

use lambda_runtime::Error;
use latchkey::contracts::posbytz;
use latchkey::runtime::{World, serve_events};
use latchkey::usecases::ManageClients;
use posbytz_create_client::handle;
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
    serve_events(env!("CARGO_PKG_NAME"), |event| handle(&manage, event)).await
}
