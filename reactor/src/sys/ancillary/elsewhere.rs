//! Without control messages.

use std::io;
use std::os::fd::BorrowedFd;

use super::{Answer, Told};

/// Asks for nothing.
pub(crate) fn report(_fd: BorrowedFd<'_>, _v4: bool, _v6: bool) -> io::Result<()> {
    Ok(())
}

/// Nothing is ever joined.
pub(crate) fn join_segments(_fd: BorrowedFd<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing is ever cut.
pub(crate) fn cuts_segments(_fd: BorrowedFd<'_>) -> bool {
    false
}

/// No control buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control;

impl Control {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn sending(_answer: Option<Answer>, _segment: Option<u16>) -> Self {
        Self
    }

    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut []
    }

    pub(crate) fn told(&self, _bytes: usize) -> Told {
        Told::default()
    }
}
