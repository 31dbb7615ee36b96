//! No route (PosBytz): make a client, rotate its secrets, suspend it.
//!
//! An administrator invokes it; the payloads are those of `CONTRACT.md`.

use lambda_runtime::{Error, LambdaEvent};
use latchkey::contracts::posbytz::{self, ClientTask};
use latchkey::usecases::ManageClients;
use serde_json::Value;

/// Does what the payload says, and answers with the secret where there is a new one.
///
/// # Errors
/// The payload is refused or nothing changed; the message says why.
pub async fn handle(manage: &ManageClients, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let payload = event.payload;
    let new = match ClientTask::read(&payload)? {
        ClientTask::Create { realm, scopes } => manage.create(realm, scopes).await?,
        ClientTask::AddSecret(id) => manage.add_secret(id).await?,
        ClientTask::Retire(id, which) => {
            manage.retire(&id, which).await?;
            return Ok(posbytz::changed(&payload));
        }
        ClientTask::Suspend(id, suspended) => {
            manage.suspend(&id, suspended).await?;
            return Ok(posbytz::changed(&payload));
        }
    };
    Ok(posbytz::credentials(&new))
}
