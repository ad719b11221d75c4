//! Framing: where in a stream of bytes one message ends and the next begins.
//!
//! A codec is plain state over bytes: it reads nothing, and keeps no bytes of its own. `next` takes a
//! whole message from what is unread, if there is one, and lends it out of the same memory; `needs` says
//! how many bytes must be unread before there can be another one. Given to
//! [`Context::set_read_low`](crate::Context::set_read_low), the handler isn't called before: a message of
//! a megabyte wakes it once.
//!
//! ```
//! use reactor::codec::LengthPrefixed;
//! use reactor::{CloseReason, ConnId, ConnMap, Context, Handler, Input, ListenerId};
//!
//! struct Stream {
//!     codec: LengthPrefixed,
//!     /// Bytes of a message whose rest hasn't come.
//!     begun: usize,
//! }
//!
//! struct Server {
//!     streams: ConnMap<Stream>,
//! }
//!
//! impl Handler for Server {
//!     type Message = ();
//!
//!     fn accepted(&mut self, _: &mut Context<'_>, conn: ConnId, _: ListenerId) {
//!         let codec = LengthPrefixed::new(1024 * 1024);
//!         self.streams.insert(conn, Stream { codec, begun: 0 });
//!     }
//!
//!     fn data(&mut self, ctx: &mut Context<'_>, conn: ConnId, input: &mut Input<'_>) {
//!         let stream = &mut self.streams[conn];
//!         loop {
//!             match stream.codec.next(input) {
//!                 Ok(Some(message)) => println!("{} bytes", message.len()),
//!                 Ok(None) => {
//!                     stream.begun = input.len();
//!                     return ctx.set_read_low(conn, stream.codec.needs());
//!                 }
//!                 // A peer that says so much at once is one to be rid of.
//!                 Err(_) => return ctx.abort(conn),
//!             }
//!         }
//!     }
//!
//!     fn peer_finished(&mut self, ctx: &mut Context<'_>, conn: ConnId) {
//!         if self.streams[conn].begun > 0 {
//!             println!("the last message was cut off");
//!         }
//!         ctx.close(conn);
//!     }
//!
//!     fn closed(&mut self, _: &mut Context<'_>, conn: ConnId, _: CloseReason) {
//!         self.streams.remove(conn);
//!     }
//! }
//! ```
//!
//! At the end of the stream [`data`](crate::Handler::data) comes once more with what is left, also if that
//! was seen before: the beginning of a message whose rest never came. It doesn't say that it is the last
//! time; [`peer_finished`](crate::Handler::peer_finished) does, right behind it. So a handler that
//! remembers what it left, as this one does, knows there whether the stream was cut in the midst of a
//! message. One that ends by an error has no `peer_finished`:
//! [`closed`](crate::Handler::closed) says so.

mod length_prefixed;
mod lines;

use std::error::Error;
use std::fmt;

pub use length_prefixed::LengthPrefixed;
pub use lines::Lines;

/// A message is longer than the codec allows. It stays unread, and so it is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Bytes of the message, as far as they are known: at least so many.
    pub length: usize,
    /// The most bytes that a message may have.
    pub max: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, max } = self;
        write!(f, "a message of {length} bytes or more, where at most {max} are allowed")
    }
}

impl Error for TooLong {}

/// What the tests of the codecs share.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    /// What a codec makes of bytes that come piece by piece, as a handler uses it: it is asked only when
    /// as many are unread as it needs, and at the end.
    pub(super) fn decode<C>(
        codec: &mut C,
        pieces: &[&[u8]],
        next: impl for<'a> Fn(&mut C, &mut Input<'a>) -> Result<Option<&'a [u8]>, TooLong>,
        needs: impl Fn(&C) -> usize,
    ) -> (Vec<Vec<u8>>, Result<Vec<u8>, TooLong>) {
        let (mut messages, mut unread) = (Vec::new(), Vec::new());
        for piece in pieces {
            unread.extend_from_slice(piece);
            while unread.len() >= needs(codec) {
                let mut input = Input::new(&unread);
                let message = match next(codec, &mut input) {
                    Ok(message) => message.map(<[u8]>::to_vec),
                    Err(error) => return (messages, Err(error)),
                };
                let taken = input.taken();
                unread.drain(..taken);
                let Some(message) = message else {
                    assert_eq!(taken, 0, "what is no message stays");
                    assert!(needs(codec) > unread.len(), "it waits for what is there");
                    break;
                };
                messages.push(message);
            }
        }
        (messages, Ok(unread))
    }

    /// Cuts bytes at places that are given as any numbers.
    pub(super) fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
        let mut places: Vec<usize> = places.iter().map(|at| at % (bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
    }

    #[test]
    fn an_error_says_what_is_allowed() {
        let error = TooLong { length: 11, max: 10 };
        assert_eq!(
            error.to_string(),
            "a message of 11 bytes or more, where at most 10 are allowed"
        );
    }
}
