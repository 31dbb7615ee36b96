//! Sends the code of a sign-up that waits again: opens a new challenge for the same sign-up, whose
//! client keeps its handle.

use super::request_code::{
    CodeRequested, RelatedSignUp, RequestCode, RequestCodeCommand, WaitingSignUp,
};
use super::{Delivery, Failure};
use crate::domain::challenge::{Audience, ChallengeHandle, ChallengeKey, Purpose};
use crate::domain::proof::LiveCode;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::ports::{Challenges, PortError, Recorder};
use std::sync::Arc;

/// The number of tries. A try fails if another request sends or uses the code between the read and
/// the write.
const MAX_TRIES: usize = 4;

/// Sends codes of sign-ups that wait.
pub struct ResendSignUp {
    pub request_code: RequestCode,
    pub challenges: Arc<dyn Challenges>,
}

/// A request to send a code again.
#[derive(Debug)]
pub struct ResendSignUpCommand {
    /// The realm. A handle of another realm is treated as unknown.
    pub realm: Realm,
    /// The handle of the sign-up.
    pub handle: ChallengeHandle,
    pub source: Source,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The reason why no code was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResendRefused {
    /// No sign-up waits with this handle: it is unknown, was completed or replaced, had too many
    /// wrong codes, or began too long ago.
    #[error("no sign-up waits with this handle")]
    Ended,
}

impl ResendSignUp {
    /// Sends a new code under the same handle, and makes the code before invalid, all or nothing. A
    /// code that has expired can be replaced too, until the sign-up is one hour old.
    ///
    /// The limits are those of every send. The handle of a decoy, and that of a recipient who got an
    /// account in the meantime, cause the same work and the same answer, and nothing is sent.
    pub async fn run(
        &self,
        command: ResendSignUpCommand,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<CodeRequested, Failure<ResendRefused>> {
        const ENDED: Failure<ResendRefused> = Failure::Refused(ResendRefused::Ended);
        let ResendSignUpCommand { realm, handle, source, locale } = command;
        let request = &self.request_code;
        let mut replaced = None;
        for _ in 0..MAX_TRIES {
            let now = request.basics.now();
            let (key, waiting) = self.waiting(&realm, &handle, now).await?.ok_or(ENDED)?;
            let command = RequestCodeCommand {
                key,
                audience: Audience::Unregistered,
                delivery: Delivery::Allowed,
                source: source.clone(),
                locale: locale.clone(),
            };
            let related = RelatedSignUp::Waiting(&waiting);
            let state = request.standing(&command, &[], related, now).await;
            let state = state.map_err(|failure| failure.map(|never| match never {}))?;
            if !state.has_code_of(&waiting) {
                // The handle was read first, so another request may have sent in between.
                if replaced.as_ref() == Some(&waiting.nonce) {
                    return Err(ENDED);
                }
                replaced = Some(waiting.nonce);
                continue;
            }
            let sent = request.send_to(&command, state, (related, recorder), now).await;
            let sent = sent.map_err(|failure| failure.map(|never| match never {}))?;
            if let Some(sent) = sent {
                return Ok(sent);
            }
        }
        Err(Failure::overtaken())
    }

    /// Returns the sign-up of a handle and its challenge, if its code can be sent again.
    async fn waiting(
        &self,
        realm: &Realm,
        handle: &ChallengeHandle,
        now: Timestamp,
    ) -> Result<Option<(ChallengeKey, WaitingSignUp)>, PortError> {
        let Some(held) = self.challenges.held(handle.clone()).await? else { return Ok(None) };
        let LiveCode { seed, sent, pending: Some(pending), .. } = held else { return Ok(None) };
        let (key, nonce) = (seed.key, seed.nonce);
        let is_here = key.realm == *realm && key.purpose == Purpose::SignUp;
        if !is_here || pending.resends_until() <= now {
            return Ok(None);
        }
        let lane = key.lane;
        Ok(Some((key, WaitingSignUp { pending, handle: handle.clone(), lane, nonce, sent })))
    }
}
