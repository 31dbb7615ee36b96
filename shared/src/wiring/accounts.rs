//! Wiring of accounts: signing up, passwords, devices, clients.

use super::Wiring;
use crate::domain::challenge::Audience;
use crate::runtime::{Error, settings};
use crate::usecases::{
    ChangePhone, CheckPassword, DeleteAccount, DeleteByCode, DeleteByPassword, EnterByCode,
    GrantClientToken, RegisterDevice, ResendToKnown, ResetByCode, ResetPassword, SignUpByPassword,
    SignUpUnverified, Unproved,
};
use std::sync::Arc;
use std::time::Duration;

impl Wiring {
    /// The use case that enters accounts with codes. `audience` may enter.
    pub fn enter_by_code(&mut self, audience: Audience) -> Result<EnterByCode, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(EnterByCode {
            check_code: self.check_code()?,
            bill: Arc::new(settings::bill()?),
            accounts: Arc::clone(&store) as _,
            users: store,
            sessions: self.open_sessions()?,
            ids: self.ids(self.profile.user_ids)?,
            audience,
            wallet: self.profile.wallet,
            basics: self.basics()?,
        })
    }

    /// The sign-up by password whose users are signed in at once.
    pub fn sign_up_and_enter(&mut self) -> Result<SignUpByPassword, Error> {
        let unproved = Unproved::Enters(self.open_sessions()?);
        self.sign_up_by_password(unproved)
    }

    /// The sign-up by password whose users wait for the code and the link that it sends.
    pub fn sign_up_and_wait(&mut self) -> Result<SignUpByPassword, Error> {
        let (resend, attempts) = (self.resend_verification()?, self.password_gate()?);
        self.sign_up_by_password(Unproved::Waits(Box::new(ResendToKnown { resend, attempts })))
    }

    fn sign_up_by_password(&mut self, unproved: Unproved) -> Result<SignUpByPassword, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(SignUpByPassword {
            gate: self.moving_gate()?,
            accounts: Arc::clone(&store) as _,
            users: store,
            passwords: self.passwords()?,
            ids: self.ids(self.profile.user_ids)?,
            unproved,
            basics: self.basics()?,
        })
    }

    /// The sign-up that creates an account whose recipient is not verified, and sends a code to it.
    pub fn sign_up_unverified(&mut self) -> Result<SignUpUnverified, Error> {
        let ids = self.ids(self.profile.user_ids)?;
        Ok(SignUpUnverified { request_code: self.request_code()?, ids })
    }

    /// The use case that sets a new password with a code.
    pub fn reset_by_code(&mut self) -> Result<ResetByCode, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(ResetByCode {
            check_code: self.check_code()?,
            bill: Arc::new(settings::bill()?),
            accounts: Arc::clone(&store) as _,
            users: store,
            passwords: self.passwords()?,
            basics: self.basics()?,
        })
    }

    /// The use case that sets a new password with an earlier proof.
    pub fn reset_password(&mut self) -> Result<ResetPassword, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(ResetPassword {
            accounts: Arc::clone(&store) as _,
            users: store,
            passwords: self.passwords()?,
            devices: self.session_devices()?,
            realm: self.profile.realm(),
            basics: self.basics()?,
        })
    }

    /// The use case that changes the phone number of a user.
    pub fn change_phone(&mut self) -> Result<ChangePhone, Error> {
        let store = Arc::new(self.base.store()?);
        Ok(ChangePhone {
            accounts: Arc::clone(&store) as _,
            users: Arc::clone(&store) as _,
            devices: store,
            realm: self.profile.realm(),
            basics: self.basics()?,
        })
    }

    /// The use case that deletes accounts of users who state the password.
    pub fn delete_by_password(&mut self) -> Result<DeleteByPassword, Error> {
        Ok(DeleteByPassword {
            check: CheckPassword { gate: self.gate()?, ..self.check_password()? },
            delete: self.delete_account()?,
        })
    }

    /// The use case that deletes accounts of users who send a code. An identifier that was changed must
    /// have been the user's for `steady_for`.
    pub fn delete_by_code(&mut self, steady_for: Duration) -> Result<DeleteByCode, Error> {
        Ok(DeleteByCode {
            check_code: self.check_code()?,
            bill: Arc::new(settings::bill()?),
            steady_for,
            delete: self.delete_account()?,
        })
    }

    fn delete_account(&mut self) -> Result<DeleteAccount, Error> {
        let store = Arc::new(self.base.store()?);
        let devices = self.profile.has_devices.then(|| Arc::clone(&store) as _);
        Ok(DeleteAccount {
            accounts: Arc::clone(&store) as _,
            users: store,
            devices,
            basics: self.basics()?,
        })
    }

    /// The use case that registers devices for push messages.
    pub fn register_device(&mut self) -> Result<RegisterDevice, Error> {
        Ok(RegisterDevice { devices: Arc::new(self.base.store()?), basics: self.basics()? })
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
