//! The settings of session cookies.

use crate::domain::session::SessionLifetimes;

/// The settings of session cookies.
#[derive(Clone, Debug)]
pub struct CookiePolicy {
    pub lifetimes: SessionLifetimes,
    /// The domain whose hosts all get the cookies; if it is absent, only the host of the API does.
    pub domain: Option<String>,
}
