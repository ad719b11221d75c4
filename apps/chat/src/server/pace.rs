//! How fast a client is read from: what its commands have cost it, and what it waits for.

use std::time::Duration;

use reactor::{ConnId, Context};
use slotmap::Key;

use super::Server;
use crate::state::UserId;

impl Server {
    /// Takes of a user's allowance what a command of it was worth beyond a line.
    pub(super) fn charge(&mut self, ctx: &Context<'_>, user: UserId, lines: u32) {
        if !self.flood_control || lines == 0 {
            return;
        }
        let limits = &self.state.config.limits;
        let (burst, period) = (limits.burst, Duration::from_secs(1) / limits.lines_per_second);
        if let Some((_, client)) = self.client(user) {
            client.allowance.charge(ctx.now(), lines, burst, period);
        }
    }

    /// Stops reading from a client for a while.
    pub(super) fn hold(&mut self, ctx: &mut Context<'_>, conn: ConnId, wait: Duration) {
        let Some(client) = self.clients.get_mut(conn) else { return };
        // Its last line may have ended it.
        if self.routes.get(client.user).is_none() {
            return;
        }
        ctx.pause(conn);
        client.held = Some(ctx.after(wait, client.user.data().as_ffi()));
    }

    /// Goes on reading from a client, unless there is still something to wait for.
    pub(super) fn go_on(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
        let Some(client) = self.clients.get(conn) else { return };
        if client.held.is_none() && !client.checking && !self.routes.is_answered(client.user) {
            ctx.resume(conn);
        }
    }
}
