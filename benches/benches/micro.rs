//! All groups of `benches::micro` with criterion: its report, in `target/criterion/report/index.html`,
//! has a chart for each question, with a line for each contender.
//!
//! ```text
//! cargo bench -p benches                     # all
//! cargo bench -p benches -- '^chain'         # one group
//! cargo bench -p benches -- --test           # each bench once, without measuring
//! ```

use std::time::Duration;

use benches::micro::{Group, Sizes};
use criterion::{AxisScale, BenchmarkId, Criterion, PlotConfiguration};

fn main() {
    let mut criterion = Criterion::default()
        // Less than a second for each of some 600 benches: ten minutes. What the machine does besides
        // makes single runs differ anyway; the report interleaves the contenders.
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .nresamples(2_000)
        .configure_from_args();
    for group in Group::ALL {
        run(&mut criterion, group);
    }
    criterion.final_summary();
}

fn run(criterion: &mut Criterion, group: Group) {
    let listing = match group.benches(Sizes::Full) {
        Ok(listing) => listing,
        Err(error) => panic!("{error:#}"),
    };
    for line in listing.left_out {
        eprintln!("left out: {line}");
    }
    let mut benches = listing.benches.into_iter().peekable();
    while let Some(first) = benches.peek() {
        let question = first.case.question.clone();
        let mut chart = criterion.benchmark_group(format!("{group}/{question}"));
        chart.plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
        while let Some(mut bench) = benches.next_if(|bench| bench.case.question == question) {
            let id = BenchmarkId::new(&bench.case.contender, bench.case.number);
            let case = bench.case.clone();
            chart.bench_with_input(id, &case.number, |bencher, _| {
                bencher.iter_custom(|operations| match bench.run(operations) {
                    Ok(took) => took,
                    Err(error) => panic!("{case}: {error}"),
                });
            });
        }
        chart.finish();
    }
}
