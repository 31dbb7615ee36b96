use super::PortError;

/// Random bytes that nobody can guess.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// The operating system gave none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError>;
}

/// `N` random bytes.
///
/// # Errors
/// The operating system gave none.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], PortError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}
