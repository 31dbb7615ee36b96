//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::urbanfits;
use latchkey::domain::sends::SendLimits;
use latchkey::runtime::{World, allowed_origins, log_guess_risk, serve};
use latchkey::usecases::{RequestCode, SendPolicy, StartSignUp};
use std::sync::Arc;
use std::time::Duration;
use urbanfits_signup::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let origins = allowed_origins(urbanfits::NAME);
    // The ids of the keys are enough to send: this endpoint could not derive a code.
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Ids)?;
    world.warm_up(&[&code_keys]).await;
    log_guess_risk(urbanfits::NAME, urbanfits::CODE_FORMAT, &world.settings);
    let store = Arc::new(world.store);
    // A sign-up that waits is in the way of the next for as long as its code lives; who used up
    // their guesses may start again at once (contracts.md C.1).
    let limits = SendLimits { pause: Duration::ZERO, ..world.settings.sends.limits };
    let start = StartSignUp {
        request_code: RequestCode {
            challenges: store.clone(),
            code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
            clock: world.clock,
            entropy: world.entropy.clone(),
            policy: SendPolicy { limits, ..world.settings.sends },
            handles: Some(urbanfits::otp_id),
        },
        passwords: Arc::new(Argon2Passwords::new(world.settings.argon2, world.entropy)?),
        budgets: store,
    };
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |request| {
        handle(&start, &origins, request)
    })
    .await
}
