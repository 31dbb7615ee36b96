//! The parts that the messages of every contract share.

use std::time::Duration;

/// The lifetime of a code in whole minutes, rounded up, at least one.
pub(super) fn minutes(lifetime: Duration) -> u64 {
    lifetime.as_secs().div_ceil(60).max(1)
}

/// A number with its English unit: "1 minute", "5 minutes".
pub(super) fn count(number: u64, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// The template of a locale; `default` for a locale without one.
pub(super) fn for_locale<T: Copy>(templates: &[(&str, T)], locale: &str, default: T) -> T {
    let known = templates.iter().find(|(known, _)| *known == locale);
    known.map_or(default, |(_, template)| *template)
}
