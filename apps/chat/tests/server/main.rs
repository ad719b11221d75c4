//! The server as a user runs it: a process, its output, its exit code, and its clients.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod command_line;
mod ending;
mod flood;
mod limits;
mod log;
mod process;
mod settings;
mod talking;
