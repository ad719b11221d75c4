//! A descriptor kept for the day when there are none.

use std::io;

use socket2::{Domain, Socket, Type};

use super::{Accepted, Listener};

/// A spare descriptor, to be given up when accept(2) finds no other.
///
/// A connection that can't be accepted stays in the queue: its client waits for ever, and the
/// listener stays readable for ever. With the spare's number one connection can be accepted and
/// closed, so that its client knows.
#[derive(Debug)]
pub(crate) struct Reserve(Option<Socket>);

impl Reserve {
    /// Takes the spare.
    ///
    /// # Errors
    ///
    /// What socket(2) says: `EMFILE` and `ENFILE` if there is none to spare any more.
    pub(crate) fn new() -> io::Result<Self> {
        spare().map(|spare| Self(Some(spare)))
    }

    /// Takes the spare back, if it was lost and one can be had, and says whether there is one.
    pub(crate) fn refill(&mut self) -> bool {
        if self.0.is_none() {
            self.0 = spare().ok();
        }
        self.0.is_some()
    }

    /// Gives up the spare, accepts one connection and closes it at once, and takes the spare back.
    ///
    /// Says whether the queue is one connection shorter. It isn't if nobody waited, if there was no
    /// spare, if another thread was quicker to take its number, or if it isn't descriptors that are
    /// lacking but memory. Whether the spare could be taken back shows in
    /// [`refill`](Self::refill), which the next `shed` begins with.
    ///
    /// # Errors
    ///
    /// What [`Accepted::Failed`] has: the listener itself is at fault.
    pub(crate) fn shed(&mut self, listener: &Listener) -> io::Result<bool> {
        if !self.refill() {
            return Ok(false);
        }
        self.0 = None;
        // The connection is closed by the end of the match, before the spare is taken back.
        let shorter = match listener.accept() {
            Accepted::Connection(..) | Accepted::Gone(_) => Ok(true),
            Accepted::Empty | Accepted::Starved(_) => Ok(false),
            Accepted::Failed(error) => Err(error),
        };
        self.refill();
        shorter
    }
}

/// An open file of its own, which a duplicate isn't: ENFILE counts files, not descriptors. A socket
/// rather than /dev/null, because it exists in every chroot.
fn spare() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM, None)
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpStream};
    use std::process::Command;

    use super::*;
    use crate::net::ListenOptions;

    /// Descriptors that the test of a full table may have.
    const FEW: usize = 64;

    fn listener() -> Listener {
        Listener::tcp((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap()
    }

    fn connect(listener: &Listener) -> TcpStream {
        TcpStream::connect(listener.local_addr().as_ip().unwrap()).unwrap()
    }

    #[test]
    fn sheds_one_connection_at_a_time() {
        let (listener, mut reserve) = (listener(), Reserve::new().unwrap());
        assert!(!reserve.shed(&listener).unwrap());
        let mut clients = [connect(&listener), connect(&listener)];
        assert!(reserve.shed(&listener).unwrap());
        assert_eq!(clients[0].read(&mut [0]).unwrap(), 0);
        assert!(matches!(listener.accept(), Accepted::Connection(..)));
        assert!(!reserve.shed(&listener).unwrap());
        assert!(reserve.0.is_some());
    }

    /// The test below, with a shell in between that lowers the limit for it alone.
    #[test]
    fn works_when_the_table_is_full() {
        const CHILD: &str = "REACTOR_TEST_WITH_FEW_DESCRIPTORS";
        let name = "net::reserve::tests::works_when_the_table_is_full";
        if env::var_os(CHILD).is_some() {
            return with_a_full_table();
        }
        let child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {FEW} && exec \"$0\" \"$@\"")])
            .arg(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success() && text.contains("1 passed"), "{text}");
    }

    fn with_a_full_table() {
        let (listener, mut reserve) = (listener(), Reserve::new().unwrap());
        let mut clients = [connect(&listener), connect(&listener)];
        let mut all: Vec<_> = (0..FEW).map_while(|_| spare().ok()).collect();
        assert!(all.len() < FEW);

        let Accepted::Starved(error) = listener.accept() else { panic!("the table isn't full") };
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        assert!(reserve.shed(&listener).unwrap());
        assert_eq!(clients[0].read(&mut [0]).unwrap(), 0);
        assert!(reserve.0.is_some());

        // Somebody else takes the number: nothing is shed, and nothing is lost.
        reserve.0 = None;
        all.push(spare().unwrap());
        assert!(!reserve.refill());
        assert!(!reserve.shed(&listener).unwrap());
        all.pop();
        assert!(reserve.refill());
        assert!(reserve.shed(&listener).unwrap());
        assert_eq!(clients[1].read(&mut [0]).unwrap(), 0);
    }
}
