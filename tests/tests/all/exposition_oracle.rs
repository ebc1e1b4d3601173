//! Our reader against Prometheus' own parser, on all recorded bodies, thousands of damaged ones and generated ones.
//! `EXPOSITION_ROUNDS` says how many thousands. Every difference that is meant stands in `exposition_oracle/compare.rs`.

mod bodies;
mod compare;

use std::collections::HashSet;
use std::io::Write;

use anyhow::{Result, ensure};
use bodies::{Body, Random};
use starform_exposition::Format;
use testbed::exposition_peers;

/// How a body is to be compared.
#[derive(Clone, Copy)]
enum Scope {
    Line,
    Whole,
}

#[test]
#[ignore = "needs Go: tests/run"]
fn prometheus_reads_the_same() -> Result<()> {
    let program = exposition_peers::build()?;
    let rounds = std::env::var("EXPOSITION_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5);
    let recorded = bodies::recorded()?;
    let mut seen = HashSet::new();
    let (mut lines, mut wholes) = (0, 0);
    for round in 0..rounds {
        let mut cases = Vec::new();
        if round == 0 {
            for body in &recorded {
                add(body, &mut seen, &mut cases);
            }
        }
        let mut random = Random::new(round);
        for _ in 0..1000 {
            let damaged = bodies::damaged(&recorded[random.below(recorded.len())], &mut random);
            let format = if random.below(2) == 0 {
                Format::Text
            } else {
                Format::OpenMetrics
            };
            for body in [damaged, bodies::generated(format, &mut random)] {
                add(&body, &mut seen, &mut cases);
            }
        }
        let mut waiting = cases.iter();
        exposition_peers::lines(&program, "dump", encode(&cases)?, |answer| {
            let oracle = &serde_json::from_str(answer)?;
            match waiting.next() {
                Some((Scope::Line, body)) => compare::line(body, oracle).map(|()| lines += 1),
                Some((Scope::Whole, body)) => compare::whole(body, oracle).map(|agreed| wholes += usize::from(agreed)),
                None => anyhow::bail!("more answers than questions"),
            }
        })?;
        ensure!(waiting.next().is_none(), "fewer answers than questions");
    }
    writeln!(std::io::stderr(), "compared {lines} lines and {wholes} whole bodies")?;
    ensure!(
        lines > 1000 * rounds && wholes > 100,
        "too little was compared: {lines} lines, {wholes} whole bodies"
    );
    Ok(())
}

/// The body's lines, each once, and the body itself.
fn add(body: &Body, seen: &mut HashSet<Body>, cases: &mut Vec<(Scope, Body)>) {
    for line in body.bytes.split(|byte| *byte == b'\n') {
        if let Some(single) = compare::single_line(body.format, line)
            && seen.insert(single.clone())
        {
            cases.push((Scope::Line, single));
        }
    }
    let mut whole = body.clone();
    if !whole.bytes.ends_with(b"\n") {
        // A last line without line feed is a row to Prometheus' text parser; to us it may have been cut.
        whole.bytes.push(b'\n');
    }
    if whole.format == Format::OpenMetrics && !whole.bytes.ends_with(b"\n# EOF\n") {
        whole.bytes.extend_from_slice(b"# EOF\n");
    }
    if compare::comparable_as_a_whole(&whole) {
        cases.push((Scope::Whole, whole));
    }
}

/// As tests/tools/exposition-peers/dump.go reads them.
fn encode(cases: &[(Scope, Body)]) -> Result<Vec<u8>> {
    let mut input = Vec::new();
    for (_, body) in cases {
        input.push(if body.format == Format::Text { b't' } else { b'o' });
        input.extend_from_slice(&u32::try_from(body.bytes.len())?.to_be_bytes());
        input.extend_from_slice(&body.bytes);
    }
    Ok(input)
}
