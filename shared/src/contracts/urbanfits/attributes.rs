//! The names of the attributes that UrbanFits stores with a user.

pub(super) const PHONE_PREFIX: &str = "phone_prefix";
pub(super) const PHONE_NUMBER: &str = "phone_number";
pub(super) const TIMEZONE: &str = "timezone";
pub(super) const USER_AGENT: &str = "user_agent";
