//! What ends a function at its start, or an invocation that has no request.

use crate::ports::chain;
use lambda_runtime::Diagnostic;
use std::error::Error as StdError;
use std::fmt;

/// The type of the error that the caller of a function sees.
const TYPE: &str = "Error";

/// An error with its causes.
pub struct Error(Box<dyn StdError + Send + Sync>);

impl Error {
    /// Returns the error and its causes on one line.
    pub(super) fn chain(&self) -> String {
        chain(&*self.0)
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

// Rust prints this form when `main` returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: TYPE.to_owned(), error_message: error.0.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::PortError;

    #[test]
    fn an_error_is_printed_as_its_text_with_its_causes() {
        let error = Error::from(PortError::new("read a secret", "no such secret"));
        assert_eq!(format!("{error:?}"), "failed to read a secret: no such secret");
        let seen = Diagnostic::from(Error::from("the payload is wrong"));
        assert_eq!(
            (seen.error_type.as_str(), seen.error_message.as_str()),
            ("Error", "the payload is wrong")
        );
    }
}
