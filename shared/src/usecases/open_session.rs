//! Opens sessions of users who signed up or in. The transaction of the sign-up or sign-in stores
//! them.

use super::NewIds;
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::session::{
    ClientDevice, FamilyId, NewSession, RefreshToken, Session, SignInMethod, end_of_device,
};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{Entropy, PortError, Recorder, random};
use std::sync::Arc;

/// Makes the sessions of one contract.
#[derive(Clone)]
pub struct OpenSessions {
    /// The ids of devices; `None` for a contract without stored sessions. Each sign-in creates a
    /// device.
    pub devices: Option<NewIds>,
    /// The names of the attributes of a user that access tokens contain.
    pub token_claims: &'static [&'static str],
    pub entropy: Arc<dyn Entropy>,
}

/// The content of an access token.
#[derive(Clone, Debug)]
pub struct AccessGrant {
    /// The random id of the token.
    pub id: [u8; 12],
    pub session: Session,
    pub issued_at: Timestamp,
}

/// The tokens of an open session.
#[derive(Debug)]
pub struct OpenSession {
    /// The content of the access token.
    pub grant: AccessGrant,
    pub refresh_token: RefreshToken,
}

/// A user who signed up or in.
#[derive(Debug)]
pub struct Entered {
    /// The user; one that existed, as before the sign-in.
    pub user: User,
    /// Whether the request created the user.
    pub is_new: bool,
    pub at: Timestamp,
    /// The new session, for contracts with stored sessions.
    pub session: Option<OpenSession>,
}

impl OpenSessions {
    /// Returns a session on a new device.
    pub(super) async fn open(
        &self,
        user: &User,
        info: DeviceInfo,
        method: SignInMethod,
        recorder: &Recorder<'_, Entered>,
        now: Timestamp,
    ) -> Result<Option<NewSession>, PortError> {
        let Some(devices) = &self.devices else { return Ok(None) };
        let id = devices.device(&user.realm, now).await?;
        let session = Session {
            family: FamilyId::new(&random(&*self.entropy)?),
            user: user.id.clone(),
            device: id.clone(),
            method: Some(method),
            client_device: info.client_id.as_deref().map(ClientDevice::of),
            opened_at: user.opening(now),
            token_claims: user.attributes.only(self.token_claims),
        };
        let device = NewDevice { id, info, expires_at: end_of_device(session.opened_at) };
        let token = RefreshToken::new(&recorder.secret(&*self.entropy)?);
        Ok(Some(NewSession { session, token, device }))
    }

    /// Returns the time at which an existing user enters at `now`. It is later than the end of all
    /// sessions, for a contract whose sessions are signed tokens.
    pub(super) fn entered_at(&self, user: &User, now: Timestamp) -> Timestamp {
        if self.devices.is_some() { now } else { user.token_opening(now) }
    }

    /// Gives the ids of a session back that was not stored.
    pub(super) fn discard(&self, user: &User, session: Option<&NewSession>) {
        if let (Some(devices), Some(new)) = (&self.devices, session) {
            devices.give_back_device(&user.realm, &new.device.id);
        }
    }

    /// Returns the tokens of a new session, to be given out once the session is stored.
    pub(super) fn tokens(
        &self,
        session: Option<&NewSession>,
        now: Timestamp,
    ) -> Result<Option<OpenSession>, PortError> {
        let Some(new) = session else { return Ok(None) };
        let session = new.session.clone();
        let grant = AccessGrant { id: random(&*self.entropy)?, session, issued_at: now };
        Ok(Some(OpenSession { grant, refresh_token: new.token.clone() }))
    }
}
