//! Changes the phone number of a signed-in user in two steps: a code proves control of the new number
//! ([`ProveRecipient`](super::ProveRecipient)), then that proof allows one change.

use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::device::devices_to_silence;
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{Entrance, KnownSources};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::KnownBy;
use crate::ports::{Accounts, Devices, Entry, EntryOutcome, Recorder, Users, trace_identifier};
use std::sync::Arc;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;

/// Changes phone numbers.
pub struct ChangePhone {
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub devices: Arc<dyn Devices>,
    /// The realm of the users.
    pub realm: Realm,
    pub basics: Basics,
}

/// A request to change the phone number.
#[derive(Debug)]
pub struct ChangePhoneCommand {
    /// The signed-in user.
    pub user: UserId,
    /// The device of the session that asks for it.
    pub device: DeviceId,
    /// The number that was proved.
    pub phone: Identifier,
    /// The time of the proof.
    pub proved_at: Timestamp,
    pub source: Source,
}

/// The reason why the number was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePhoneRefused {
    /// The user does not exist, or the number was changed after the proof. One proof allows one
    /// change.
    #[error("the proof was used before")]
    ProofUsedUp,
    /// The number belongs to a user, this one or another one.
    #[error("the number is taken")]
    Taken,
}

impl ChangePhone {
    /// Replaces the number of the user. The one before is free, every other session of the user ends,
    /// and the account knows only the source of this request.
    pub async fn run(
        &self,
        command: ChangePhoneCommand,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<ChangePhoneRefused>> {
        const USED_UP: Failure<ChangePhoneRefused> =
            Failure::Refused(ChangePhoneRefused::ProofUsedUp);
        let ChangePhoneCommand { user, device, phone, proved_at, source } = command;
        trace_identifier(&phone);
        let mut was_taken = false;
        for _ in 0..MAX_TRIES {
            let found = self.users.find(&user, self.basics.now()).await?;
            let found = found.filter(|found| found.realm == self.realm && !found.is_banned());
            let found = found.ok_or(USED_UP)?;
            let known = found.identifiers.of_kind(phone.kind());
            if known.and_then(KnownBy::verified_at).is_some_and(|at| at >= proved_at) {
                return Err(USED_UP);
            }
            if known.is_some_and(|known| known.identifier == phone) {
                return Err(Failure::Refused(ChangePhoneRefused::Taken));
            }
            let devices = self.devices.of_user(&found.id).await?;
            let silenced = devices_to_silence(devices, Some(&device));
            // The clock is read after the user, so that sessions which the user has by then can be
            // ended.
            let now = self.basics.now();
            let fact = Fact::PhoneChanged {
                user: found.id.clone(),
                realm: self.realm.clone(),
                phone: phone.clone(),
                at: now,
            };
            let effects = Some(self.basics.announce(&[fact], now)?);
            let known_sources = Some(KnownSources::only(&found.id, &source, Entrance::Proved, now));
            let credential = Credential::EarlierCodeOfPhone {
                phone: phone.clone(),
                proved_at,
                device: device.clone(),
            };
            let account = KnownAccount { user: found, credential, visit: Visit::StaysOut };
            let answer = recorder.record(&())?;
            let parts = Entry { known_sources, effects, ..Entry::of(Account::Use(account), now) };
            match self.accounts.commit(&Entry { silenced, answer, ..parts }).await? {
                EntryOutcome::Committed => return Ok(()),
                EntryOutcome::AccountChanged => {}
                EntryOutcome::Taken(_) if was_taken => {
                    return Err(Failure::Refused(ChangePhoneRefused::Taken));
                }
                // It may be this user who has the number now.
                EntryOutcome::Taken(_) => was_taken = true,
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::ChallengesChanged(_) => return Err(USED_UP),
            }
        }
        Err(Failure::overtaken())
    }
}
