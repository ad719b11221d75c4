//! What a timer costs, with a thousand to a million of them alive: through the interface that a user of
//! each library has.
//!
//! Timers that are re-armed, cancelled or due are taken in random order, so that with a million of them
//! nearly every one is out of the caches: then the price is that of memory, and this is the figure that a
//! busy server sees. Those that are set take the places of those that were just cancelled.

mod calloop;
mod reactor;
mod tokio;

use std::hint::spin_loop;
use std::io;
use std::time::{Duration, Instant};

use super::{Chart, Group, Listing, Lot, Sizes};

const LIVE: &[usize] = &[1_000, 10_000, 100_000, 1_000_000];
const FEW: &[usize] = &[1_000, 100_000, 1_000_000];
/// Operations between two looks at the clock, at most.
const BATCH: u64 = 1_000;
/// Turns without a timer, at most, while some are due.
const IDLE: u32 = 1_000_000;
/// Deadlines are spread over so many milliseconds, as idle timeouts are.
const SPREAD: u64 = 60_000;

/// A loop that has timers.
trait Timers: Sized + 'static {
    /// The name in charts.
    const NAME: &'static str;
    /// With more than so many alive each operation takes so long that it isn't measured, and why.
    const MOST: Option<(usize, &'static str)> = None;

    /// What names a timer, and keeps it alive if that is needed.
    type Timer;

    fn new() -> io::Result<Self>;

    /// Sets one timer after each of these times.
    fn insert(&mut self, after: &[Duration], timers: &mut Vec<Self::Timer>) -> io::Result<()>;

    /// Sets each timer to another time from now.
    fn rearm(&mut self, timers: &mut [Self::Timer], after: &[Duration]) -> io::Result<()>;

    /// Takes the timers back.
    fn cancel(&mut self, timers: Vec<Self::Timer>) -> io::Result<()>;

    /// Looks for timers that are due, without waiting: how many were, ever.
    fn turn(&mut self) -> io::Result<usize>;
}

type Operation<T> = fn(&mut Crowd<T>, usize) -> io::Result<Duration>;

pub(super) fn list(listing: &mut Listing, sizes: Sizes) {
    let questions = ["insert", "put off", "re-arm", "cancel"];
    for (place, question) in questions.into_iter().enumerate() {
        let chart = Chart { group: Group::Timers, question, over: "alive", unit: "ns per timer" };
        for live in sizes.of(LIVE, FEW) {
            add::<reactor::Reactor>(listing, &chart, live, place);
            add::<tokio::Tokio>(listing, &chart, live, place);
            add::<calloop::Calloop>(listing, &chart, live, place);
        }
    }
    let chart =
        Chart { group: Group::Timers, question: "fire", over: "alive", unit: "ns per timer" };
    for live in sizes.of(LIVE, FEW) {
        add_fire::<reactor::Reactor>(listing, &chart, live);
        add_fire::<tokio::Tokio>(listing, &chart, live);
        add_fire::<calloop::Calloop>(listing, &chart, live);
    }
}

fn add<T: Timers>(listing: &mut Listing, chart: &Chart, live: usize, place: usize) {
    if !is_measured::<T>(listing, chart, live) {
        return;
    }
    let operations: [Operation<T>; 4] =
        [Crowd::insert, Crowd::put_off, Crowd::rearm, Crowd::cancel];
    let operation = operations[place];
    let mut crowd = None;
    listing.add(chart, live, T::NAME, move |operations| {
        let crowd = match &mut crowd {
            Some(crowd) => crowd,
            none => none.insert(Crowd::<T>::new(live)?),
        };
        let batch = operations.clamp(1, BATCH);
        super::in_rounds(operations, batch as usize, || operation(crowd, batch as usize))
    });
}

fn add_fire<T: Timers>(listing: &mut Listing, chart: &Chart, live: usize) {
    if is_measured::<T>(listing, chart, live) {
        let run = move |_| fire::<T>(live);
        listing.add_lots(chart, live, T::NAME, Lot::Of(live as u64), run);
    }
}

fn is_measured<T: Timers>(listing: &mut Listing, chart: &Chart, live: usize) -> bool {
    match T::MOST {
        Some((most, reason)) if live > most => {
            listing.leave_out(format!(
                "{}: {} isn't measured with more than {most} {}: {reason}",
                chart.group,
                T::NAME,
                chart.over
            ));
            false
        }
        _ => true,
    }
}

/// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Far enough away that none is due while it is measured.
    fn deadlines(&mut self, count: usize) -> Vec<Duration> {
        let deadline = |_| Duration::from_millis(1_000_000 + self.next() % SPREAD);
        (0..count).map(deadline).collect()
    }
}

/// A loop with timers. Those that an operation has in hand are missing.
struct Crowd<T: Timers> {
    timers: T,
    all: Vec<Option<T::Timer>>,
    random: Random,
}

impl<T: Timers> Crowd<T> {
    fn new(live: usize) -> io::Result<Self> {
        let (mut timers, mut random) = (T::new()?, Random(0x2545_f491_4f6c_dd1d));
        let mut all = Vec::with_capacity(live);
        timers.insert(&random.deadlines(live), &mut all)?;
        Ok(Self { timers, all: all.into_iter().map(Some).collect(), random })
    }

    /// Different places of timers.
    fn choose(&mut self, count: usize) -> Vec<usize> {
        let live = self.all.len() as u64;
        let first = self.random.next() % live;
        // A step that has no divisor in common with any of the counts meets each timer once.
        (0..count as u64).map(|n| ((first + n * 7_368_787) % live) as usize).collect()
    }

    fn take(&mut self, places: &[usize]) -> Vec<T::Timer> {
        places.iter().filter_map(|place| self.all[*place].take()).collect()
    }

    fn put_back(&mut self, places: &[usize], timers: Vec<T::Timer>) {
        for (place, timer) in places.iter().zip(timers) {
            self.all[*place] = Some(timer);
        }
    }

    fn insert(&mut self, count: usize) -> io::Result<Duration> {
        let deadlines = self.random.deadlines(count);
        let mut inserted = Vec::with_capacity(count);
        let start = Instant::now();
        self.timers.insert(&deadlines, &mut inserted)?;
        let took = start.elapsed();
        self.timers.cancel(inserted)?;
        Ok(took)
    }

    /// To a later time, as timeouts of requests are.
    fn put_off(&mut self, count: usize) -> io::Result<Duration> {
        self.rearm_to(&vec![Duration::from_millis(1_000_000 + 2 * SPREAD); count])
    }

    fn rearm(&mut self, count: usize) -> io::Result<Duration> {
        let deadlines = self.random.deadlines(count);
        self.rearm_to(&deadlines)
    }

    fn rearm_to(&mut self, deadlines: &[Duration]) -> io::Result<Duration> {
        let places = self.choose(deadlines.len());
        let mut chosen = self.take(&places);
        let start = Instant::now();
        self.timers.rearm(&mut chosen, deadlines)?;
        let took = start.elapsed();
        self.put_back(&places, chosen);
        Ok(took)
    }

    fn cancel(&mut self, count: usize) -> io::Result<Duration> {
        let places = self.choose(count);
        let chosen = self.take(&places);
        let start = Instant::now();
        self.timers.cancel(chosen)?;
        let took = start.elapsed();
        let mut others = Vec::with_capacity(count);
        self.timers.insert(&self.random.deadlines(count), &mut others)?;
        self.put_back(&places, others);
        Ok(took)
    }
}

/// All of `live` timers, with deadlines all over a second, when that second is over: with what it takes
/// to bring them near, and all turns.
fn fire<T: Timers>(live: usize) -> io::Result<Duration> {
    let (mut timers, mut random) = (T::new()?, Random(0x2545_f491_4f6c_dd1d));
    let deadlines: Vec<_> =
        (0..live).map(|_| Duration::from_millis(1 + random.next() % 1000)).collect();
    let mut all = Vec::with_capacity(live);
    timers.insert(&deadlines, &mut all)?;
    let last = Instant::now() + Duration::from_millis(1002);
    while Instant::now() < last {
        spin_loop();
    }
    let start = Instant::now();
    let (mut fired, mut idle) = (0, 0);
    while fired < live {
        let before = fired;
        fired = timers.turn()?;
        idle = if fired > before { 0 } else { idle + 1 };
        // One that never comes would keep a core busy.
        if idle > IDLE {
            return Err(io::Error::other(format!("{fired} of {live} due timers have come")));
        }
    }
    Ok(start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn does_what_it_should<T: Timers>() {
        let mut crowd = Crowd::<T>::new(100).unwrap();
        for operation in [Crowd::insert, Crowd::put_off, Crowd::rearm, Crowd::cancel] {
            operation(&mut crowd, 30).unwrap();
            assert!(crowd.all.iter().all(Option::is_some));
        }
        // Of three that are soon due, one is put off and one is cancelled.
        let mut soon = Vec::new();
        crowd.timers.insert(&[Duration::from_millis(1); 3], &mut soon).unwrap();
        let cancelled = soon.pop().into_iter().collect();
        crowd.timers.cancel(cancelled).unwrap();
        crowd.timers.rearm(&mut soon[..1], &[Duration::from_secs(100)]).unwrap();
        while crowd.timers.turn().unwrap() == 0 {}
        let later = Instant::now() + Duration::from_millis(3);
        while Instant::now() < later {
            assert_eq!(crowd.timers.turn().unwrap(), 1);
        }
    }

    #[test]
    fn reactor() {
        does_what_it_should::<super::reactor::Reactor>();
    }

    #[test]
    fn tokio() {
        does_what_it_should::<super::tokio::Tokio>();
    }

    #[test]
    fn calloop() {
        does_what_it_should::<super::calloop::Calloop>();
    }
}
