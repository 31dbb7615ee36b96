//! Which app a request comes from.

use super::Refusal;
use lambda_http::Request;

/// The apps, by what stands before `.goodcity` in their names.
const KNOWN: [&str; 4] = ["app", "admin", "stock", "browse"];
/// The donors' app: the one that everybody may sign in to, and whose requests need no header.
pub(super) const DONORS: &str = "app";

/// The app of the `X-GOODCITY-APP-NAME` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct App(&'static str);

impl App {
    /// Reads the header; without one it is the donors' app.
    ///
    /// # Errors
    /// [`Refusal::InvalidHost`] for a name that is no app's: decided before any look-up, so the
    /// same for everybody (contracts.md 0.2, B.1).
    pub fn of(request: &Request) -> Result<Self, Refusal> {
        let Some(name) = request.headers().get("x-goodcity-app-name") else {
            return Ok(Self(DONORS));
        };
        let name = name.to_str().unwrap_or_default();
        let short = name.strip_suffix(".goodcity").unwrap_or(name);
        let known = KNOWN.into_iter().find(|known| *known == short);
        known.map(Self).ok_or(Refusal::InvalidHost)
    }

    /// Whether people who sign up themselves may use it: nobody gives themselves a staff role.
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
