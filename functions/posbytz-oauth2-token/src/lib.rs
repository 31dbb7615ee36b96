//! `POST /ecommerce/oauth2/token` (PosBytz): an access token for a client that shows its secret.

use lambda_http::Request;
use latchkey::contracts::posbytz::{self, TokenAnswer, TokenRefusal, TokenRequest};
use latchkey::http::Answer;
use latchkey::ports::AccessTokens;
use latchkey::usecases::GrantClientToken;
use std::sync::Arc;
use std::time::Duration;

/// What giving a token takes.
pub struct Token {
    /// Lets the client in.
    pub grant: GrantClientToken,
    /// PosBytz's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long a token works.
    pub access_life: Duration,
}

/// OAuth 2.0's words in, OAuth 2.0's words out.
pub async fn handle(endpoint: &Token, request: Request) -> Answer {
    posbytz::token_answer(&token(endpoint, &request).await)
}

async fn token(endpoint: &Token, request: &Request) -> Result<TokenAnswer, TokenRefusal> {
    let TokenRequest { client, secret, scopes } = TokenRequest::read(request)?;
    let asked = scopes.is_some();
    let grant = endpoint.grant.run(&client, &secret, scopes).await?;
    let signer = endpoint.access_tokens.signer().await?;
    Ok(TokenAnswer::of(&grant, asked, endpoint.access_life, &*signer)?)
}
