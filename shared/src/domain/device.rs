//! Devices that people sign in on.

use super::id::DeviceId;
use super::time::Timestamp;
use std::fmt;

/// A device as a client describes it; everything is optional.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The client's own name for the device.
    pub client_id: Option<String>,
    /// The handle that push messages are sent to.
    pub push_token: Option<String>,
    /// The app that it runs, where a contract has several.
    pub app: Option<String>,
    /// The platform, such as `ios`.
    pub platform: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The version of the client's app.
    pub app_version: Option<String>,
    /// The `User-Agent` of the request.
    pub user_agent: Option<String>,
}

impl fmt::Debug for DeviceInfo {
    /// Shows the platform only: the push handle can send messages to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceInfo({})", self.platform.as_deref().unwrap_or("unknown"))
    }
}

/// A device about to be stored.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its id.
    pub id: DeviceId,
    /// What is known of it.
    pub info: DeviceInfo,
    /// When the registration ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}
