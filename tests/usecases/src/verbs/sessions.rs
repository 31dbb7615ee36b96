//! Sessions: signing in and out, refreshing, new passwords.

use super::accounts::TOKEN_CLAIMS;
use crate::{Core, Refusal, people};
use latchkey::domain::attributes::Attributes;
use latchkey::domain::challenge::{Audience, Purpose};
use latchkey::domain::device::DeviceInfo;
use latchkey::domain::id::{DeviceId, UserId};
use latchkey::domain::identifier::Identifier;
use latchkey::domain::session::{ListedSession, SessionsToEnd};
use latchkey::domain::time::Timestamp;
use latchkey::ports::Recorder;
use latchkey::ports::Sessions as _;
use latchkey::usecases::{
    CheckPassword, Entered, OpenSession, OpenSessions, PasswordGate, Presented, RecipientProof,
    Refresh, Refreshed, ResetPassword, ResetProof, SessionOwner, SignInByPassword, SignInCommand,
    SignOut, SignedToken,
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
        Self { user: grant.session.user, device: grant.session.device, refresh_token }
    }
}

impl Core {
    pub(super) fn sessions(&self) -> OpenSessions {
        OpenSessions {
            devices: match self.rules.sessions {
                SessionOwner::Device(format) => Some(self.new_ids(format)),
                SessionOwner::Token => None,
            },
            token_claims: TOKEN_CLAIMS,
            entropy: self.entropy_port(),
        }
    }

    fn sign_in_command(&self, identifier: Identifier) -> SignInCommand {
        SignInCommand {
            realm: self.realm.clone(),
            identifier,
            device: DeviceInfo::default(),
            source: self.source.clone(),
            locale: "en".to_owned(),
        }
    }

    pub(super) fn password_gate(&self) -> PasswordGate {
        PasswordGate { attempts: Arc::clone(&self.store) as _, backoff: self.rules.backoff }
    }

    /// The check of passwords, which other use cases contain.
    pub(super) fn check_password(&self) -> CheckPassword {
        CheckPassword {
            gate: self.gate(),
            users: Arc::clone(&self.store) as _,
            passwords: Arc::clone(&self.passwords),
            attempts: self.password_gate(),
        }
    }

    async fn entered_by_password(
        &self,
        identifier: Identifier,
        password: &str,
    ) -> Result<Entered, Refusal> {
        let sign_in = SignInByPassword {
            check: self.check_password(),
            accounts: Arc::clone(&self.store) as _,
            sessions: self.sessions(),
            basics: self.basics(),
            admission: self.rules.admission,
            resend: Some(self.resend_verification()),
        };
        let command = self.sign_in_command(identifier);
        Ok(sign_in.run(people::password(password), command, &Recorder::NONE).await?)
    }

    /// Signs in with a password. Returns the session, or `None` for a contract without stored
    /// sessions.
    pub async fn enter_by_password(
        &self,
        identifier: Identifier,
        password: &str,
    ) -> Result<Option<Session>, Refusal> {
        let entered = self.entered_by_password(identifier, password).await?;
        Ok(entered.session.map(Session::from))
    }

    /// Signs in with a password. Returns the time of issue of the signed token, in whole seconds.
    pub async fn token_by_password(
        &self,
        identifier: Identifier,
        password: &str,
    ) -> Result<Timestamp, Refusal> {
        let entered = self.entered_by_password(identifier, password).await?;
        Ok(Timestamp::from_seconds(entered.at.as_seconds()))
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
        let presented = Presented::Recipient(self.challenge(Purpose::SignIn, identifier));
        let enter = self.enterer(Audience::Registered, None);
        let entered = enter.run(self.enter_command(presented, code), &Recorder::NONE).await?;
        Ok(entered.session.expect("a session").into())
    }

    fn refresher(&self) -> Refresh {
        Refresh {
            tokens: Arc::clone(&self.store) as _,
            sessions: Arc::clone(&self.store) as _,
            keys: Arc::clone(&self.refresh_keys),
            users: self.rules.refresh_carries_user.then(|| Arc::clone(&self.store) as _),
            limits: self.rules.refreshes,
            basics: self.basics(),
        }
    }

    /// Exchanges a refresh token. Returns the session with the successor.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Session, Refusal> {
        Ok(self.refresher().run(refresh_token, None, &Recorder::NONE).await?.session.into())
    }

    /// Exchanges a refresh token. Returns what the answer can carry.
    pub async fn refreshed(&self, refresh_token: &str) -> Result<Refreshed, Refusal> {
        Ok(self.refresher().run(refresh_token, None, &Recorder::NONE).await?)
    }

    /// Exchanges a refresh token. Returns the attributes for the next access token.
    pub async fn refreshed_claims(&self, refresh_token: &str) -> Result<Attributes, Refusal> {
        Ok(self.refreshed(refresh_token).await?.session.grant.session.token_claims)
    }

    /// Returns whether the session was not ended.
    pub async fn is_open(&self, session: &Session) -> bool {
        let open = self.store.is_open(&session.user, &session.device, self.now()).await;
        open.expect("the state of a session")
    }

    fn signer_out(&self) -> SignOut {
        SignOut {
            sessions: Arc::clone(&self.store) as _,
            devices: Some(Arc::clone(&self.store) as _),
            basics: self.basics(),
        }
    }

    /// Ends one session.
    pub async fn sign_out(&self, session: &Session) {
        let which = SessionsToEnd::One(session.device.clone());
        self.signer_out().run(&session.user, which, &Recorder::NONE).await.expect("the sign-out");
    }

    /// Ends every session of a user.
    pub async fn sign_out_everywhere(&self, user: &UserId) {
        self.signer_out()
            .run(user, SessionsToEnd::All, &Recorder::NONE)
            .await
            .expect("the sign-out");
    }

    /// Ends every session of a user but this one.
    pub async fn sign_out_elsewhere(&self, session: &Session) {
        let which = SessionsToEnd::Others(session.device.clone());
        self.signer_out().run(&session.user, which, &Recorder::NONE).await.expect("the sign-out");
    }

    /// Returns the open sessions of a user, the newest first.
    pub async fn list_sessions(&self, user: &UserId) -> Vec<ListedSession> {
        self.signer_out().list(user, &self.rules.refreshes).await.expect("the sessions")
    }

    /// Ends a session that is a signed token.
    pub async fn sign_out_of_token(&self, user: &UserId, token: &str, expires_at: Timestamp) {
        let (token, issued_at) = (SecretString::from(token), self.now());
        let session = SignedToken { token, user: user.clone(), issued_at, expires_at };
        self.signer_out().of_token(session, &Recorder::NONE).await.expect("the sign-out");
    }

    /// Ends all sessions of a user at the request of a signed token with this time of issue.
    pub async fn sign_out_everywhere_with(&self, user: &UserId, issued_at: Timestamp) {
        let (token, expires_at) = (SecretString::from("token"), issued_at);
        let session = SignedToken { token, user: user.clone(), issued_at, expires_at };
        self.signer_out().everywhere(&session, &Recorder::NONE).await.expect("the sign-out");
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
            accounts: Arc::clone(&self.store) as _,
            users: Arc::clone(&self.store) as _,
            passwords: Arc::clone(&self.passwords),
            devices: Some(Arc::clone(&self.store) as _),
            realm: self.realm.clone(),
            basics: self.basics(),
        };
        let proof = ResetProof {
            user: proof.user.clone().expect("the user of the proof"),
            at: proof.at,
            kind: Some(proof.key.recipient.kind()),
        };
        Ok(reset.run(proof, people::password(password), &self.source, &Recorder::NONE).await?)
    }
}
