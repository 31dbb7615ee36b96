//! `GET /api/v1/auth/current_user_profile` (GoodCity): the signed-in user.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::goodcity::{self, Refusal, SignedIn, UserObject};
use latchkey::http::{self, Answer};

/// GoodCity's words in, GoodCity's words out.
pub async fn handle(signed_in: &SignedIn, request: Request) -> Answer {
    goodcity::answer(current_user_profile(signed_in, &request).await)
}

async fn current_user_profile(signed_in: &SignedIn, request: &Request) -> Result<Answer, Refusal> {
    let user = signed_in.user(request).await?;
    Ok(http::json(StatusCode::OK, &UserObject::of(&user)?))
}
