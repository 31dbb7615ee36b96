//! Wiring of one-time codes and links: sending, checking, proving.

use super::Wiring;
use crate::adapters::key_ring::KeyRingScope;
use crate::domain::risk::Risk;
use crate::domain::sends::SendPolicy;
use crate::runtime::{Error, settings};
use crate::usecases::{
    CheckCode, ProveRecipient, RequestCode, ResendSignUp, ResendToUnverified, ResendVerification,
    StartSignUp, Verification, VerifyLink,
};
use std::sync::Arc;

impl Wiring {
    /// The use case that sends codes to recipients.
    pub fn request_code(&mut self) -> Result<RequestCode, Error> {
        let policy = settings::send_policy()?;
        self.log_guess_risk(&policy)?;
        let store = Arc::new(self.base.store()?);
        Ok(RequestCode {
            gate: self.moving_gate()?,
            bill: Arc::new(settings::bill()?),
            accounts: Arc::clone(&store) as _,
            users: store,
            code_keys: self.code_key_ids()?,
            basics: self.basics()?,
            policy,
            account_notice: settings::account_notice(self.profile.name)?,
            handles: self.profile.handle,
        })
    }

    /// The messages that verify identifiers, for users who wait for them.
    pub(super) fn resend_verification(&mut self) -> Result<ResendVerification, Error> {
        let policy = settings::send_policy()?;
        self.log_guess_risk(&policy)?;
        let code_keys = self.code_key_ids()?;
        Ok(ResendVerification {
            gate: self.moving_gate()?,
            accounts: Arc::new(self.base.store()?),
            verification: Verification { code_keys, policy, bill: Arc::new(settings::bill()?) },
            basics: self.basics()?,
        })
    }

    /// The use case that sends again to recipients of accounts of which nothing is verified.
    pub fn resend_to_unverified(&mut self) -> Result<ResendToUnverified, Error> {
        let users = Arc::new(self.base.store()?);
        Ok(ResendToUnverified { resend: self.resend_verification()?, users })
    }

    /// Logs the risk that one recipient's code is guessed in a day, by strangers and in all
    /// (`shared/docs/decisions/0014-the-gate.md`).
    pub(super) fn log_guess_risk(&self, policy: &SendPolicy) -> Result<(), Error> {
        let profile = self.profile;
        let guesses = settings::guess_limits(profile.name)?;
        let risk = Risk { limits: policy.limits, guesses, codes: profile.code_format.count };
        let [strangers, all] = risk.guesses_per_day(profile.handle.is_some());
        if policy.limits.apply() {
            tracing::info!(
                contract = profile.name,
                guesses_per_day = strangers,
                codes = risk.codes,
                risk_per_million = risk.per_million(strangers),
                risk_per_million_with_known_sources = risk.per_million(all),
                "the risk that a code of one recipient and purpose is guessed in a day"
            );
        } else {
            let contract = profile.name;
            tracing::warn!(contract, "guesses per recipient and day have no limit");
        }
        Ok(())
    }

    /// The start of a sign-up: stores it, and sends the code that completes it.
    pub fn start_sign_up(&mut self) -> Result<StartSignUp, Error> {
        Ok(StartSignUp { request_code: self.request_code()?, passwords: self.passwords()? })
    }

    /// The use case that sends the code of a sign-up that waits again.
    pub fn resend_sign_up(&mut self) -> Result<ResendSignUp, Error> {
        let challenges = Arc::new(self.base.store()?);
        Ok(ResendSignUp { request_code: self.request_code()?, challenges })
    }

    /// The check of codes, which other use cases contain.
    pub(super) fn check_code(&mut self) -> Result<CheckCode, Error> {
        Ok(CheckCode {
            gate: self.gate()?,
            challenges: Arc::new(self.base.store()?),
            code_keys: self.base.code_keys(KeyRingScope::WithKeys)?,
            limits: settings::guess_limits(self.profile.name)?,
            format: self.profile.code_format,
            realm: self.profile.realm(),
            test_numbers: self.test_numbers()?,
        })
    }

    /// The use case that checks a code and uses it up, without a change of an account.
    pub fn prove_recipient(&mut self) -> Result<ProveRecipient, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(ProveRecipient {
            check_code: self.check_code()?,
            bill: Arc::new(settings::bill()?),
            accounts: store,
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
            basics: self.basics()?,
            contract: self.profile.name,
        })
    }
}
