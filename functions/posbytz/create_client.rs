//! No route (PosBytz): creates an OAuth 2.0 client, rotates its secrets or suspends it.
//!
//! An administrator invokes it; the section "Clients" of `CONTRACT.md` describes the payloads.

use latchkey::contracts::posbytz::{self, ClientRequest, ClientTask};
use latchkey::runtime::{Error, serve_events};
use latchkey::usecases::ManageClients;
use latchkey::wiring::Bootstrap;
use serde_json::Value;
use std::sync::Arc;

/// Does what the payload asks for, and returns the secret if there is a new one.
async fn create_client(manage: &ManageClients, payload: Value) -> Result<Value, Error> {
    let ClientRequest { task, key } = ClientRequest::read(&payload)?;
    let new = match task {
        ClientTask::Create { realm, scopes } => manage.create(realm, scopes, key.as_ref()).await?,
        ClientTask::AddSecret(id) => manage.add_secret(id, key.as_ref()).await?,
        ClientTask::Retire(id, which) => {
            manage.retire(&id, which).await?;
            return Ok(posbytz::changed(&payload));
        }
        ClientTask::SetStatus(id, status) => {
            manage.set_status(&id, status).await?;
            return Ok(posbytz::changed(&payload));
        }
    };
    Ok(posbytz::credentials(&new))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut base = Bootstrap::from_env()?;
    let manage = ManageClients {
        clients: Arc::new(base.store()?),
        keys: base.answer_keys()?,
        clock: base.clock,
        entropy: base.entropy,
        contract: posbytz::PROFILE.name,
    };
    serve_events(module_path!(), manage, create_client).await
}
