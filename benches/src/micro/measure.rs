//! Samples of several contenders, taken in turns.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{Bench, Case, Lot};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Samples of each case.
    pub samples: usize,
    /// About how long one sample is, without what prepares it.
    pub time: Duration,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    pub case: Case,
    /// Nanoseconds an operation, in the order in which they were taken.
    pub samples: Vec<f64>,
}

/// Takes samples. Those that follow each other with the same question at the same number are
/// contenders, and are sampled in turns (A B C A B C …), so that what disturbs the machine for a while
/// disturbs all of them. Calls `begin` with the cases of each such round before it begins; when that says
/// no, what there is by then is all.
///
/// # Errors
///
/// When a bench fails.
pub fn measure(
    benches: Vec<Bench>,
    effort: Effort,
    mut begin: impl FnMut(&[Case]) -> bool,
) -> anyhow::Result<Vec<Measured>> {
    let mut all = Vec::new();
    let mut benches = benches.into_iter().peekable();
    while let Some(first) = benches.next() {
        let mut side_by_side = vec![first];
        // What contenders share, as thousands of descriptors, goes when the last of them goes.
        while let Some(next) = benches.next_if(|next| are_contenders(&side_by_side[0], next)) {
            side_by_side.push(next);
        }
        let cases: Vec<_> = side_by_side.iter().map(|bench| bench.case.clone()).collect();
        if !begin(&cases) {
            break;
        }
        let samples = in_turns(&mut side_by_side, effort)?;
        all.extend(
            cases.into_iter().zip(samples).map(|(case, samples)| Measured { case, samples }),
        );
    }
    Ok(all)
}

fn are_contenders(one: &Bench, other: &Bench) -> bool {
    let of = |bench: &Bench| (bench.case.group, bench.case.number);
    of(one) == of(other) && one.case.question == other.case.question
}

fn in_turns(benches: &mut [Bench], effort: Effort) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut samples = vec![Vec::with_capacity(effort.samples); benches.len()];
    let mut operations = Vec::new();
    for bench in &mut *benches {
        let count = calibrate(bench, effort.time);
        operations.push(count.with_context(|| format!("measure {}", bench.case))?);
    }
    for _ in 0..effort.samples {
        for ((bench, operations), samples) in benches.iter_mut().zip(&operations).zip(&mut samples)
        {
            let took = bench.run(*operations);
            let took = took.with_context(|| format!("measure {}", bench.case))?;
            samples.push(took.as_nanos() as f64 / *operations as f64);
        }
    }
    Ok(samples)
}

/// How many operations take about `time`; warms up the caches by the way.
fn calibrate(bench: &mut Bench, time: Duration) -> io::Result<u64> {
    if let Lot::Of(lot) = bench.lot {
        return Ok(lot);
    }
    let mut operations = 1;
    loop {
        let took = bench.run(operations)?.max(Duration::from_nanos(1));
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
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::super::{Chart, Group, Listing};
    use super::*;

    const CHART: Chart = Chart { group: Group::Wait, question: "any", over: "things", unit: "ns" };
    const EFFORT: Effort = Effort { samples: 3, time: Duration::from_millis(1) };

    /// Takes `nanos` an operation, and notes its name when it is asked.
    fn add(
        listing: &mut Listing,
        number: usize,
        name: &'static str,
        nanos: u64,
    ) -> Rc<RefCell<Vec<u64>>> {
        let asked = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&asked);
        listing.add(&CHART, number, name, move |operations| {
            noted.borrow_mut().push(operations);
            Ok(Duration::from_nanos(nanos * operations))
        });
        asked
    }

    #[test]
    fn samples_are_nanoseconds_an_operation() {
        let mut listing = Listing::new(1000);
        let asked = add(&mut listing, 1, "one", 10);
        add(&mut listing, 1, "two", 2_000_000);
        add(&mut listing, 7, "one", 30);
        let mut rounds = Vec::new();
        let measured = measure(listing.benches, EFFORT, |cases| {
            rounds.push(cases.len());
            true
        })
        .unwrap();
        assert_eq!(rounds, [2, 1]);
        let samples: Vec<_> = measured.iter().map(|measured| &measured.samples[..]).collect();
        assert_eq!(samples, [&[10.0; 3][..], &[2_000_000.0; 3], &[30.0; 3]]);
        assert_eq!(asked.borrow()[asked.borrow().len() - 3..], [100_000; 3]);
    }

    #[test]
    fn lots_are_stretched() {
        let mut listing = Listing::new(1000);
        listing.add_lots(&CHART, 1, "one", Lot::Of(20), |operations| {
            assert_eq!(operations, 20);
            Ok(Duration::from_nanos(100))
        });
        assert_eq!(listing.benches[0].run(40).unwrap(), Duration::from_nanos(200));
        let measured = measure(listing.benches, EFFORT, |_| true).unwrap();
        assert_eq!(measured[0].samples, [5.0; 3]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut listing = Listing::new(1000);
        assert!(listing.has_room(&CHART, 900, 900));
        assert!(!listing.has_room(&CHART, 901, 901));
        assert_eq!(
            listing.left_out,
            [
                "wait, any, 901 things: takes 1001 open files, and this process may have 1000; raise the \
              limit (ulimit -Hn)"
            ]
        );
    }
}
