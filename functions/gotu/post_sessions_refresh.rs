//! `POST /sessions/refresh` (Gotu): exchanges a refresh token for its successor.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, RefreshRequest, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{Refresh, RefreshRefused};
use latchkey::wiring::{TokenIssuer, Wiring};
use secrecy::ExposeSecret as _;

struct PostSessionsRefresh {
    refresh: Refresh,
    issuer: TokenIssuer,
}

async fn post_sessions_refresh(
    endpoint: &PostSessionsRefresh,
    request: &Request,
) -> Result<Response, Refusal> {
    let RefreshRequest { refresh_token } = RefreshRequest::read(request)?;
    let signer = endpoint.issuer.tokens.signer().await?;
    let refreshed = endpoint.refresh.run(refresh_token.expose_secret()).await;
    let refreshed = refreshed.or_refuse(|RefreshRefused| Refusal::RefreshToken)?;
    let session = gotu::session_issued(&refreshed.session, endpoint.issuer.lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint =
        PostSessionsRefresh { refresh: wiring.refresh()?, issuer: wiring.token_issuer()? };
    wiring.serve(module_path!(), endpoint, post_sessions_refresh).await
}
