//! Wiring: builds what a function needs from the environment and the [`Profile`] of its contract.
//!
//! A function names the use cases that it needs. Each reads only its own settings, and registers the
//! key rings that it reads, so that the start opens all of them at once. The outermost room: only
//! the functions are further out.

mod accounts;
mod bootstrap;
mod codes;
mod sessions;

pub use bootstrap::Bootstrap;
pub use sessions::TokenIssuer;

use crate::adapters::argon2::Argon2Passwords;
use crate::adapters::key_ring::KeyRingScope;
use crate::domain::challenge::GuessLimits;
use crate::http::{Cors, Refusal, Request, Response};
use crate::ports::{CodeKeys, EventMapper, Passwords};
use crate::runtime::{Error, Handler, serve, settings};
use crate::usecases::{Callers, Profile};
use std::sync::Arc;

/// Builds the use cases of one contract's function.
pub struct Wiring {
    base: Bootstrap,
    profile: &'static Profile,
}

impl Wiring {
    /// Starts logging and reads the settings of AWS. Opens no connection.
    ///
    /// # Errors
    /// A variable is missing; the error names it. So do the errors of all other methods.
    pub fn of(profile: &'static Profile) -> Result<Self, Error> {
        Ok(Self { base: Bootstrap::from_env()?, profile })
    }

    /// Opens the connection to the store and reads the registered key rings; then serves requests
    /// until the process is ended, see [`serve`].
    ///
    /// # Errors
    /// The Lambda runtime cannot be reached.
    pub async fn serve<S, R, H>(
        self,
        module: &'static str,
        state: S,
        handler: H,
    ) -> Result<(), Error>
    where
        S: Send + Sync + 'static,
        R: Refusal,
        H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>> + Send,
    {
        self.base.warm_up().await;
        let cors = Cors { policy: R::CORS, origins: self.allowed_origins() };
        serve(module, cors, state, handler).await
    }

    fn events(&self) -> Arc<dyn EventMapper> {
        (self.profile.events)()
    }

    fn passwords(&self) -> Result<Arc<dyn Passwords>, Error> {
        let entropy = Arc::clone(&self.base.entropy);
        Ok(Arc::new(Argon2Passwords::new(settings::argon2()?, entropy)?))
    }

    /// The ids of the keys that codes are derived with. They are enough to send a code, and a
    /// function that has no more cannot derive one.
    fn code_key_ids(&mut self) -> Result<Arc<dyn CodeKeys>, Error> {
        self.base.code_keys(KeyRingScope::IdsOnly)
    }

    fn guess_limits(&self) -> Result<GuessLimits, Error> {
        let limits = settings::guess_limits()?;
        Ok(match self.profile.callers {
            Callers::People => limits,
            Callers::Servers => {
                GuessLimits { per_source_hour: settings::sends_per_client_hour()?, ..limits }
            }
        })
    }
}
