//! The parts that the messages of every contract share.

use super::texts::{Value, Voice, number, word};
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use std::time::Duration;

/// The ids of the text with a code, and of the shorter one.
const WHOLE: &str = "sms-code";
const SHORT: &str = "sms-code.short";

/// The lifetime of a code in whole minutes, rounded up, at least one.
fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(60).max(1)
}

/// The lifetime of a link in whole hours, rounded up, at least one.
pub(super) fn hours(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(3600).max(1)
}

/// A code with what its texts say about it.
#[derive(Clone, Copy)]
pub struct CodeOf<'a> {
    pub purpose: Purpose,
    pub code: &'a OneTimeCode,
    pub lifetime: Duration,
    /// Whether the last line of the text is for the page that asks for the code. Some languages have a
    /// shorter text then, so that both fit in one segment of an SMS.
    pub has_host_line: bool,
}

impl<'a> CodeOf<'a> {
    /// The values of texts about the code.
    pub(super) fn values(&self) -> [Value<'a>; 3] {
        [
            word("code", self.code.expose()),
            word("purpose", self.purpose.as_str()),
            number("minutes", minutes(self.lifetime)),
        ]
    }

    /// Whether the language has a shorter text and needs it.
    pub(super) fn is_short(&self, voice: &Voice<'_>) -> bool {
        self.has_host_line && voice.has(SHORT)
    }

    /// The id of the text that fits.
    pub(super) fn text_id(&self, voice: &Voice<'_>) -> &'static str {
        if self.is_short(voice) { SHORT } else { WHOLE }
    }
}
