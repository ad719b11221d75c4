//! Options that are chosen before there is a socket.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockRef, Socket, Type};

use super::*;

/// Where a socket is in its life: which of its options can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It is new, and neither bound nor connected. All are set here but those of a connection alone.
    Created,
    /// connect(2) has succeeded: [`TCP_QUICKACK`] is set.
    Connected,
    /// It came from accept(2): what a connection has use for is set.
    ///
    /// Linux hands all that a TCP listener has on to its connections except [`TCP_QUICKACK`], and
    /// nothing of a Unix listener. So the reactor sets just that.
    Accepted,
}

macro_rules! socket_options {
    ($($(#[$docs:meta])* $field:ident: $value:ty = $option:ident;)*) => {
        /// The options that a socket is to have, from its beginning: what isn't said here stays as the
        /// system has it.
        ///
        /// ```
        /// use std::time::Duration;
        /// use reactor::{ListenOptions, SocketOptions};
        ///
        /// let socket = SocketOptions::default()
        ///     .receive_buffer(1 << 20)
        ///     .keepalive(true)
        ///     .keepalive_idle(Duration::from_secs(60));
        /// let options = ListenOptions::default().socket(socket);
        /// ```
        ///
        /// The constants of the module [`options`](crate::options) say what each does, its unit and
        /// its limits. An option of a protocol that the socket doesn't speak is left out, those of TCP
        /// on a UDP socket, those of multicast on a TCP one or those of IPv6 on an IPv4 one, so that one
        /// set does for several sockets.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[must_use]
        pub struct SocketOptions {
            $($field: Option<$value>,)*
            memberships: Vec<Membership>,
        }

        impl SocketOptions {
            $(
                $(#[$docs])*
                ///
                #[doc = concat!("See [`", stringify!($option), "`](crate::options::", stringify!($option), ").")]
                pub fn $field(mut self, value: $value) -> Self {
                    self.$field = Some(value);
                    self
                }
            )*

            /// These, and where they say nothing, `others`.
            pub(crate) fn or(mut self, others: &Self) -> Self {
                $(self.$field = self.$field.or(others.$field);)*
                self.memberships.extend(&others.memberships);
                self
            }

            /// Those of them that are `wanted`.
            fn keep(&self, wanted: impl Fn(Protocol, Moment) -> bool) -> Self {
                Self {
                    $($field: self.$field.filter(|_| wanted($option.protocol, $option.moment)),)*
                    memberships: Vec::new(),
                }
            }

            /// Sets those of them that are `wanted`.
            fn set(
                &self,
                socket: &Socket,
                wanted: impl Fn(Protocol, Moment) -> bool,
            ) -> io::Result<()> {
                $(
                    if let Some(value) = self.$field {
                        if wanted($option.protocol, $option.moment) {
                            $option.set(socket, value)?;
                        }
                    }
                )*
                Ok(())
            }
        }
    };
}

socket_options! {
    /// Whether datagrams may go to broadcast addresses.
    broadcast: bool = SO_BROADCAST;
    /// Whether the kernel records what the socket does.
    debug: bool = SO_DEBUG;
    /// Whether to send to directly connected hosts alone.
    dont_route: bool = SO_DONTROUTE;
    /// What close(2) does with bytes that the peer hasn't taken.
    linger: Linger = SO_LINGER;
    /// Whether the urgent byte stands among the others.
    urgent_inline: bool = SO_OOBINLINE;
    /// Bytes that may wait to be received; Linux doubles the figure.
    receive_buffer: usize = SO_RCVBUF;
    /// Bytes that may wait to be sent; Linux doubles the figure.
    send_buffer: usize = SO_SNDBUF;
    /// Bytes that must have come before the socket is readable.
    receive_low: usize = SO_RCVLOWAT;
    /// Bytes for which there must be room before the socket is writable.
    send_low: usize = SO_SNDLOWAT;
    /// How long a blocking read waits.
    receive_timeout: Option<Duration> = SO_RCVTIMEO;
    /// How long a blocking write waits.
    send_timeout: Option<Duration> = SO_SNDTIMEO;
    /// Whether an address can be bound that others have, or had.
    reuse_address: bool = SO_REUSEADDR;
    /// Whether an address is shared with others who say so, too.
    reuse_port: bool = SO_REUSEPORT;
    /// Whether small messages leave at once.
    nodelay: bool = TCP_NODELAY;
    /// Whether only full segments leave.
    cork: bool = TCP_CORK;
    /// Whether what comes is acknowledged at once, to begin with.
    quick_ack: bool = TCP_QUICKACK;
    /// The longest segment, in bytes.
    longest_segment: u32 = TCP_MAXSEG;
    /// How long a connection is quiet before it asks its peer whether it is there.
    keepalive_idle: Duration = TCP_KEEPIDLE;
    /// The time between two such questions.
    keepalive_interval: Duration = TCP_KEEPINTVL;
    /// How many such questions may stay unanswered.
    keepalive_count: u32 = TCP_KEEPCNT;
    /// Whether a quiet connection asks its peer whether it is there. The three figures switch it on.
    keepalive: bool = SO_KEEPALIVE;
    /// How long what was sent may stay unacknowledged.
    user_timeout: Option<Duration> = TCP_USER_TIMEOUT;
    /// How long a client that says nothing isn't announced.
    defer_accept: Duration = TCP_DEFER_ACCEPT;
    /// Bytes that may wait in the kernel without having been sent once.
    unsent_low: u32 = TCP_NOTSENT_LOWAT;
    /// The hops that a packet over IPv4 lives.
    ttl: u8 = IP_TTL;
    /// The traffic class of what is sent over IPv4.
    traffic_class: u8 = IP_TOS;
    /// The hops that a packet over IPv6 lives.
    hops_v6: u8 = IPV6_UNICAST_HOPS;
    /// The traffic class of what is sent over IPv6.
    traffic_class_v6: u8 = IPV6_TCLASS;
    /// Whether an IPv6 socket serves IPv4 too.
    ipv6: Ipv6 = IPV6_V6ONLY;
    /// The hops that a multicast packet over IPv4 lives.
    multicast_ttl: u8 = IP_MULTICAST_TTL;
    /// The hops that a multicast packet over IPv6 lives.
    multicast_hops_v6: u8 = IPV6_MULTICAST_HOPS;
    /// Whether this machine gets its own multicast packets over IPv4.
    multicast_loop: bool = IP_MULTICAST_LOOP;
    /// Whether this machine gets its own multicast packets over IPv6.
    multicast_loop_v6: bool = IPV6_MULTICAST_LOOP;
    /// The interface that sends multicast packets over IPv4.
    multicast_interface: std::net::Ipv4Addr = IP_MULTICAST_IF;
    /// The interface that sends multicast packets over IPv6.
    multicast_interface_v6: u32 = IPV6_MULTICAST_IF;
}

impl SocketOptions {
    /// A multicast group to hear; may be said several times. Left out on a TCP socket.
    pub fn join(mut self, membership: Membership) -> Self {
        self.memberships.push(membership);
        self
    }

    /// Sets on `socket` what is to be set at this stage of its life.
    ///
    /// # Errors
    ///
    /// The first option that is refused ends it, with an error as the module
    /// [`options`](crate::options) has them; what was set before stays.
    pub fn apply(&self, socket: &impl AsFd, stage: Stage) -> io::Result<()> {
        let socket = SockRef::from(socket);
        let speaks = Speech::of(&socket)?;
        self.set(&socket, |protocol, moment| {
            speaks.has(protocol)
                && match stage {
                    Stage::Created => moment != Moment::Connected,
                    Stage::Connected => moment == Moment::Connected,
                    Stage::Accepted => moment != Moment::Binding,
                }
        })?;
        if stage == Stage::Created {
            for membership in &self.memberships {
                let v6 = membership.is_v6();
                if speaks.has(if v6 { Protocol::Multicast6 } else { Protocol::Multicast }) {
                    membership.join(&*socket)?;
                }
            }
        }
        Ok(())
    }

    /// Whether an IPv6 socket with them has to do with IPv4.
    pub(crate) fn serves_v4(&self) -> bool {
        self.ipv6 == Some(Ipv6::DualStack)
    }

    /// What accept(2) leaves to be set on a connection of `listener`, if there is anything.
    pub(crate) fn left_by_accept(&self, listener: &Socket) -> io::Result<Option<Box<Self>>> {
        let speaks = Speech::of(listener)?;
        let inherits = cfg!(any(target_os = "linux", target_os = "android")) && speaks.tcp;
        let left = self.keep(|protocol, moment| {
            speaks.has(protocol)
                && match moment {
                    Moment::Binding => false,
                    Moment::Lasting => !inherits,
                    Moment::Connected => true,
                }
        });
        Ok((left != Self::default()).then(|| Box::new(left)))
    }

    /// Sets all of them on a connection: what [`left_by_accept`](Self::left_by_accept) kept.
    pub(crate) fn set_all(&self, socket: &Socket) -> io::Result<()> {
        self.set(socket, |_, _| true)
    }
}

/// The protocols of a socket.
#[derive(Clone, Copy, Debug)]
struct Speech {
    ip: bool,
    v6: bool,
    tcp: bool,
}

impl Speech {
    fn of(socket: &Socket) -> io::Result<Self> {
        // The address of a socket that isn't bound has its family all the same.
        let address = socket.local_addr()?;
        let ip = address.is_ipv4() || address.is_ipv6();
        let tcp = ip && socket.r#type()? == Type::STREAM;
        Ok(Self { ip, v6: address.is_ipv6(), tcp })
    }

    fn has(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Any => true,
            Protocol::Ip => self.ip,
            Protocol::Ipv6 => self.v6,
            Protocol::Tcp => self.tcp,
            Protocol::Multicast => self.ip && !self.tcp,
            Protocol::Multicast6 => self.v6 && !self.tcp,
        }
    }
}
