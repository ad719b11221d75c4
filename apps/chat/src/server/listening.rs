//! Where the server listens, also after the settings have changed.

use std::io;

use reactor::{Context, Limits, ListenOptions, ListenerId, SocketOptions};

use crate::config::Config;

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// Bytes that the system keeps for a client that doesn't read, of which it makes twice as many (socket(7)).
/// Left alone it grows to megabytes, which is the memory of a machine before the send queue has begun.
const SYSTEM_QUEUE: usize = 64 * 1024;

/// The listeners, and by which address each was asked for.
pub(super) struct Listening {
    /// What the command line says, in place of the settings.
    fixed: Vec<String>,
    open: Vec<(String, ListenerId)>,
}

impl Listening {
    pub(super) fn new(fixed: Vec<String>) -> Self {
        Self { fixed, open: Vec::new() }
    }

    /// Listens wherever the settings say and it doesn't yet, and nowhere else. If one address can't be
    /// had, all stays as it was.
    pub(super) fn change(&mut self, ctx: &mut Context<'_>, config: &Config) -> io::Result<()> {
        let wanted = if self.fixed.is_empty() { &config.listen } else { &self.fixed };
        let mut new = Vec::new();
        let socket = SocketOptions::default().send_buffer(SYSTEM_QUEUE);
        let options = ListenOptions::default().backlog(BACKLOG).socket(socket);
        for address in wanted {
            if self.open.iter().chain(&new).any(|(open, _)| open == address) {
                continue;
            }
            match ctx.listen_with(address.as_str(), &options) {
                Ok(listener) => new.push((address.clone(), listener)),
                Err(error) => {
                    new.iter().for_each(|(_, listener)| ctx.close_listener(*listener));
                    return Err(error);
                }
            }
        }
        for (_, listener) in self.open.iter().filter(|(open, _)| !wanted.contains(open)) {
            ctx.close_listener(*listener);
        }
        self.open.retain(|(open, _)| wanted.contains(open));
        self.open.append(&mut new);
        let limits = limits(config);
        for (_, listener) in &self.open {
            ctx.set_listener_limits(*listener, limits.clone());
        }
        Ok(())
    }

    /// The addresses, with the ports that the system has chosen.
    pub(super) fn names(&self, ctx: &Context<'_>) -> io::Result<Vec<String>> {
        self.open
            .iter()
            .map(|(_, listener)| Ok(ctx.listener_address(*listener)?.to_string()))
            .collect()
    }
}

/// What holds for each connection.
fn limits(config: &Config) -> Limits {
    let send_queue = config.limits.send_queue;
    let mut limits = Limits::default();
    limits.write_cap = send_queue;
    limits.write_high = send_queue / 4;
    limits.write_low = send_queue / 8;
    limits
}
