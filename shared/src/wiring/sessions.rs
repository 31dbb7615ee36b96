//! Wiring of sessions: signing in and out, refreshing, tokens, cookies.

use super::Wiring;
use crate::adapters::dynamodb::DynamoSequenceIds;
use crate::adapters::jwt::{JwsTexts, JwtAccessTokens};
use crate::adapters::key_ring::KeyRingScope;
use crate::adapters::refresh_keys::HmacRefreshKeys;
use crate::domain::session::{REMEMBERED_LIFETIME, SessionLifetimes};
use crate::http::{AllowedOrigins, CookiePolicy};
use crate::ports::{AccessTokens, Clock, Entropy, SequenceIds, Sessions, TextSignatures, Users};
use crate::runtime::{Error, settings};
use crate::usecases::{
    OpenSessions, Refresh, SessionOwner, SignInByCode, SignInByPassword, SignOut,
};
use std::sync::Arc;
use std::time::Duration;

/// The access tokens of a contract, and their settings.
pub struct TokenIssuer {
    pub tokens: Arc<dyn AccessTokens>,
    /// The lifetime of a token.
    pub lifetime: Duration,
    /// The issuer, if the environment names it and not the contract itself.
    pub name: Option<String>,
}

impl Wiring {
    /// The contract's access tokens, to be signed and checked.
    pub fn access_tokens(&mut self) -> Result<Arc<dyn AccessTokens>, Error> {
        let ring =
            self.base.key_ring(&settings::token_key(self.profile.name)?, KeyRingScope::WithKeys)?;
        Ok(Arc::new(JwtAccessTokens::new(ring)))
    }

    /// The contract's access tokens, with the lifetime and the issuer of new ones.
    pub fn token_issuer(&mut self) -> Result<TokenIssuer, Error> {
        Ok(TokenIssuer {
            tokens: self.access_tokens()?,
            lifetime: settings::access_token_lifetime(self.profile.name)?,
            name: settings::token_issuer(self.profile.name),
        })
    }

    /// The signatures of the names of browsers.
    pub fn user_agents(&mut self) -> Result<Arc<dyn TextSignatures>, Error> {
        let key = settings::user_agent_key(self.profile.name)?;
        Ok(Arc::new(JwsTexts::new(self.base.key_ring(&key, KeyRingScope::WithKeys)?)))
    }

    fn open_sessions(&mut self) -> Result<OpenSessions, Error> {
        let store = self.base.store()?;
        let devices = match self.profile.sessions {
            SessionOwner::Device => {
                Some(Arc::new(DynamoSequenceIds::new(store.clone())) as Arc<dyn SequenceIds>)
            }
            SessionOwner::Token => None,
        };
        let store = Arc::new(store);
        Ok(OpenSessions {
            sessions: Arc::clone(&store) as _,
            users: store,
            devices,
            token_claims: self.profile.token_claims,
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        })
    }

    /// The sign-in by password.
    pub fn sign_in_by_password(&mut self) -> Result<SignInByPassword, Error> {
        Ok(SignInByPassword {
            open: self.open_sessions()?,
            passwords: self.passwords()?,
            budgets: Arc::new(self.base.store()?),
            backoff: settings::backoff()?,
            per_source_hour: self.guesses_per_source_hour()?,
            admission: self.profile.admission,
        })
    }

    /// The sign-in by code.
    pub fn sign_in_by_code(&mut self) -> Result<SignInByCode, Error> {
        Ok(SignInByCode { open: self.open_sessions()?, check_code: self.check_code()? })
    }

    /// The use case that exchanges refresh tokens.
    pub fn refresh(&mut self) -> Result<Refresh, Error> {
        let key = settings::refresh_key(self.profile.name)?;
        Ok(Refresh {
            sessions: Arc::new(self.base.store()?),
            keys: Arc::new(HmacRefreshKeys::new(self.base.key_ring(&key, KeyRingScope::WithKeys)?)),
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        })
    }

    /// The use case that ends sessions.
    pub fn sign_out(&mut self) -> Result<SignOut, Error> {
        Ok(SignOut {
            sessions: Arc::new(self.base.store()?),
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        })
    }

    /// The sessions in the store.
    pub fn sessions(&mut self) -> Result<Arc<dyn Sessions>, Error> {
        Ok(Arc::new(self.base.store()?))
    }

    /// The users in the store.
    pub fn users(&mut self) -> Result<Arc<dyn Users>, Error> {
        Ok(Arc::new(self.base.store()?))
    }

    /// The settings of the cookies of sessions.
    pub fn cookies(&self) -> Result<CookiePolicy, Error> {
        let usual = settings::session_lifetime(self.profile.name)?;
        let lifetimes = SessionLifetimes { usual, remembered: REMEMBERED_LIFETIME };
        Ok(CookiePolicy { lifetimes, domain: settings::cookie_domain(self.profile.name) })
    }

    /// The origins whose pages may send requests with cookies.
    #[must_use]
    pub fn allowed_origins(&self) -> AllowedOrigins {
        settings::allowed_origins(self.profile.name)
    }

    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.base.clock)
    }

    #[must_use]
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.base.entropy)
    }
}
