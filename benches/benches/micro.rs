//! All groups of `benches::micro` with criterion: its report, in `target/criterion/report/index.html`,
//! has a chart for each question, with a line for each contender.
//!
//! ```text
//! cargo bench -p benches                     # all
//! cargo bench -p benches -- '^chain'         # one group
//! cargo bench -p benches -- --test           # each bench once, without measuring
//! ```

use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use benches::micro::{Group, PATIENCE, Sizes, Watch};
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
    let watch = Arc::new(Watch::default());
    let watched = Arc::clone(&watch);
    thread::spawn(move || end_what_hangs(&watched));
    for group in Group::ALL {
        run(&mut criterion, group, &watch);
    }
    criterion.final_summary();
}

/// Ends this program when a bench waits for something that doesn't come.
fn end_what_hangs(watch: &Watch) {
    loop {
        thread::sleep(Duration::from_secs(1));
        if let Some(hung) = watch.overdue(PATIENCE) {
            eprintln!("{}: {}", hung.case, hung.error);
            process::exit(1);
        }
    }
}

fn run(criterion: &mut Criterion, group: Group, watch: &Watch) {
    let listing = match group.benches(Sizes::Full) {
        Ok(listing) => listing,
        Err(error) => panic!("{error:#}"),
    };
    let shortage = listing.shortage.line(listing.open_files);
    for line in listing.left_out.into_iter().chain(shortage) {
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
                bencher.iter_custom(|operations| match watch.run(&mut bench, operations) {
                    Ok(took) => took,
                    Err(error) => panic!("{case}: {error}"),
                });
            });
        }
        chart.finish();
    }
}
