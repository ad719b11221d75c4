//! The wheel against its promises: by example, and against a sorted map.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// A wheel and its clock.
struct Clock {
    start: Instant,
    wheel: TimerWheel<u32>,
}

impl Clock {
    fn new() -> Self {
        let start = Instant::now();
        Self { start, wheel: TimerWheel::new(start) }
    }

    fn advance(&mut self, to: Duration) {
        self.wheel.advance(self.start + to);
    }

    /// Tells the time and fires all that is due.
    fn fire(&mut self, to: Duration) -> Vec<u32> {
        self.advance(to);
        let pop = |wheel: &mut TimerWheel<u32>| {
            let (id, payload) = wheel.pop_due()?;
            wheel.finish(id);
            Some(payload)
        };
        std::iter::from_fn(|| pop(&mut self.wheel)).collect()
    }

    fn next_wait(&mut self, now: Duration) -> Option<Duration> {
        self.wheel.next_wait(self.start + now)
    }
}

#[test]
fn deadlines_are_rounded_up_to_a_tick() {
    let mut clock = Clock::new();
    clock.advance(Duration::from_micros(300));
    clock.wheel.insert(MS, 1);
    assert_eq!(clock.next_wait(Duration::from_micros(300)), Some(Duration::from_micros(1_700)));
    assert_eq!(clock.fire(Duration::from_micros(1_999)), []);
    assert_eq!(clock.fire(Duration::from_millis(2)), [1]);
}

#[test]
fn a_zero_duration_is_due_with_the_next_tick_and_not_in_the_same_turn() {
    let mut clock = Clock::new();
    clock.advance(5 * MS);
    clock.wheel.insert(Duration::ZERO, 1);
    assert_eq!(clock.wheel.pop_due(), None);
    assert_eq!(clock.next_wait(5 * MS), Some(MS));
    assert_eq!(clock.fire(6 * MS), [1]);
}

#[test]
fn huge_durations_stay_alive_and_are_never_due() {
    let mut clock = Clock::new();
    let id = clock.wheel.insert(Duration::MAX, 1);
    assert_eq!(clock.next_wait(Duration::ZERO), None);
    let far = Duration::from_nanos(u64::MAX);
    assert_eq!(clock.fire(far), []);
    assert_eq!(clock.fire(far + far), []);
    assert!(clock.wheel.rearm(id, Duration::from_nanos(u64::MAX)));
    assert_eq!(clock.next_wait(far), None);
    assert_eq!(clock.wheel.cancel(id), Some(1));
}

#[test]
fn a_jump_over_years_fires_everything_in_order() {
    let mut clock = Clock::new();
    let day = Duration::from_secs(86_400);
    for days in [4_000, 3, 90_000, 800, 1] {
        clock.wheel.insert(day * days, days);
    }
    assert_eq!(clock.fire(day * 200_000), [1, 3, 800, 4_000, 90_000]);
    clock.wheel.insert(2 * MS, 7);
    assert_eq!(clock.fire(day * 200_000 + 2 * MS), [7]);
}

#[test]
fn time_never_goes_back() {
    let mut clock = Clock::new();
    clock.advance(100 * MS);
    clock.advance(50 * MS);
    clock.wheel.insert(10 * MS, 1);
    assert_eq!(clock.fire(109 * MS), []);
    assert_eq!(clock.fire(110 * MS), [1]);
}

/// Timers that were set at different distances from one tick, so that they lie in all levels.
#[test]
fn one_tick_fires_in_the_order_of_arming_across_levels() {
    let mut clock = Clock::new();
    let deadline = 3 * 256_u64.pow(3) + 7;
    let mut expected = Vec::new();
    for (number, before) in (0..).zip([deadline, 70_000, 65_536, 65_535, 300, 256, 255, 1]) {
        assert_eq!(clock.fire(Duration::from_millis(deadline - before)), []);
        for part in 0..3 {
            clock.wheel.insert(Duration::from_millis(before), 10 * number + part);
            expected.push(10 * number + part);
        }
    }
    assert_eq!(clock.fire(Duration::from_millis(deadline)), expected);
}

#[test]
fn deadlines_around_the_boundaries_of_levels_are_exact() {
    for begin in [0, 1, 255, 256, 65_535, 65_536, 65_537, 16_777_215] {
        for power in 1..6 {
            for distance in 256_u64.pow(power) - 2..=256_u64.pow(power) + 2 {
                let mut clock = Clock::new();
                assert_eq!(clock.fire(Duration::from_millis(begin)), []);
                let after = Duration::from_millis(distance);
                let due = Duration::from_millis(begin + distance);
                clock.wheel.insert(after, 1);
                assert_eq!(clock.next_wait(Duration::from_millis(begin)), Some(after));
                assert_eq!(clock.fire(due - Duration::from_nanos(1)), []);
                assert_eq!(clock.next_wait(due), Some(Duration::ZERO));
                assert_eq!(clock.fire(due), [1]);
            }
        }
    }
}

#[test]
fn what_a_budget_leaves_over_stays_due() {
    let mut clock = Clock::new();
    for payload in 0..5 {
        clock.wheel.insert(MS, payload);
    }
    clock.advance(MS);
    assert_eq!(clock.wheel.pop_due().map(|(_, payload)| payload), Some(0));
    assert_eq!(clock.next_wait(MS), Some(Duration::ZERO));
    clock.wheel.insert(MS, 5);
    assert_eq!(clock.fire(700 * MS), [1, 2, 3, 4, 5]);
}

#[test]
fn a_due_timer_can_be_cancelled_and_re_armed() {
    let mut clock = Clock::new();
    let ids = [0, 1, 2, 3].map(|payload| clock.wheel.insert(MS, payload));
    clock.advance(2 * MS);
    assert_eq!(clock.wheel.pop_due(), Some((ids[0], 0)));
    assert_eq!(clock.wheel.cancel(ids[1]), Some(1));
    assert!(clock.wheel.rearm(ids[2], MS));
    assert_eq!(clock.wheel.pop_due(), Some((ids[3], 3)));
    assert_eq!(clock.wheel.pop_due(), None);
    assert_eq!(clock.fire(3 * MS), [2]);
}

#[test]
fn a_popped_timer_keeps_its_id_until_it_is_finished() {
    let mut clock = Clock::new();
    let id = clock.wheel.insert(MS, 1);
    clock.advance(MS);
    assert_eq!(clock.wheel.pop_due(), Some((id, 1)));
    assert!(clock.wheel.contains(id));
    assert!(clock.wheel.rearm(id, MS));
    clock.wheel.finish(id);
    assert!(clock.wheel.contains(id), "finish leaves a timer alone that was re-armed");
    clock.advance(2 * MS);
    assert_eq!(clock.wheel.pop_due(), Some((id, 1)));
    clock.wheel.finish(id);
    assert!(!clock.wheel.contains(id));
    assert!(!clock.wheel.rearm(id, MS) && !clock.wheel.repeat(id, MS));
    assert_eq!(clock.wheel.cancel(id), None);
}

#[test]
fn a_stale_id_reaches_no_timer() {
    let mut clock = Clock::new();
    let old = clock.wheel.insert(MS, 1);
    clock.wheel.cancel(old);
    let new = clock.wheel.insert(MS, 2);
    assert_eq!(new.node, old.node);
    assert_eq!(clock.wheel.cancel(old), None);
    assert!(!clock.wheel.rearm(old, 9 * MS));
    clock.wheel.finish(old);
    assert_eq!(clock.fire(MS), [2]);
}

#[test]
fn a_place_whose_generations_are_used_up_is_not_used_again() {
    let mut clock = Clock::new();
    let id = clock.wheel.insert(MS, 1);
    let last = NonZeroU32::new(u32::MAX - 1).unwrap();
    clock.wheel.timer_mut(id.node).generation = last;
    let id = TimerId { generation: last, ..id };
    assert_eq!(clock.wheel.cancel(id), Some(1));
    assert!(!clock.wheel.contains(id));
    assert_ne!(clock.wheel.insert(MS, 2).node, id.node);
}

#[test]
fn periodic_timers_neither_drift_nor_burst() {
    let mut clock = Clock::new();
    let period = Duration::from_micros(1_500);
    clock.wheel.insert(period, 1);
    let mut fired = Vec::new();
    for ms in (1..=9).chain([100, 101, 102]) {
        clock.advance(ms * MS);
        while let Some((id, _)) = clock.wheel.pop_due() {
            clock.wheel.repeat(id, period);
            fired.push(ms);
        }
    }
    assert_eq!(fired, [2, 3, 5, 6, 8, 9, 100, 101, 102]);
}

#[test]
fn a_timer_that_is_put_off_again_and_again_fires_once_at_the_end() {
    let mut clock = Clock::new();
    let other = clock.wheel.insert(Duration::from_secs(60), 0);
    let id = clock.wheel.insert(Duration::from_secs(60), 1);
    for second in 1..=600 {
        assert_eq!(clock.fire(Duration::from_secs(second)), []);
        assert!(clock.wheel.rearm(other, Duration::from_secs(1_000)));
        assert!(clock.wheel.rearm(id, Duration::from_secs(60)));
    }
    assert_eq!(clock.next_wait(Duration::from_secs(600)), Some(Duration::from_secs(60)));
    assert_eq!(clock.fire(Duration::from_secs(660)), [1]);
}

/// A loop that sleeps as long as it is told, and counts how often it woke up to nothing.
fn idle_wakeups(clock: &mut Clock, mut now: Duration, mut fire: impl FnMut(u32, Duration)) -> u32 {
    let mut idle = 0;
    while let Some(wait) = clock.next_wait(now) {
        now += wait;
        let due = clock.fire(now);
        idle += u32::from(due.is_empty());
        due.into_iter().for_each(|payload| fire(payload, now));
    }
    idle
}

#[test]
fn no_wait_ends_without_a_due_timer() {
    let mut clock = Clock::new();
    for payload in 0..20_000 {
        clock.wheel.insert(MS * (payload * 7_919 % 100_000), payload);
    }
    let mut fired = 0;
    assert_eq!(idle_wakeups(&mut clock, Duration::ZERO, |_, _| fired += 1), 0);
    assert_eq!(fired, 20_000);
}

#[test]
fn few_timers_never_wake_the_loop_in_vain_whatever_is_cancelled_or_re_armed() {
    let mut clock = Clock::new();
    let ids: Vec<_> = (0..64).map(|n| clock.wheel.insert(MS * (1_000 + n), n)).collect();
    for (n, id) in (0..).zip(ids) {
        match n % 3 {
            0 => assert!(clock.wheel.cancel(id).is_some()),
            1 => assert!(clock.wheel.rearm(id, MS * (70_000 + n * 300))),
            _ => {}
        }
    }
    assert_eq!(idle_wakeups(&mut clock, Duration::ZERO, |_, _| {}), 0);
}

#[test]
fn many_cancelled_timers_wake_the_loop_at_most_once_for_each_slot() {
    let mut clock = Clock::new();
    let ids: Vec<_> =
        (0..100_000).map(|n| clock.wheel.insert(MS * (1 + n * 7_919 % 50_000), n)).collect();
    for id in ids.into_iter().step_by(2) {
        clock.wheel.cancel(id);
    }
    let mut fired = 0;
    let idle = idle_wakeups(&mut clock, Duration::ZERO, |_, _| fired += 1);
    assert_eq!(fired, 50_000);
    assert!(idle <= 50_000 / 256 + 1, "{idle} wakeups in vain");
}

#[test]
fn no_timer_is_late_where_the_earliest_of_many_was_cancelled() {
    let mut clock = Clock::new();
    let ids: Vec<_> = (0..200).map(|n| clock.wheel.insert(MS * (70_200 - n), n)).collect();
    for id in ids.into_iter().rev().take(5) {
        clock.wheel.cancel(id);
    }
    let mut fired = 0;
    let idle = idle_wakeups(&mut clock, Duration::ZERO, |n, now| {
        assert_eq!(now, MS * (70_200 - n));
        fired += 1;
    });
    assert_eq!(fired, 195);
    assert!(idle <= 2, "{idle} wakeups in vain");
}

#[test]
fn memory_stays_as_it_is_while_timers_come_and_go() {
    let mut clock = Clock::new();
    let mut ids: Vec<_> = (0..100).map(|n| clock.wheel.insert(MS * n, n)).collect();
    for round in 0..100_000_u32 {
        let at = (round * 31 % 100) as usize;
        clock.wheel.cancel(ids[at]);
        ids[at] = clock.wheel.insert(MS * (round % 1_000 * 7_919 % 90_000), round);
        clock.wheel.rearm(ids[(at + 50) % 100], MS * (round % 1_000 * 104_729 % 90_000));
    }
    assert_eq!(clock.wheel.timers.len(), 100);
    clock.wheel.check();
}

impl<T: Copy> TimerWheel<T> {
    fn in_slot(&self, slot: usize) -> impl Iterator<Item = u32> {
        let next = move |node: u32| {
            let next = self.links[node as usize].next;
            assert_eq!(self.links[next as usize].prev, node);
            (next as usize != slot).then_some(next)
        };
        std::iter::successors(next(slot as u32), move |node| next(*node))
    }

    /// What must be true of the wheel's parts between any two calls.
    fn check(&self) {
        let mut filed = 0;
        for slot in 0..LISTS {
            for node in self.in_slot(slot) {
                let timer = self.timer(node);
                assert_eq!(usize::from(timer.slot), slot);
                assert!(self.earliest[slot].tick <= timer.tick());
                assert!(self.cursor <= timer.tick());
                filed += 1;
            }
            let occupied = self.occupied[slot / SLOTS].0[slot % SLOTS / 64] >> (slot % 64) & 1 == 1;
            assert_eq!(occupied, self.first_in(slot).is_some());
            assert_eq!(occupied, self.earliest[slot].tick != u64::MAX);
        }
        let unfiled = self.timers.iter().filter(|timer| timer.slot == UNFILED).count();
        assert_eq!(filed + unfiled, self.timers.len());
    }
}

/// What a timer should do, told by a sorted map.
#[derive(Default)]
struct Model {
    now: u64,
    armed: u64,
    /// By tick, then by the number of the arming.
    waiting: BTreeMap<(u64, u64), TimerId>,
    alive: HashMap<TimerId, Modelled>,
    dead: Vec<TimerId>,
}

#[derive(Clone, Copy)]
struct Modelled {
    deadline: u64,
    /// Where it is in `waiting`, unless it was popped.
    key: Option<(u64, u64)>,
    /// Whether it was re-armed while it waited, which leaves its order within the tick open.
    put_off: bool,
}

impl Model {
    fn arm(&mut self, id: TimerId, deadline: u64) {
        let put_off = self.disarm(id);
        self.armed += 1;
        let key = (deadline.div_ceil(NANOS_PER_TICK), self.armed);
        self.waiting.insert(key, id);
        self.alive.insert(id, Modelled { deadline, key: Some(key), put_off });
    }

    /// Answers whether the timer was waiting.
    fn disarm(&mut self, id: TimerId) -> bool {
        let key = self.alive.get(&id).and_then(|timer| timer.key);
        key.is_some_and(|key| self.waiting.remove(&key).is_some())
    }

    fn end(&mut self, id: TimerId) {
        self.disarm(id);
        self.alive.remove(&id);
        self.dead.push(id);
    }

    fn deadline(&self, after: Duration) -> u64 {
        let after = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.now.saturating_add(after)
    }

    fn tick(&self) -> u64 {
        self.now / NANOS_PER_TICK
    }

    fn next_wait(&self) -> Option<Duration> {
        let ((tick, _), _) = self.waiting.first_key_value()?;
        let at = tick.checked_mul(NANOS_PER_TICK)?;
        Some(Duration::from_nanos(at.saturating_sub(self.now)))
    }

    /// Takes note of a popped timer, which must be one of those that may be the next.
    fn popped(&mut self, id: TimerId) {
        let timer = self.alive[&id];
        let key = timer.key.expect("a timer fires once");
        let ((first, _), _) = self.waiting.first_key_value().expect("it was waiting");
        assert_eq!(key.0, *first, "timers fire by tick");
        assert!(timer.deadline <= self.now, "never early");
        let earlier = self.waiting.range((key.0, 0)..key);
        let passed_over = earlier.filter(|(_, id)| !self.alive[id].put_off).count();
        assert!(timer.put_off || passed_over == 0, "within a tick, timers fire as they were armed");
        self.disarm(id);
        self.alive.insert(id, Modelled { key: None, ..timer });
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(Duration),
    Rearm(Index, Duration),
    Repeat(Index, Duration),
    Cancel(Index),
    /// One of an id that is out of date, which must change nothing.
    Stale(Index),
    Advance(Duration),
    /// To the next deadline, or so many nanoseconds before it.
    AdvanceToNext(u64),
    /// Pops up to so many, and has each one's handler do something.
    Pop(usize, Vec<Reaction>),
}

#[derive(Clone, Copy, Debug)]
enum Reaction {
    Nothing,
    RearmSelf(Duration),
    RepeatSelf(Duration),
    CancelSelf,
    RearmOther(Index, Duration),
    CancelOther(Index),
    Insert(Duration),
}

/// Short ones, such as end around the boundaries of levels, and huge ones.
fn duration() -> impl Strategy<Value = Duration> {
    let boundary =
        (0..6_u32, 1..4_u64, -3_000_000..3_000_000_i64).prop_map(|(power, times, off)| {
            Duration::from_nanos(
                (256_u64.pow(power) * times * NANOS_PER_TICK).saturating_add_signed(off),
            )
        });
    prop_oneof![
        1 => Just(Duration::ZERO),
        4 => (0..20_u64).prop_map(Duration::from_millis),
        4 => (0..2_000_000_u64).prop_map(Duration::from_micros),
        6 => boundary,
        1 => any::<u64>().prop_map(Duration::from_nanos),
        1 => Just(Duration::MAX),
    ]
}

fn reaction() -> impl Strategy<Value = Reaction> {
    prop_oneof![
        3 => Just(Reaction::Nothing),
        2 => duration().prop_map(Reaction::RearmSelf),
        2 => duration().prop_map(Reaction::RepeatSelf),
        1 => Just(Reaction::CancelSelf),
        2 => (any::<Index>(), duration()).prop_map(|(at, after)| Reaction::RearmOther(at, after)),
        2 => any::<Index>().prop_map(Reaction::CancelOther),
        1 => duration().prop_map(Reaction::Insert),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => duration().prop_map(Op::Insert),
        4 => (any::<Index>(), duration()).prop_map(|(at, after)| Op::Rearm(at, after)),
        1 => (any::<Index>(), duration()).prop_map(|(at, period)| Op::Repeat(at, period)),
        3 => any::<Index>().prop_map(Op::Cancel),
        1 => any::<Index>().prop_map(Op::Stale),
        3 => duration().prop_map(Op::Advance),
        3 => (0..2_u64).prop_map(Op::AdvanceToNext),
        5 => (0..8_usize, prop::collection::vec(reaction(), 1..4))
            .prop_map(|(most, reactions)| Op::Pop(most, reactions)),
    ]
}

/// A wheel and the model of it, side by side.
struct Pair {
    clock: Clock,
    model: Model,
}

impl Pair {
    fn pick(&self, at: Index) -> Option<TimerId> {
        let mut ids: Vec<_> = self.model.alive.keys().copied().collect();
        ids.sort_by_key(|id| (id.node, id.generation));
        (!ids.is_empty()).then(|| *at.get(&ids))
    }

    fn insert(&mut self, after: Duration) {
        let id = self.clock.wheel.insert(after, 0);
        assert!(!self.model.alive.contains_key(&id) && !self.model.dead.contains(&id));
        self.model.arm(id, self.model.deadline(after));
    }

    fn rearm(&mut self, id: TimerId, after: Duration) {
        assert!(self.clock.wheel.rearm(id, after));
        self.model.arm(id, self.model.deadline(after));
    }

    fn repeat(&mut self, id: TimerId, period: Duration) {
        assert!(self.clock.wheel.repeat(id, period));
        let period = period.as_nanos().max(1);
        let last = u128::from(self.model.alive[&id].deadline);
        let missed = u128::from(self.model.now).saturating_sub(last) / period;
        let deadline = last + (missed + 1) * period;
        self.model.arm(id, u64::try_from(deadline).unwrap_or(u64::MAX));
    }

    fn cancel(&mut self, id: TimerId) {
        assert!(self.clock.wheel.cancel(id).is_some());
        self.model.end(id);
    }

    fn advance(&mut self, by: u64) {
        self.model.now = self.model.now.saturating_add(by);
        self.clock.advance(Duration::from_nanos(self.model.now));
    }

    fn pop(&mut self) -> Option<TimerId> {
        let popped = self.clock.wheel.pop_due().map(|(id, _)| id);
        match popped {
            Some(id) => self.model.popped(id),
            None => {
                let next = self.model.waiting.first_key_value().map(|((tick, _), _)| *tick);
                assert!(next.is_none_or(|tick| tick > self.model.tick()), "a due timer was left");
            }
        }
        popped
    }

    fn react(&mut self, id: TimerId, reaction: Reaction) {
        match reaction {
            Reaction::Nothing => {}
            Reaction::RearmSelf(after) => self.rearm(id, after),
            Reaction::RepeatSelf(period) => self.repeat(id, period),
            Reaction::CancelSelf => self.cancel(id),
            Reaction::Insert(after) => self.insert(after),
            Reaction::RearmOther(at, after) => {
                self.pick(at).into_iter().for_each(|other| self.rearm(other, after));
            }
            Reaction::CancelOther(at) => {
                self.pick(at).into_iter().for_each(|other| self.cancel(other));
            }
        }
        self.clock.wheel.finish(id);
        if self.model.alive.get(&id).is_some_and(|timer| timer.key.is_none()) {
            self.model.end(id);
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Insert(after) => self.insert(after),
            Op::Rearm(at, after) => self.pick(at).into_iter().for_each(|id| self.rearm(id, after)),
            Op::Repeat(at, per) => self.pick(at).into_iter().for_each(|id| self.repeat(id, per)),
            Op::Cancel(at) => self.pick(at).into_iter().for_each(|id| self.cancel(id)),
            Op::Stale(at) if !self.model.dead.is_empty() => {
                let id = *at.get(&self.model.dead);
                assert!(!self.clock.wheel.contains(id) && !self.clock.wheel.rearm(id, MS));
                assert_eq!(self.clock.wheel.cancel(id), None);
                self.clock.wheel.finish(id);
            }
            Op::Stale(_) => {}
            Op::Advance(by) => self.advance(nanos(by).min(u64::MAX / 4)),
            Op::AdvanceToNext(before) => {
                let wait = self.model.next_wait().map_or(0, nanos);
                self.advance(wait.saturating_sub(before));
            }
            Op::Pop(most, reactions) => {
                for reaction in reactions.into_iter().cycle().take(most) {
                    let Some(id) = self.pop() else { break };
                    self.react(id, reaction);
                }
            }
        }
    }

    fn check_wait(&mut self) {
        let now = self.clock.start + Duration::from_nanos(self.model.now);
        let wait = self.clock.wheel.next_wait(now);
        let expected = self.model.next_wait();
        if self.model.waiting.len() <= FEW {
            assert_eq!(wait, expected);
        } else {
            assert!(wait.unwrap_or(Duration::MAX) <= expected.unwrap_or(Duration::MAX));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_sorted_map(
        crowd in prop::collection::vec(duration(), 0..150),
        ops in prop::collection::vec((op(), 0..8_u32), 1..150),
    ) {
        let mut pair = Pair { clock: Clock::new(), model: Model::default() };
        crowd.into_iter().for_each(|after| pair.insert(after));
        for (op, checks) in ops {
            pair.apply(op);
            // Asking for the wait files some timers anew, so that not asking must be tried as well.
            if checks < 4 {
                pair.check_wait();
            }
            if checks == 0 {
                pair.clock.wheel.check();
            }
        }
        while let Some(wait) = pair.model.next_wait() {
            pair.advance(nanos(wait));
            while let Some(id) = pair.pop() {
                pair.react(id, Reaction::Nothing);
            }
        }
        prop_assert!(pair.model.waiting.keys().all(|(tick, _)| *tick == tick_from(NEVER)));
    }
}
