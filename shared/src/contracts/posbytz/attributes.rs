//! The names of the attributes that PosBytz stores with a user.

pub(super) const MOBILE_CODE: &str = "mobile_code";
pub(super) const REFERRAL_CODE: &str = "referral_code";
pub(super) const REFERRED_BY: &str = "referred_by";
