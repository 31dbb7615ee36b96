//! `POST /auth/signup/callback` (UrbanFits): type the mailed code, and be registered and signed in.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::urbanfits::{
    self, CallbackRequest, CookiePolicy, Refusal, UserAnswer, UserObject,
};
use latchkey::http::{self, Answer, Origins};
use latchkey::ports::{AccessTokens, Entropy, TextSignatures, random};
use latchkey::usecases::CompleteSignUp;
use std::sync::Arc;

/// What completing a sign-up takes.
pub struct Callback {
    /// Checks the code and makes the account.
    pub complete: CompleteSignUp,
    /// Signs the sessions.
    pub sessions: Arc<dyn AccessTokens>,
    /// Signs the names of browsers.
    pub user_agents: Arc<dyn TextSignatures>,
    /// How cookies are set.
    pub cookies: CookiePolicy,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Whose pages may send requests and read answers.
    pub origins: Origins,
}

/// UrbanFits' words in, UrbanFits' words out.
pub async fn handle(endpoint: &Callback, request: Request) -> Answer {
    let answer = urbanfits::answer(callback(endpoint, &request).await);
    endpoint.origins.readers(&request).tell(answer)
}

async fn callback(endpoint: &Callback, request: &Request) -> Result<Answer, Refusal> {
    // A stranger's page must not sign its visitor in as somebody else.
    if !endpoint.origins.admit(request) {
        return Err(Refusal::Origin);
    }
    let CallbackRequest { handle, otp, attributes } = CallbackRequest::read(request)?;
    // Before the code is used up: without them the person would be registered and not signed in.
    let (session, agents) =
        (endpoint.sessions.signer().await?, endpoint.user_agents.signer().await?);
    let source = http::source_address(request);
    let user = endpoint.complete.run(handle, &otp, &source, attributes).await?;
    let shown = UserObject::of(&user, &*agents, &random(&*endpoint.entropy)?)?;
    let life = endpoint.cookies.lives.of(false);
    let token = session.sign(&urbanfits::session_claims(&shown, user.created_at, life)?)?;
    let answer = http::json(StatusCode::OK, &UserAnswer::registered(shown));
    Ok(urbanfits::session_cookies(answer, &token, life, &endpoint.cookies)?)
}
