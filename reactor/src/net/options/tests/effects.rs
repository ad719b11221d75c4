use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr};

use super::*;
use crate::{Address, Interface, control};

/// Whether at least one of some tries has it: a thread that isn't run for a while finds that what was
/// held back has gone.
#[cfg(target_os = "linux")]
fn at_times(mut held: impl FnMut() -> bool) -> bool {
    (0..20).any(|_| held())
}

/// Nagle's algorithm keeps a second small message until the first is acknowledged, and the peer is in
/// no hurry with that.
#[test]
#[cfg(target_os = "linux")]
fn nodelay_sends_what_would_wait() {
    let held = |nodelay| {
        let (mut near, far) = connected();
        // It would acknowledge at once, as it does in the beginning.
        TCP_QUICKACK.set(&far, false).unwrap();
        TCP_NODELAY.set(&near, nodelay).unwrap();
        near.write_all(b"one").unwrap();
        near.write_all(b"two").unwrap();
        control::unsent_bytes(&near).unwrap() > 0
    };
    assert!(at_times(|| held(false)));
    assert!(!at_times(|| held(true)));
}

#[test]
#[cfg(target_os = "linux")]
fn a_cork_holds_back_until_it_is_drawn() {
    assert!(at_times(|| {
        let (mut near, mut far) = connected();
        TCP_NODELAY.set(&near, true).unwrap();
        TCP_CORK.set(&near, true).unwrap();
        near.write_all(b"head").unwrap();
        near.write_all(b"body").unwrap();
        let held = control::unsent_bytes(&near).unwrap() == 8
            && control::readable_bytes(&far).unwrap() == 0;
        TCP_CORK.set(&near, false).unwrap();
        let mut buffer = [0; 8];
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"headbody");
        held
    }));
}

#[test]
#[cfg(target_os = "linux")]
fn little_waits_unsent_below_the_mark() {
    const MARK: u32 = 16 * 1024;
    let mut waited = Vec::new();
    for mark in [0, MARK] {
        let (mut near, far) = connected();
        SO_RCVBUF.set(&far, 64 * 1024).unwrap();
        TCP_NOTSENT_LOWAT.set(&near, mark).unwrap();
        near.set_nonblocking(true).unwrap();
        while near.write(&[7; 4096]).is_ok() {}
        waited.push(control::unsent_bytes(&near).unwrap());
        assert!(control::outgoing_bytes(&near).unwrap() >= waited[waited.len() - 1]);
    }
    // The mark, and one more segment of the loopback interface, which are long.
    assert!(waited[1] <= MARK as usize + 64 * 1024, "{waited:?}");
    assert!(waited[0] > 4 * waited[1], "{waited:?}");
}

#[test]
fn a_group_is_heard_until_it_is_left() {
    let group = Ipv4Addr::new(239, 7, 7, 7);
    let loopback = Interface::all().unwrap().into_iter().find(|one| one.is_loopback);
    let membership = Membership::of(group).on(loopback.unwrap().index);
    let ear = new(Domain::IPV4, Type::DGRAM);
    SocketOptions::default().join(membership).apply(&ear, Stage::Created).unwrap();
    ear.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
    let port = Address::of(&ear).unwrap().as_ip().unwrap().port();
    let mouth = new(Domain::IPV4, Type::DGRAM);
    IP_MULTICAST_IF.set(&mouth, Ipv4Addr::LOCALHOST).unwrap();
    let to = SocketAddr::from((group, port)).into();
    mouth.send_to(b"hello", &to).unwrap();
    let mut buffer = [0; 16];
    assert_eq!((&ear).read(&mut buffer).unwrap(), 5);

    let error = membership.join(&ear).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with("join 239.7.7.7 on interface "), "{error}");
    membership.leave(&ear).unwrap();
    assert_eq!(membership.leave(&ear).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    mouth.send_to(b"hello?", &to).unwrap();
    assert_eq!((&ear).read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    let nobodys = Membership::of(Ipv4Addr::LOCALHOST).join(&ear).unwrap_err();
    assert_eq!(nobodys.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_ipv6_group_is_heard() {
    let Some(ear) = v6(Type::DGRAM) else { return eprintln!("no IPv6 here: nothing to test") };
    let loopback = Interface::all().unwrap().into_iter().find(|one| one.is_loopback);
    let membership = Membership::of("ff02::7777".parse::<Ipv6Addr>().unwrap());
    let membership = membership.on(loopback.unwrap().index);
    membership.join(&ear).unwrap();
    assert_eq!(membership.join(&ear).unwrap_err().kind(), ErrorKind::AddrInUse);
    membership.leave(&ear).unwrap();
}

#[test]
fn a_close_with_reset_is_a_reset() {
    let (near, mut far) = connected();
    SO_LINGER.set(&near, Linger::Reset).unwrap();
    drop(near);
    assert_eq!(far.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_blocking_read_ends_at_its_timeout() {
    let (mut near, _far) = connected();
    SO_RCVTIMEO.set(&near, Some(millis(1))).unwrap();
    assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// On a connection, less the 12 bytes that time stamps take.
#[test]
#[cfg(target_os = "linux")]
fn a_segment_s_length_is_fixed_by_the_handshake() {
    let listener = tcp();
    TCP_MAXSEG.set(&listener, 1000).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let client = TcpStream::connect(Address::of(&listener).unwrap().as_ip().unwrap()).unwrap();
    assert_eq!(TCP_MAXSEG.get(&client).unwrap(), 988);
    TCP_MAXSEG.set(&client, 500).unwrap();
    assert_eq!(TCP_MAXSEG.get(&client).unwrap(), 988, "taken, and without effect");
}

#[test]
fn an_error_is_taken_once() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let socket = new(Domain::IPV4, Type::DGRAM);
    socket.connect(&nobody.into()).unwrap();
    assert!(take_error(&socket).unwrap().is_none());
    // Over the loopback interface the ICMP answer is there when send returns.
    socket.send(b"anybody?").unwrap();
    let error = take_error(&socket).unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(take_error(&socket).unwrap().is_none());
}
