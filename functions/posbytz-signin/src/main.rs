//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::posbytz::{self, ClientsOnly, PosBytzEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{OpenSessions, SignInByPassword};
use posbytz_signin::{Signin, handle};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(posbytz::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let store = Arc::new(world.store);
    let open = OpenSessions {
        sessions: store.clone(),
        users: store.clone(),
        // A session is its token.
        devices: None,
        stated: &[],
        wording: Arc::new(PosBytzEvents),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
    };
    let sign_in = SignInByPassword {
        open,
        passwords: Arc::new(Argon2Passwords::new(world.settings.argon2, world.entropy)?),
        budgets: store,
        slow_down: world.settings.slow_down(),
        // One source is a shop's server, for all its customers.
        per_address_hour: world.settings.sends.per_client_hour,
        only_verified: true,
    };
    let access_tokens = Arc::new(JwtAccessTokens::new(token_keys));
    let endpoint = Signin {
        clients_only: ClientsOnly { access_tokens: access_tokens.clone(), clock: world.clock },
        sign_in,
        access_tokens,
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), posbytz::internal_error, |request| handle(&endpoint, request))
        .await
}
