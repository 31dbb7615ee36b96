//! `POST /auth/login` (UrbanFits): sign in with e-mail or username and password.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::urbanfits::{
    self, CookiePolicy, LoginRequest, Refusal, UserAnswer, UserObject,
};
use latchkey::http::{self, Answer, Origins};
use latchkey::ports::{AccessTokens, TextSignatures};
use latchkey::usecases::SignInByPassword;
use std::sync::Arc;

/// What signing in takes.
pub struct Login {
    /// Compares the password.
    pub sign_in: SignInByPassword,
    /// Signs the sessions.
    pub sessions: Arc<dyn AccessTokens>,
    /// Signs the names of browsers.
    pub user_agents: Arc<dyn TextSignatures>,
    /// How cookies are set.
    pub cookies: CookiePolicy,
    /// Whose pages may send requests and read answers.
    pub origins: Origins,
}

/// UrbanFits' words in, UrbanFits' words out.
pub async fn handle(endpoint: &Login, request: Request) -> Answer {
    let answer = urbanfits::answer(login(endpoint, &request).await);
    endpoint.origins.readers(&request).tell(answer)
}

async fn login(endpoint: &Login, request: &Request) -> Result<Answer, Refusal> {
    // A stranger's page must not sign its visitor in as somebody else.
    if !endpoint.origins.admit(request) {
        return Err(Refusal::Origin);
    }
    let LoginRequest { visitor, password, remember_me, user_agent } = LoginRequest::read(request)?;
    let (session, agents) =
        (endpoint.sessions.signer().await?, endpoint.user_agents.signer().await?);
    let signed_in = endpoint.sign_in.run(password, visitor).await?;
    let agent = agents.sign(&user_agent);
    let shown = UserObject::of_known(&signed_in.user, signed_in.at, agent)?;
    let life = endpoint.cookies.lives.of(remember_me);
    let token = session.sign(&urbanfits::session_claims(&shown, signed_in.at, life)?)?;
    let answer = http::json(StatusCode::OK, &UserAnswer::signed_in(shown));
    Ok(urbanfits::session_cookies(answer, &token, life, &endpoint.cookies)?)
}
