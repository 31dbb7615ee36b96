//! The ids of new users and devices.

use crate::domain::id::{DeviceId, IdFormat, Sequence, UserId};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{Entropy, PortError, SequenceIds, random};
use std::sync::Arc;

/// Makes ids in the format of the contract. Only integers cost a call, for a block of them.
#[derive(Clone)]
pub struct NewIds {
    pub format: IdFormat,
    pub sequences: Arc<dyn SequenceIds>,
    pub entropy: Arc<dyn Entropy>,
}

impl NewIds {
    pub(super) async fn user(&self, realm: &Realm, now: Timestamp) -> Result<UserId, PortError> {
        Ok(match self.format {
            IdFormat::ObjectId => UserId::object_id(now, random(&*self.entropy)?),
            IdFormat::Uuid => UserId::uuid(random(&*self.entropy)?),
            IdFormat::Number => UserId::number(self.sequences.next(realm, Sequence::User).await?),
        })
    }

    pub(super) async fn device(
        &self,
        realm: &Realm,
        now: Timestamp,
    ) -> Result<DeviceId, PortError> {
        Ok(match self.format {
            IdFormat::ObjectId => DeviceId::object_id(now, random(&*self.entropy)?),
            IdFormat::Uuid => DeviceId::uuid(random(&*self.entropy)?),
            IdFormat::Number => {
                DeviceId::number(self.sequences.next(realm, Sequence::Device).await?)
            }
        })
    }

    /// Gives an id of a user back that was not stored.
    pub(super) fn give_back_user(&self, realm: &Realm, id: &UserId) {
        self.give_back(realm, Sequence::User, id.as_str());
    }

    /// Gives an id of a device back that was not stored.
    pub(super) fn give_back_device(&self, realm: &Realm, id: &DeviceId) {
        self.give_back(realm, Sequence::Device, id.as_str());
    }

    fn give_back(&self, realm: &Realm, sequence: Sequence, id: &str) {
        if self.format == IdFormat::Number
            && let Ok(id) = id.parse()
        {
            self.sequences.give_back(realm, sequence, id);
        }
    }
}
