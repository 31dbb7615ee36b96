//! `GET /user/get/me` (UrbanFits): the signed-in user.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::urbanfits::{self, Refusal, SignedIn, UserAnswer};
use latchkey::http::{self, Answer, Origins};

/// UrbanFits' words in, UrbanFits' words out.
pub async fn handle(signed_in: &SignedIn, origins: &Origins, request: Request) -> Answer {
    let answer = urbanfits::answer(get_me(signed_in, &request).await);
    origins.readers(&request).tell(answer)
}

async fn get_me(signed_in: &SignedIn, request: &Request) -> Result<Answer, Refusal> {
    let (user, _) = signed_in.user(request).await?;
    Ok(http::json(StatusCode::OK, &UserAnswer::known(user)))
}
