//! `POST /api/v1/auth/register_device` (GoodCity): the signed-in user's device gets push messages.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::goodcity::{self, Refusal, RegisterDeviceRequest, SignedIn};
use latchkey::http::{self, Answer};
use latchkey::usecases::{RegisterDevice, RegisterDeviceCommand};

/// What registering takes.
pub struct Register {
    /// Finds the user.
    pub signed_in: SignedIn,
    /// Registers the device.
    pub register_device: RegisterDevice,
}

/// GoodCity's words in, GoodCity's words out.
pub async fn handle(endpoint: &Register, request: Request) -> Answer {
    goodcity::answer(register_device(endpoint, &request).await)
}

async fn register_device(endpoint: &Register, request: &Request) -> Result<Answer, Refusal> {
    let user = endpoint.signed_in.user(request).await?;
    let RegisterDeviceRequest { info } = RegisterDeviceRequest::read(request)?;
    let command = RegisterDeviceCommand { realm: goodcity::realm(), user: user.id, info };
    endpoint.register_device.run(command).await?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}
