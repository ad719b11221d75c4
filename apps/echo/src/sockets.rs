//! What the server listens at.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};

use reactor::{Context, ListenOptions, UdpId};

use crate::cli::{Options, abstract_name};

/// How often a free TCP port is asked for, if UDP's of the same number keeps being taken.
const TRIES: usize = 16;

pub(crate) struct Sockets {
    /// What clients connect to, in the order of the command line: addresses, then paths.
    pub(crate) names: Vec<String>,
    /// The UDP sockets and their ports.
    pub(crate) udp: Vec<(UdpId, u16)>,
}

/// Opens all that the command line names: one of the addresses of each name, and the paths.
pub(crate) fn open(
    ctx: &mut Context<'_>,
    named: &[Vec<SocketAddr>],
    options: &Options,
) -> io::Result<Sockets> {
    let mut listening = ListenOptions::default();
    if let Some(count) = options.max_connections {
        listening = listening.max_connections(count);
    }
    let mut sockets = Sockets { names: Vec::new(), udp: Vec::new() };
    for addresses in named {
        let (address, udp) = open_first(ctx, addresses, &listening)
            .map_err(|error| advise(&error, "try another --listen"))?;
        sockets.names.push(address.to_string());
        sockets.udp.push((udp, address.port()));
    }
    for path in &options.unix {
        let listener = match abstract_name(path) {
            Some(name) => ctx.listen_abstract(name, &listening),
            None => ctx.listen_unix(path, &listening),
        };
        listener.map_err(|error| advise(&error, "try another --unix"))?;
        sockets.names.push(path.display().to_string());
    }
    Ok(sockets)
}

/// The addresses of a name, or the one that it is.
pub(crate) fn look_up(name: &str) -> io::Result<Vec<SocketAddr>> {
    let addresses = name.to_socket_addrs();
    let addresses =
        addresses.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    Ok(addresses.collect())
}

/// The first of the addresses at which that is possible.
fn open_first(
    ctx: &mut Context<'_>,
    addresses: &[SocketAddr],
    options: &ListenOptions,
) -> io::Result<(SocketAddr, UdpId)> {
    let mut failure = io::Error::new(ErrorKind::InvalidInput, "the name has no address");
    for address in addresses {
        match open_port(ctx, *address, options) {
            Ok(opened) => return Ok(opened),
            Err(error) => failure = error,
        }
    }
    Err(failure)
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
            Err(error) => {
                ctx.close_listener(listener);
                if error.kind() != ErrorKind::AddrInUse || tries == 0 {
                    return Err(error);
                }
            }
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
