//! The names of the attributes that Gotu stores with a user.

/// The attribute with the type that the user signed up as.
pub(super) const USER_TYPE: &str = "user_type";
/// The attributes that access tokens contain.
pub(super) const TOKEN_CLAIMS: [&str; 1] = [USER_TYPE];
/// The attribute with the id of the user who referred this one.
pub(super) const REFERRAL_ID: &str = "referral_id";
/// The attribute with the campaign or page that the user came from.
pub(super) const SOURCE: &str = "source";
