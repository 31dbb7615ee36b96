//! State machines that random steps compare with simple models.
//!
//! A model says for each step what the use cases must answer, in plain code without a database. The
//! sequences follow from a seed, so that a test does the same in each run. `PROPTEST_CASES` sets the
//! number of sequences and `PROPTEST_RNG_SEED` the seed. A failure shows the seed and the shortest
//! sequence that was found for it.

mod challenge;
mod delivery;
mod key_ring;
mod session_family;
mod test_numbers;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// The number of sequences of each model, unless the environment sets it.
const SEQUENCES: u64 = 24;

/// The seed, unless the environment sets it.
const SEED: u64 = 1;

/// Returns the number in a variable of the environment, if it is set.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    Some(text.to_str().unwrap().parse().unwrap())
}

/// Returns what tries the sequences, and the seed that they follow from.
fn runner() -> (TestRunner, u64) {
    let cases = number("PROPTEST_CASES").unwrap_or(SEQUENCES).try_into().unwrap();
    let seed = number("PROPTEST_RNG_SEED").unwrap_or(SEED);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    (TestRunner::new_with_rng(Config { cases, ..Config::default() }, random), seed)
}

/// Fails unless `check` accepts every sequence.
pub(crate) fn compare<S: Strategy>(
    sequences: &S,
    check: impl AsyncFn(S::Value) -> Result<(), TestCaseError>,
) {
    let (mut runner, seed) = runner();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checked = runner.run(sequences, |sequence| runtime.block_on(check(sequence)));
    let failure = checked.err().map(|failure| failure.to_string()).unwrap_or_default();
    assert!(failure.is_empty(), "with the seed {seed}: {failure}");
}
