//! GoodCity's user object (CONTRACT.md, "The user object").

use super::{attributes, claims, mobile};
use crate::domain::user::User;
use crate::ports::PortError;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A user as responses show it.
#[derive(Debug, JsonSchema, Serialize)]
pub struct UserObject {
    addresses: Vec<Address>,
    /// Always empty: no sign-up grants permissions.
    permissions: [Value; 0],
    user_profile: Profile,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Address {
    id: u32,
    street: Option<String>,
    flat: Option<String>,
    building: Option<String>,
    district_id: Option<u32>,
    addressable_id: u32,
    #[schemars(extend("const" = "User"))]
    addressable_type: &'static str,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Profile {
    id: u32,
    first_name: Option<String>,
    last_name: Option<String>,
    mobile: String,
    address_id: Option<u32>,
    permission_id: Option<u32>,
}

impl UserObject {
    /// The object of a user.
    ///
    /// # Errors
    /// The user does not belong to GoodCity: the id is not an integer, or there is no mobile.
    pub fn of(user: &User) -> Result<Self, PortError> {
        let id = claims::user_number(&user.id)?;
        let attribute = |name: &str| user.attributes.text(name);
        let number = |name: &str| attribute(name).and_then(|text| text.parse().ok());
        let address_id = number(attributes::ADDRESS_ID);
        let address = address_id.map(|address_id| Address {
            id: address_id,
            street: None,
            flat: None,
            building: None,
            district_id: number(attributes::DISTRICT_ID),
            addressable_id: id,
            addressable_type: "User",
        });
        Ok(Self {
            addresses: address.into_iter().collect(),
            permissions: [],
            user_profile: Profile {
                id,
                first_name: attribute(attributes::FIRST_NAME).map(str::to_owned),
                last_name: attribute(attributes::LAST_NAME).map(str::to_owned),
                mobile: mobile::shown(mobile::of(&user.identifiers)?.text()).to_owned(),
                address_id,
                permission_id: None,
            },
        })
    }
}
