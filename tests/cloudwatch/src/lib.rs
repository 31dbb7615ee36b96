//! Evaluates `CloudWatch` alarms as its documentation describes it: M of N data points, missing data, late data, metric math.
//!
//! Time is counted in minutes. An alarm is evaluated every minute, over windows that slide with it ("Alarm evaluation
//! windows"). The evaluation reads more points than it needs, so that it can use older ones where newer ones are missing
//! ("Configuring how `CloudWatch` alarms treat missing data"). How many more is not published, so every question is asked
//! for each of [`EXTRA_POINTS`].
//!
//! The model covers what the project's alarms use: periods of whole minutes, the comparisons with a static threshold, and of
//! metric math the operators, `SUM`, `FILL`, `IF` and `METRICS()`. It refuses everything else.

mod alarm;
mod data;
mod expression;
mod rule;

pub use alarm::Alarm;
pub use data::{Data, Metric};
pub use rule::{Missing, Rule, State};

/// How many points an evaluation reads beyond the evaluation periods. The documentation's examples have two.
pub const EXTRA_POINTS: [usize; 3] = [0, 2, 5];
