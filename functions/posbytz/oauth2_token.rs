//! `POST /ecommerce/oauth2/token` (PosBytz): issues an access token to the server of a shop.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{self, TokenRefusal, TokenRequest, TokenResponse};
use latchkey::http::{Request, Response};
use latchkey::runtime::Error;
use latchkey::usecases::GrantClientToken;
use latchkey::wiring::{TokenIssuer, Wiring};

struct Token {
    grant: GrantClientToken,
    issuer: TokenIssuer,
}

async fn oauth2_token(endpoint: &Token, request: &Request) -> Result<Response, TokenRefusal> {
    let request = TokenRequest::read(request)?;
    let requested = request.requested_scopes();
    let TokenRequest { client, secret, scopes } = request;
    let grant = endpoint.grant.run(&client, &secret, scopes).await;
    let grant = grant.or_refuse(TokenRefusal::from)?;
    let signer = endpoint.issuer.tokens.signer().await?;
    let token = TokenResponse::of(&grant, requested, endpoint.issuer.lifetime, &*signer)?;
    Ok(token.into_response())
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let endpoint = Token { grant: wiring.grant_client_token()?, issuer: wiring.token_issuer()? };
    wiring.serve(module_path!(), endpoint, oauth2_token).await
}
