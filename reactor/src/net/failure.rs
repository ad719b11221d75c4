//! Errors that say what was tried.

use std::error::Error;
use std::fmt;
use std::io;

use super::Address;

/// What an [`io::Error`] of this library has inside when a system call failed: what was tried and on
/// what, the error itself, and, where there is some, advice.
///
/// The outer error keeps the [`kind`](io::Error::kind) of the inner one where that says something, and
/// its text holds that text, so that printing it is enough. The number of the error is one step away:
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

    /// `cause`, as an error that says what was tried. A failure as a cause is one of what was tried on
    /// the way: it becomes one with this one.
    pub(crate) fn wrap(
        attempt: impl Into<String>,
        cause: io::Error,
        advice: Option<&'static str>,
    ) -> io::Error {
        let (kind, attempt) = (cause.kind(), attempt.into());
        let failure = match cause.downcast::<Self>() {
            Ok(inner) => Self {
                attempt: format!("{attempt}: {}", inner.attempt),
                advice: inner.advice.or(advice),
                ..inner
            },
            Err(cause) => Self { attempt, cause, advice },
        };
        io::Error::new(kind, failure)
    }

    /// `cause`, as [`Unsupported`](io::ErrorKind::Unsupported), which the number alone doesn't say.
    pub(super) fn unsupported(attempt: String, cause: io::Error) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, Self { attempt, cause, advice: None })
    }

    /// `cause` of an attempt to have an address, with advice where there is some: the same for all
    /// kinds of sockets.
    pub(super) fn at(attempt: &str, address: &Address, cause: io::Error) -> io::Error {
        let advice = match (address, cause.raw_os_error()) {
            (_, Some(libc::EADDRINUSE)) => Some("another socket has that address"),
            (_, Some(libc::EADDRNOTAVAIL)) => Some("no interface of this machine has that address"),
            (Address::Ip(_), Some(libc::EACCES)) => {
                Some("low ports are for root, or on Linux for CAP_NET_BIND_SERVICE")
            }
            (Address::Path(_), Some(libc::ENOENT)) => Some("its directory must be there already"),
            _ => None,
        };
        Self::wrap(format!("{attempt} {address}"), cause, advice)
    }
}

/// `listen on 127.0.0.1:80: Permission denied (os error 13); ports below 1024 …`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempt, self.cause)?;
        self.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

/// As its text: that is what an `io::Error` from `main` shows.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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

    #[test]
    fn a_failure_on_the_way_becomes_one_with_the_whole() {
        let cause = io::Error::from_raw_os_error(libc::EINVAL);
        let text = format!("listen on [::1]:80: set SO_X to 5: {cause}");
        let inner = Failure::wrap("set SO_X to 5", cause, None);
        let error = Failure::wrap("listen on [::1]:80", inner, None);
        assert_eq!(error.to_string(), text);
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(Failure::of(&error).unwrap().cause().raw_os_error(), Some(libc::EINVAL));
    }
}
