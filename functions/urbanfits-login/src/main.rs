//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::jwt::{JwsTexts, JwtAccessTokens};
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::urbanfits::{self, CookiePolicy, UrbanFitsEvents};
use latchkey::domain::session::{REMEMBERED_LIFE, SessionLives};
use latchkey::runtime::{CookieSettings, World, allowed_origins, serve};
use latchkey::usecases::{OpenSessions, SignInByPassword};
use std::sync::Arc;
use urbanfits_login::{Login, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let cookies = CookieSettings::of_contract(urbanfits::NAME)?;
    let session_keys = world.key_ring(&cookies.key, Contents::Keys)?;
    let user_agent_keys = world.key_ring(&cookies.user_agent_key, Contents::Keys)?;
    world.warm_up(&[&session_keys, &user_agent_keys]).await;
    let store = Arc::new(world.store);
    let open = OpenSessions {
        sessions: store.clone(),
        users: store.clone(),
        // A session is its cookie.
        devices: None,
        stated: &[],
        wording: Arc::new(UrbanFitsEvents),
        clock: world.clock,
        entropy: world.entropy.clone(),
    };
    let sign_in = SignInByPassword {
        open,
        passwords: Arc::new(Argon2Passwords::new(world.settings.argon2, world.entropy)?),
        budgets: store,
        slow_down: world.settings.slow_down(),
        per_address_hour: world.settings.guesses.per_address_hour,
        // Nobody is made here whose address is not proved.
        only_verified: true,
    };
    let endpoint = Login {
        sign_in,
        sessions: Arc::new(JwtAccessTokens::new(session_keys)),
        user_agents: Arc::new(JwsTexts::new(user_agent_keys)),
        cookies: CookiePolicy {
            lives: SessionLives { usual: cookies.life, remembered: REMEMBERED_LIFE },
            domain: cookies.domain,
        },
        origins: allowed_origins(urbanfits::NAME),
    };
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |request| handle(&endpoint, request))
        .await
}
