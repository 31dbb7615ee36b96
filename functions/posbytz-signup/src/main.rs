//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::posbytz::{self, ClientsOnly, PosBytzEvents};
use latchkey::runtime::{TokenSettings, World, log_guess_risk, serve};
use latchkey::usecases::SignUpToVerify;
use posbytz_signup::{Signup, handle};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(posbytz::NAME)?;
    // The ids of the keys are enough to send: this endpoint could derive neither link nor code.
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Ids)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    log_guess_risk(posbytz::NAME, posbytz::CODE_FORMAT, &world.settings);
    let store = Arc::new(world.store);
    let sign_up = SignUpToVerify {
        registrations: store.clone(),
        users: store.clone(),
        budgets: store,
        passwords: Arc::new(Argon2Passwords::new(world.settings.argon2, world.entropy.clone())?),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        wording: Arc::new(PosBytzEvents),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        policy: world.settings.sends,
    };
    let access_tokens = Arc::new(JwtAccessTokens::new(token_keys));
    let endpoint = Signup {
        clients_only: ClientsOnly { access_tokens, clock: world.clock },
        sign_up,
        entropy: world.entropy,
    };
    serve(env!("CARGO_PKG_NAME"), posbytz::internal_error, |request| handle(&endpoint, request))
        .await
}
