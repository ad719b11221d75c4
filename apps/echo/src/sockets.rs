//! What the server listens at.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use reactor::{Context, ListenOptions, UdpId};

use crate::cli::Options;

/// How often a free TCP port is asked for, if UDP's of the same number keeps being taken.
const TRIES: usize = 16;

pub(crate) struct Sockets {
    /// What clients connect to, in the order of the command line: addresses, then paths.
    pub(crate) names: Vec<String>,
    /// The UDP sockets and their ports.
    pub(crate) udp: Vec<(UdpId, u16)>,
}

/// Opens all that the command line names.
pub(crate) fn open(ctx: &mut Context<'_>, options: &Options) -> io::Result<Sockets> {
    let mut listening = ListenOptions::default();
    if let Some(count) = options.max_connections {
        listening = listening.max_connections(count);
    }
    let mut sockets = Sockets { names: Vec::new(), udp: Vec::new() };
    for address in &options.listen {
        let (address, udp) = open_port(ctx, *address, &listening)
            .map_err(|error| advise(&error, "try another --listen"))?;
        sockets.names.push(address.to_string());
        sockets.udp.push((udp, address.port()));
    }
    for path in &options.unix {
        ctx.listen_unix(path, &listening).map_err(|error| advise(&error, "try another --unix"))?;
        sockets.names.push(path.display().to_string());
    }
    Ok(sockets)
}

/// TCP and UDP on one port. A port that the system may choose is chosen for TCP, since it can't be
/// asked for one that is free for both.
fn open_port(
    ctx: &mut Context<'_>,
    address: SocketAddr,
    options: &ListenOptions,
) -> io::Result<(SocketAddr, UdpId)> {
    let mut tries = if address.port() == 0 { TRIES } else { 1 };
    loop {
        let listener = ctx.listen_with(address, options)?;
        let local = ctx.listener_address(listener)?.as_ip().unwrap_or(address);
        tries -= 1;
        match ctx.bind_udp(local) {
            Ok(udp) => return Ok((local, udp)),
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 0 => {
                ctx.close_listener(listener);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The error and, if the address is at fault, what to do about it.
fn advise(error: &io::Error, advice: &str) -> io::Error {
    let kind = error.kind();
    let text = match kind {
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable | ErrorKind::PermissionDenied => {
            format!("{error}; {advice}")
        }
        _ => error.to_string(),
    };
    io::Error::new(kind, text)
}
