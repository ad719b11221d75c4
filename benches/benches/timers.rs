//! What a timer costs, with a thousand to a million of them alive: through the interface that a handler
//! has, on the default mechanism.
//!
//! Timers that are re-armed, cancelled or due are taken in random order, so that with a million of them
//! nearly every one is out of the caches: then the price is that of memory, and this is the figure that a
//! busy server sees. Those that are set take the places of those that were just cancelled.

#![allow(missing_docs, reason = "the macros of criterion make a public function")]

use std::cell::Cell;
use std::hint::{black_box, spin_loop};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use reactor::{ConnId, Context, Handler, Input, Reactor, TimerId};

const LIVE: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Operations between two looks at the clock.
const BATCH: usize = 1_000;
/// Deadlines are spread over so many milliseconds, as idle timeouts are.
const SPREAD: u64 = 60_000;

/// Counts the timers that were due.
struct Counter(Rc<Cell<usize>>);

impl Handler for Counter {
    type Message = ();

    fn data(&mut self, _: &mut Context<'_>, _: ConnId, _: &mut Input<'_>) {}

    fn timer(&mut self, _: &mut Context<'_>, _: TimerId, _: u64) {
        self.0.set(self.0.get() + 1);
    }
}

/// A loop with timers, and the random numbers that the operations take.
struct Bench {
    reactor: Reactor<Counter>,
    fired: Rc<Cell<usize>>,
    timers: Vec<TimerId>,
    random: u64,
}

impl Bench {
    fn new(live: usize) -> io::Result<Self> {
        let fired = Rc::new(Cell::new(0));
        let reactor = Reactor::new(Counter(Rc::clone(&fired)))?;
        let mut bench = Self { reactor, fired, timers: Vec::new(), random: 0x2545_f491_4f6c_dd1d };
        for _ in 0..live {
            let after = bench.deadline();
            bench.timers.push(bench.reactor.context().after(after, 0));
        }
        Ok(bench)
    }

    /// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Far enough away that none is due while the bench runs.
    fn deadline(&mut self) -> Duration {
        Duration::from_millis(1_000_000 + self.random() % SPREAD)
    }

    /// Different timers of those alive.
    fn choose(&mut self) -> Vec<usize> {
        let live = self.timers.len() as u64;
        let first = self.random() % live;
        // A step that has no divisor in common with any of the counts meets each timer once.
        (0..BATCH as u64).map(|n| ((first + n * 7_368_787) % live) as usize).collect()
    }

    fn insert(&mut self) -> Duration {
        let deadlines: Vec<_> = (0..BATCH).map(|_| self.deadline()).collect();
        let mut inserted = Vec::with_capacity(BATCH);
        let mut ctx = self.reactor.context();
        let start = Instant::now();
        for after in deadlines {
            inserted.push(ctx.after(after, 0));
        }
        let took = start.elapsed();
        for timer in inserted {
            ctx.cancel(timer);
        }
        took
    }

    /// To a later time, as timeouts of requests are.
    fn put_off(&mut self) -> Duration {
        let later = Duration::from_millis(1_000_000 + 2 * SPREAD);
        self.rearm_to(|_| later)
    }

    fn rearm(&mut self) -> Duration {
        self.rearm_to(Self::deadline)
    }

    fn rearm_to(&mut self, mut deadline: impl FnMut(&mut Self) -> Duration) -> Duration {
        let chosen: Vec<_> = self.choose().into_iter().map(|index| self.timers[index]).collect();
        let deadlines: Vec<_> = chosen.iter().map(|_| deadline(self)).collect();
        let mut ctx = self.reactor.context();
        let start = Instant::now();
        for (timer, after) in chosen.into_iter().zip(deadlines) {
            black_box(ctx.rearm(timer, after));
        }
        start.elapsed()
    }

    fn cancel(&mut self) -> Duration {
        let indices = self.choose();
        let chosen: Vec<_> = indices.iter().map(|index| self.timers[*index]).collect();
        let deadlines: Vec<_> = chosen.iter().map(|_| self.deadline()).collect();
        let mut ctx = self.reactor.context();
        let start = Instant::now();
        for timer in chosen {
            black_box(ctx.cancel(timer));
        }
        let took = start.elapsed();
        for (index, after) in indices.into_iter().zip(deadlines) {
            self.timers[index] = ctx.after(after, 0);
        }
        took
    }
}

/// The time that `iterations` operations take, of which each call of `batch` does `BATCH`.
fn measure(iterations: u64, mut batch: impl FnMut() -> Duration) -> Duration {
    let batches = iterations.div_ceil(BATCH as u64).max(1);
    let took: Duration = (0..batches).map(|_| batch()).sum();
    took.mul_f64(iterations as f64 / (batches * BATCH as u64) as f64)
}

/// All of `live` timers, with deadlines all over a second, when that second is over: with what it takes
/// to bring them near, and all turns.
fn fire(live: usize) -> io::Result<Duration> {
    let mut bench = Bench::new(0)?;
    for _ in 0..live {
        let after = Duration::from_millis(1 + bench.random() % 1000);
        bench.reactor.context().after(after, 0);
    }
    let last = Instant::now() + Duration::from_millis(1001);
    while Instant::now() < last {
        spin_loop();
    }
    let start = Instant::now();
    while bench.fired.get() < live {
        bench.reactor.turn(Some(Duration::ZERO))?;
    }
    Ok(start.elapsed())
}

fn timers(criterion: &mut Criterion) {
    type Operation = fn(&mut Bench) -> Duration;
    let operations: [(&str, Operation); 4] = [
        ("insert", Bench::insert),
        ("put off", Bench::put_off),
        ("re-arm", Bench::rearm),
        ("cancel", Bench::cancel),
    ];
    for (name, operation) in operations {
        let mut group = criterion.benchmark_group(format!("timers/{name}"));
        for live in LIVE {
            let mut bench = Bench::new(live).expect("a reactor");
            group.bench_with_input(BenchmarkId::from_parameter(live), &live, |bencher, _| {
                bencher.iter_custom(|iterations| measure(iterations, || operation(&mut bench)));
            });
        }
    }
    let mut group = criterion.benchmark_group("timers/fire");
    // Each sample takes more than a second, whatever it measures.
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for live in LIVE {
        group.bench_with_input(BenchmarkId::from_parameter(live), &live, |bencher, &live| {
            bencher.iter_custom(|iterations| {
                let took = fire(live).expect("a reactor");
                took.mul_f64(iterations as f64 / live as f64)
            });
        });
    }
}

criterion_group!(benches, timers);
criterion_main!(benches);
