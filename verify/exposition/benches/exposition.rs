//! The exposition reader on a 40 MB body of kube-state-metrics: one metric of it, all of it, and what stands beside it,
//! the mere search for line feeds and prometheus-parse. `cargo bench -p starform-exposition`

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use starform_exposition::{Format, Limits, Reader, Row, Selection};
use testdata::kube_state_metrics;

/// As large as the frames that hyper hands out.
const CHUNK: usize = 64 << 10;

fn read(body: &[u8], selection: Selection<'_>) -> usize {
    let mut reader = Reader::new(Format::OpenMetrics, selection, Limits::default());
    let mut length = 0;
    let mut on_row = |row: Row<'_>| {
        length += row
            .labels()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>();
    };
    for chunk in body.chunks(CHUNK) {
        reader.push(chunk, &mut on_row);
    }
    let summary = reader.finish();
    assert!(summary.saw_eof && summary.row_errors == 0);
    length
}

fn exposition(criterion: &mut Criterion) {
    let body = kube_state_metrics::body(40_000_000 / kube_state_metrics::BYTES_A_POD, Format::OpenMetrics);
    let mut group = criterion.benchmark_group("exposition");
    group
        .throughput(Throughput::Bytes(body.len() as u64))
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    group.bench_function("one_metric", |bencher| {
        bencher.iter(|| read(black_box(&body), Selection::Metric(kube_state_metrics::LABELS)));
    });
    group.bench_function("all_rows", |bencher| {
        bencher.iter(|| read(black_box(&body), Selection::All));
    });
    group.bench_function("line_feeds", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&body)).count());
    });
    // Its baseline takes seconds; a tenth of the body tells as much.
    let tenth = &body[..body.len() / 10];
    group.throughput(Throughput::Bytes(tenth.len() as u64));
    group.bench_function("prometheus_parse", |bencher| {
        bencher.iter(|| {
            let lines = BufReader::new(black_box(tenth)).lines();
            prometheus_parse::Scrape::parse(lines).map(|scrape| scrape.samples.len())
        });
    });
    group.finish();
}

criterion_group!(benches, exposition);
criterion_main!(benches);
