//! Wiring of one-time codes and links: sending, checking, proving.

use super::Wiring;
use crate::adapters::key_ring::KeyRingScope;
use crate::domain::challenge::GuessLimits;
use crate::domain::sends::{SendLimits, SendPolicy};
use crate::runtime::{Error, settings};
use crate::usecases::{CheckCode, ProveRecipient, RequestCode, StartSignUp, VerifyLink};
use std::sync::Arc;
use std::time::Duration;

impl Wiring {
    /// The use case that sends codes to recipients.
    pub fn request_code(&mut self) -> Result<RequestCode, Error> {
        let policy = settings::send_policy()?;
        self.log_guess_risk(&policy)?;
        let store = Arc::new(self.base.store()?);
        Ok(RequestCode {
            accounts: Arc::clone(&store) as _,
            challenges: store,
            code_keys: self.code_key_ids()?,
            basics: self.basics(),
            policy,
            handles: self.profile.handle,
        })
    }

    /// Logs the risk that one recipient's code is guessed in a day: the number of guesses that the
    /// limits allow, divided by the number of codes (`shared/docs/decisions/0005-limits.md`).
    pub(super) fn log_guess_risk(&self, policy: &SendPolicy) -> Result<(), Error> {
        let (contract, codes) = (self.profile.name, self.profile.code_format.count);
        let per_code = settings::guesses_per_code()?;
        if let Some(guesses) = policy.limits.guesses_per_day(per_code) {
            let per_million = guesses.saturating_mul(1_000_000).checked_div(codes).unwrap_or(0);
            tracing::info!(
                contract,
                guesses_per_day = guesses,
                codes,
                risk_per_million = per_million,
                "the risk that one recipient's code is guessed in a day"
            );
        } else {
            tracing::warn!(contract, codes, "guesses per recipient and day have no limit");
        }
        Ok(())
    }

    /// The start of a sign-up: stores it, and sends the code that completes it.
    pub fn start_sign_up(&mut self) -> Result<StartSignUp, Error> {
        let mut request_code = self.request_code()?;
        // While a sign-up waits for its code it blocks the next one. A caller who used up the
        // guesses may start again at once.
        let limits = SendLimits { pause: Duration::ZERO, ..request_code.policy.limits };
        request_code.policy.limits = limits;
        Ok(StartSignUp {
            request_code,
            passwords: self.passwords()?,
            budgets: Arc::new(self.base.store()?),
        })
    }

    /// The check of codes, which other use cases contain.
    pub(super) fn check_code(&mut self) -> Result<CheckCode, Error> {
        let store = Arc::new(self.base.store()?);
        let limits = GuessLimits {
            per_code: settings::guesses_per_code()?,
            per_source_hour: self.guesses_per_source_hour()?,
        };
        Ok(CheckCode {
            challenges: Arc::clone(&store) as _,
            budgets: store,
            code_keys: self.base.code_keys(KeyRingScope::WithKeys)?,
            limits,
            format: self.profile.code_format,
            realm: self.profile.realm(),
        })
    }

    /// The use case that checks a code and uses it up, without a change of an account.
    pub fn prove_recipient(&mut self) -> Result<ProveRecipient, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(ProveRecipient {
            check_code: self.check_code()?,
            accounts: Arc::clone(&store) as _,
            users: store,
            clock: Arc::clone(&self.base.clock),
        })
    }

    /// The use case that checks the link of a mail, and marks the address verified.
    pub fn verify_link(&mut self) -> Result<VerifyLink, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(VerifyLink {
            accounts: Arc::clone(&store) as _,
            users: Arc::clone(&store) as _,
            challenges: store,
            code_keys: self.base.code_keys(KeyRingScope::WithKeys)?,
            basics: self.basics(),
            contract: self.profile.name,
        })
    }
}
