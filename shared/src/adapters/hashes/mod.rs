//! Password hashes of other systems: how they are written, what they cost, and how they are compared (decision 0022).

mod compute;
mod formats;
mod work;

pub use work::{Variant, Work};

pub(super) use compute::{Memory, argon2};

use crate::ports::HashFormats;
use compute::Recipe;
use subtle::ConstantTimeEq as _;

/// The longest hash that is looked at, in bytes. The longest ones in use, Firebase's, have about 250.
const MOST_BYTES: usize = 1024;
/// The shortest and the longest output of a hash, in bytes. A shorter one could be met by chance.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=128;

/// A hash that was read from its text, and whose cost is below the limits.
#[derive(Clone, Debug)]
pub(super) struct StoredHash {
    work: Work,
    recipe: Recipe,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

impl StoredHash {
    /// Reads a hash; `None` if its format is unknown, it is malformed, or its cost is above the limits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MOST_BYTES || !text.is_ascii() {
            return None;
        }
        let hash = formats::parse(text)?;
        let is_sound = OUTPUT.contains(&hash.expected.len()) && hash.work.is_within_limits();
        is_sound.then_some(hash)
    }

    /// The work that a comparison does.
    pub(super) const fn work(&self) -> Work {
        self.work
    }

    /// Returns whether new hashes would be written in the same way with this work.
    pub(super) fn is_of(&self, work: Work) -> bool {
        self.work == work && self.recipe == Recipe::CURRENT_ARGON2
    }

    /// Compares a text with the hash, in constant time. `None` if the hash function refuses the parameters.
    pub(super) fn matches(&self, text: &str, memory: &Memory) -> Option<bool> {
        let length = self.expected.len();
        let output = compute::output(self.work, &self.recipe, text, &self.salt, length, memory)?;
        Some(output.ct_eq(&self.expected).into())
    }
}

/// Does the work of a comparison, without one.
pub(super) fn pretend(work: Work, text: &str, memory: &Memory) {
    /// The length of the output that no class of work depends on, in bytes.
    const LENGTH: usize = 16;
    let recipe = Recipe::of_pretence(work);
    std::hint::black_box(compute::output(work, &recipe, text, &[0; 16], LENGTH, memory));
}

/// Knows the formats and the limits that [`StoredHash`] reads.
#[derive(Clone, Copy, Debug)]
pub struct KnownFormats;

impl HashFormats for KnownFormats {
    fn is_known(&self, hash: &str) -> bool {
        StoredHash::parse(hash).is_some()
    }
}
