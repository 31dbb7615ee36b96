//! `DELETE /sessions` (Gotu): sign out of this session, or with `?all=true` of every one.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, Refusal, SignedIn};
use latchkey::http::{self, Answer};
use latchkey::usecases::SignOut;

/// What signing out takes.
pub struct DeleteSessions {
    /// Tells whose session it is.
    pub signed_in: SignedIn,
    /// Ends it.
    pub sign_out: SignOut,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &DeleteSessions, request: Request) -> Answer {
    gotu::answer(delete_sessions(endpoint, &request).await)
}

async fn delete_sessions(endpoint: &DeleteSessions, request: &Request) -> Result<Answer, Refusal> {
    let (user, device) = endpoint.signed_in.session(request).await?;
    let device = (!gotu::all_sessions(request)).then_some(device);
    endpoint.sign_out.run(user, device).await?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}
