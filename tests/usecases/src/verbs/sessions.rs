//! Sessions: signing in and out, refreshing, new passwords.

use super::accounts::TOKEN_CLAIMS;
use crate::contract::event_mapper;
use crate::{Core, Refusal, people};
use latchkey::domain::device::DeviceInfo;
use latchkey::domain::id::{DeviceId, UserId};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::time::Timestamp;
use latchkey::domain::user::Attributes;
use latchkey::ports::Sessions as _;
use latchkey::usecases::{
    OpenSession, OpenSessions, RecipientProof, Refresh, ResetPassword, SessionOwner, SignInByCode,
    SignInByPassword, SignInCommand, SignOut, SignedIn, SignedToken,
};
use secrecy::SecretString;
use std::sync::Arc;

/// An open session as a client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: UserId,
    pub device: DeviceId,
    pub refresh_token: String,
}

impl From<OpenSession> for Session {
    fn from(OpenSession { grant, refresh_token }: OpenSession) -> Self {
        let refresh_token = refresh_token.expose().to_owned();
        Self { user: grant.user, device: grant.device, refresh_token }
    }
}

impl Core {
    fn sessions(&self) -> OpenSessions {
        OpenSessions {
            sessions: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            devices: match self.rules.sessions {
                SessionOwner::Device => Some(Arc::clone(&self.ids)),
                SessionOwner::Token => None,
            },
            token_claims: TOKEN_CLAIMS,
            event_mapper: event_mapper(),
            clock: self.clock_port(),
            entropy: self.entropy_port(),
        }
    }

    fn sign_in_command(&self, identifier: Identifier) -> SignInCommand {
        SignInCommand {
            realm: self.realm.clone(),
            identifier,
            device: DeviceInfo::default(),
            source: self.source.clone(),
        }
    }

    /// Signs in with a password. Returns the session, or `None` for a contract without stored
    /// sessions.
    pub async fn enter_by_password(
        &self,
        identifier: Identifier,
        password: &str,
    ) -> Result<Option<Session>, Refusal> {
        let sign_in = SignInByPassword {
            open: self.sessions(),
            passwords: Arc::clone(&self.passwords),
            budgets: Arc::clone(&self.store) as _,
            backoff: self.rules.backoff,
            per_source_hour: self.rules.guesses.per_source_hour,
            admission: self.rules.admission,
        };
        let command = self.sign_in_command(identifier);
        let SignedIn { session, .. } = sign_in.run(people::password(password), command).await?;
        Ok(session.map(Session::from))
    }

    /// Signs in with a password, for a contract with stored sessions.
    pub async fn sign_in_by_password(
        &self,
        identifier: Identifier,
        password: &str,
    ) -> Result<Session, Refusal> {
        Ok(self.enter_by_password(identifier, password).await?.expect("a session"))
    }

    /// Signs in with a code.
    pub async fn sign_in_by_code(
        &self,
        identifier: Identifier,
        code: &str,
    ) -> Result<Session, Refusal> {
        let sign_in = SignInByCode { open: self.sessions(), check_code: self.checker() };
        let signed_in = sign_in.run(code, self.sign_in_command(identifier)).await?;
        Ok(signed_in.session.expect("a session").into())
    }

    fn refresher(&self) -> Refresh {
        Refresh {
            sessions: Arc::clone(&self.store) as _,
            keys: Arc::clone(&self.refresh_keys),
            event_mapper: event_mapper(),
            clock: self.clock_port(),
            entropy: self.entropy_port(),
        }
    }

    /// Exchanges a refresh token. Returns the session with the successor.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Session, Refusal> {
        Ok(self.refresher().run(refresh_token).await?.session.into())
    }

    /// Exchanges a refresh token. Returns the attributes for the next access token.
    pub async fn refreshed_claims(&self, refresh_token: &str) -> Result<Attributes, Refusal> {
        Ok(self.refresher().run(refresh_token).await?.token_claims)
    }

    /// Returns whether the session was not ended.
    pub async fn is_open(&self, session: &Session) -> bool {
        let open = self.store.is_open(&session.user, &session.device, self.now()).await;
        open.expect("the state of a session")
    }

    fn signer_out(&self) -> SignOut {
        SignOut {
            sessions: Arc::clone(&self.store) as _,
            event_mapper: event_mapper(),
            clock: self.clock_port(),
            entropy: self.entropy_port(),
        }
    }

    /// Ends one session.
    pub async fn sign_out(&self, session: &Session) {
        let (user, device) = (session.user.clone(), Some(session.device.clone()));
        self.signer_out().run(user, device).await.expect("the sign-out");
    }

    /// Ends every session of a user.
    pub async fn sign_out_everywhere(&self, user: &UserId) {
        self.signer_out().run(user.clone(), None).await.expect("the sign-out");
    }

    /// Ends a session that is a signed token.
    pub async fn sign_out_of_token(&self, user: &UserId, token: &str, expires_at: Timestamp) {
        let token = SecretString::from(token);
        let session = SignedToken { token, user: user.clone(), expires_at };
        self.signer_out().of_token(session).await.expect("the sign-out");
    }

    /// Returns whether a signed token of a user is accepted.
    pub async fn accepts_token(&self, user: &UserId, token: &str, issued_at: Timestamp) -> bool {
        let token = SecretString::from(token);
        let holder = self.store.holder(user, &token, issued_at, self.now()).await;
        holder.expect("the holder of a token").is_some()
    }

    /// Sets a new password with a proof.
    pub async fn reset_password(
        &self,
        proof: &RecipientProof,
        password: &str,
    ) -> Result<(), Refusal> {
        let reset = ResetPassword {
            users: Arc::clone(&self.store) as _,
            passwords: Arc::clone(&self.passwords),
            event_mapper: event_mapper(),
            clock: self.clock_port(),
            entropy: self.entropy_port(),
        };
        let user = proof.user.clone().expect("the user of the proof");
        Ok(reset.run(user, proof.at, people::password(password)).await?)
    }
}
