//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::urbanfits::{self, CookiePolicy, SignedIn, UrbanFitsEvents};
use latchkey::domain::session::{REMEMBERED_LIFE, SessionLives};
use latchkey::runtime::{CookieSettings, World, allowed_origins, serve};
use latchkey::usecases::SignOut;
use std::sync::Arc;
use urbanfits_logout::{Logout, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let cookies = CookieSettings::of_contract(urbanfits::NAME)?;
    let session_keys = world.key_ring(&cookies.key, Contents::Keys)?;
    world.warm_up(&[&session_keys]).await;
    let store = Arc::new(world.store);
    let endpoint = Logout {
        signed_in: SignedIn {
            access_tokens: Arc::new(JwtAccessTokens::new(session_keys)),
            sessions: store.clone(),
            clock: world.clock.clone(),
        },
        sign_out: SignOut {
            sessions: store,
            wording: Arc::new(UrbanFitsEvents),
            clock: world.clock,
            entropy: world.entropy,
        },
        cookies: CookiePolicy {
            lives: SessionLives { usual: cookies.life, remembered: REMEMBERED_LIFE },
            domain: cookies.domain,
        },
        origins: allowed_origins(urbanfits::NAME),
    };
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |request| handle(&endpoint, request))
        .await
}
