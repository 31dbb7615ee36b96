//! The app that a request comes from.

use super::Refusal;
use lambda_http::Request;

/// The short names of the apps: the part before `.goodcity`.
const APPS: [&str; 4] = ["app", "admin", "stock", "browse"];
/// The donors' app. Every user may sign in to it, and its requests need no header.
pub(super) const DONORS: &str = "app";

/// The app of the `X-GOODCITY-APP-NAME` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct App(&'static str);

impl App {
    /// Reads the header. A request without one comes from the donors' app.
    ///
    /// # Errors
    /// [`Refusal::InvalidHost`] for an unknown app. It is decided before any look-up, so the response
    /// does not depend on the mobile (CONTRACT.md, "Requests").
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        let Some(name) = request.headers().get("x-goodcity-app-name") else {
            return Ok(Self(DONORS));
        };
        let name = name.to_str().unwrap_or_default();
        let short = name.strip_suffix(".goodcity").unwrap_or(name);
        let app = APPS.into_iter().find(|app| *app == short);
        app.map(Self).ok_or(Refusal::InvalidHost)
    }

    /// Returns whether it is the donors' app, which every user may sign in to. The other apps need a
    /// staff role, which no sign-up grants.
    #[must_use]
    pub fn is_for_donors(self) -> bool {
        self.0 == DONORS
    }

    /// The app's short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}
