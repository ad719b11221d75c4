use super::*;

fn answering(address: &str, interface: u32) -> Vec<u8> {
    let address = address.parse().expect("an address");
    Control::sending(Some(Answer { address, interface }), None).room().to_vec()
}

fn with_destination(address: &str, interface: u32) -> Vec<u8> {
    let mut control = Control::sending(None, None);
    let payload = libc::in_pktinfo {
        ipi_ifindex: interface as _,
        ipi_spec_dst: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
        ipi_addr: libc::in_addr {
            s_addr: u32::from(address.parse::<Ipv4Addr>().expect("an address")).to_be(),
        },
    };
    control.write(libc::IPPROTO_IP, libc::IP_PKTINFO, payload);
    control.room().to_vec()
}

fn destination(control: &[u8]) -> Option<Destination> {
    told(control).destination
}

#[test]
fn an_answer_comes_from_what_was_asked() {
    let table = [
        ("2001:db8::1", "2001:db8::1", 0),
        ("fe80::1", "fe80::1", 7),
        ("::ffff:192.0.2.1", "192.0.2.1", 0),
        ("ff02::1", "::", 0),
    ];
    for (asked, address, interface) in table {
        let found = destination(&answering(asked, 7)).expect(asked);
        let asked: IpAddr = asked.parse().expect("an address");
        let address = address.parse().expect("an address");
        assert_eq!(found.asked, asked.to_canonical());
        assert_eq!(found.answer, Answer { address, interface }, "{asked}");
        assert_eq!(found.interface, 7);
    }
}

#[test]
fn a_broadcast_is_answered_from_an_address_of_ours() {
    let found = destination(&with_destination("127.255.255.255", 1)).expect("a message");
    assert_eq!(found.asked.to_string(), "127.255.255.255");
    assert_eq!(found.answer, Answer { address: Ipv4Addr::LOCALHOST.into(), interface: 0 });
    // The same packet as an IPv6 socket tells of it, in either order.
    let mapped = answering("::ffff:127.255.255.255", 1);
    let own = with_destination("127.255.255.255", 1);
    for both in [[&*mapped, &*own].concat(), [&*own, &*mapped].concat()] {
        assert_eq!(destination(&both), Some(found));
    }
}

#[test]
fn leaving_the_choice_needs_no_message() {
    assert!(answering("0.0.0.0", 0).is_empty());
    assert!(answering("::", 0).is_empty());
    assert!(!answering("::", 1).is_empty());
}

#[test]
fn a_message_cut_short_says_nothing() {
    for whole in [with_destination("192.0.2.1", 1), answering("2001:db8::1", 1)] {
        let header = payload::<libc::cmsghdr>(&whole).expect("a header");
        #[allow(clippy::unnecessary_cast, reason = "the libcs don't agree on the type")]
        let len = header.cmsg_len as usize;
        for cut in 0..len {
            assert_eq!(destination(&whole[..cut]), None, "{cut} bytes");
        }
        // What the kernel writes when there is too little room: less, and saying so.
        for cut in 0..len {
            assert_eq!(destination(&with_len(&whole[..], cut)), None, "length {cut}");
        }
        assert!(destination(&whole[..len]).is_some(), "padding isn't needed");
    }
}

#[test]
fn lengths_that_lie_end_the_search() {
    let whole = with_destination("192.0.2.1", 1);
    for lie in [whole.len() + 1, usize::MAX / 2, usize::MAX] {
        assert_eq!(destination(&with_len(&whole, lie)), None, "length {lie}");
    }
}

#[test]
fn strange_messages_are_skipped_and_alignment_is_not_needed() {
    let mut strange = with_destination("192.0.2.1", 1);
    let mut header = payload::<libc::cmsghdr>(&strange).expect("a header");
    header.cmsg_type = libc::IP_TTL;
    put(&mut strange, header);
    let found = destination(&[&*strange, &*with_destination("192.0.2.1", 1)].concat());
    assert!(found.is_some());
    for shift in 1..8 {
        let shifted = [&vec![0; shift], &*with_destination("192.0.2.1", 1)].concat();
        assert_eq!(destination(&shifted[shift..]), found);
    }
}

#[test]
fn joined_datagrams_and_drops_are_told() {
    assert_eq!(told(&[]), Told::default());
    let mut control = Control::sending(None, None);
    control.write(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 7_u32);
    control.write(libc::SOL_UDP, libc::UDP_GRO, 1200 as libc::c_int);
    let found = told(&[control.room(), &*with_destination("192.0.2.1", 1)].concat());
    assert_eq!((found.segment, found.drops), (Some(1200), 7));
    assert!(found.destination.is_some());
    for no_length in [0, -1] {
        let mut control = Control::sending(None, None);
        control.write(libc::SOL_UDP, libc::UDP_GRO, no_length as libc::c_int);
        assert_eq!(told(control.room()).segment, None, "{no_length}");
    }
}

#[test]
fn an_answer_and_a_segment_stand_one_behind_the_other() {
    let address = Ipv6Addr::LOCALHOST.into();
    let mut both = Control::sending(Some(Answer { address, interface: 0 }), Some(1200));
    let found: Vec<_> =
        Messages(both.room()).map(|(level, kind, data)| (level, kind, data.len())).collect();
    let info = size_of::<libc::in6_pktinfo>();
    let expected =
        [(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info), (libc::SOL_UDP, libc::UDP_SEGMENT, 2)];
    assert_eq!(found, expected);
}

fn with_len(whole: &[u8], len: usize) -> Vec<u8> {
    let mut changed = whole.to_vec();
    let mut header = payload::<libc::cmsghdr>(whole).expect("a header");
    header.cmsg_len = len as _;
    put(&mut changed, header);
    changed
}

fn put(whole: &mut [u8], header: libc::cmsghdr) {
    assert!(whole.len() >= size_of_val(&header));
    // SAFETY: there is room for it, as just asserted.
    unsafe { ptr::write_unaligned(whole.as_mut_ptr().cast(), header) }
}
