//! Random bytes that follow from a seed, and the point at which another request interrupts.

use latchkey::ports::{Entropy, PortError};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// An action that runs once, in the middle of a use case.
type Interruption = Box<dyn FnOnce() + Send>;

/// The state between two draws.
#[derive(Default)]
struct State {
    seed: u64,
    /// The value that each byte of the next draw of this length has.
    forced: Option<(usize, u8)>,
    /// The number of draws that pass before the action runs.
    interruption: Option<(usize, Interruption)>,
}

/// Random bytes that are the same in every run of a test.
#[derive(Default)]
pub struct SeededEntropy(Mutex<State>);

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy")
    }
}

impl SeededEntropy {
    /// Makes every byte of the next draw of `length` bytes equal to `byte`.
    pub fn force(&self, length: usize, byte: u8) {
        self.state().forced = Some((length, byte));
    }

    /// Runs `action` before a draw, after `pass` other draws.
    pub(crate) fn interrupt(&self, pass: usize, action: Interruption) {
        self.state().interruption = Some((pass, action));
    }

    /// Returns whether the action has run.
    pub(crate) fn has_interrupted(&self) -> bool {
        self.state().interruption.is_none()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the action if its draw has come.
    fn due(&self) -> Option<Interruption> {
        let mut state = self.state();
        match state.interruption.take()? {
            (0, action) => Some(action),
            (pass, action) => {
                state.interruption = Some((pass.saturating_sub(1), action));
                None
            }
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError> {
        // The lock is free while the action runs, because the action draws too.
        if let Some(action) = self.due() {
            action();
        }
        let mut state = self.state();
        if let Some((_, byte)) = state.forced.take_if(|(length, _)| *length == bytes.len()) {
            bytes.fill(byte);
            return Ok(());
        }
        for chunk in bytes.chunks_mut(8) {
            let random = splitmix64(&mut state.seed).to_be_bytes();
            chunk.iter_mut().zip(random).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// Returns the next number of the generator `SplitMix64`.
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
