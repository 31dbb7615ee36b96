//! `POST /sessions/refresh` (Gotu): exchanges a refresh token for its successor.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, RefreshRequest, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Successors, Ticket};
use latchkey::usecases::{OpenSession, Refresh, RefreshRefused, Renewal};
use latchkey::wiring::{TokenIssuer, Wiring};
use secrecy::ExposeSecret as _;

use std::sync::Arc;

struct PostSessionsRefresh {
    refresh: Refresh,
    issuer: TokenIssuer,
}

async fn post_sessions_refresh(
    endpoint: &PostSessionsRefresh,
    request: &Request,
) -> Result<Response, Refusal> {
    let RefreshRequest { refresh_token } = RefreshRequest::read(request)?;
    let device = gotu::client_device(request);
    let signer = endpoint.issuer.tokens.signer().await?;
    let write = |session: &OpenSession| {
        let session = gotu::session_issued(session, endpoint.issuer.lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &session))
    };
    let (ticket, renewed) = (Ticket::of(request), |renewal: &Renewal| write(&renewal.session));
    let recorder = ticket.recorder_of_successor(&renewed, gotu::successor);
    let token = refresh_token.expose_secret();
    let refreshed = endpoint.refresh.run(token, device.as_deref(), &recorder).await;
    let refreshed = refreshed.or_refuse(|RefreshRefused| Refusal::RefreshToken)?;
    Ok(write(&refreshed.session)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint =
        PostSessionsRefresh { refresh: wiring.refresh()?, issuer: wiring.token_issuer()? };
    let mut once = wiring.once(gotu::caller, Some(&endpoint.issuer.tokens))?;
    let (keys, presented) = (Arc::clone(&endpoint.refresh.keys), gotu::presented_token as _);
    once.once.successors = Some(Successors { keys, presented });
    wiring.serve_once(module_path!(), once, endpoint, post_sessions_refresh).await
}
