//! A shop with a client and a user, for the tests of what its users do.

use latchkey::domain::client::ClientId;
use latchkey::domain::id::UserId;
use usecases::{Core, ShopSignUp, email, phone};

/// A sign-up by e-mail and phone.
pub(crate) fn both() -> ShopSignUp {
    ShopSignUp { email: Some(email()), phone: Some(phone()), ..ShopSignUp::default() }
}

pub(crate) fn by_email() -> ShopSignUp {
    ShopSignUp { email: Some(email()), ..ShopSignUp::default() }
}

pub(crate) fn by_phone() -> ShopSignUp {
    ShopSignUp { phone: Some(phone()), ..ShopSignUp::default() }
}

/// Returns the core of a shop, and its client.
pub(crate) async fn shop() -> (Core, ClientId) {
    let core = Core::new().in_shop("one");
    let client = core.create_client(&["sign_up"]).await.id;
    (core, client)
}

/// Returns the core of a shop with one user, by e-mail and phone.
pub(crate) async fn shop_with_a_user() -> (Core, UserId) {
    let (core, client) = shop().await;
    let user = core.sign_up_to_verify(&client, both()).await.unwrap();
    (core, user)
}
