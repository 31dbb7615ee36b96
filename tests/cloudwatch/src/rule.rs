//! From data points to a state.

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ok,
    Alarm,
    InsufficientData,
}

/// What stands for a data point that is missing (`TreatMissingData`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

/// How many data points must breach the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// M, `DatapointsToAlarm`.
    pub to_alarm: usize,
    /// N, `EvaluationPeriods`.
    pub periods: usize,
    pub missing: Missing,
}

impl Rule {
    /// Returns the state after an evaluation of these points, newest first: whether each breaches the threshold, or `None` if it
    /// is missing.
    ///
    /// Real points come first, also older ones. Only if there are fewer than N of them, the setting for missing data stands for
    /// the rest.
    #[must_use]
    pub fn state(self, points: &[Option<bool>], previous: State) -> State {
        let real: Vec<bool> = points.iter().copied().flatten().take(self.periods).collect();
        let breaching = real.iter().filter(|breaches| **breaches).count();
        let absent = self.periods.saturating_sub(real.len());
        if breaching >= self.to_alarm {
            return State::Alarm;
        }
        match self.missing {
            _ if absent == 0 => State::Ok,
            Missing::Breaching if breaching.saturating_add(absent) >= self.to_alarm => State::Alarm,
            Missing::Breaching | Missing::NotBreaching => State::Ok,
            // One point within the threshold is enough to know that the alarm is not to ring.
            Missing::Ignore | Missing::Missing if real.len() > breaching => State::Ok,
            Missing::Ignore => previous,
            Missing::Missing if self.is_old(points) => State::Alarm,
            Missing::Missing => State::InsufficientData,
        }
    }

    /// Returns whether the oldest breaching point is M periods old. All later ones are missing or breaching.
    fn is_old(self, points: &[Option<bool>]) -> bool {
        let oldest = points.iter().rposition(|point| *point == Some(true));
        oldest.is_some_and(|place| place >= self.to_alarm.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREATMENTS: [Missing; 4] =
        [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];

    /// A row of a table of the documentation: `0` is within the threshold, `X` breaches it, `-` is missing, the oldest
    /// first; then the states for each treatment of missing data: `O`k, `A`larm, `I`nsufficient data, or the state before (`R`).
    #[track_caller]
    fn check(to_alarm: usize, row: &str, states: &str) {
        let points = row.chars().rev().map(|point| match point {
            '0' => Some(false),
            'X' => Some(true),
            _ => None,
        });
        let points: Vec<_> = points.collect();
        for (missing, expected) in TREATMENTS.into_iter().zip(states.chars()) {
            let rule = Rule { to_alarm, periods: 3, missing };
            for previous in [State::Ok, State::Alarm, State::InsufficientData] {
                let expected = match expected {
                    'O' => State::Ok,
                    'A' => State::Alarm,
                    'I' => State::InsufficientData,
                    _ => previous,
                };
                assert_eq!(rule.state(&points, previous), expected, "{row}: {rule:?}");
            }
        }
    }

    /// "How alarm state is evaluated when data is missing", first table: three of three, five points are read.
    #[test]
    fn three_of_three_points_as_in_the_documentation() {
        check(3, "0-X-X", "OOOO");
        check(3, "0----", "OOOO");
        check(3, "-----", "IRAO");
        check(3, "0XX-X", "AAAA");
        check(3, "----X", "IRAO");
        check(3, "X----", "ARAO");
    }

    /// The second table: two of three.
    #[test]
    fn two_of_three_points_as_in_the_documentation() {
        check(2, "0-X-X", "AAAA");
        check(2, "00X0X", "AAAA");
        check(2, "0-X--", "OOAO");
        check(2, "----0", "OOAO");
        check(2, "----X", "IRAO");
    }

    /// "Avoiding premature transitions to alarm state": a breaching point that is M periods old, with nothing but missing
    /// points after it.
    #[test]
    fn an_old_breaching_point_is_enough_if_all_later_ones_are_missing() {
        check(3, "--X--", "ARAO");
        check(2, "---X-", "ARAO");
    }
}
