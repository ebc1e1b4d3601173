//! The heap that the exposition reader takes for a streamed scrape of 400 MB, one metric and every row:
//! `cargo run --release -p testbed --example exposition_heap [MEGABYTES]`

#![allow(clippy::print_stdout, reason = "it is its purpose")]

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use starform_exposition::{Format, Limits, Reader, Row, Selection};
use testdata::kube_state_metrics;

#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// Pushes what is written to it and keeps count of what the reader, and only the reader, allocates.
struct Streamed<'a> {
    reader: Reader,
    on_row: &'a mut dyn FnMut(Row<'_>),
    allocations: u64,
    /// Live bytes, at their highest, beyond those that were live before the first chunk.
    peak: usize,
    before: usize,
}

impl Write for Streamed<'_> {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        let before = dhat::HeapStats::get().total_blocks;
        self.reader.push(chunk, &mut self.on_row);
        let after = dhat::HeapStats::get();
        self.allocations += after.total_blocks - before;
        self.peak = self.peak.max(after.max_bytes.saturating_sub(self.before));
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<()> {
    let megabytes = std::env::args()
        .nth(1)
        .map_or(Ok(400), |megabytes| megabytes.parse::<usize>())?;
    for (name, selection) in [
        ("one metric", Selection::Metric(kube_state_metrics::LABELS)),
        ("every row", Selection::All),
    ] {
        let profiler = dhat::Profiler::builder().testing().build();
        let mut length = 0;
        let mut on_row = |row: Row<'_>| length += row.labels().map(|(_, value)| value.len()).sum::<usize>();
        let before = dhat::HeapStats::get().curr_bytes;
        let reader = Reader::new(Format::OpenMetrics, selection, Limits::default());
        let streamed = Streamed {
            reader,
            on_row: &mut on_row,
            allocations: 0,
            peak: 0,
            before,
        };
        let mut writer = BufWriter::with_capacity(64 << 10, streamed);
        kube_state_metrics::write(
            &mut writer,
            megabytes * 1_000_000 / kube_state_metrics::BYTES_A_POD,
            Format::OpenMetrics,
        )?;
        let streamed = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let (allocations, peak) = (streamed.allocations, streamed.peak);
        let summary = streamed.reader.finish();
        drop(profiler);
        println!(
            "{name}: {} bytes, {} rows, {} bytes of labels, peak heap at most {peak} bytes with the 64 KiB of the chunk \
             and the generator's, {allocations} allocations in push, complete: {}",
            summary.bytes, summary.rows, length, summary.saw_eof
        );
    }
    Ok(())
}
