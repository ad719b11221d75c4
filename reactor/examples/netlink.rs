//! What happens to the interfaces, addresses and routes of this machine, while it happens: a netlink
//! socket in the loop (Linux, rtnetlink(7)). Try `ip address add 127.0.0.9 dev lo`.

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    changes::watch()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("this system has no netlink sockets");
}

#[cfg(target_os = "linux")]
mod changes {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use reactor::{ConnId, Context, Handler, Input, Interest, RawId, Reactor, Readiness};
    use rustix::io::Errno;
    use rustix::net::netlink::SocketAddrNetlink;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

    /// RTMGRP_LINK, and _IFADDR and _ROUTE of both families.
    const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    struct Print;

    impl Handler for Print {
        type Message = ();

        fn ready(&mut self, ctx: &mut Context<'_>, raw: RawId, _: Readiness) {
            let mut buffer = [0; 64 * 1024];
            let Some(socket) = ctx.raw(raw) else { return };
            match rustix::io::read(socket, &mut buffer) {
                Ok(count) => print(&buffer[..count]),
                // Less was read than has happened. Whoever must know all asks for the state anew.
                Err(Errno::NOBUFS) => println!("some changes were lost"),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => {
                    eprintln!("netlink: {error}");
                    ctx.stop();
                }
            }
        }

        fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}
    }

    pub(super) fn watch() -> io::Result<()> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        // Without a protocol it is NETLINK_ROUTE.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        let mut reactor = Reactor::new(Print)?;
        reactor.context().register(socket, Interest::READABLE)?;
        reactor.run()
    }

    /// One datagram has several messages: a length, a type, ten bytes more, and what it is about.
    fn print(mut messages: &[u8]) {
        while let (Some(length), Some(kind)) = (u32_at(messages, 0), u16_at(messages, 4)) {
            let Some(body) = messages.get(16..length as usize) else { return };
            if let Some(text) = describe(kind, body) {
                println!("{text}");
            }
            messages = messages.get(aligned(length as usize)..).unwrap_or_default();
        }
    }

    /// RTM_NEWLINK and so on, each with a header of its own length.
    fn describe(kind: u16, body: &[u8]) -> Option<String> {
        let (what, header) = match kind {
            16 | 17 => ("interface", 16),
            20 | 21 => ("address", 8),
            24 | 25 => ("route", 12),
            _ => return None,
        };
        let verb = if kind % 2 == 0 { "is" } else { "is no longer" };
        let attribute = |wanted| find(body.get(header..)?, wanted);
        let address = |wanted| ip(attribute(wanted)?);
        Some(match what {
            "interface" => {
                // IFLA_IFNAME; of the flags, IFF_UP.
                let name = String::from_utf8_lossy(attribute(3)?.strip_suffix(b"\0")?);
                let up = if u32_at(body, 8)? & 1 != 0 { "up" } else { "down" };
                format!("interface {name} {verb} there, and {up}")
            }
            "address" => {
                // IFA_ADDRESS.
                let (address, interface) = (address(1)?, u32_at(body, 4)?);
                format!("{address}/{} {verb} an address of interface {interface}", body[1])
            }
            _ => {
                // RTA_DST, RTA_GATEWAY, RTA_OIF.
                let to = address(1).map_or("anywhere".into(), |to| format!("{to}/{}", body[1]));
                let through = address(5).map_or(String::new(), |by| format!(" by {by}"));
                let interface = attribute(4).and_then(|bytes| u32_at(bytes, 0));
                let on = interface.map_or(String::new(), |one| format!(" on interface {one}"));
                format!("to {to} there {verb} a route{through}{on}")
            }
        })
    }

    /// The value of an attribute: each has a length, a type, and as many bytes.
    fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
        loop {
            let length = usize::from(u16_at(attributes, 0)?);
            let value = attributes.get(4..length)?;
            if u16_at(attributes, 2)? == wanted {
                return Some(value);
            }
            attributes = attributes.get(aligned(length)..)?;
        }
    }

    fn ip(bytes: &[u8]) -> Option<IpAddr> {
        match bytes.len() {
            4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
            16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
            _ => None,
        }
    }

    fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
    }

    fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// Everything begins at a multiple of four bytes.
    fn aligned(length: usize) -> usize {
        length.next_multiple_of(4)
    }
}
