//! Turns of those that only wait.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::sys::timerfd::TimerFd;

use super::super::crowd::{connection, listener};
use super::super::waiters::{Patience, Waiter};
use super::MESSAGE;

/// Bytes of the buffer that the echo reads into.
pub(in crate::micro) const SCRATCH: usize = 64 * 1024;

/// Watches `crowd`, with the tokens from 1 on.
fn watch<W: Waiter>(crowd: &[TimerFd]) -> io::Result<W> {
    let mut waiter = W::new(crowd.len() + 1)?;
    for (index, fd) in crowd.iter().enumerate() {
        waiter.add(fd.as_fd(), index + 1)?;
    }
    Ok(waiter)
}

pub(in crate::micro) fn empty<W: Waiter>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut waiter = watch::<W>(crowd)?;
    let mut seen = 0;
    let start = Instant::now();
    for _ in 0..turns {
        waiter.wait(Patience::None, |_| seen += 1)?;
    }
    let took = start.elapsed();
    if seen == 0 { Ok(took) } else { Err(io::Error::other(format!("{seen} unexpected reports"))) }
}

pub(in crate::micro) fn echo<W: Waiter>(crowd: &[TimerFd], turns: u64) -> io::Result<Duration> {
    let mut waiter = watch::<W>(crowd)?;
    let (server, mut client) = connection(&listener()?)?;
    waiter.add(server.as_fd(), 0)?;
    let to_end = waiter.is_edge_triggered();
    let mut scratch = vec![0; SCRATCH];
    let mut message = [7; MESSAGE];
    let start = Instant::now();
    for _ in 0..turns {
        client.write_all(&message)?;
        let mut echoed = 0;
        while echoed < MESSAGE {
            let mut answer = Ok(0);
            waiter.wait(Patience::Endless, |_| answer = pass(&server, &mut scratch, to_end))?;
            echoed += answer?;
        }
        client.read_exact(&mut message)?;
    }
    Ok(start.elapsed())
}

/// Sends back what has come: how many bytes.
pub(in crate::micro) fn pass(
    mut server: &TcpStream,
    scratch: &mut [u8],
    to_end: bool,
) -> io::Result<usize> {
    let mut passed = 0;
    loop {
        match server.read(scratch) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                server.write_all(&scratch[..count])?;
                passed += count;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(passed),
            Err(error) => return Err(error),
        }
        if !to_end {
            return Ok(passed);
        }
    }
}
