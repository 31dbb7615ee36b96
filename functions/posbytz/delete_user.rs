//! `DELETE /ecommerce/v1/user` (PosBytz): deletes the signed-in customer of a shop after the
//! password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    ClientAuthenticator, CustomerDeleted, DeletionRequest, PROFILE, Refusal,
};
use latchkey::domain::source::Source;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::Users;
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{DeleteByPassword, NotProved};
use latchkey::wiring::Wiring;
use std::sync::Arc;

struct DeleteUser {
    clients: ClientAuthenticator,
    users: Arc<dyn Users>,
    delete: DeleteByPassword,
}

async fn delete_user(endpoint: &DeleteUser, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let customer = endpoint.clients.customer(&caller, &*endpoint.users, request).await?;
    let DeletionRequest { password } = DeletionRequest::read(request)?;
    let source = Source::of_client(caller.client);
    let write = |(): &()| Ok(http::json(StatusCode::OK, &CustomerDeleted::OK));
    let ticket = Ticket::of(request);
    let recorder = ticket.recorder(&write);
    let deleted = endpoint.delete.run(&customer, password, &source, &recorder).await;
    deleted.or_refuse(|NotProved| Refusal::Credentials)?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = DeleteUser {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        users: wiring.users()?,
        delete: wiring.delete_by_password()?,
    };
    let once = wiring
        .once(|endpoint: &DeleteUser, request| endpoint.clients.customer_of_key(request), None)?;
    wiring.serve_once(module_path!(), once, endpoint, delete_user).await
}
