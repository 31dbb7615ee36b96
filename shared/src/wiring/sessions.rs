//! Wiring of sessions: signing in and out, refreshing, tokens, cookies.

use super::Wiring;
use crate::adapters::jwt::{JwsTexts, JwtAccessTokens};
use crate::adapters::key_ring::KeyRingScope;
use crate::adapters::refresh_keys::HmacRefreshKeys;
use crate::domain::session::{REMEMBERED_LIFETIME, RefreshLimits, SessionLifetimes};
use crate::http::CookiePolicy;
use crate::ports::{AccessTokens, Clock, Devices, Entropy, Sessions, TextSignatures, Users};
use crate::runtime::{Error, settings};
use crate::usecases::{
    CheckPassword, OpenSessions, PasswordGate, Refresh, SessionOwner, SignInByPassword, SignOut,
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

    pub(super) fn open_sessions(&mut self) -> Result<OpenSessions, Error> {
        let devices = match self.profile.sessions {
            SessionOwner::Device(format) => Some(self.ids(format)?),
            SessionOwner::Token => None,
        };
        let entropy = Arc::clone(&self.base.entropy);
        Ok(OpenSessions { devices, token_claims: self.profile.token_claims, entropy })
    }

    /// The sign-in by password.
    pub fn sign_in_by_password(&mut self) -> Result<SignInByPassword, Error> {
        Ok(SignInByPassword {
            check: self.check_password()?,
            accounts: Arc::new(self.base.store()?),
            sessions: self.open_sessions()?,
            admission: self.profile.admission,
            resend: None,
            basics: self.basics()?,
        })
    }

    /// The check of passwords, which other use cases contain.
    pub(super) fn check_password(&mut self) -> Result<CheckPassword, Error> {
        Ok(CheckPassword {
            gate: self.moving_gate()?,
            users: Arc::new(self.base.store()?),
            attempts: self.password_gate()?,
            passwords: self.passwords()?,
        })
    }

    /// The use case that signs in with a password, and sends to a user who is not verified what
    /// verifies the identifier.
    pub fn sign_in_or_resend(&mut self) -> Result<SignInByPassword, Error> {
        let resend = Some(self.resend_verification()?);
        Ok(SignInByPassword { resend, ..self.sign_in_by_password()? })
    }

    pub(super) fn password_gate(&mut self) -> Result<PasswordGate, Error> {
        let attempts = Arc::new(self.base.store()?);
        Ok(PasswordGate { attempts, backoff: settings::backoff()? })
    }

    /// The use case that exchanges refresh tokens. Its answer does not carry the user.
    pub fn refresh(&mut self) -> Result<Refresh, Error> {
        let key = settings::refresh_key(self.profile.name)?;
        let store = Arc::new(self.base.store()?);
        Ok(Refresh {
            tokens: Arc::clone(&store) as _,
            sessions: store,
            keys: Arc::new(HmacRefreshKeys::new(self.base.key_ring(&key, KeyRingScope::WithKeys)?)),
            users: None,
            limits: RefreshLimits {
                repeat: settings::refresh_repeat(self.profile.name)?,
                lifetime: settings::session_lifetime(self.profile.name)?,
            },
            basics: self.basics()?,
        })
    }

    /// The use case that ends sessions.
    pub fn sign_out(&mut self) -> Result<SignOut, Error> {
        let sessions = Arc::new(self.base.store()?);
        Ok(SignOut { sessions, devices: self.session_devices()?, basics: self.basics()? })
    }

    /// The devices of the contract's users, if sessions belong to them.
    pub(super) fn session_devices(&mut self) -> Result<Option<Arc<dyn Devices>>, Error> {
        Ok(match self.profile.sessions {
            SessionOwner::Device(_) => Some(Arc::new(self.base.store()?)),
            SessionOwner::Token => None,
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

    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.base.clock)
    }

    #[must_use]
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.base.entropy)
    }
}
