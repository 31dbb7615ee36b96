//! `DELETE /user/delete/me`, `DELETE /api/user/delete/me` (UrbanFits): deletes the account of the
//! signed-in user after the password, and clears both cookies.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{self, Authenticator, DeletionRequest, Refusal};
use latchkey::http::{self, CookiePolicy, Request, Response};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{DeleteByPassword, NotProved};
use latchkey::wiring::Wiring;

struct DeleteMe {
    authenticator: Authenticator,
    delete: DeleteByPassword,
    cookies: CookiePolicy,
}

async fn delete_me(endpoint: &DeleteMe, request: &Request) -> Result<Response, Refusal> {
    let DeletionRequest { password } = DeletionRequest::read(request)?;
    let (_, session) = endpoint.authenticator.user(request).await?;
    let write =
        |(): &()| urbanfits::cleared_cookies(urbanfits::account_deleted(), &endpoint.cookies);
    let (ticket, source) = (Ticket::of(request), http::source(request));
    let recorder = ticket.recorder(&write);
    let deleted = endpoint.delete.run(&session.user, password, &source, &recorder).await;
    deleted.or_refuse(|NotProved| Refusal::Credentials)?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let authenticator = Authenticator {
        access_tokens: wiring.access_tokens()?,
        sessions: wiring.sessions()?,
        clock: wiring.clock(),
    };
    let (delete, cookies) = (wiring.delete_by_password()?, wiring.cookies()?);
    let endpoint = DeleteMe { authenticator, delete, cookies };
    let once = wiring.once(urbanfits::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, delete_me).await
}
