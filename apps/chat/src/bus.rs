//! How what is said reaches those whom it is for.
//!
//! What commands do knows users, not sockets: a member of a channel may be anywhere. The one
//! implementation of [`Bus`] that serves people is the server's, whose users are all its own clients.

use crate::line::{Class, Line};
use crate::state::UserId;

/// Where lines go.
pub trait Bus {
    /// Hands `line` to each of `to`, in the class that each is known by.
    fn publish(&mut self, line: &Line, to: &mut dyn Iterator<Item = UserId>);

    /// Hands lines that are rendered already to one user.
    fn tell(&mut self, to: UserId, lines: &[u8]);

    /// From now on `user` is told lines in this class; before, it is [`Class::PLAIN`].
    fn classify(&mut self, user: UserId, class: Class);

    /// `user` is gone: what was handed over for it still goes out, and nothing follows.
    fn part_with(&mut self, user: UserId);
}
