//! Two machines and a wire: the thread that makes it is at the near one.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::thread;

use tests::listening::Listening;

use crate::namespace::{self, Namespace, call};

/// Near and far, at the ends of a veth pair: 10.9.0.1 and fd09::1 here, 10.9.0.2, 10.9.0.3 and fd09::2
/// there. Nobody has 10.9.0.99, and there is no route to anywhere else.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) far: Namespace,
}

/// What the far end does with a new connection to some of its ports.
const FILTERS: [&str; 6] = [
    "nft add table inet filter",
    "nft add chain inet filter in { type filter hook input priority 0 ; }",
    "nft add rule inet filter in tcp dport 81 drop",
    "nft add rule inet filter in tcp dport 82 reject with icmpx host-unreachable",
    "nft add rule inet filter in tcp dport 83 reject with icmpx port-unreachable",
    "nft add rule inet filter in tcp dport 84 reject with icmpx admin-prohibited",
];

impl Network {
    /// Takes this thread to a new machine, with a wire to another one.
    pub(crate) fn new() -> Self {
        Self::try_new().unwrap()
    }

    fn try_new() -> io::Result<Self> {
        namespace::leave()?;
        let far = Namespace::new()?;
        call("ip link set lo up")?;
        call(&format!("ip link add near type veth peer name far netns {}", far.thread_id))?;
        call("ip address add 10.9.0.1/24 dev near")?;
        call("ip link set near up")?;
        far.run(|| {
            call("ip link set lo up")?;
            call("ip address add 10.9.0.2/24 dev far")?;
            call("ip address add 10.9.0.3/24 dev far")?;
            call("ip link set far up")?;
            FILTERS.iter().try_for_each(|filter| call(filter))
        })?;
        Ok(Self { far })
    }

    /// As `new`, and both ends have IPv6 addresses, too.
    pub(crate) fn with_ipv6() -> Self {
        let network = Self::new();
        call("ip address add fd09::1/64 dev near nodad").unwrap();
        network.far.call("ip address add fd09::2/64 dev far nodad");
        network
    }

    /// A listener at the far end.
    pub(crate) fn listen(&self, address: &str) -> Listening {
        let address: SocketAddr = address.parse().unwrap();
        self.far.run(move || Listening::at(&address.into(), 128))
    }

    /// Sets a parameter of the near end's network: a path below /proc/sys/net.
    pub(crate) fn set(&self, parameter: &str, value: &str) {
        fs::write(format!("/proc/sys/net/{parameter}"), value).unwrap();
    }
}

/// Why there is no IPv6 here, if there is none.
pub(crate) fn ipv6_obstacle() -> Option<String> {
    let there = fs::exists("/proc/sys/net/ipv6").unwrap_or(false);
    (!there).then(|| "this system has no IPv6".to_owned())
}

/// Why there can be no network here, if there can't.
pub(crate) fn obstacle() -> Option<String> {
    let tried = thread::spawn(|| Network::try_new().map(drop)).join().unwrap();
    tried.err().map(|error| format!("no network of its own: {error}"))
}
