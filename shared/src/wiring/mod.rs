//! Wiring: builds what a function needs from the environment and the [`Profile`] of its contract.
//!
//! A function names the use cases that it needs. Each use case reads only its own settings and
//! registers its key rings, so that the start reads all of them at the same time. This is the
//! outermost layer; only the functions use it.

mod accounts;
mod bootstrap;
mod codes;
mod sessions;

pub use bootstrap::Bootstrap;
pub use sessions::TokenIssuer;

use crate::adapters::argon2::Argon2Passwords;
use crate::adapters::dynamodb::DynamoSequenceIds;
use crate::adapters::hashes::KnownFormats;
use crate::adapters::key_ring::KeyRingScope;
use crate::adapters::old_system::WebhookOldSystem;
use crate::domain::id::IdFormat;
use crate::domain::session::RefreshToken;
use crate::domain::test_numbers::TestNumbers;
use crate::http::{Cors, Refusal, Request, Response};
use crate::ports::{AccessTokens, Arrivals, CodeKeys, Passwords, SequenceIds};
use crate::runtime::{
    CallerOf, Error, Handler, Once, OnceFor, SecretForm, TestNumbersError, serve, settings,
    trace_with,
};
use crate::usecases::{
    Basics, Callers, Gate, ImportUsers, MoveIn, NewIds, Profile, Remembered, SourceLimits,
    UnknownThere, handle_of,
};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// Builds the use cases of one contract's function.
pub struct Wiring {
    base: Bootstrap,
    profile: &'static Profile,
    /// The integer ids. All use cases of a function take them from the same blocks.
    sequences: Option<Arc<dyn SequenceIds>>,
    remembered: Arc<Remembered>,
    /// What moves users in. All use cases of a function remember the same.
    move_in: Option<Arc<MoveIn>>,
}

impl Wiring {
    /// Starts logging and reads the settings of AWS. Opens no connection.
    ///
    /// # Errors
    /// A variable is missing or malformed. The error names it, here and in all other methods.
    pub fn of(profile: &'static Profile) -> Result<Self, Error> {
        let remembered = Arc::default();
        Ok(Self {
            base: Bootstrap::from_env()?,
            profile,
            sequences: None,
            remembered,
            move_in: None,
        })
    }

    /// Opens the connection to the store and reads the registered key rings; then serves requests
    /// until the process is ended, see [`serve`].
    ///
    /// # Errors
    /// A variable is missing, or the Lambda runtime cannot be reached.
    pub async fn serve<S, R, H>(
        self,
        module: &'static str,
        state: S,
        handler: H,
    ) -> Result<(), Error>
    where
        S: Send + Sync + 'static,
        R: Refusal + 'static,
        H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>> + Send,
    {
        self.serve_with(module, None, state, handler).await
    }

    async fn serve_with<S, R, H>(
        mut self,
        module: &'static str,
        once: Option<OnceFor<S, R>>,
        state: S,
        handler: H,
    ) -> Result<(), Error>
    where
        S: Send + Sync + 'static,
        R: Refusal + 'static,
        H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>> + Send,
    {
        trace_with(self.base.key_ring(&settings::trace_key()?, KeyRingScope::WithKeys)?);
        self.base.warm_up().await;
        let cors = Cors { policy: R::CORS, origins: settings::allowed_origins(self.profile.name) };
        serve(module, (cors, once), state, handler).await
    }

    /// What answers requests with idempotency keys once. A key belongs to the caller that `caller`
    /// returns. `tokens` are those in the answers.
    pub fn once<S, R>(
        &mut self,
        caller: CallerOf<S, R>,
        tokens: Option<&Arc<dyn AccessTokens>>,
    ) -> Result<OnceFor<S, R>, Error> {
        let mut forms: Vec<SecretForm> =
            vec![Box::new(|secret| RefreshToken::new(secret).expose().to_owned())];
        if let Some(write) = self.profile.handle {
            forms.push(Box::new(move |secret| handle_of(write, secret).expose().to_owned()));
        }
        let once = Once {
            answers: Arc::new(self.base.store()?),
            keys: self.base.answer_keys()?,
            tokens: tokens.map(Arc::clone),
            forms: forms.into(),
            successors: None,
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
            refused: Mutex::default(),
        };
        Ok(OnceFor { once, caller })
    }

    /// Serves requests like [`Wiring::serve`], and those with idempotency keys once.
    ///
    /// # Errors
    /// Those of [`Wiring::serve`].
    pub async fn serve_once<S, R, H>(
        self,
        module: &'static str,
        once: OnceFor<S, R>,
        state: S,
        handler: H,
    ) -> Result<(), Error>
    where
        S: Send + Sync + 'static,
        R: Refusal + 'static,
        H: for<'a> Handler<'a, S, &'a Request, Result<Response, R>> + Send,
    {
        self.serve_with(module, Some(once), state, handler).await
    }

    fn basics(&self) -> Result<Basics, Error> {
        Ok(Basics {
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
            event_mapper: (self.profile.events)(),
            test_numbers: self.test_numbers()?,
        })
    }

    /// The test numbers, of which those of the contract have codes in its format.
    fn test_numbers(&self) -> Result<TestNumbers, Error> {
        let numbers = self.base.test_numbers()?;
        let (contract, format) = (self.profile.name, self.profile.code_format);
        Ok(numbers.fitting(contract, format).map_err(TestNumbersError::from)?)
    }

    /// The ids in this format.
    fn ids(&mut self, format: IdFormat) -> Result<NewIds, Error> {
        let sequences = match &self.sequences {
            Some(sequences) => Arc::clone(sequences),
            None => Arc::new(DynamoSequenceIds::new(self.base.store()?)),
        };
        self.sequences = Some(Arc::clone(&sequences));
        Ok(NewIds { format, sequences, entropy: Arc::clone(&self.base.entropy) })
    }

    fn passwords(&self) -> Result<Arc<dyn Passwords>, Error> {
        let entropy = Arc::clone(&self.base.entropy);
        let passwords =
            Argon2Passwords::new(settings::argon2()?, settings::password_hasher()?, entropy)?;
        let imported = settings::imported_hashes(self.profile.name)?;
        Ok(Arc::new(passwords.with_imported(&imported)))
    }

    /// The ids of the keys that codes are derived with. A function that only requests codes needs no
    /// more, and so it cannot derive a code.
    fn code_key_ids(&mut self) -> Result<Arc<dyn CodeKeys>, Error> {
        self.base.code_keys(KeyRingScope::IdsOnly)
    }

    /// What judges the sources of requests, and moves users in from the old system if there is one.
    fn moving_gate(&mut self) -> Result<Gate, Error> {
        Ok(Gate { move_in: self.move_in()?, ..self.gate()? })
    }

    fn move_in(&mut self) -> Result<Option<Arc<MoveIn>>, Error> {
        let Some((url, key)) = settings::old_system(self.profile.name)? else { return Ok(None) };
        if self.move_in.is_none() {
            let key = self.base.key_ring(&key, KeyRingScope::WithKeys)?;
            let tools = (Arc::clone(&self.base.clock), Arc::clone(&self.base.entropy));
            self.move_in = Some(Arc::new(MoveIn {
                old: Arc::new(WebhookOldSystem::new(url, key, tools)?),
                read: self.profile.moved_in,
                import: ImportUsers {
                    store: Arc::new(self.base.store()?),
                    formats: Arc::new(KnownFormats),
                    contracts: vec![self.profile],
                    arrivals: Arrivals::Once,
                    clock: Arc::clone(&self.base.clock),
                },
                highest_id: match self.profile.user_ids {
                    IdFormat::Number => Some(settings::highest_old_id()?),
                    IdFormat::ObjectId | IdFormat::Uuid => None,
                },
                reserved: OnceCell::new(),
                unknown: UnknownThere::default(),
            }));
        }
        Ok(self.move_in.clone())
    }

    /// What judges the sources of requests. All use cases of a function remember the same.
    fn gate(&mut self) -> Result<Gate, Error> {
        let store = Arc::new(self.base.store()?);
        let (sends_per_hour, guesses_per_hour) = match self.profile.callers {
            Callers::People => {
                (settings::sends_per_source_hour()?, settings::guesses_per_source_hour()?)
            }
            Callers::Servers => {
                let per_client = settings::sends_per_client_hour()?;
                (per_client, per_client)
            }
        };
        let wrong_codes_per_hour = settings::wrong_codes_per_hour()?;
        Ok(Gate {
            standings: Arc::clone(&store) as _,
            budgets: store,
            entropy: Arc::clone(&self.base.entropy),
            remembered: Arc::clone(&self.remembered),
            contract: self.profile.name,
            limits: SourceLimits { sends_per_hour, guesses_per_hour, wrong_codes_per_hour },
            history: self.base.write_history()?,
            move_in: None,
        })
    }
}
