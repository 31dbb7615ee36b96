//! The risk that codes are guessed, from the limits.

use super::challenge::{GuessLimits, Guesser, Lane};
use super::sends::SendLimits;

/// What the risk of one contract follows from.
#[derive(Clone, Copy, Debug)]
pub struct Risk {
    /// The limits of one recipient and purpose.
    pub limits: SendLimits,
    pub guesses: GuessLimits,
    /// The number of different codes.
    pub codes: u64,
}

/// What attackers can send to one contract in an hour.
#[derive(Clone, Copy, Debug)]
pub struct AttackLimits {
    /// The codes that one source may leave unused.
    pub sends_per_source: u32,
    /// The wrong guesses of one source.
    pub guesses_per_source: u32,
    /// The wrong guesses of all sources, from which the contract counts as attacked.
    pub wrong_codes: u64,
    /// The codes of all recipients; 0 for no limit.
    pub codes: u64,
}

const HOURS_PER_DAY: u64 = 24;

impl Risk {
    /// Returns the guesses at the codes of one recipient and purpose in a day: those of strangers,
    /// and those of strangers and known sources together. Strangers have the codes that they ask for,
    /// and fewer guesses at those of known sources. With a handle only the source that asked for a
    /// code can guess at it.
    #[must_use]
    pub fn guesses_per_day(&self, has_handles: bool) -> [u64; 2] {
        let codes = |lane| u64::from(self.limits.in_lane(lane).per_day);
        let most = |guesser| u64::from(self.guesses.per_code(guesser, false));
        let (linked, stranger) = (most(Guesser::Linked), most(Guesser::Stranger));
        let stranger = if has_handles { 0 } else { stranger };
        let open = codes(Lane::Strangers).saturating_mul(linked.saturating_add(stranger));
        let known = |each: u64| codes(Lane::Network).saturating_mul(each);
        let strangers = open.saturating_add(known(stranger));
        [strangers, strangers.saturating_add(known(linked))]
    }

    /// Returns the risk of so many guesses, in millionths.
    #[must_use]
    pub fn per_million(&self, guesses: u64) -> u64 {
        guesses.saturating_mul(1_000_000).checked_div(self.codes).unwrap_or(0)
    }

    /// Returns the guesses that `sources` attackers can make in a day at codes of any recipients.
    ///
    /// Each source has its wrong guesses, and then one guess at each code that it asks for. When the
    /// contract is attacked, each code allows only a few guesses.
    #[must_use]
    pub fn guesses_of(&self, sources: u64, attack: &AttackLimits) -> u64 {
        let each =
            u64::from(attack.sends_per_source).saturating_add(u64::from(attack.guesses_per_source));
        let mut in_hour = sources.saturating_mul(each);
        let all_codes = if attack.codes == 0 {
            sources.saturating_mul(attack.sends_per_source.into())
        } else {
            attack.codes.min(sources.saturating_mul(attack.sends_per_source.into()))
        };
        if attack.wrong_codes > 0 && in_hour > attack.wrong_codes {
            let few = [Guesser::Linked, Guesser::Stranger];
            let few: u32 = few.map(|guesser| self.guesses.per_code(guesser, true)).iter().sum();
            let later = all_codes.saturating_mul(few.into());
            in_hour = in_hour.min(attack.wrong_codes.saturating_add(later));
        }
        in_hour.saturating_mul(HOURS_PER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn risk() -> Risk {
        let pause = Duration::from_mins(1);
        Risk {
            limits: SendLimits { pause, per_hour: 5, per_day: 10 },
            guesses: GuessLimits { per_code: 5, per_code_in_attack: 2 },
            codes: 100_000,
        }
    }

    #[test]
    fn the_risk_counts_strangers_and_known_sources() {
        // Ten codes of strangers with 5 and 3 guesses, five codes of known sources with 3 and 5.
        assert_eq!(risk().guesses_per_day(false), [95, 120]);
        assert_eq!(risk().per_million(120), 1200);
        // With handles: ten codes of strangers and five of known sources with 5 guesses.
        assert_eq!(risk().guesses_per_day(true), [50, 75]);
    }

    #[test]
    fn many_attackers_make_the_contract_attacked() {
        let attack = AttackLimits {
            sends_per_source: 200,
            guesses_per_source: 300,
            wrong_codes: 3000,
            codes: 2000,
        };
        assert_eq!(risk().guesses_of(1, &attack), 500 * 24);
        assert_eq!(risk().guesses_of(1000, &attack), (3000 + 2000 * 3) * 24);
        let unlimited = AttackLimits { wrong_codes: 0, ..attack };
        assert_eq!(risk().guesses_of(1000, &unlimited), 500_000 * 24);
    }
}
