//! `tokio` on one thread: a task for each connection, with a buffer of its own, as its documentation
//! shows an echo. What a task awaits with must be its own, so that memory here grows with the connections.

use std::convert::Infallible;
use std::io;
use std::net;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::{Builder, Runtime};

use super::BUFFER;
use crate::limits;

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

pub(super) fn streams(listener: net::TcpListener) -> io::Result<Infallible> {
    runtime()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(async {
                        // An error is the connection's end: there is nobody to tell.
                        let _ = echo(stream).await;
                    });
                }
                Err(error) => limits::survive_accept(&error)?,
            }
        }
    })
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Not zeroed: that costs the time of a message for each connection, and memory that nothing is read into.
    let mut buffer = Vec::with_capacity(BUFFER);
    while stream.read_buf(&mut buffer).await? > 0 {
        stream.write_all(&buffer).await?;
        buffer.clear();
    }
    Ok(())
}

pub(super) fn datagrams(socket: net::UdpSocket) -> io::Result<Infallible> {
    runtime()?.block_on(async {
        let socket = UdpSocket::from_std(socket)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let (received, peer) = socket.recv_from(&mut buffer).await?;
            // A datagram that can't be answered is lost, as one on the way would be.
            let _ = socket.send_to(&buffer[..received], peer).await;
        }
    })
}
