//! Samples of several contenders, taken in turns.
//!
//! A bench may hang, in a library's wait that nothing ends, so the samples are taken on a thread of their own.
//! One that hangs is left behind, and another goes on with the other benches. Nothing in what is measured
//! has to look at a clock for that.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::{Bench, Case, Listing, Lot, Watch};

/// How often one looks whether a bench hangs.
const LOOK: Duration = Duration::from_millis(500);
/// How long a bench may still take after an interruption.
const GRACE: Duration = Duration::from_secs(5);

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Samples of each case.
    pub samples: usize,
    /// About how long one sample is, without what prepares it.
    pub time: Duration,
    /// A sample that takes longer, with what prepares it, is given up.
    pub patience: Duration,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    pub case: Case,
    /// Nanoseconds an operation, in the order in which they were taken.
    pub samples: Vec<f64>,
}

/// A case that couldn't be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What was to be measured.
    pub case: Case,
    /// Why it wasn't.
    pub error: String,
}

/// What came of all cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Those that were measured.
    pub measured: Vec<Measured>,
    /// Those that failed, of which no sample is kept.
    pub failed: Vec<Failed>,
}

/// Takes samples of all that `list` lists, which must be the same whenever it is called. Those that follow
/// each other with the same question at the same number are contenders, and are sampled in turns
/// (A B C A B C …), so that what disturbs the machine for a while disturbs all of them. Calls `begin` with the
/// cases of each such round before it begins. Once `interrupted`, what there is by then is all.
///
/// # Errors
///
/// When the benches can't be listed. One that fails, hangs or panics is among the findings.
pub fn measure(
    list: impl Fn() -> anyhow::Result<Listing> + Clone + Send + 'static,
    effort: Effort,
    interrupted: &Arc<AtomicBool>,
    mut begin: impl FnMut(&[Case]),
) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let (mut done, mut without) = (0, Vec::new());
    loop {
        let watch = Arc::new(Watch::default());
        let (sender, events) = mpsc::channel();
        let worker = Worker {
            effort,
            done,
            without: without.clone(),
            interrupted: Arc::clone(interrupted),
            watch: Arc::clone(&watch),
            events: sender,
        };
        let list = list.clone();
        let thread = thread::Builder::new().name("benches".to_owned());
        thread.spawn(move || worker.work(list)).context("start a thread that measures")?;
        let error = loop {
            match events.recv_timeout(LOOK.min(effort.patience)) {
                Ok(Event::Begins(cases)) => begin(&cases),
                Ok(Event::Ended(round)) => {
                    findings.measured.extend(round.measured);
                    findings.failed.extend(round.failed);
                    done += 1;
                }
                Ok(Event::End(result)) => return result.map(|()| findings),
                Err(RecvTimeoutError::Timeout) if interrupted.load(Ordering::Relaxed) => {
                    if watch.overdue(effort.patience.min(GRACE)).is_some() {
                        return Ok(findings);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(hung) = watch.overdue(effort.patience) {
                        break hung;
                    }
                }
                // The panic's own message is on stderr.
                Err(RecvTimeoutError::Disconnected) => match watch.running() {
                    Some(case) => break Failed { case, error: "it panicked".to_owned() },
                    None => bail!("the thread that measures has panicked"),
                },
            }
        };
        without.push(error.case.clone());
        findings.failed.push(error);
    }
}

/// What is told by the thread that measures.
enum Event {
    /// A round of these.
    Begins(Vec<Case>),
    /// What came of that round.
    Ended(Findings),
    /// There is nothing more to do.
    End(anyhow::Result<()>),
}

/// What measures, on a thread of its own.
struct Worker {
    effort: Effort,
    /// Rounds that are over.
    done: usize,
    /// Those that have hung.
    without: Vec<Case>,
    interrupted: Arc<AtomicBool>,
    watch: Arc<Watch>,
    events: Sender<Event>,
}

impl Worker {
    fn work(self, list: impl Fn() -> anyhow::Result<Listing>) {
        let result = list().map(|listing| self.measure(listing.benches));
        self.tell(Event::End(result));
    }

    /// Nobody is there to be told after it was given up.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn measure(&self, benches: Vec<Bench>) {
        let mut benches = benches.into_iter().peekable();
        let mut round = 0;
        while let Some(first) = benches.next() {
            let mut side_by_side = vec![first];
            // What contenders share, as thousands of descriptors, goes when the last of them goes.
            while let Some(next) = benches.next_if(|next| are_contenders(&side_by_side[0], next)) {
                side_by_side.push(next);
            }
            round += 1;
            if round <= self.done {
                continue;
            }
            if self.is_interrupted() {
                break;
            }
            side_by_side.retain(|bench| !self.without.contains(&bench.case));
            self.tell(Event::Begins(side_by_side.iter().map(|bench| bench.case.clone()).collect()));
            self.tell(Event::Ended(self.in_turns(side_by_side)));
        }
    }

    /// An interruption leaves the turns that were taken by then.
    fn in_turns(&self, benches: Vec<Bench>) -> Findings {
        let mut contenders: Vec<_> = benches.into_iter().map(Contender::new).collect();
        for contender in &mut contenders {
            if self.is_interrupted() {
                return Findings::default();
            }
            contender.calibrate(self.effort.time, &self.watch);
        }
        for _ in 0..self.effort.samples {
            if self.is_interrupted() {
                break;
            }
            for contender in &mut contenders {
                contender.sample(&self.watch);
            }
        }
        let mut findings = Findings::default();
        for Contender { bench, samples, error, .. } in contenders {
            let case = bench.case.clone();
            match error {
                Some(error) => findings.failed.push(Failed { case, error: error.to_string() }),
                None if samples.is_empty() => {}
                None => findings.measured.push(Measured { case, samples }),
            }
        }
        findings
    }
}

fn are_contenders(one: &Bench, other: &Bench) -> bool {
    let of = |bench: &Bench| (bench.case.group, bench.case.number);
    of(one) == of(other) && one.case.question == other.case.question
}

/// One of a round.
struct Contender {
    bench: Bench,
    operations: u64,
    samples: Vec<f64>,
    /// After it nothing more is asked of it.
    error: Option<io::Error>,
}

impl Contender {
    fn new(bench: Bench) -> Self {
        Self { bench, operations: 1, samples: Vec::new(), error: None }
    }

    fn calibrate(&mut self, time: Duration, watch: &Watch) {
        match calibrate(&mut self.bench, time, watch) {
            Ok(operations) => self.operations = operations,
            Err(error) => self.error = Some(error),
        }
    }

    fn sample(&mut self, watch: &Watch) {
        if self.error.is_some() {
            return;
        }
        match watch.run(&mut self.bench, self.operations) {
            Ok(took) => self.samples.push(took.as_nanos() as f64 / self.operations as f64),
            Err(error) => self.error = Some(error),
        }
    }
}

/// How many operations take about `time`; warms up the caches by the way.
fn calibrate(bench: &mut Bench, time: Duration, watch: &Watch) -> io::Result<u64> {
    if let Lot::Of(lot) = bench.lot {
        return Ok(lot);
    }
    let mut operations = 1;
    loop {
        let took = watch.run(bench, operations)?.max(Duration::from_nanos(1));
        let missing = time.as_secs_f64() / took.as_secs_f64();
        // The first few say little about those that follow.
        let factor = if missing > 2.0 { missing.min(30.0) } else { missing };
        operations = ((operations as f64 * factor) as u64).max(1);
        if missing <= 2.0 {
            return Ok(operations);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::{Chart, Group};
    use super::*;

    const CHART: Chart =
        Chart { group: Group::Wait, question: "any", over: "things", unit: "ns per go" };
    const EFFORT: Effort =
        Effort { samples: 3, time: Duration::from_millis(1), patience: Duration::from_secs(60) };

    /// Takes `nanos` an operation, whose numbers are noted.
    fn add(
        listing: &mut Listing,
        number: usize,
        name: &'static str,
        nanos: u64,
        asked: &Arc<Mutex<Vec<u64>>>,
    ) {
        let asked = Arc::clone(asked);
        listing.add(&CHART, number, name, move |operations| {
            asked.lock().unwrap().push(operations);
            Ok(Duration::from_nanos(nanos * operations))
        });
    }

    fn fail(_: u64) -> io::Result<Duration> {
        Err(io::Error::other("trouble"))
    }

    fn hang(_: u64) -> io::Result<Duration> {
        loop {
            thread::park();
        }
    }

    fn go_on() -> Arc<AtomicBool> {
        Arc::new(AtomicBool::new(false))
    }

    fn names(findings: &Findings) -> Vec<String> {
        let name = |case: &Case| format!("{} {}", case.number, case.contender);
        findings.measured.iter().map(|measured| name(&measured.case)).collect()
    }

    #[test]
    fn samples_are_nanoseconds_an_operation() {
        let (asked, others) = <(Arc<Mutex<Vec<u64>>>, Arc<Mutex<Vec<u64>>>)>::default();
        let noted = Arc::clone(&asked);
        let list = move || {
            let mut listing = Listing::new(1000);
            add(&mut listing, 1, "one", 10, &noted);
            add(&mut listing, 1, "two", 2_000_000, &others);
            add(&mut listing, 7, "one", 30, &others);
            Ok(listing)
        };
        let mut rounds = Vec::new();
        let findings = measure(list, EFFORT, &go_on(), |cases| rounds.push(cases.len())).unwrap();
        assert_eq!(rounds, [2, 1]);
        let samples: Vec<_> =
            findings.measured.iter().map(|measured| &measured.samples[..]).collect();
        assert_eq!(samples, [&[10.0; 3][..], &[2_000_000.0; 3], &[30.0; 3]]);
        let asked = asked.lock().unwrap();
        assert_eq!(asked[asked.len() - 3..], [100_000; 3]);
    }

    #[test]
    fn lots_are_stretched() {
        let list = || {
            let mut listing = Listing::new(1000);
            listing.add_lots(&CHART, 1, "one", Lot::Of(20), |operations| {
                assert_eq!(operations, 20);
                Ok(Duration::from_nanos(100))
            });
            Ok(listing)
        };
        assert_eq!(list().unwrap().benches[0].run(40).unwrap(), Duration::from_nanos(200));
        let findings = measure(list, EFFORT, &go_on(), |_| ()).unwrap();
        assert_eq!(findings.measured[0].samples, [5.0; 3]);
    }

    /// Of three contenders the second doesn't do what it should; there is another round.
    fn with(run: fn(u64) -> io::Result<Duration>, patience: Duration) -> Findings {
        let list = move || {
            let mut listing = Listing::new(1000);
            let asked = Arc::default();
            add(&mut listing, 1, "one", 10, &asked);
            listing.add(&CHART, 1, "two", run);
            add(&mut listing, 1, "three", 10, &asked);
            add(&mut listing, 2, "one", 10, &asked);
            Ok(listing)
        };
        let findings = measure(list, Effort { patience, ..EFFORT }, &go_on(), |_| ()).unwrap();
        assert_eq!(names(&findings), ["1 one", "1 three", "2 one"]);
        assert!(findings.measured.iter().all(|measured| measured.samples.len() == 3));
        assert_eq!(findings.failed.len(), 1, "{findings:?}");
        assert_eq!(findings.failed[0].case.to_string(), "wait, any, 1 things: two");
        findings
    }

    #[test]
    fn one_that_fails_leaves_the_others() {
        assert_eq!(with(fail, EFFORT.patience).failed[0].error, "trouble");
    }

    #[test]
    fn one_that_hangs_is_given_up() {
        // Long enough for a machine with other things to do: what hangs for no reason fails the test.
        let findings = with(hang, Duration::from_millis(500));
        assert_eq!(
            findings.failed[0].error,
            "waited for 500ms, and in vain, for the end of 1 operations (ns per go)"
        );
    }

    #[test]
    fn one_that_panics_leaves_the_others() {
        let findings = with(|_| panic!("as it should"), EFFORT.patience);
        assert_eq!(findings.failed[0].error, "it panicked");
    }

    #[test]
    fn an_interruption_leaves_the_turns_that_were_taken() {
        let interrupted = go_on();
        let signal = Arc::clone(&interrupted);
        let list = move || {
            let mut listing = Listing::new(1000);
            let (signal, mut samples) = (Arc::clone(&signal), 0);
            listing.add_lots(&CHART, 1, "one", Lot::Of(1), move |_| {
                samples += 1;
                signal.store(samples == 2, Ordering::Relaxed);
                Ok(Duration::from_nanos(7))
            });
            let asked = Arc::default();
            add(&mut listing, 1, "two", 10, &asked);
            add(&mut listing, 2, "one", 10, &asked);
            Ok(listing)
        };
        let findings = measure(list, EFFORT, &interrupted, |_| ()).unwrap();
        assert_eq!(names(&findings), ["1 one", "1 two"]);
        assert!(findings.measured.iter().all(|measured| measured.samples.len() == 2));
        assert_eq!(findings.failed, []);
    }

    #[test]
    fn what_can_t_be_listed_is_an_error() {
        let list = || bail!("no list");
        let error = measure(list, EFFORT, &go_on(), |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no list");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut listing = Listing::new(1000);
        assert!(listing.has_room(&CHART, 900, 900));
        assert!(!listing.has_room(&CHART, 901, 901));
        assert!(!listing.has_room(&CHART, 902, 902) && !listing.has_room(&CHART, 901, 901));
        assert_eq!(
            listing.shortage.line(1000).unwrap(),
            "wait with 901 things; wait with 902 things: up to 1002 open files are needed, and this process \
             may have 1000; raise the limit (ulimit -Hn 1002)"
        );
    }
}
