//! Low-water marks that are set one by one.

use super::Core;
use crate::connection::State;
use crate::poller::Key;

impl Core {
    /// Sets the read low-water mark of a connection alone: for each message, if need be.
    pub(crate) fn set_read_low(&mut self, key: Key, bytes: usize) {
        let Some(connection) = self.sources.connection_mut(key) else { return };
        let bytes = bytes.max(1);
        if bytes != connection.read_low {
            connection.read_low = bytes;
            connection.state.set(State::NEW_MARK);
            self.deliver_again(key);
        }
    }
}
