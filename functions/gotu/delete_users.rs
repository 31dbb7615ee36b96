//! `DELETE /users` (Gotu): deletes the account of the signed-in user after the password or a code.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Authenticator, DeletionRequest, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{DeleteByCode, DeleteByPassword, Guess, NotProved, Presented};
use latchkey::wiring::Wiring;

struct DeleteUsers {
    authenticator: Authenticator,
    by_password: DeleteByPassword,
    by_code: DeleteByCode,
}

async fn delete_users(endpoint: &DeleteUsers, request: &Request) -> Result<Response, Refusal> {
    let asked = DeletionRequest::read(request)?;
    let (user, _) = endpoint.authenticator.session(request).await?;
    let source = gotu::source(request);
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let recorder = ticket.recorder(&write);
    match asked {
        DeletionRequest::Password(password) => {
            let deleted = endpoint.by_password.run(&user, password, &source, &recorder).await;
            deleted.or_refuse(|NotProved| Refusal::Password)?;
        }
        DeletionRequest::Code { key, code } => {
            let (presented, guess) =
                (Presented::Recipient(key), Guess { code: &code, source: &source });
            let deleted = endpoint.by_code.run(&user, presented, &guess, &recorder).await;
            deleted.or_refuse(|NotProved| Refusal::Code)?;
        }
    }
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let authenticator = Authenticator {
        access_tokens: wiring.access_tokens()?,
        sessions: wiring.sessions()?,
        clock: wiring.clock(),
    };
    let (by_password, by_code) =
        (wiring.delete_by_password()?, wiring.delete_by_code(gotu::STEADY_FOR)?);
    let endpoint = DeleteUsers { authenticator, by_password, by_code };
    let once = wiring.once(gotu::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, delete_users).await
}
