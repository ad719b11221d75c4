//! The server as a user runs it: a process, its output, its exit code, and its sockets.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod command_line;
mod datagrams;
mod ending;
mod limits;
mod process;
mod streams;
