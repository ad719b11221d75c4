//! A chat server that speaks IRC, so that the clients that people have already are its clients.
//!
//! The protocol knows no sockets. A line is taken apart ([`message`]), a command ([`commands`]) reads and
//! changes the [`state`], and what it has to say goes through a [`turn::Turn`] to a [`bus::Bus`], rendered once
//! for each class of clients ([`mod@line`]). So every command can be tested, and fuzzed, without a network. Only
//! [`server`] knows the reactor.

pub mod addresses;
pub mod bus;
pub mod caps;
pub mod cloak;
pub mod commands;
pub mod config;
pub mod flood;
pub mod line;
pub mod message;
pub mod names;
pub mod numerics;
pub mod password;
pub mod secret;
pub mod server;
pub mod state;
pub mod time;
pub mod turn;
