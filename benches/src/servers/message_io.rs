//! The `message-io` crate: its echo is one call in one callback.
//!
//! It lets one choose neither the buffer (64 KiB less one byte), nor the backlog (1,024), nor Nagle's delay
//! (on, which an echo that answers each message at once doesn't meet). A send to a peer that doesn't read
//! spins until it does, and nobody else is served meanwhile. A second thread looks for signals of the
//! application's own 20 times a second.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::bail;
use message_io::network::{NetEvent, Transport};
use message_io::node;

use super::refused;

pub(super) fn streams(
    address: SocketAddr,
    announce: &dyn Fn(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<Infallible> {
    let (handler, listener) = node::split::<()>();
    let (_, bound) = handler
        .network()
        .listen(Transport::Tcp, address)
        .map_err(|error| refused("listen on", address, error))?;
    let sender = handler.clone();
    let mut task = listener.for_each_async(move |event| {
        if let NetEvent::Message(endpoint, data) = event.network() {
            // It closes what can't be sent to by itself.
            let _ = sender.network().send(endpoint, data);
        }
    });
    // Not before: until the callback is there it keeps what comes, but forgets whom to answer once the
    // client has finished.
    if let Err(error) = announce(bound) {
        handler.stop();
        return Err(error);
    }
    task.wait();
    bail!("message-io stopped, which nobody asked for")
}
