//! Devices that users sign in on.

use super::id::DeviceId;
use super::time::Timestamp;
use std::fmt;

/// A device as a client describes it. Every field is optional.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The id that the client gives the device.
    pub client_id: Option<String>,
    /// The token that push messages are sent to.
    pub push_token: Option<String>,
    /// The app that runs on the device, for contracts with several apps.
    pub app: Option<String>,
    /// The platform, such as `ios`.
    pub platform: Option<String>,
    pub model: Option<String>,
    /// The version of the client's app.
    pub app_version: Option<String>,
    /// The `User-Agent` of the request.
    pub user_agent: Option<String>,
}

impl fmt::Debug for DeviceInfo {
    /// Shows only the platform. With the push token, an attacker could send messages to the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceInfo({})", self.platform.as_deref().unwrap_or("unknown"))
    }
}

/// A device to be stored.
#[derive(Clone, Debug)]
pub struct NewDevice {
    pub id: DeviceId,
    pub info: DeviceInfo,
    /// The time at which the device is deleted, unless it is registered or its session is refreshed
    /// before.
    pub expires_at: Timestamp,
}

/// A stored device of a user.
#[derive(Clone, Debug)]
pub struct KnownDevice {
    pub id: DeviceId,
    pub info: DeviceInfo,
    /// Whether it only receives push messages. Its push token then belongs to it alone.
    pub is_registered: bool,
    /// The time at which it is deleted, if it has one.
    pub expires_at: Option<Timestamp>,
}

impl KnownDevice {
    /// Returns whether its push token belongs to it alone at `now`. A device that has ended is stored
    /// for some time, and its token may belong to another device by then.
    #[must_use]
    pub fn owns_push_token(&self, now: Timestamp) -> bool {
        self.is_registered && self.expires_at.is_none_or(|end| end > now)
    }
}

/// The most devices whose push tokens one transaction removes.
const MOST_SILENCED: usize = 60;

/// Returns those of a user's devices that have a push token of a session that is not the kept one. The
/// end of the sessions removes the tokens.
#[must_use]
pub fn devices_to_silence(devices: Vec<KnownDevice>, kept: Option<&DeviceId>) -> Vec<DeviceId> {
    let with_token = devices.into_iter().filter(|device| {
        !device.is_registered && device.info.push_token.is_some() && kept != Some(&device.id)
    });
    with_token.map(|device| device.id).take(MOST_SILENCED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_platform_and_not_the_push_token() {
        let platform = Some("ios".to_owned());
        let push_token = Some("secret".to_owned());
        let info = DeviceInfo { push_token, platform, ..DeviceInfo::default() };
        assert_eq!(format!("{info:?}"), "DeviceInfo(ios)");
        assert_eq!(format!("{:?}", DeviceInfo::default()), "DeviceInfo(unknown)");
    }
}
