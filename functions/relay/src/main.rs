//! Composition root: the only function that speaks to the world outside the store.

use lambda_runtime::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::eventbridge::EventBridgeEvents;
use latchkey::adapters::key_ring::Contents;
use latchkey::adapters::ses::SesMail;
use latchkey::adapters::sns::SnsTexts;
use latchkey::contracts::AllContracts;
use latchkey::runtime::{World, serve_events};
use latchkey::usecases::DeliverEffects;
use relay::handle;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    world.warm_up(&[&code_keys]).await;
    let (aws, settings) = (&world.aws, world.settings);
    let store = Arc::new(world.store);
    let deliver = DeliverEffects {
        outbox: store.clone(),
        challenges: store,
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        wording: Arc::new(AllContracts {
            code_host: settings.code_host,
            public_url: settings.public_url,
        }),
        texts: Arc::new(SnsTexts::new(aws, settings.sms)),
        mail: Arc::new(SesMail::new(aws, settings.email_sender)),
        events: Arc::new(EventBridgeEvents::new(aws, settings.event_bus)),
        clock: world.clock,
    };
    serve_events(env!("CARGO_PKG_NAME"), |event| handle(&deliver, event)).await
}
