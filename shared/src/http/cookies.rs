//! The settings of session cookies.

use crate::domain::session::SessionLifetimes;

/// How the cookies of sessions are set.
#[derive(Clone, Debug)]
pub struct CookiePolicy {
    /// How long sessions last.
    pub lifetimes: SessionLifetimes,
    /// The domain whose hosts all get the cookies; without it, only the host that set them.
    pub domain: Option<String>,
}
