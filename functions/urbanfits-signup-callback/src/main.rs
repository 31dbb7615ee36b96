//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::{JwsTexts, JwtAccessTokens};
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::urbanfits::{self, CookiePolicy, UrbanFitsEvents};
use latchkey::domain::session::{REMEMBERED_LIFE, SessionLives};
use latchkey::runtime::{CookieSettings, World, allowed_origins, serve};
use latchkey::usecases::{CheckCode, CompleteSignUp};
use std::sync::Arc;
use urbanfits_signup_callback::{Callback, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let cookies = CookieSettings::of_contract(urbanfits::NAME)?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    let session_keys = world.key_ring(&cookies.key, Contents::Keys)?;
    let user_agent_keys = world.key_ring(&cookies.user_agent_key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &session_keys, &user_agent_keys]).await;
    let store = Arc::new(world.store);
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store.clone(),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: world.settings.guesses,
        format: urbanfits::CODE_FORMAT,
        realm: urbanfits::realm(),
    };
    let complete = CompleteSignUp {
        check_code,
        registrations: store,
        wording: Arc::new(UrbanFitsEvents),
        clock: world.clock,
        entropy: world.entropy.clone(),
        wallet: urbanfits::WALLET,
    };
    let endpoint = Callback {
        complete,
        sessions: Arc::new(JwtAccessTokens::new(session_keys)),
        user_agents: Arc::new(JwsTexts::new(user_agent_keys)),
        cookies: CookiePolicy {
            lives: SessionLives { usual: cookies.life, remembered: REMEMBERED_LIFE },
            domain: cookies.domain,
        },
        entropy: world.entropy,
        origins: allowed_origins(urbanfits::NAME),
    };
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |request| handle(&endpoint, request))
        .await
}
