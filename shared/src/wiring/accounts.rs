//! Wiring of accounts: signing up, passwords, devices, clients.

use super::Wiring;
use crate::adapters::dynamodb::DynamoSequenceIds;
use crate::runtime::{Error, settings};
use crate::usecases::{
    CompleteSignUp, GrantClientToken, RegisterDevice, ResetPassword, SignUp, SignUpByCode,
    SignUpByPassword, SignUpToVerify, SignUpUnverified, WalletPolicy,
};
use std::sync::Arc;

impl Wiring {
    fn sign_up(&mut self) -> Result<Arc<SignUp>, Error> {
        let store = self.base.store()?;
        Ok(Arc::new(SignUp {
            registrations: Arc::new(store.clone()),
            ids: Arc::new(DynamoSequenceIds::new(store)),
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        }))
    }

    /// The sign-ups by phone and code, and by e-mail and password. Both take ids from the same block.
    pub fn sign_up_by_code_or_password(
        &mut self,
    ) -> Result<(SignUpByCode, SignUpByPassword), Error> {
        let sign_up = self.sign_up()?;
        let check_code = self.check_code()?;
        let by_password = SignUpByPassword {
            sign_up: Arc::clone(&sign_up),
            budgets: Arc::new(self.base.store()?),
            passwords: self.passwords()?,
            per_source_hour: settings::sends_per_source_hour()?,
        };
        Ok((SignUpByCode { sign_up, check_code }, by_password))
    }

    /// The sign-up that creates an account whose recipient is not verified, and sends a code to it.
    pub fn sign_up_unverified(&mut self) -> Result<SignUpUnverified, Error> {
        Ok(SignUpUnverified {
            request_code: self.request_code()?,
            ids: Arc::new(DynamoSequenceIds::new(self.base.store()?)),
            event_mapper: self.events(),
        })
    }

    /// The sign-up that creates an account, and sends a code and a link that verify its identifiers.
    pub fn sign_up_to_verify(&mut self) -> Result<SignUpToVerify, Error> {
        let policy = settings::send_policy()?;
        self.log_guess_risk(&policy)?;
        let store = Arc::new(self.base.store()?);
        Ok(SignUpToVerify {
            registrations: Arc::clone(&store) as _,
            users: Arc::clone(&store) as _,
            budgets: store,
            passwords: self.passwords()?,
            code_keys: self.code_key_ids()?,
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
            policy,
        })
    }

    /// The end of a stored sign-up: checks its code, and creates the account with its wallet.
    pub fn complete_sign_up(&mut self, wallet: WalletPolicy) -> Result<CompleteSignUp, Error> {
        Ok(CompleteSignUp {
            check_code: self.check_code()?,
            registrations: Arc::new(self.base.store()?),
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
            wallet,
        })
    }

    /// The use case that sets a new password.
    pub fn reset_password(&mut self) -> Result<ResetPassword, Error> {
        Ok(ResetPassword {
            users: Arc::new(self.base.store()?),
            passwords: self.passwords()?,
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        })
    }

    /// The use case that registers devices for push messages.
    pub fn register_device(&mut self) -> Result<RegisterDevice, Error> {
        Ok(RegisterDevice {
            devices: Arc::new(self.base.store()?),
            event_mapper: self.events(),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
        })
    }

    /// The use case that grants access tokens to OAuth 2.0 clients.
    pub fn grant_client_token(&mut self) -> Result<GrantClientToken, Error> {
        Ok(GrantClientToken {
            clients: Arc::new(self.base.store()?),
            clock: Arc::clone(&self.base.clock),
            entropy: Arc::clone(&self.base.entropy),
            contract: self.profile.name,
        })
    }
}
