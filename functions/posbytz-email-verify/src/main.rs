//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::posbytz::{self, PosBytzEvents};
use latchkey::runtime::{World, serve};
use latchkey::usecases::VerifyLink;
use posbytz_email_verify::handle;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    world.warm_up(&[&code_keys]).await;
    let store = Arc::new(world.store);
    let verify_link = VerifyLink {
        users: store.clone(),
        challenges: store,
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        wording: Arc::new(PosBytzEvents),
        clock: world.clock,
        entropy: world.entropy,
        contract: posbytz::NAME,
    };
    serve(env!("CARGO_PKG_NAME"), posbytz::internal_error, |request| handle(&verify_link, request))
        .await
}
