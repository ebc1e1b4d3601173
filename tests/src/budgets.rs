//! Measures what the design budgets for: the whole audit against its slowest single source, read and thrown away, and its
//! memory. In one run, taking turns, so that the machine's mood falls on all alike.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use starform_exposition::{Format, Limits, Reader, Selection};

use crate::healthy::{POD_METRICS, SCRAPE};
use crate::https::Client;
use crate::paths::State;
use crate::record::build_auditor;
use crate::{inside, peer, scale, steps};

/// As the auditor asks for pods.
const PODS: &str = "/api/v1/pods";
const PROTOBUF: [(&str, &str); 1] = [("Accept", "application/vnd.kubernetes.protobuf")];
const OPEN_METRICS: [(&str, &str); 1] = [("Accept", "application/openmetrics-text;version=1.0.0")];

const ENDPOINTS: &str = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkube-state-metrics";

/// One thing that is timed, and what each round took.
struct Contender {
    name: &'static str,
    took: Vec<Duration>,
    bytes: usize,
}

/// Scales to `pods`, takes the figures and returns them as a table.
pub(crate) fn measure(state: &State, pods: u32, rounds: usize, with_peer: bool) -> Result<String> {
    let auditor = build_auditor(&["--package=starform-verify-cli", "--bin=starform-verify", "--release"])?;
    let size = std::fs::metadata(&auditor)?.len();
    let auditor = auditor
        .to_str()
        .context("the target directory's path is no UTF-8")?
        .to_owned();
    scale::scale(state, pods)?;
    // A cluster that has just come up is too young to be judged.
    inside::run(state, &[&auditor, "--step", "1,3", "-o", "short", "--wait", "120s"])?;
    let mut audit = Contender::new("whole audit");
    // Straight from kube-state-metrics, in the same chunks: what the reader adds to reading.
    let mut discarded = Contender::new("scrape, direct, thrown away");
    let mut extracted = Contender::new("scrape, direct, with extraction");
    let mut sources = [
        Contender::new("pods, in protobuf"),
        Contender::new("scrape of kube-state-metrics"),
        Contender::new("PodMetrics"),
    ];
    steps::step(format_args!("{rounds} rounds"), || {
        // One round that does not count fills every cache.
        for round in 0..=rounds {
            let counted = |contender: &mut Contender, took: Duration, bytes: usize| {
                if round > 0 {
                    contender.took.push(took);
                    contender.bytes = bytes;
                }
            };
            let (took, bytes) = run_audit(state, &auditor)?;
            counted(&mut audit, took, bytes);
            let [list, scrape, metrics] = &mut sources;
            let (took, bytes) = timed(state, |client| read(client, PODS, &PROTOBUF))?;
            counted(list, took, bytes);
            let (took, bytes) = timed(state, |client| read(client, SCRAPE, &OPEN_METRICS))?;
            counted(scrape, took, bytes);
            let (took, bytes) = timed(state, |client| read(client, POD_METRICS, &[]))?;
            counted(metrics, took, bytes);
            let (took, bytes) = direct(state, |_| {})?;
            counted(&mut discarded, took, bytes);
            let mut reader = Reader::new(
                Format::OpenMetrics,
                Selection::Metric("kube_pod_labels"),
                Limits::default(),
            );
            let (took, bytes) = direct(state, |chunk| {
                reader.push(chunk, &mut |row| {
                    // As the collector does: every label is looked at.
                    std::hint::black_box(row.labels().count());
                });
            })?;
            counted(&mut extracted, took, bytes);
        }
        Ok(())
    })?;
    // The largest of all finished children. cargo and rustc ended before, and are larger: so a child of its own asks.
    let peak = peak_memory(state, &auditor)?;
    let mut text = String::new();
    let slowest = sources.iter().map(Contender::median).max().unwrap_or_default();
    writeln!(text, "{pods} further pods, {rounds} rounds, medians")?;
    for contender in std::iter::once(&audit).chain(&sources).chain([&discarded, &extracted]) {
        writeln!(
            text,
            "  {:<30} {:>7.3} s  (best {:.3}, worst {:.3})  {:>9} bytes",
            contender.name,
            contender.median().as_secs_f64(),
            contender.took.iter().min().copied().unwrap_or_default().as_secs_f64(),
            contender.took.iter().max().copied().unwrap_or_default().as_secs_f64(),
            contender.bytes
        )?;
    }
    writeln!(
        text,
        "  whole audit / slowest source   {:.2} x   (budget 1.3 x)",
        ratio(audit.median(), slowest)
    )?;
    let extraction = ratio(extracted.median(), discarded.median());
    writeln!(
        text,
        "  extraction / thrown away       {extraction:.2} x   (budget 1.03 x)"
    )?;
    writeln!(text, "  peak memory of the audit       {peak} KiB   (budget 32768 KiB)")?;
    writeln!(
        text,
        "  size of the binary             {} KiB   (budget 15360 KiB)",
        size / 1024
    )?;
    if with_peer {
        let took = steps::step("Troubleshoot's preflight", || peer::preflight(state))?;
        let share = ratio(took, audit.median());
        writeln!(
            text,
            "  preflight                      {:.1} s, {share:.0} x the audit   (budget 300 x)",
            took.as_secs_f64()
        )?;
    }
    Ok(text)
}

/// The whole process, from its start to its end.
fn run_audit(state: &State, auditor: &str) -> Result<(Duration, usize)> {
    let begun = Instant::now();
    let output = inside::output(state, &[auditor, "--step", "1,3", "-o", "json"])?;
    let took = begun.elapsed();
    if !output.status.success() {
        bail!(
            "the audit ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok((took, output.stdout.len()))
}

/// A connection of its own each time, as the audit has to make one.
fn timed(state: &State, read: impl FnOnce(&mut Client) -> Result<usize> + Send) -> Result<(Duration, usize)> {
    inside::within(state, || {
        let begun = Instant::now();
        let mut client = Client::api_server(state)?;
        let bytes = read(&mut client)?;
        Ok((begun.elapsed(), bytes))
    })
}

fn read(client: &mut Client, path: &str, headers: &[(&str, &str)]) -> Result<usize> {
    let answer = client.request("GET", path, headers, b"")?;
    if answer.status != 200 {
        bail!("GET {path}: HTTP {}", answer.status);
    }
    Ok(answer.body.len())
}

/// The body of one scrape, chunk by chunk, without a proxy in between. HTTP/1.0, so that it comes as it is, to its end.
fn direct(state: &State, mut chunk: impl FnMut(&[u8]) + Send) -> Result<(Duration, usize)> {
    inside::within(state, || {
        let endpoints = Client::api_server(state)?.get(ENDPOINTS)?;
        let endpoints: serde_json::Value = serde_json::from_slice(&endpoints.body)?;
        let address = endpoints
            .pointer("/items/0/endpoints/0/addresses/0")
            .and_then(serde_json::Value::as_str);
        let address = address.context("kube-state-metrics has no endpoint")?;
        let begun = Instant::now();
        let mut stream = TcpStream::connect((address, 8080))?;
        stream.write_all(b"GET /metrics?resources=pods HTTP/1.0\r\nAccept: application/openmetrics-text\r\n\r\n")?;
        let mut buffer = vec![0; 64 << 10];
        let mut bytes = 0;
        loop {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok((begun.elapsed(), bytes));
            }
            bytes += read;
            chunk(&buffer[..read]);
        }
    })
}

/// The auditor's own peak, in KiB, as the kernel counted it for the one child of a process that does nothing else.
fn peak_memory(state: &State, auditor: &str) -> Result<i64> {
    let me = std::env::current_exe()?;
    let me = me.to_str().context("this program's path is no UTF-8")?;
    let output = inside::output(
        state,
        &[me, "peak-memory", "--", auditor, "--step", "1,3", "-o", "json"],
    )?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("no number: {text:?}"))
}

/// Runs a command, throws away what it says, and returns its peak memory in KiB.
pub(crate) fn peak_of(words: &[std::ffi::OsString]) -> Result<i64> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("`{}` cannot be started", program.display()))?;
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())
}

// === impl Contender ===

impl Contender {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            took: Vec::new(),
            bytes: 0,
        }
    }

    fn median(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(f64::EPSILON)
}
