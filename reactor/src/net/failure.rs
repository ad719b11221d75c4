//! Errors that say what was tried.

use std::error::Error;
use std::fmt;
use std::io;

/// What an [`io::Error`] of this library has inside when a system call on a socket failed: what was
/// tried and on what, the error itself, and, where there is some, advice.
///
/// The outer error keeps the [`kind`](io::Error::kind) of the inner one, and its text holds that
/// text, so that printing it is enough. The number of the error is one step away:
///
/// ```
/// use std::io;
/// use reactor::Failure;
///
/// fn errno(error: &io::Error) -> Option<i32> {
///     Failure::of(error).map_or(error, Failure::cause).raw_os_error()
/// }
/// # assert_eq!(errno(&io::Error::from_raw_os_error(22)), Some(22));
/// ```
#[derive(Debug)]
pub struct Failure {
    attempt: String,
    cause: io::Error,
    advice: Option<&'static str>,
}

impl Failure {
    /// The failure inside `error`, if it came from this library with one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// What was tried, and on what: `listen on 127.0.0.1:80`.
    #[must_use]
    pub fn attempt(&self) -> &str {
        &self.attempt
    }

    /// What came of it. Where the kernel said so, its
    /// [`raw_os_error`](io::Error::raw_os_error) is the number.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }

    /// `cause`, as an error that says what was tried.
    pub(super) fn wrap(
        attempt: impl Into<String>,
        cause: io::Error,
        advice: Option<&'static str>,
    ) -> io::Error {
        io::Error::new(cause.kind(), Self { attempt: attempt.into(), cause, advice })
    }
}

/// `listen on 127.0.0.1:80: Permission denied (os error 13); ports below 1024 …`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempt, self.cause)?;
        self.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

// No `source`: the text holds the cause already, and reports of a whole chain would repeat it.
impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_kind_and_number_and_says_all() {
        let cause = io::Error::from_raw_os_error(libc::EACCES);
        let text = format!("listen on 127.0.0.1:80: {cause}; do this");
        let error = Failure::wrap("listen on 127.0.0.1:80", cause, Some("do this"));
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(error.to_string(), text);
        let failure = Failure::of(&error).unwrap();
        assert_eq!(failure.attempt(), "listen on 127.0.0.1:80");
        assert_eq!(failure.cause().raw_os_error(), Some(libc::EACCES));
        assert!(Failure::of(failure.cause()).is_none());
    }
}
