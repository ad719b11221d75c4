//! Timers, as a handler sees them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use reactor::{Context, Limits, Status, TimerId};
use tests::Subject;
use tests::recorder::{Call, Seen, sink};
use tests::server::{Family, Server};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The tokens of the timers that came, in order.
fn tokens(seen: &[Seen]) -> Vec<u64> {
    let token = |seen: &Seen| match seen {
        Seen::Timer(token) => Some(*token),
        _ => None,
    };
    seen.iter().filter_map(token).collect()
}

/// Notes the turn's time whenever a timer comes, and then does `act`.
fn noting<P: Subject>(
    mut act: impl FnMut(&mut Context<'_>, TimerId, u64) + 'static,
) -> (Server<P>, Rc<RefCell<Vec<Instant>>>) {
    let times = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&times);
    let server = Server::<P>::tcp(move |ctx, call| match call {
        Call::Timer(timer, token) => {
            noted.borrow_mut().push(ctx.now());
            act(ctx, timer, token);
        }
        other => sink(ctx, other),
    });
    (server, times)
}

pub(super) fn timers_come_in_order_and_never_early<P: Subject>() {
    let (mut server, times) = noting::<P>(|_, _, _| {});
    let mut ctx = server.ctx();
    let start = ctx.now();
    let after = [30, 3, 20, 0, 10, 20, 6];
    for (token, millis) in after.into_iter().enumerate() {
        ctx.after(ms(millis), token as u64);
    }
    ctx.after(Duration::MAX, 99);
    server.until("all came", |server| server.seen().len() == after.len());
    assert_eq!(tokens(server.seen()), [3, 1, 6, 4, 2, 5, 0]);
    for (time, token) in times.borrow().iter().zip(tokens(server.seen())) {
        let due = ms(after[token as usize]);
        assert!(*time >= start + due, "{due:?} came after {:?}", *time - start);
    }
}

/// The time of a turn is when its wait ended, and a timer's time counts from it.
pub(super) fn a_turn_has_one_time<P: Subject>() {
    let (mut server, times) = noting::<P>(|ctx, _, token| {
        let now = ctx.now();
        assert!(now <= Instant::now());
        if token == 0 {
            let busy = Instant::now() + ms(3);
            while Instant::now() < busy {}
            assert_eq!(ctx.now(), now);
            ctx.after(ms(1), 1);
        }
    });
    server.ctx().after(Duration::ZERO, 0);
    server.until_seen(&Seen::Timer(1));
    let times = times.borrow();
    assert!(times[1] >= times[0] + ms(1));
}

/// Between turns nobody has asked what time it is: what is set then counts from then.
pub(super) fn a_timer_set_between_turns_counts_from_then<P: Subject>() {
    let (mut server, times) = noting::<P>(|_, _, _| {});
    server.turn();
    // As when another loop has slept.
    let late = Instant::now() + ms(30);
    while Instant::now() < late {
        std::hint::spin_loop();
    }
    let set = Instant::now();
    server.ctx().after(ms(20), 0);
    server.until_seen(&Seen::Timer(0));
    let came = times.borrow()[0];
    assert!(came >= set + ms(20), "it came after {:?}", came - set);
}

pub(super) fn a_cancelled_timer_doesn_t_come<P: Subject>() {
    let (mut server, _) = noting::<P>(|_, _, _| {});
    let mut ctx = server.ctx();
    let timer = ctx.after(ms(5), 1);
    ctx.after(ms(10), 2);
    assert!(ctx.cancel(timer));
    assert!(!ctx.cancel(timer));
    assert!(!ctx.rearm(timer, ms(1)));
    assert!(!ctx.repeat(timer, ms(1)));
    // One that has its place isn't meant.
    let other = ctx.after(ms(6), 3);
    assert!(!ctx.cancel(timer));
    assert_ne!(other, timer);
    server.until_seen(&Seen::Timer(2));
    assert_eq!(tokens(server.seen()), [3, 2]);
    assert!(!server.ctx().cancel(other), "it has come");
}

/// Whoever is due in the same turn can still be cancelled.
pub(super) fn a_due_timer_can_be_cancelled<P: Subject>() {
    let victim = Rc::new(Cell::new(None));
    let of_turn = Rc::clone(&victim);
    let (mut server, _) = noting::<P>(move |ctx, _, token| {
        if token == 1 {
            assert!(ctx.cancel(of_turn.take().unwrap()));
        }
    });
    server.ctx().after(ms(1), 1);
    victim.set(Some(server.ctx().after(ms(2), 2)));
    let both_due = Instant::now() + ms(5);
    while Instant::now() < both_due {}
    server.until_seen(&Seen::Timer(1));
    server.silent();
    assert_eq!(tokens(server.seen()), [1]);
}

pub(super) fn a_timer_can_be_put_off_and_brought_forward<P: Subject>() {
    let (mut server, times) = noting::<P>(|_, _, _| {});
    let start = server.ctx().now();
    let early = server.ctx().after(ms(5), 1);
    let late = server.ctx().after(Duration::from_secs(3600), 2);
    assert!(server.ctx().rearm(early, ms(30)));
    assert!(server.ctx().rearm(late, ms(10)));
    server.until_seen(&Seen::Timer(1));
    assert_eq!(tokens(server.seen()), [2, 1]);
    let times = times.borrow();
    assert!(times[0] >= start + ms(10) && times[1] >= start + ms(30));
    server.until("nothing more", |_| true);
    server.silent();
}

pub(super) fn a_timer_can_rearm_itself<P: Subject>() {
    let mut left = 5;
    let (mut server, times) = noting::<P>(move |ctx, timer, _| {
        left -= 1;
        if left > 0 {
            assert!(ctx.rearm(timer, ms(2)));
        }
    });
    let timer = server.ctx().after(ms(2), 7);
    server.until("five times", |server| server.seen().len() == 5);
    server.silent();
    assert!(!server.ctx().cancel(timer), "it has finished");
    for pair in times.borrow().windows(2) {
        assert!(pair[1] >= pair[0] + ms(2));
    }
}

/// Each comes at a multiple of the period, or later in the same period: lateness doesn't add up.
pub(super) fn repeat_doesn_t_drift<P: Subject>() {
    const TIMES: u32 = 12;
    const PERIOD: Duration = ms(8);
    let mut left = TIMES;
    let (mut server, times) = noting::<P>(move |ctx, timer, _| {
        left -= 1;
        if left > 0 {
            // Work that a timer counted from now would add each time.
            let busy = Instant::now() + ms(3);
            while Instant::now() < busy {}
            assert!(ctx.repeat(timer, PERIOD));
        }
    });
    let start = server.ctx().now();
    server.ctx().after(PERIOD, 0);
    server.until("all came", |server| server.seen().len() == TIMES as usize);
    let mut before = 0;
    let mut skipped = 0;
    for time in times.borrow().iter() {
        let periods = (*time - start).as_micros() / PERIOD.as_micros();
        assert!(periods > before, "two came in one period");
        skipped += periods - before - 1;
        before = periods;
    }
    // With drift it would be 12 × 3 ms behind: some five periods. A busy machine may lose some.
    let last = times.borrow()[TIMES as usize - 1] - start;
    let phase = last.as_micros() % PERIOD.as_micros();
    assert!(skipped > 0 || phase < 8_000, "{last:?} after {TIMES} periods");
}

/// Periods that are over are left out: there is no burst.
pub(super) fn repeat_leaves_out_what_is_over<P: Subject>() {
    let mut first = true;
    let (mut server, times) = noting::<P>(move |ctx, timer, _| {
        ctx.repeat(timer, ms(5));
        if std::mem::take(&mut first) {
            let busy = Instant::now() + ms(42);
            while Instant::now() < busy {}
        }
    });
    let timer = server.ctx().after(ms(5), 0);
    server.until("three came", |server| server.seen().len() >= 3);
    server.ctx().cancel(timer);
    let times = times.borrow();
    assert!(times[1] >= times[0] + ms(40), "the second was late");
    assert!(times[2] > times[1], "and the third in a turn of its own");
}

pub(super) fn timers_may_be_set_from_timers<P: Subject>() {
    let (mut server, times) = noting::<P>(|ctx, _, token| {
        if token < 20 {
            ctx.after(Duration::ZERO, token + 1);
            ctx.after(ms(1), token + 100);
        }
    });
    server.ctx().after(Duration::ZERO, 0);
    server.until("all came", |server| server.seen().len() == 41);
    let chain: Vec<_> = tokens(server.seen()).into_iter().filter(|token| *token < 100).collect();
    assert_eq!(chain, Vec::from_iter(0..=20));
    // Not even one for now comes in the same turn.
    let times = times.borrow();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(times[times.len() - 1] > times[0]);
}

/// More of them at once than a turn handles: the others come right behind, in order.
pub(super) fn a_crowd_of_timers_comes_in_order<P: Subject>() {
    const CROWD: u64 = 5000;
    let (mut server, _) = noting::<P>(|_, _, _| {});
    let (mut peer, conn) = server.connect();
    server.take_seen();
    let mut ctx = server.ctx();
    for token in 0..CROWD {
        ctx.after(ms(1), token);
    }
    let due = Instant::now() + ms(3);
    while Instant::now() < due {}
    peer.send(b"x");
    server.await_input(conn);
    server.turn();
    let seen = server.seen();
    assert!(seen.contains(&Seen::Data(conn, b"x".to_vec())), "others have their turn");
    assert!(seen.len() < CROWD as usize);
    server.until("all came", |server| tokens(server.seen()).len() == CROWD as usize);
    assert!(tokens(server.seen()).into_iter().eq(0..CROWD));
}

/// The longest `Duration` wherever one is asked for: it counts as for ever, and overflows nothing.
pub(super) fn times_without_end_are_no_danger<P: Subject>() {
    let limit = |limits: &mut Limits| {
        limits.idle_timeout = Some(Duration::MAX);
        limits.drain_timeout = Duration::MAX;
    };
    let mut server = Server::<P>::with(Family::Tcp, limit, |ctx, call| {
        match &call {
            Call::Timer(timer, 1) => {
                assert!(ctx.repeat(*timer, Duration::MAX));
                assert!(ctx.rearm(*timer, Duration::MAX));
                assert!(ctx.rearm(*timer, Duration::from_secs(u64::MAX / 1_000_000_000)));
            }
            Call::Timer(timer, 2) => assert!(ctx.repeat(*timer, Duration::ZERO)),
            Call::Timer(timer, 3) => {
                assert!(ctx.cancel(*timer));
                assert!(!ctx.rearm(*timer, Duration::ZERO));
                ctx.after(Duration::ZERO, 4);
            }
            _ => {}
        }
        sink(ctx, call);
    });
    let (peer, conn) = server.connect();
    for token in 0..4 {
        server.ctx().after(Duration::from_nanos(token), token);
    }
    server.until_seen(&Seen::Timer(4));
    server.until("a timer repeats", |server| {
        server.seen().iter().filter(|seen| **seen == Seen::Timer(2)).count() > 3
    });
    assert_eq!(server.seen().iter().filter(|seen| **seen == Seen::Timer(1)).count(), 1);
    server.ctx().close(conn);
    server.turn();
    drop(peer);
    server.until_closed(conn);
    // The timer that repeats is due in the next millisecond.
    server.reactor.turn(Some(Duration::MAX)).unwrap();
    server.ctx().shut_down(Duration::MAX);
    assert_eq!(server.turn(), Status::Stopped);
}
