//! Each path of a race, with a clock of its own.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A race, and the time it is.
struct Rig {
    race: Race,
    start: Instant,
    now: Instant,
}

fn address(number: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], number))
}

fn addresses(count: u16) -> Target {
    (0..count).map(address).collect::<Vec<_>>().into()
}

fn errno(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

fn refused() -> io::Error {
    errno(libc::ECONNREFUSED)
}

impl Rig {
    fn new(target: Target, options: &ConnectOptions) -> Self {
        let now = Instant::now();
        Self { race: Race::new(target, options, now), start: now, now }
    }

    /// An attempt begins now, at the address with this number.
    fn begins(&mut self, number: u16) -> AttemptId {
        match self.race.poll(self.now) {
            Step::Attempt(id, at) => {
                assert_eq!(at, Address::Ip(address(number)));
                id
            }
            other => panic!("{other:?}"),
        }
    }

    /// There is nothing to do until so many milliseconds after the start.
    fn waits_until(&mut self, time: Option<u32>) {
        match self.race.poll(self.now) {
            Step::Wait(until) => assert_eq!(until, time.map(|time| self.start + MS * time)),
            other => panic!("{other:?}"),
        }
    }

    fn abandons(&mut self) -> AttemptId {
        match self.race.poll(self.now) {
            Step::Abandon(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn looks_up(&mut self) {
        assert!(matches!(self.race.poll(self.now), Step::LookUp));
    }

    fn at(&mut self, time: u32) -> &mut Self {
        self.now = self.start + MS * time;
        self
    }

    /// Goes on to where it waits until.
    fn later(&mut self) {
        match self.race.poll(self.now) {
            Step::Wait(Some(until)) => self.now = until,
            other => panic!("{other:?}"),
        }
    }

    fn fails(&mut self, id: AttemptId) {
        self.race.failed(id, refused(), self.now);
    }

    fn gives_up(&mut self) -> ConnectError {
        match self.race.poll(self.now) {
            Step::GiveUp(cause) => {
                let error = self.race.error(cause, self.now, None);
                // And that's all that there is.
                self.waits_until(None);
                error
            }
            other => panic!("{other:?}"),
        }
    }
}

fn options() -> ConnectOptions {
    ConnectOptions::default().timeout(None).attempt_timeout(None)
}

#[test]
fn one_that_is_refused_is_told_of() {
    let mut rig = Rig::new(addresses(1), &options());
    let id = rig.begins(0);
    rig.waits_until(None);
    rig.at(7).fails(id);
    let error = rig.gives_up();
    assert!(matches!(error.cause(), ConnectCause::Failed));
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
    assert_eq!(error.elapsed(), 7 * MS);
    assert_eq!(error.attempts()[0].elapsed, 7 * MS);
    assert_eq!(error.attempts()[0].address, Address::Ip(address(0)));
}

#[test]
fn the_next_begins_at_once_when_one_fails() {
    let mut rig = Rig::new(addresses(3), &options());
    let first = rig.begins(0);
    rig.waits_until(Some(250));
    rig.at(10).fails(first);
    let second = rig.begins(1);
    rig.waits_until(Some(260));
    rig.fails(second);
    let third = rig.begins(2);
    rig.waits_until(None);
    rig.fails(third);
    assert_eq!(rig.gives_up().attempts().len(), 3);
}

#[test]
fn the_next_joins_one_that_takes_long() {
    let mut rig = Rig::new(addresses(3), &options());
    let first = rig.begins(0);
    rig.at(249).waits_until(Some(250));
    let second = rig.at(250).begins(1);
    rig.waits_until(Some(500));
    // The one that joined has failed, the first still runs.
    rig.at(300).fails(second);
    let third = rig.begins(2);
    rig.at(400).fails(third);
    rig.waits_until(None);
    rig.at(5000).fails(first);
    let error = rig.gives_up();
    let order: Vec<_> =
        error.attempts().iter().map(|attempt| attempt.address.to_string()).collect();
    assert_eq!(order, ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:0"]);
}

#[test]
fn an_attempt_has_its_time() {
    let mut rig = Rig::new(addresses(2), &options().attempt_timeout(1000 * MS));
    let first = rig.begins(0);
    let second = rig.at(250).begins(1);
    rig.waits_until(Some(1000));
    assert_eq!(rig.at(1000).abandons(), first);
    rig.waits_until(Some(1250));
    // What it says later is of no interest.
    rig.fails(first);
    assert_eq!(rig.at(1300).abandons(), second);
    let error = rig.gives_up();
    assert!(matches!(error.cause(), ConnectCause::Failed));
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.attempts()[1].error.to_string(), "timed out after 1 s");
}

#[test]
fn all_of_it_has_its_time() {
    let mut rig = Rig::new(addresses(2), &options().rounds(5).timeout(3000 * MS));
    let first = rig.begins(0);
    rig.fails(first);
    let second = rig.begins(1);
    rig.fails(second);
    rig.later();
    rig.begins(0);
    let error = rig.at(3000).gives_up();
    assert!(matches!(error.cause(), ConnectCause::TimedOut));
    assert_eq!(error.attempt_count(), 3);
    assert_eq!(
        error.to_string(),
        "connect 10.0.0.1:0, 10.0.0.1:1: timed out after 3 s, attempt 2 of 5"
    );
}

#[test]
fn rounds_follow_after_longer_and_longer_waits() {
    let options = options().rounds(4).backoff(100 * MS, 300 * MS);
    let mut rig = Rig::new(addresses(1), &options);
    for most in [100, 200, 300] {
        let id = rig.begins(0);
        rig.fails(id);
        let before = rig.now;
        rig.later();
        let wait = rig.now - before;
        assert!(wait >= most / 2 * MS && wait <= most * MS, "{wait:?} of {most}");
    }
    let id = rig.begins(0);
    rig.fails(id);
    let error = rig.gives_up();
    let rounds: Vec<_> = error.attempts().iter().map(|attempt| attempt.round).collect();
    assert_eq!(rounds, [1, 2, 3, 4]);
    assert!(error.to_string().ends_with("attempt 4 of 4"), "{error}");
}

/// Whoever drives it has one time for all that it does in a turn: rounds without a wait between them would
/// hold the loop for ever, and its own deadline would never come.
#[test]
fn rounds_without_a_wait_leave_the_loop_its_turn() {
    let zero = Duration::ZERO;
    for (first, most) in [(zero, zero), (zero, 300 * MS), (300 * MS, zero)] {
        let options = options().rounds(None).timeout(1000 * MS).backoff(first, most);
        let mut rig = Rig::new(addresses(1), &options);
        let waits = (0..1000).any(|_| match rig.race.poll(rig.now) {
            Step::Attempt(id, _) => {
                rig.fails(id);
                false
            }
            Step::Wait(_) => true,
            other => panic!("{other:?}"),
        });
        assert!(waits, "from {first:?} to {most:?}: it never waits");
    }
}

#[test]
fn a_full_backlog_is_tried_again_until_the_time_is_over() {
    let mut rig = Rig::new(addresses(1), &options().attempt_timeout(1000 * MS));
    let id = rig.begins(0);
    let mut tries = 0;
    loop {
        rig.race.crowded(id, errno(libc::EAGAIN), rig.now);
        rig.later();
        if rig.now == rig.start + 1000 * MS {
            break;
        }
        assert_eq!(rig.begins(0), id);
        tries += 1;
    }
    assert!((10..40).contains(&tries), "{tries}");
    assert_eq!(rig.abandons(), id);
    let error = rig.gives_up();
    assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
    assert_eq!(error.attempt_count(), 1, "all that was one attempt");
}

/// It had its whole time before it.
#[test]
fn an_attempt_that_was_cancelled_has_not_timed_out() {
    let mut rig = Rig::new(addresses(2), &options());
    let id = rig.begins(0);
    rig.fails(id);
    rig.begins(1);
    let now = rig.at(5).now;
    let error = rig.race.error(ConnectCause::Cancelled, now, None);
    assert_eq!(error.attempts()[1].error.kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(error.attempts()[1].error.to_string(), "given up after 5 ms");
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED), "the last that failed by itself");
    // With all of it, it has.
    let mut rig = Rig::new(addresses(1), &options().timeout(5 * MS));
    rig.begins(0);
    let error = rig.at(5).gives_up();
    assert_eq!(error.attempts()[0].error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_backlog_that_has_room_again_is_as_any_other() {
    let mut rig = Rig::new(addresses(1), &options());
    let id = rig.begins(0);
    rig.race.crowded(id, errno(libc::EAGAIN), rig.now);
    rig.later();
    assert_eq!(rig.begins(0), id);
    rig.waits_until(None);
    rig.fails(id);
    assert_eq!(rig.gives_up().raw_os_error(), Some(libc::ECONNREFUSED));
}

#[test]
fn a_name_is_looked_up_in_each_round() {
    let mut rig = Rig::new("a.example:80".into(), &options().rounds(3).timeout(60_000 * MS));
    rig.looks_up();
    rig.waits_until(Some(60_000));
    rig.race.resolved(Ok([Address::Ip(address(1))].into()), rig.now);
    let id = rig.begins(1);
    rig.fails(id);
    rig.later();
    // The name has moved.
    rig.looks_up();
    rig.race.resolved(Ok([Address::Ip(address(2))].into()), rig.now);
    let id = rig.begins(2);
    rig.fails(id);
    rig.later();
    rig.looks_up();
    rig.race.resolved(Err(io::ErrorKind::NotFound.into()), rig.now);
    let error = rig.gives_up();
    assert!(matches!(error.cause(), ConnectCause::Unresolved(_)));
    assert_eq!(error.attempt_count(), 2);
}

#[test]
fn addresses_of_another_family_than_the_source_are_left_out() {
    let (v4, v6) = (address(1), SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 1)));
    let from = |source: SocketAddr| options().source(source);
    for (source, expected) in [(v4, vec![v4]), (v6, vec![v6])] {
        let mut rig = Rig::new(vec![v6, v4].into(), &from(source));
        let mut tried = vec![];
        while let Step::Attempt(id, address) = rig.race.poll(rig.now) {
            tried.extend(address.as_ip());
            rig.fails(id);
        }
        assert_eq!(tried, expected);
    }
    // As the answer of a lookup; and what says why it can't be is better than nothing.
    for (answer, tried) in [(vec![v6, v4], v4), (vec![v6], v6)] {
        let mut rig = Rig::new("a.example:1".into(), &from(v4));
        rig.looks_up();
        let answer = answer.into_iter().map(Address::Ip).collect();
        rig.race.resolved(Ok(answer), rig.now);
        assert!(matches!(rig.race.poll(rig.now), Step::Attempt(_, at) if at == Address::Ip(tried)));
    }
}

#[test]
fn a_lookup_that_fails_or_finds_nothing_ends_its_round() {
    let mut rig = Rig::new("a.example:80".into(), &options().rounds(2));
    rig.looks_up();
    rig.race.resolved(Err(io::Error::other("no answer")), rig.now);
    rig.later();
    rig.looks_up();
    rig.race.resolved(Ok([].into()), rig.now);
    let error = rig.gives_up();
    assert_eq!(error.to_string(), "connect a.example:80: the name has no address, attempt 2 of 2");
    // An answer that nobody waits for.
    rig.race.resolved(Ok([Address::Ip(address(1))].into()), rig.now);
    rig.waits_until(None);
}

#[test]
fn a_lookup_may_take_all_the_time() {
    let mut rig = Rig::new("a.example:80".into(), &options().timeout(100 * MS));
    rig.looks_up();
    let error = rig.at(100).gives_up();
    assert_eq!(error.to_string(), "connect a.example:80: timed out after 100 ms");
}

#[test]
fn a_target_that_names_nothing_is_not_tried_twice() {
    for target in ["nowhere".into(), Target::from(vec![])] {
        let error = Rig::new(target, &options().rounds(None)).gives_up();
        assert!(matches!(error.cause(), ConnectCause::Unresolved(_)));
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn who_ends_it_hears_of_what_was_under_way() {
    let mut rig = Rig::new(addresses(2), &options());
    let id = rig.begins(0);
    rig.fails(id);
    rig.begins(1);
    let now = rig.start + 20 * MS;
    let error = rig.race.error(ConnectCause::Cancelled, now, None);
    assert_eq!(error.attempt_count(), 2);
    assert_eq!(error.elapsed(), 20 * MS);
    rig.waits_until(None);
}

#[test]
fn times_without_end_don_t_overflow() {
    let options = ConnectOptions::default()
        .timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .attempt_delay(Duration::MAX)
        .backoff(Duration::MAX, Duration::MAX)
        .rounds(None);
    let mut rig = Rig::new(addresses(2), &options);
    let id = rig.begins(0);
    rig.waits_until(None);
    rig.fails(id);
    let id = rig.begins(1);
    rig.fails(id);
    rig.waits_until(None);
}

/// What the world does with an attempt.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Fails(u32),
    Crowds,
    Hangs,
    Succeeds(u32),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => (0_u32..2000).prop_map(Fate::Fails),
        1 => Just(Fate::Crowds),
        1 => Just(Fate::Hangs),
        1 => (0_u32..2000).prop_map(Fate::Succeeds),
    ]
}

proptest! {
    /// Whatever the world does: it ends once and in time, each attempt is ended, and no attempt begins
    /// too early.
    #[test]
    fn a_race_ends_in_time(
        count in 1_u16..6, rounds in 1_u32..4, fates in prop::collection::vec(fate(), 18),
        timeout in 100_u32..10_000, attempt_timeout in 50_u32..3000,
    ) {
        let options = ConnectOptions::default()
            .rounds(rounds).timeout(timeout * MS).attempt_timeout(attempt_timeout * MS)
            .backoff(50 * MS, 400 * MS);
        let mut rig = Rig::new(addresses(count), &options);
        // Of each attempt that runs: when something happens to it, and what.
        let mut running: Vec<(AttemptId, Option<Instant>, Fate)> = Vec::new();
        let (mut begun, mut fates) = (0, fates.into_iter().cycle());
        let mut last: Option<Instant> = None;
        let mut failed_since = true;
        for _ in 0..10_000 {
            match rig.race.poll(rig.now) {
                Step::Attempt(id, _) => {
                    if let Some((_, _, Fate::Crowds)) = running.iter().find(|(other, ..)| *other == id) {
                        rig.race.crowded(id, errno(libc::EAGAIN), rig.now);
                        continue;
                    }
                    begun += 1;
                    let early = last.is_some_and(|last| rig.now < last + options.attempt_delay);
                    prop_assert!(failed_since || !early, "it came too early");
                    (last, failed_since) = (Some(rig.now), false);
                    let fate = fates.next().unwrap();
                    let at = match fate {
                        Fate::Fails(after) | Fate::Succeeds(after) => Some(rig.now + after * MS),
                        Fate::Crowds | Fate::Hangs => None,
                    };
                    running.push((id, at, fate));
                    if let Fate::Crowds = fate {
                        rig.race.crowded(id, errno(libc::EAGAIN), rig.now);
                    }
                }
                Step::Abandon(id) => {
                    let before = running.len();
                    running.retain(|(other, ..)| *other != id);
                    prop_assert_eq!(running.len() + 1, before);
                    failed_since = true;
                }
                Step::GiveUp(cause) => {
                    let error = rig.race.error(cause, rig.now, None);
                    prop_assert_eq!(error.attempt_count(), begun);
                    prop_assert!(rig.now <= rig.start + timeout * MS);
                    prop_assert!(error.round <= rounds);
                    let over = matches!(rig.race.poll(rig.now), Step::Wait(None));
                    prop_assert!(over);
                    return Ok(());
                }
                Step::Wait(until) => {
                    let world = running.iter().filter_map(|(_, at, _)| *at).min();
                    let next = [until, world].into_iter().flatten().min();
                    prop_assert!(next.is_some(), "it waits for ever");
                    prop_assert!(next.unwrap() > rig.now || world == next, "it spins");
                    rig.now = next.unwrap().max(rig.now);
                    let due = running.iter().position(|(_, at, _)| at.is_some_and(|at| at <= rig.now));
                    if let Some(due) = due {
                        let (id, _, fate) = running.remove(due);
                        if let Fate::Succeeds(_) = fate {
                            return Ok(());
                        }
                        rig.fails(id);
                        failed_since = true;
                    }
                }
                Step::LookUp => prop_assert!(false, "there is no name"),
            }
        }
        prop_assert!(false, "it never ends");
    }
}
