//! What is measured: requests to functions.

use crate::events;
use acceptance::goodcity::{new_mobile, otp_auth_key};
use acceptance::gotu::{PASSWORD, tokens};
use acceptance::{TestStack, goodcity, gotu, new_email, new_phone};
use serde_json::{Value, json};

/// A kind of request to one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// A request that has no route: the runtime and HTTP alone.
    NoRoute,
    /// A code for a new phone.
    RequestCode,
    /// A sign-up by e-mail and password.
    SignUp,
    /// The right pin of a sign-up.
    Verify,
    /// The exchange of a refresh token.
    Refresh,
}

impl Flow {
    pub(crate) const ALL: [Self; 5] =
        [Self::NoRoute, Self::RequestCode, Self::SignUp, Self::Verify, Self::Refresh];

    /// The name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no route",
            Self::RequestCode => "request a code",
            Self::SignUp => "sign up by e-mail",
            Self::Verify => "verify a pin",
            Self::Refresh => "refresh a session",
        }
    }

    /// The function that serves it.
    pub(crate) const fn function(self) -> &'static str {
        match self {
            Self::NoRoute => "fallback",
            Self::RequestCode => "gotu-post-otp",
            Self::SignUp => "gotu-post-users",
            Self::Verify => "goodcity-verify",
            Self::Refresh => "gotu-post-sessions-refresh",
        }
    }

    /// The status of its answer.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::NoRoute => 404,
            Self::RequestCode => 204,
            Self::SignUp | Self::Verify | Self::Refresh => 200,
        }
    }

    /// The event of a request for a new person, with all that has to happen before it.
    pub(crate) async fn event(self, stack: &TestStack) -> Value {
        let body = match self {
            Self::NoRoute => return events::without_route(),
            Self::RequestCode => json!({"identifier": new_phone(), "otpType": "sign_up"}),
            Self::SignUp => json!({"type": "email", "email": new_email(), "password": PASSWORD}),
            Self::Verify => {
                let mobile = new_mobile();
                let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
                json!({"otp_auth_key": key, "pin": goodcity(stack).pin(&mobile, 1).await})
            }
            Self::Refresh => {
                let session = gotu(stack).sign_up_by_email(&new_email()).await;
                json!({"refreshToken": tokens(&session).refresh})
            }
        };
        events::request(self.function(), &body)
    }
}
