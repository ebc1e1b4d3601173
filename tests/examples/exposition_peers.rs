//! Measures the exposition reader against its peers on one generated scrape of kube-state-metrics, all in one run on one
//! core, the rounds of all of them interleaved, and prints medians and ratios:
//! `cargo run --release -p testbed --example exposition_peers [ROUNDS] [FILE]`

#![allow(clippy::print_stdout, reason = "it is its purpose")]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde::Deserialize;
use starform_exposition::{Format, Limits, Reader, Row, Selection};
use testbed::exposition_peers;
use testdata::kube_state_metrics;

/// As large as the frames that hyper hands out.
const CHUNK: usize = 64 << 10;

/// Whatever reads the whole body once and says how long it took.
struct Contender {
    name: &'static str,
    once: Box<Once>,
    times: Vec<Duration>,
}

type Once = dyn FnMut(&[u8]) -> Result<Duration>;

/// The Go program, which parses its file once for every line that it is sent.
struct Go {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Round {
    nanoseconds: u64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(15), |rounds| rounds.parse())?;
    let program = exposition_peers::build()?;
    // Children inherit it: all run on the same core, one after the other.
    let mut core = CpuSet::new();
    core.set(0)?;
    sched_setaffinity(Pid::from_raw(0), &core)?;
    let file = match arguments.next() {
        Some(file) => PathBuf::from(file),
        None => generate(&program)?,
    };
    let body = std::fs::read(&file)?;

    let mut contenders = vec![
        contender("line feeds (floor)", |body| {
            black_box(memchr::memchr_iter(b'\n', body).count());
        }),
        contender("ours, one metric", |body| {
            ours(body, Selection::Metric(kube_state_metrics::LABELS));
        }),
        contender("ours, every row", |body| ours(body, Selection::All)),
        go("VictoriaMetrics", &program, "victoriametrics", &file)?,
        go("Prometheus textparse", &program, "textparse", &file)?,
        contender("prometheus-parse", |body| {
            black_box(prometheus_parse::Scrape::parse(body.lines()).is_ok());
        }),
    ];
    for round in 0..rounds {
        // There and back again, so that no one always comes after the same one.
        let order: Vec<usize> = (0..contenders.len()).collect();
        for at in if round % 2 == 0 {
            order
        } else {
            order.into_iter().rev().collect()
        } {
            let contender = &mut contenders[at];
            let took = (contender.once)(&body)?;
            contender.times.push(took);
        }
    }
    report(&body, &mut contenders)
}

fn report(body: &[u8], contenders: &mut [Contender]) -> Result<()> {
    let labels: usize = body
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"kube_pod_labels{"))
        .map(|line| line.len() + 1)
        .sum();
    println!(
        "{} bytes, {:.1} % of them {}",
        body.len(),
        percent(labels, body.len()),
        kube_state_metrics::LABELS
    );
    #[allow(clippy::cast_precision_loss, reason = "bodies are far smaller than 2^52 bytes")]
    let megabytes = body.len() as f64 / 1e6;
    for contender in contenders.iter_mut() {
        contender.times.sort();
    }
    // The median is what counts. On a machine with other work the best round says more: it was disturbed least.
    for (figure, place) in [("median", 0.5), ("best", 0.0), ("worst", 1.0)] {
        println!(
            "\n{figure:<22} {:>10} {:>18} {:>18}",
            "MB/s", "ours, one metric", "ours, every row"
        );
        let [_, one, all, ..] = &*contenders else { continue };
        let (one, all) = (one.at(place)?, all.at(place)?);
        for contender in &*contenders {
            let took = contender.at(place)?;
            println!(
                "{:<22} {:>10.0} {:>17.2}x {:>17.2}x",
                contender.name,
                megabytes / took,
                took / one,
                took / all
            );
        }
    }
    Ok(())
}

impl Contender {
    /// The sorted time at this place, 0 the shortest and 1 the longest, in seconds.
    fn at(&self, place: f64) -> Result<f64> {
        let last = self.times.len().saturating_sub(1);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "there are few rounds"
        )]
        let at = (last as f64 * place).round() as usize;
        Ok(self.times.get(at).context("no rounds")?.as_secs_f64())
    }
}

#[allow(clippy::cast_precision_loss, reason = "it is for reading")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// Text 0.0.4, because Prometheus' OpenMetrics parser is much slower and VictoriaMetrics does not know `# EOF`.
fn generate(program: &Path) -> Result<PathBuf> {
    let file = program.with_file_name("exposition-40mb.txt");
    std::fs::write(
        &file,
        kube_state_metrics::body(40_000_000 / kube_state_metrics::BYTES_A_POD, Format::Text),
    )?;
    Ok(file)
}

fn ours(body: &[u8], selection: Selection<'_>) {
    let mut reader = Reader::new(Format::Text, selection, Limits::default());
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
    black_box((reader.finish().rows, length));
}

fn contender(name: &'static str, once: impl Fn(&[u8]) + 'static) -> Contender {
    let once = Box::new(move |body: &[u8]| {
        let start = Instant::now();
        once(body);
        Ok(start.elapsed())
    });
    Contender {
        name,
        once,
        times: Vec::new(),
    }
}

fn go(name: &'static str, program: &Path, peer: &str, file: &Path) -> Result<Contender> {
    let file = file.to_str().context("the path is not UTF-8")?;
    let mut child = exposition_peers::start(program, &["bench", peer, file])?;
    let stdin = child.stdin.take().context("no pipe")?;
    let stdout = BufReader::new(child.stdout.take().context("no pipe")?);
    let mut go = Go { child, stdin, stdout };
    Ok(Contender {
        name,
        once: Box::new(move |_| go.round()),
        times: Vec::new(),
    })
}

impl Go {
    fn round(&mut self) -> Result<Duration> {
        self.stdin.write_all(b"\n")?;
        let mut answer = String::new();
        ensure!(
            self.stdout.read_line(&mut answer)? > 0,
            "the peer ended: {:?}",
            self.child.try_wait()?
        );
        let round: Round = serde_json::from_str(&answer)?;
        Ok(Duration::from_nanos(round.nanoseconds))
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
