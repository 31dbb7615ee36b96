//! The names of the attributes that GoodCity stores with a user.

pub(super) const FIRST_NAME: &str = "first_name";
pub(super) const LAST_NAME: &str = "last_name";
pub(super) const DISTRICT_ID: &str = "district_id";
pub(super) const ADDRESS_TYPE: &str = "address_type";
pub(super) const ADDRESS_ID: &str = "address_id";
