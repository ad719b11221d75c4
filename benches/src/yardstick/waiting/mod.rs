//! Plain waits: what each mechanism needs to tell which of many descriptors are ready, and no more.
//!
//! Descriptors have a token, small and dense, by which whoever waits finds what belongs to them. All
//! are level-triggered; a wait that a signal interrupts begins again.

mod epoll;
mod poll;
mod polling;
mod select;

use std::ffi::c_int;
use std::io;

pub use epoll::EpollWait;
pub use poll::PollWait;
pub use polling::watch;
pub use select::SelectWait;

/// What a descriptor is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: it stays registered, and isn't reported.
    Nothing,
    /// Something to read.
    Reading,
    /// Room to write.
    Writing,
}

/// How long a wait lasts when nothing is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It only asks.
    None,
    /// For ever.
    Endless,
}

impl Patience {
    /// As poll(2) and epoll_wait(2) take it.
    fn millis(self) -> c_int {
        match self {
            Self::None => 0,
            Self::Endless => -1,
        }
    }
}

/// What `call` returns, which is called again while a signal interrupts it.
fn uninterrupted(mut call: impl FnMut() -> c_int) -> io::Result<usize> {
    loop {
        if let Ok(count) = usize::try_from(call()) {
            return Ok(count);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
