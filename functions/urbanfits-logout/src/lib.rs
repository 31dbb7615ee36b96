//! `POST /auth/logout` (UrbanFits): end the session, or with `all` every one, and clear both cookies.

use lambda_http::Request;
use latchkey::contracts::urbanfits::{self, CookiePolicy, LogoutRequest, Refusal, SignedIn};
use latchkey::http::{Answer, Origins};
use latchkey::usecases::SignOut;

/// What signing out takes.
pub struct Logout {
    /// Tells whose session it is.
    pub signed_in: SignedIn,
    /// Ends it.
    pub sign_out: SignOut,
    /// How cookies are set.
    pub cookies: CookiePolicy,
    /// Whose pages may send requests and read answers.
    pub origins: Origins,
}

/// UrbanFits' words in, UrbanFits' words out.
pub async fn handle(endpoint: &Logout, request: Request) -> Answer {
    let answer = urbanfits::answer(logout(endpoint, &request).await);
    endpoint.origins.readers(&request).tell(answer)
}

async fn logout(endpoint: &Logout, request: &Request) -> Result<Answer, Refusal> {
    // The cookies come along with any page's request.
    if !endpoint.origins.admit(request) {
        return Err(Refusal::Origin);
    }
    let LogoutRequest { all } = LogoutRequest::read(request)?;
    match endpoint.signed_in.user(request).await {
        Ok((_, session)) if all => endpoint.sign_out.run(session.user, None).await?,
        Ok((_, session)) => endpoint.sign_out.of_token(session).await?,
        // Who has no session has nothing to end, and may have cookies to clear.
        Err(Refusal::Session) => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(urbanfits::cleared_cookies(urbanfits::signed_out(), &endpoint.cookies)?)
}
